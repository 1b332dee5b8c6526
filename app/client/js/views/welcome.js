// The login and sign-up forms.
import * as api from "../api.js";
import * as session from "../session.js";
import { element } from "../dom.js";
import { accountRules, checkbox, form, textField } from "../forms.js";
import { explain, showNotice } from "../notices.js";
import { posterArt } from "../poster.js";
import { navigate, routeTo } from "../router.js";

// POSTER_TITLES select the drawings next to the forms. They are not shown as text.
const POSTER_TITLES = ["matinee", "premiere", "intermission", "projector", "double feature", "balcony", "curtain", "popcorn", "usher"];

function posterWall() {
  return element("div", { class: "poster-wall", "aria-hidden": "true" },
    POSTER_TITLES.map((title, i) => element("div", { class: "poster", "data-palette": (i * 5 + 1) % 12 }, posterArt(title))));
}

function page(title, lead, ...parts) {
  return element("div", { class: "welcome" }, element("div", { class: "welcome-form" }, element("h1", null, title), element("p", { class: "lead" }, lead), parts), posterWall());
}

const keepCheckbox = () => checkbox({ label: "Stay logged in on this device for up to 7 days", name: "keep" });

// LOGIN_ATTEMPTS is how often a login is sent while the API is busy, and MAX_LOGIN_WAIT the longest time between two
// attempts, in seconds. The form shows the error after that.
const LOGIN_ATTEMPTS = 3;
const MAX_LOGIN_WAIT = 5;

async function logInWhenFree(username, password) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await api.logIn(username, password, session.device(username));
    } catch (error) {
      if (error.status !== 503 || !error.retryAfter || error.retryAfter > MAX_LOGIN_WAIT || attempt === LOGIN_ATTEMPTS) throw error;
      await new Promise((resolve) => setTimeout(resolve, error.retryAfter * 1000));
    }
  }
}

async function startSession(username, password, keep) {
  const { token, user, device } = await logInWhenFree(username, password);
  session.keepDevice(user.Username, device);
  session.start(token, user, keep);
}

export async function logIn({ sessionEnded }) {
  const username = textField({ label: "Username", name: "Username", autocomplete: "username", autocapitalize: "none", spellcheck: "false", required: true, validate: accountRules.required("username") });
  const password = textField({ label: "Password", name: "Password", type: "password", autocomplete: "current-password", required: true, validate: accountRules.required("password") });
  const keep = keepCheckbox();
  const node = page("Welcome to the cinema", "Browse movies, keep your favorites and share images.",
    sessionEnded && element("p", { class: "banner", role: "alert" }, "Your session has ended. Log in again to continue."),
    form({
      fields: [username, password], extra: keep.node, buttonLabel: "Log in", busyLabel: "Logging in…", failure: "Login failed.", "aria-label": "Log in",
      submit: () => startSession(username.input.value, password.input.value, keep.input.checked),
    }),
    element("p", { class: "form-switch" }, "No account yet? ", element("a", { href: routeTo(["signup"]) }, "Sign up")));
  return { title: "Log in", node, focus: sessionEnded ? username.input : null };
}

export async function signUp() {
  const username = textField({ label: "Username", name: "Username", autocomplete: "username", autocapitalize: "none", spellcheck: "false", required: true, validate: accountRules.username, hint: "3 to 32 letters, digits, - or _." });
  const email = textField({ label: "Email", name: "Email", type: "email", autocomplete: "email", required: true, validate: accountRules.email });
  const password = textField({ label: "Password", name: "Password", type: "password", autocomplete: "new-password", required: true, validate: accountRules.password, hint: accountRules.passwordHint });
  const birthday = textField({ label: "Birthday", name: "Birthday", type: "date", autocomplete: "bday", validate: accountRules.birthday });
  const keep = keepCheckbox();
  const node = page("Join the cinema", "Your account keeps your favorites and your images.",
    form({
      fields: [username, email, password, birthday], extra: keep.node, buttonLabel: "Sign up", busyLabel: "Signing up…", failure: "Sign-up failed.", "aria-label": "Sign up",
      async submit() {
        const details = { Username: username.input.value, Email: email.input.value, Password: password.input.value };
        if (birthday.input.value) details.Birthday = birthday.input.value;
        await api.signUp(details);
        try {
          await startSession(details.Username, details.Password, keep.input.checked);
        } catch (error) {
          // The account exists: another sign-up would fail, because the name is taken.
          navigate(routeTo(["login"]));
          showNotice(explain(error, "Your account was created. Log in to continue."));
        }
      },
    }),
    element("p", { class: "form-switch" }, "Already have an account? ", element("a", { href: routeTo(["login"]) }, "Log in")));
  return { title: "Sign up", node };
}

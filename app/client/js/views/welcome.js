// The way in: log in, sign up.
import * as api from "../api.js";
import * as session from "../session.js";
import { h } from "../dom.js";
import { account, checkbox, field, form } from "../forms.js";
import { explain, notice } from "../notices.js";
import { art } from "../poster.js";
import { go, link } from "../router.js";

// The wall beside the forms: these words only choose drawings and are never shown.
const WALL = ["matinee", "premiere", "intermission", "projector", "double feature", "balcony", "curtain", "popcorn", "usher"];

function wall() {
  return h("div", { class: "wall", "aria-hidden": "true" },
    WALL.map((word, i) => h("div", { class: "poster", "data-palette": (i * 5 + 1) % 12 }, art(word))));
}

function page(title, lead, ...parts) {
  return h("div", { class: "welcome" }, h("div", { class: "welcome-form" }, h("h1", null, title), h("p", { class: "lead" }, lead), parts), wall());
}

const stay = () => checkbox({ label: "Stay logged in on this device for up to 7 days", name: "keep" });

async function enter(username, password, keep) {
  const { token, user } = await api.logIn(username, password);
  session.start(token, user, keep);
}

export async function logIn({ ended }) {
  const username = field({ label: "Username", name: "Username", autocomplete: "username", autocapitalize: "none", spellcheck: "false", required: true, check: account.given("username") });
  const password = field({ label: "Password", name: "Password", type: "password", autocomplete: "current-password", required: true, check: account.given("password") });
  const keep = stay();
  const node = page("Welcome to the cinema", "Browse films, keep your favourites, share pictures.",
    ended && h("p", { class: "banner", role: "alert" }, "Your session has ended. Log in again to go on where you were."),
    form({
      fields: [username, password], extra: keep.node, action: "Log in", busy: "Logging in…", failed: "You are not logged in.", "aria-label": "Log in",
      submit: () => enter(username.control.value, password.control.value, keep.control.checked),
    }),
    h("p", { class: "other" }, "No account yet? ", h("a", { href: link(["signup"]) }, "Sign up")));
  return { title: "Log in", node, focus: ended ? username.control : null };
}

export async function signUp() {
  const username = field({ label: "Username", name: "Username", autocomplete: "username", autocapitalize: "none", spellcheck: "false", required: true, check: account.username, hint: "3 to 32 letters, digits, - or _." });
  const email = field({ label: "Email", name: "Email", type: "email", autocomplete: "email", required: true, check: account.email });
  const password = field({ label: "Password", name: "Password", type: "password", autocomplete: "new-password", required: true, check: account.password, hint: "At least 8 characters." });
  const birthday = field({ label: "Birthday", name: "Birthday", type: "date", autocomplete: "bday", check: account.birthday });
  const keep = stay();
  const node = page("Join the cinema", "An account keeps your favourites and your pictures.",
    form({
      fields: [username, email, password, birthday], extra: keep.node, action: "Sign up", busy: "Signing up…", failed: "You are not signed up.", "aria-label": "Sign up",
      async submit() {
        const details = { Username: username.control.value, Email: email.control.value, Password: password.control.value };
        if (birthday.control.value) details.Birthday = birthday.control.value;
        await api.signUp(details);
        try {
          await enter(details.Username, details.Password, keep.control.checked);
        } catch (error) {
          // Signing up again would only say that the name is taken.
          go(link(["login"]));
          notice(explain(error, "Your account is made. Log in to go on."));
        }
      },
    }),
    h("p", { class: "other" }, "You have an account? ", h("a", { href: link(["login"]) }, "Log in")));
  return { title: "Sign up", node };
}

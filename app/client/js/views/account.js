// The account: change it, leave it.
import * as api from "../api.js";
import * as session from "../session.js";
import { h } from "../dom.js";
import { account, field, form } from "../forms.js";
import { announce, explain, notice } from "../notices.js";

export async function edit({ signal }) {
  const user = await api.account(signal);
  const email = field({ label: "Email", name: "Email", type: "email", autocomplete: "email", required: true, value: user.Email ?? "", check: account.email });
  const birthday = field({ label: "Birthday", name: "Birthday", type: "date", autocomplete: "bday", value: (user.Birthday ?? "").slice(0, 10), check: account.birthday });
  const username = field({ label: "Username", name: "Username", autocomplete: "username", autocapitalize: "none", spellcheck: "false", required: true, value: user.Username, check: account.username });
  const password = field({ label: "New password", name: "Password", type: "password", autocomplete: "new-password", hint: "Left empty, your password stays.", check: (value) => (value ? account.password(value) : "") });
  const change = form({
    fields: [username, email, birthday, password], action: "Save", busy: "Saving…", failed: "Your account was not changed.", "aria-label": "Your account",
    async submit() {
      const changes = { Username: username.control.value, Email: email.control.value, Birthday: birthday.control.value };
      if (password.control.value) changes.Password = password.control.value;
      // A changed name or password ends the session; the answer's token goes on.
      const { user, token } = await api.saveAccount(changes);
      session.update(user, token);
      username.control.value = user.Username;
      password.control.value = "";
      notice("Your account is saved.", "good");
    },
  });
  const leave = h("button", { type: "button", class: "button button-danger", on: { click: () => confirm(user) } }, "Delete account…");
  return { title: "Account", node: h("div", { class: "narrow" }, h("h1", null, "Account"),
    h("section", { class: "panel", "aria-label": "Details" }, change),
    h("section", { class: "panel", "aria-labelledby": "leaving" }, h("h2", { id: "leaving" }, "Delete your account"),
      h("p", null, "Your name, address, favourites and pictures are removed at once. This can't be undone."), leave)) };
}

// confirm asks before the account goes. The dialog element keeps the focus inside and gives it back.
function confirm(user) {
  const alert = h("p", { class: "form-error", role: "alert" });
  const stay = h("button", { type: "button", class: "button", autofocus: true, on: { click: () => dialog.close() } }, "Keep it");
  const leave = h("button", { type: "button", class: "button button-danger-full" }, "Delete account");
  let sending = false;
  leave.addEventListener("click", async () => {
    if (sending) return;
    sending = true;
    leave.setAttribute("aria-disabled", "true");
    try {
      await api.deleteAccount();
      dialog.close();
      announce("Your account is deleted.");
      notice("Your account is deleted.");
      session.end();
    } catch (error) {
      alert.textContent = explain(error, "Your account is still there.");
    } finally {
      sending = false;
      leave.removeAttribute("aria-disabled");
    }
  });
  const dialog = h("dialog", { class: "dialog", "aria-labelledby": "confirm-title", on: { close: () => dialog.remove() } },
    h("h2", { id: "confirm-title" }, `Delete the account “${user.Username}”?`),
    h("p", null, "This can't be undone."), alert, h("div", { class: "actions" }, stay, leave));
  document.body.append(dialog);
  dialog.showModal();
}

// The account: edit it or delete it.
import * as api from "../api.js";
import * as session from "../session.js";
import { element } from "../dom.js";
import { accountRules, form, textField } from "../forms.js";
import { announce, explain, showNotice } from "../notices.js";

export async function edit({ signal }) {
  const user = await api.account(signal);
  const email = textField({ label: "Email", name: "Email", type: "email", autocomplete: "email", required: true, value: user.Email ?? "", validate: accountRules.email });
  const birthday = textField({ label: "Birthday", name: "Birthday", type: "date", autocomplete: "bday", value: (user.Birthday ?? "").slice(0, 10), validate: accountRules.birthday });
  const username = textField({ label: "Username", name: "Username", autocomplete: "username", autocapitalize: "none", spellcheck: "false", required: true, value: user.Username, validate: accountRules.username });
  const password = textField({ label: "New password", name: "Password", type: "password", autocomplete: "new-password", hint: "Leave this empty to keep your password.", validate: (value) => (value ? accountRules.password(value) : "") });
  const change = form({
    fields: [username, email, birthday, password], buttonLabel: "Save", busyLabel: "Saving…", failure: "Your account was not changed.", "aria-label": "Your account",
    async submit() {
      const changes = { Username: username.input.value, Email: email.input.value, Birthday: birthday.input.value };
      if (password.input.value) changes.Password = password.input.value;
      // A new name or password ends the session. The answer holds a token for a new one.
      const { user, token } = await api.saveAccount(changes);
      session.update(user, token);
      username.input.value = user.Username;
      password.input.value = "";
      showNotice("Your account was saved.", "success");
    },
  });
  const deleteButton = element("button", { type: "button", class: "button button-danger", on: { click: () => confirmDelete(user) } }, "Delete account…");
  return { title: "Account", node: element("div", { class: "narrow" }, element("h1", null, "Account"),
    element("section", { class: "panel", "aria-label": "Details" }, change),
    element("section", { class: "panel", "aria-labelledby": "delete-heading" }, element("h2", { id: "delete-heading" }, "Delete your account"),
      element("p", null, "This deletes your name, email address, favorites and images immediately. You can't undo this."), deleteButton)) };
}

// confirmDelete asks for confirmation. The dialog element traps the focus and restores it on close.
function confirmDelete(user) {
  const alert = element("p", { class: "form-error", role: "alert" });
  const cancelButton = element("button", { type: "button", class: "button", autofocus: true, on: { click: () => dialog.close() } }, "Cancel");
  const deleteButton = element("button", { type: "button", class: "button button-danger-full" }, "Delete account");
  let sending = false;
  deleteButton.addEventListener("click", async () => {
    if (sending) return;
    sending = true;
    deleteButton.setAttribute("aria-disabled", "true");
    try {
      await api.deleteAccount();
      dialog.close();
      announce("Your account was deleted.");
      showNotice("Your account was deleted.");
      session.end();
    } catch (error) {
      alert.textContent = explain(error, "Your account was not deleted.");
    } finally {
      sending = false;
      deleteButton.removeAttribute("aria-disabled");
    }
  });
  const dialog = element("dialog", { class: "dialog", "aria-labelledby": "confirm-heading", on: { close: () => dialog.remove() } },
    element("h2", { id: "confirm-heading" }, `Delete the account “${user.Username}”?`),
    element("p", null, "You can't undo this."), alert, element("div", { class: "actions" }, cancelButton, deleteButton));
  document.body.append(dialog);
  dialog.showModal();
}

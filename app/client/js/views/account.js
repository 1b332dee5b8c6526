// The account: edit it or delete it.
import * as api from "../api.js";
import * as session from "../session.js";
import { element } from "../dom.js";
import { accountRules, form, textField } from "../forms.js";
import { announce, showNotice } from "../notices.js";

const currentPasswordField = (props) => textField({ label: "Current password", name: "CurrentPassword", type: "password", autocomplete: "current-password", ...props });

export async function edit({ signal }) {
  let user = await api.account(signal);
  const email = textField({ label: "Email", name: "Email", type: "email", autocomplete: "email", required: true, value: user.Email ?? "", validate: accountRules.email });
  const birthday = textField({ label: "Birthday", name: "Birthday", type: "date", autocomplete: "bday", value: (user.Birthday ?? "").slice(0, 10), validate: accountRules.birthday });
  const username = textField({ label: "Username", name: "Username", autocomplete: "username", autocapitalize: "none", spellcheck: "false", required: true, value: user.Username, validate: accountRules.username });
  const password = textField({ label: "New password", name: "Password", type: "password", autocomplete: "new-password", hint: `Leave this empty to keep your password. ${accountRules.passwordHint}`, validate: (value) => (value ? accountRules.password(value) : "") });
  const needsPassword = () => password.input.value || username.input.value !== user.Username || email.input.value !== user.Email;
  const currentPassword = currentPasswordField({
    optional: false, hint: "Needed to change your username, email or password.",
    validate: (value) => (needsPassword() ? accountRules.required("current password")(value) : ""),
  });
  const change = form({
    fields: [username, email, birthday, password, currentPassword], buttonLabel: "Save", busyLabel: "Saving…", failure: "Your account was not changed.", "aria-label": "Your account",
    async submit() {
      const changes = { Username: username.input.value, Email: email.input.value, Birthday: birthday.input.value };
      if (password.input.value) changes.Password = password.input.value;
      if (currentPassword.input.value) changes.CurrentPassword = currentPassword.input.value;
      // A new name or password ends the account's sessions. The answer has a token for a new one.
      const saved = await api.saveAccount(changes);
      user = saved.user;
      session.update(user, saved.token);
      username.input.value = user.Username;
      email.input.value = user.Email;
      password.input.value = currentPassword.input.value = "";
      showNotice("Your account was saved.", "success");
    },
  });
  const deleteButton = element("button", { type: "button", class: "button button-danger", on: { click: () => confirmDelete(user) } }, "Delete account…");
  return { title: "Account", node: element("div", { class: "narrow" }, element("h1", null, "Account"),
    element("section", { class: "panel", "aria-label": "Details" }, change),
    element("section", { class: "panel", "aria-labelledby": "delete-heading" }, element("h2", { id: "delete-heading" }, "Delete your account"),
      element("p", null, "This removes your name, email address, favorites and images now. You can't undo this."),
      element("p", null, "Backup copies of your images are deleted within days, those of the database when they expire."), deleteButton)) };
}

// confirmDelete asks for the password. The dialog element traps the focus and restores it on close.
function confirmDelete(user) {
  const password = currentPasswordField({ required: true, autofocus: true, validate: accountRules.required("current password") });
  // Password managers look for the name of the account.
  const name = element("input", { type: "text", autocomplete: "username", value: user.Username, readonly: true, hidden: true });
  const dialog = element("dialog", { class: "dialog", "aria-labelledby": "confirm-heading", on: { close: () => dialog.remove() } },
    element("h2", { id: "confirm-heading" }, `Delete the account “${user.Username}”?`),
    element("p", null, "Your account and your images are removed now. You can't undo this."),
    form({
      fields: [{ node: name }, password], buttonLabel: "Delete account", busyLabel: "Deleting…", buttonClass: "button-danger-full", failure: "Your account was not deleted.",
      "aria-label": "Delete account", onCancel: () => dialog.close(),
      async submit() {
        await api.deleteAccount(password.input.value);
        dialog.close();
        announce("Your account was deleted.");
        showNotice("Your account was deleted.");
        session.keepDevice(user.Username);
        session.endInAllTabs();
      },
    }));
  document.body.append(dialog);
  dialog.showModal();
}

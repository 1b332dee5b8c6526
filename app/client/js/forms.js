// Forms with labeled fields. An error is shown at its field, read by screen readers with it, and moves the focus there.
import { element } from "./dom.js";
import { icon } from "./icons.js";
import { explain } from "./notices.js";

let fieldCount = 0;

// textField creates a labeled input. validate(value) returns the error message, or "" if the value is valid. The label says
// that the field is optional, unless optional is false. A password has a button that shows it.
export function textField({ label, hint, validate = () => "", optional, ...inputProps }) {
  const id = `field-${++fieldCount}`;
  const input = element("input", { id, ...inputProps });
  const errorNode = element("p", { class: "field-error", id: `${id}-error`, hidden: true });
  const hintNode = hint && element("p", { class: "field-hint", id: `${id}-hint` }, hint);
  const updateDescription = () => {
    const ids = [hintNode && !hintNode.hidden && `${id}-hint`, !errorNode.hidden && `${id}-error`].filter(Boolean).join(" ");
    if (ids) input.setAttribute("aria-describedby", ids);
    else input.removeAttribute("aria-describedby");
  };
  const setError = (text) => {
    errorNode.textContent = text;
    errorNode.hidden = !text;
    if (hintNode) hintNode.hidden = Boolean(text);
    if (text) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
    updateDescription();
  };
  // Typing removes an error as soon as the value is valid, but shows no new error before the form is sent.
  input.addEventListener("input", () => { if (!errorNode.hidden) setError(validate(input.value)); });
  updateDescription();
  const labelNode = element("label", { for: id }, label, (optional ?? !inputProps.required) && element("span", { class: "optional" }, " (optional)"));
  const field = { name: inputProps.name, label, input, setError, hide: () => {}, validate: () => validate(input.value) };
  field.node = element("div", { class: "field" }, labelNode, inputProps.type === "password" ? showable(field) : input, errorNode, hintNode);
  return field;
}

// showable adds the button that shows a password. field.hide hides it again.
function showable(field) {
  const name = `Show ${field.label.toLowerCase()}`;
  const button = element("button", { type: "button", class: "icon-button", "aria-label": name, title: name }, icon("show"));
  const show = (visible) => {
    field.input.type = visible ? "text" : "password";
    button.setAttribute("aria-pressed", String(visible));
  };
  button.addEventListener("click", () => show(field.input.type === "password"));
  field.hide = () => show(false);
  show(false);
  return element("div", { class: "password" }, field.input, button);
}

// checkbox creates a labeled check box.
export function checkbox({ label, ...inputProps }) {
  const input = element("input", { type: "checkbox", ...inputProps });
  return { name: inputProps.name, input, node: element("label", { class: "check" }, input, element("span", null, label)) };
}

// form creates a form that sends its fields with submit(), which may throw an ApiError. buttonLabel is the text of the
// button, busyLabel its text while the form is being sent, and failure starts the message after an error, such as "Login
// failed.". Errors that name a field are shown at that field. onCancel adds a button that cancels.
export function form({ fields, extra = [], buttonLabel, busyLabel, buttonClass = "button-main", failure, submit, onCancel, ...attributes }) {
  const alert = element("p", { class: "form-error", role: "alert" });
  const button = element("button", { type: "submit", class: `button ${buttonClass}` }, buttonLabel);
  const cancelButton = onCancel && element("button", { type: "button", class: "button", on: { click: onCancel } }, "Cancel");
  const node = element("form", { novalidate: true, ...attributes }, fields.map((field) => field.node), extra, alert, element("div", { class: "form-end" }, cancelButton, button));
  let sending = false;
  node.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (sending) return;
    alert.textContent = "";
    const invalid = fields.filter((field) => {
      const text = field.validate?.() ?? "";
      field.setError?.(text);
      return text;
    });
    if (invalid.length) return invalid[0].input.focus();
    sending = true;
    // A visible password would be offered by the browser as text to complete.
    for (const field of fields) field.hide?.();
    // aria-disabled, because a disabled button would lose the focus.
    button.setAttribute("aria-disabled", "true");
    button.textContent = busyLabel;
    try {
      await submit(node);
    } catch (error) {
      const fieldErrors = (error.fields ?? []).map(({ field: name, reason }) => [fields.find((field) => field.name === name), reason]).filter(([field]) => field?.setError);
      for (const [field, reason] of fieldErrors) field.setError(`${field.label} ${reason}.`);
      if (fieldErrors.length) fieldErrors[0][0].input.focus();
      else alert.textContent = explain(error, failure);
      if (!error.kind) console.error(error);
    } finally {
      sending = false;
      button.removeAttribute("aria-disabled");
      button.textContent = buttonLabel;
    }
  });
  return node;
}

// accountRules validate an account's fields before they are sent. The API validates them again.
export const accountRules = {
  passwordHint: "Use at least 8 characters, no common password, and nothing that contains your name or email.",
  username: (value) => (/^[a-z0-9][a-z0-9_-]{2,31}$/i.test(value) ? "" : "Use 3 to 32 letters, digits, - or _. Start with a letter or a digit."),
  // bcrypt accepts at most 72 bytes.
  password: (value) => {
    const bytes = new TextEncoder().encode(value).length;
    if ([...value].length < 8) return "Use at least 8 characters.";
    return bytes > 72 ? "Use at most 72 bytes." : "";
  },
  email: (value) => (/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(value) ? "" : "Use an address like name@example.com."),
  birthday: (value) => (value && value > new Date().toISOString().slice(0, 10) ? "Use a date that is not in the future."
    : value && value < "1900" ? "Use a date in 1900 or later." : ""),
  required: (name) => (value) => (value ? "" : `Enter your ${name}.`),
};

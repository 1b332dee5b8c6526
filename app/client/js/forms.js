// Forms: labelled fields whose errors stand at the field, are read with it, and get the focus.
import { h } from "./dom.js";
import { explain } from "./notices.js";

let ids = 0;

// field makes a labelled input. check(value) answers what is wrong, or "".
export function field({ label, hint, check = () => "", ...input }) {
  const id = `field-${++ids}`;
  const control = h("input", { id, ...input });
  const message = h("p", { class: "field-error", id: `${id}-error`, hidden: true });
  const help = hint && h("p", { class: "field-hint", id: `${id}-hint` }, hint);
  const describe = () => {
    const by = [help && !help.hidden && `${id}-hint`, !message.hidden && `${id}-error`].filter(Boolean).join(" ");
    if (by) control.setAttribute("aria-describedby", by);
    else control.removeAttribute("aria-describedby");
  };
  const set = (text) => {
    message.textContent = text;
    message.hidden = !text;
    if (help) help.hidden = Boolean(text);
    if (text) control.setAttribute("aria-invalid", "true");
    else control.removeAttribute("aria-invalid");
    describe();
  };
  // A mark is taken away as soon as it is mended, but none appears while someone is still typing.
  control.addEventListener("input", () => { if (!message.hidden) set(check(control.value)); });
  describe();
  const caption = h("label", { for: id }, label, !input.required && h("span", { class: "optional" }, " (optional)"));
  return { name: input.name, label, control, set, check: () => check(control.value), node: h("div", { class: "field" }, caption, control, message, help) };
}

// checkbox makes a labelled check box.
export function checkbox({ label, ...input }) {
  const control = h("input", { type: "checkbox", ...input });
  return { name: input.name, control, node: h("label", { class: "check" }, control, h("span", null, label)) };
}

// form makes a form of fields and sends it with submit(), which may throw an ApiError; failed names what then
// didn't happen. Problems that name a field show there.
export function form({ fields, extra = [], action, busy, failed, submit, ...attributes }) {
  const alert = h("p", { class: "form-error", role: "alert" });
  const button = h("button", { type: "submit", class: "button button-main" }, action);
  const node = h("form", { novalidate: true, ...attributes }, fields.map((f) => f.node), extra, alert, h("div", { class: "form-end" }, button));
  let sending = false;
  node.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (sending) return;
    alert.textContent = "";
    const wrong = fields.filter((f) => {
      const text = f.check?.() ?? "";
      f.set?.(text);
      return text;
    });
    if (wrong.length) return wrong[0].control.focus();
    sending = true;
    // Not disabled: a disabled button would drop the focus.
    button.setAttribute("aria-disabled", "true");
    button.textContent = busy;
    try {
      await submit(node);
    } catch (error) {
      const known = (error.fields ?? []).map((e) => [fields.find((f) => f.name === e.field), e.reason]).filter(([f]) => f?.set);
      for (const [f, reason] of known) f.set(`${f.label} ${reason}.`);
      if (known.length) known[0][0].control.focus();
      else alert.textContent = explain(error, failed);
      if (!error.kind) console.error(error);
    } finally {
      sending = false;
      button.removeAttribute("aria-disabled");
      button.textContent = action;
    }
  });
  return node;
}

// The rules of an account. They spare a round trip; the API has the last word.
export const account = {
  username: (value) => (/^[a-z0-9][a-z0-9_-]{2,31}$/i.test(value) ? "" : "Use 3 to 32 letters, digits, - or _; begin with a letter or digit."),
  // bcrypt reads no more than 72 bytes of a password.
  password: (value) => {
    const bytes = new TextEncoder().encode(value).length;
    if (value.length < 8) return "Use at least 8 characters.";
    return bytes > 72 ? "Use at most 72 bytes." : "";
  },
  email: (value) => (/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(value) ? "" : "Use an address like name@example.com."),
  birthday: (value) => (value && value > new Date().toISOString().slice(0, 10) ? "This day has not come yet."
    : value && value < "1900" ? "Use a year from 1900 on." : ""),
  given: (what) => (value) => (value ? "" : `Enter your ${what}.`),
};

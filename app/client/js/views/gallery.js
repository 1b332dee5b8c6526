// Pictures: upload with progress, thumbnails as they are made, the original in full.
import * as api from "../api.js";
import * as session from "../session.js";
import { counted, h, moment, size } from "../dom.js";
import { icon } from "../icons.js";
import { announce, explain, notice } from "../notices.js";

// ACCEPT is what the API takes.
const ACCEPT = ["image/jpeg", "image/png", "image/gif", "image/webp"];
// LARGEST is the API's limit for one picture, in bytes.
const LARGEST = 16 * 1024 * 1024;
// AT_ONCE is how many thumbnails are fetched side by side.
const AT_ONCE = 4;
// WAITS are the pauses between looks for a thumbnail that is not made yet, in seconds.
const WAITS = [0.5, 1, 1, 2, 2, 4, 4, 8, 8];

export async function list({ signal }) {
  const first = await api.images(null, signal);
  const state = { images: [...first.images], signal, fetch: queue(AT_ONCE) };
  let next = first.next;
  const tiles = h("ul", { class: "tiles", role: "list" });
  const status = h("p", { class: "count", role: "status" });
  const empty = h("div", { class: "empty" }, h("p", null, "No pictures yet."));
  const more = h("button", { type: "button", class: "button more", on: { click: load } }, "Older pictures");
  state.changed = () => {
    status.textContent = next ? `The latest ${counted(state.images.length, "picture")}` : counted(state.images.length, "picture");
    status.hidden = state.images.length === 0;
    more.hidden = !next;
    empty.hidden = state.images.length > 0;
  };
  state.add = (image) => {
    state.images.unshift(image);
    tiles.prepend(tile(image, state));
    state.changed();
  };
  state.remove = (image) => {
    const index = state.images.indexOf(image);
    const next = tiles.children[index + 1] ?? tiles.children[index - 1];
    tiles.children[index].remove();
    state.images.splice(index, 1);
    state.changed();
    (next?.querySelector("button") ?? document.getElementById("pictures")).focus();
  };
  state.open = (image) => viewer(image, state);
  let loading = false;
  async function load() {
    if (loading) return;
    loading = true;
    try {
      const page = await api.images(next, signal);
      next = page.next;
      const start = tiles.children.length;
      state.images.push(...page.images);
      tiles.append(...page.images.map((image) => tile(image, state)));
      state.changed();
      tiles.children[start]?.querySelector("button").focus();
    } catch (error) {
      if (!signal.aborted && error.kind !== "session") notice(explain(error, "The older pictures were not fetched."), "error");
    } finally {
      loading = false;
    }
  }
  tiles.append(...state.images.map((image) => tile(image, state)));
  state.changed();
  return { title: "Gallery", node: h("div", null, h("h1", null, "Gallery"), uploader(state), status, empty, tiles, more) };
}

// queue runs at most n tasks side by side, in order.
function queue(n) {
  const waiting = [];
  let running = 0;
  const next = () => {
    while (running < n && waiting.length) {
      running++;
      waiting.shift()().finally(() => { running--; next(); });
    }
  };
  return (task) => new Promise((resolve, reject) => {
    waiting.push(() => task().then(resolve, reject));
    next();
  });
}

const pause = (seconds, signal) => new Promise((resolve, reject) => {
  const timer = setTimeout(resolve, seconds * 1000);
  signal.addEventListener("abort", () => { clearTimeout(timer); reject(signal.reason); }, { once: true });
});

// shown puts a blob in an image and frees it when the view is left.
function shown(image, blob, signal) {
  const address = URL.createObjectURL(blob);
  signal.addEventListener("abort", () => URL.revokeObjectURL(address), { once: true });
  image.src = address;
  return address;
}

const described = (image) => `Picture of ${moment(image.created)}`;

function tile(image, state) {
  const picture = h("img", { alt: "", width: 240, height: 180 });
  const hint = h("span", { class: "tile-hint" }, "Making the thumbnail…");
  const button = h("button", { type: "button", class: "tile", "aria-label": `Open: ${described(image)}`, on: { click: () => state.open(image) } }, hint);
  const node = h("li", null, button, h("p", { class: "tile-meta" }, moment(image.created), " · ", size(image.bytes)));
  const load = async () => {
    for (let attempt = 0; ; attempt++) {
      try {
        shown(picture, await state.fetch(() => api.thumbnail(image.id, state.signal)), state.signal);
        hint.replaceWith(picture);
        return;
      } catch (error) {
        if (state.signal.aborted || error.kind === "session") return;
        const later = error.kind === "away" || error.kind === "busy" || error.status === 404;
        if (!later || attempt === WAITS.length) {
          hint.textContent = "No thumbnail";
          return;
        }
        try {
          await pause(Math.max(WAITS[attempt], error.retryAfter ?? 0), state.signal);
        } catch {
          return;
        }
        if (!node.isConnected) return; // deleted meanwhile
      }
    }
  };
  // Thumbnails are fetched when they come near the window: a long gallery costs what is looked at.
  const near = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    near.disconnect();
    load();
  }, { rootMargin: "300px" });
  near.observe(button);
  state.signal.addEventListener("abort", () => near.disconnect(), { once: true });
  return node;
}

function uploader(state) {
  const input = h("input", { type: "file", id: "pictures", name: "image", accept: ACCEPT.join(","), multiple: true, "aria-describedby": "pictures-hint" });
  const rows = h("ul", { class: "uploads", role: "list", "aria-label": "Uploads" });
  const zone = h("section", { class: "drop", "aria-label": "Upload" }, icon("upload"),
    h("label", { for: "pictures", class: "button button-main" }, "Choose pictures"), input,
    h("p", { id: "pictures-hint", class: "field-hint" }, `or drop them here. JPEG, PNG, GIF or WebP, up to ${LARGEST / 2 ** 20} MB each.`), rows);
  const one = queue(1);
  const take = (files) => {
    for (const file of files) row(file, rows, one, state);
  };
  input.addEventListener("change", () => {
    take([...input.files]);
    input.value = "";
  });
  let depth = 0;
  const files = (event) => event.dataTransfer?.types.includes("Files");
  zone.addEventListener("dragenter", (event) => { if (files(event)) { event.preventDefault(); depth++; zone.classList.add("over"); } });
  zone.addEventListener("dragover", (event) => { if (files(event)) event.preventDefault(); });
  zone.addEventListener("dragleave", () => { if (depth > 0 && --depth === 0) zone.classList.remove("over"); });
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    depth = 0;
    zone.classList.remove("over");
    take([...event.dataTransfer.files]);
  });
  return zone;
}

// row is one upload: its name, its progress, and a way to stop it or try it again.
function row(file, rows, one, state) {
  const bar = h("progress", { max: 100, value: 0, "aria-label": `Upload of ${file.name}` });
  const says = h("p", { class: "upload-says" });
  const button = h("button", { type: "button", class: "button button-small" });
  const node = h("li", { class: "upload" }, h("p", { class: "upload-name" }, file.name, " ", h("span", { class: "card-meta" }, size(file.size))), bar, says, button);
  rows.append(node);

  const failed = (text, again) => {
    node.classList.add("upload-failed");
    bar.hidden = true;
    says.textContent = text;
    announce(`${file.name}: ${text}`);
    button.textContent = again ? "Try again" : "Dismiss";
    button.setAttribute("aria-label", `${button.textContent}: ${file.name}`);
    button.onclick = again ?? (() => gone());
  };
  const gone = () => {
    const held = node.contains(document.activeElement);
    node.remove();
    if (held) document.getElementById("pictures")?.focus();
  };
  const send = async () => {
    const control = new AbortController();
    const stop = () => control.abort();
    state.signal.addEventListener("abort", stop, { once: true });
    node.classList.remove("upload-failed");
    bar.hidden = false;
    bar.value = 0;
    says.textContent = "Waiting";
    button.textContent = "Cancel";
    button.setAttribute("aria-label", `Cancel: ${file.name}`);
    button.onclick = stop;
    try {
      const image = await one(async () => {
        control.signal.throwIfAborted();
        return api.upload(file, { signal: control.signal, progress(part) {
          bar.value = Math.round(part * 100);
          says.textContent = part < 1 ? `${Math.round(part * 100)} %` : "Checking";
        } });
      });
      gone();
      state.add(image);
      announce(`${file.name} is uploaded.`);
    } catch (error) {
      if (error.kind === "session") return;
      if (state.signal.aborted) {
        if (session.token()) notice(`${file.name} was not uploaded: the gallery was left.`, "error");
        return;
      }
      if (error.name === "AbortError") return gone();
      // 408: the picture did not arrive in the API's time; the line may be faster now.
      const later = error.kind === "away" || error.kind === "busy" || error.status === 408;
      failed(explain(error, "Not uploaded."), later ? send : null);
    } finally {
      state.signal.removeEventListener("abort", stop);
    }
  };

  if (file.size > LARGEST) failed(`Not uploaded: it is larger than ${LARGEST / 2 ** 20} MB.`);
  else if (file.type && !ACCEPT.includes(file.type)) failed("Not uploaded: it is no JPEG, PNG, GIF or WebP picture.");
  else send();
}

// viewer shows one original at a time in a dialog, with the neighbours a key away.
function viewer(first, state) {
  let image = first;
  let showing = null;
  const frame = h("div", { class: "viewer-frame" });
  const caption = h("p", { class: "viewer-caption", id: "viewer-caption", "aria-live": "polite" });
  const control = (name, label, click, more) => h("button", { type: "button", class: "icon-button", "aria-label": label, title: label, on: { click }, ...more }, icon(name));
  const open = h("a", { class: "icon-button", target: "_blank", rel: "noopener", "aria-label": "Open the original in a new tab", title: "Open the original in a new tab" }, icon("open"));
  const previous = control("previous", "Previous picture", () => step(-1));
  const next = control("next", "Next picture", () => step(1));
  const bin = control("bin", "Delete this picture", () => { sure.hidden = false; sure.querySelector("button").focus(); });
  const alert = h("p", { class: "form-error", role: "alert" });
  const sure = h("div", { class: "viewer-sure", hidden: true, role: "group", "aria-label": "Delete this picture?" }, h("p", null, "Delete this picture?"),
    h("button", { type: "button", class: "button button-small", on: { click: () => { sure.hidden = true; bin.focus(); } } }, "Keep it"),
    h("button", { type: "button", class: "button button-small button-danger-full", on: { click: remove } }, "Delete"));
  const dialog = h("dialog", { class: "viewer", "aria-label": "Picture", "aria-describedby": "viewer-caption" },
    h("div", { class: "viewer-bar" }, caption, previous, next, open, bin, control("close", "Close", () => dialog.close(), { autofocus: true })), sure, alert, frame);

  function step(by) {
    const index = state.images.indexOf(image) + by;
    if (index < 0 || index >= state.images.length) return;
    image = state.images[index];
    show();
  }

  async function show() {
    showing?.abort();
    const mine = (showing = new AbortController());
    const signal = AbortSignal.any([mine.signal, state.signal]);
    const index = state.images.indexOf(image);
    caption.textContent = `${index + 1} of ${state.images.length} · ${moment(image.created)} · ${size(image.bytes)}`;
    bin.hidden = !image.mine;
    previous.setAttribute("aria-disabled", String(index === 0));
    next.setAttribute("aria-disabled", String(index === state.images.length - 1));
    sure.hidden = true;
    alert.textContent = "";
    open.hidden = true;
    frame.replaceChildren(h("span", { class: "spinner" }));
    try {
      const picture = h("img", { alt: described(image), width: image.width, height: image.height });
      open.href = shown(picture, await api.original(image.id, signal), signal);
      await picture.decode();
      signal.throwIfAborted();
      frame.replaceChildren(picture);
      open.hidden = false;
    } catch (error) {
      if (signal.aborted || error.kind === "session") return;
      frame.replaceChildren(h("p", null, explain(error, "The picture can't be shown.")),
        h("button", { type: "button", class: "button", on: { click: show } }, "Try again"));
    }
  }

  async function remove() {
    try {
      await api.deleteImage(image.id);
    } catch (error) {
      if (error.kind === "session") return;
      sure.hidden = true;
      alert.textContent = explain(error, "The picture is still there.");
      bin.focus();
      return;
    }
    dialog.close();
    state.remove(image);
    notice("The picture is deleted.", "good");
  }

  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") step(-1);
    if (event.key === "ArrowRight") step(1);
  });
  // A press beside the picture closes, as people expect of a picture on a dark ground.
  frame.addEventListener("click", (event) => { if (event.target === frame) dialog.close(); });
  dialog.addEventListener("close", () => { showing?.abort(); dialog.remove(); });
  state.signal.addEventListener("abort", () => dialog.close(), { once: true });
  document.body.append(dialog);
  dialog.showModal();
  show();
}

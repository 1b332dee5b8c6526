// The gallery: uploads with progress, thumbnails, and a viewer.
import * as api from "../api.js";
import * as session from "../session.js";
import { element, formatBytes, formatTime, pluralize } from "../dom.js";
import { form, textField } from "../forms.js";
import { icon } from "../icons.js";
import { announce, explain, showNotice } from "../notices.js";

// ACCEPTED_TYPES are the types that the API accepts.
const ACCEPTED_TYPES = ["image/jpeg", "image/png", "image/gif", "image/webp"];
// MAX_BYTES is the API's limit for one image.
const MAX_BYTES = 16 * 1024 * 1024;
// MAX_CAPTION is the API's limit for a caption, in characters.
const MAX_CAPTION = 200;
const MAX_SIZE_TEXT = `${MAX_BYTES / 2 ** 20} MB`;
const MORE_FAILED = "Older images could not be loaded.";
// PARALLEL_THUMBNAILS is how many thumbnails are downloaded at the same time.
const PARALLEL_THUMBNAILS = 4;
// THUMBNAIL_DELAYS are the delays between attempts to load a thumbnail that does not exist yet, in seconds.
const THUMBNAIL_DELAYS = [0.5, 1, 1, 2, 2, 4, 4, 8, 8];

export async function list({ signal }) {
  const firstPage = await api.images(null, signal);
  const gallery = { images: [...firstPage.images], signal, downloads: createQueue(PARALLEL_THUMBNAILS), tileTexts: new Map() };
  let { next: nextPage, total } = firstPage;
  const tiles = element("ul", { class: "tiles", role: "list" });
  const status = element("p", { class: "count", role: "status" });
  const empty = element("div", { class: "empty" }, element("p", null, "No images yet."));
  const moreButton = element("button", { type: "button", class: "button more", on: { click: showMore } }, "Older images");
  gallery.hasMore = () => Boolean(nextPage);
  // total is that of the last answer. The list knows better when it is complete.
  gallery.total = () => (nextPage ? total : gallery.images.length);
  const updateStatus = () => {
    status.textContent = nextPage ? `The latest ${gallery.images.length} of ${pluralize(total, "image")}` : pluralize(gallery.images.length, "image");
    status.hidden = gallery.images.length === 0;
    moreButton.hidden = !nextPage;
    empty.hidden = gallery.images.length > 0;
  };
  gallery.add = (image) => {
    gallery.images.unshift(image);
    tiles.prepend(createTile(image, gallery));
    total++;
    updateStatus();
  };
  gallery.remove = (image) => {
    const index = gallery.images.indexOf(image);
    const neighbor = tiles.children[index + 1] ?? tiles.children[index - 1];
    tiles.children[index].remove();
    gallery.images.splice(index, 1);
    total--;
    updateStatus();
    (neighbor?.querySelector("button") ?? document.getElementById("upload-input")).focus();
  };
  gallery.change = (image, changed) => {
    Object.assign(image, changed);
    gallery.tileTexts.get(image)();
  };
  gallery.open = (image) => openViewer(image, gallery);
  // loadMore loads the next page once, also if it is called again in the meantime.
  let loading = null;
  gallery.loadMore = () => (loading ??= (async () => {
    try {
      const page = await api.images(nextPage, signal);
      ({ next: nextPage, total } = page);
      gallery.images.push(...page.images);
      tiles.append(...page.images.map((image) => createTile(image, gallery)));
      updateStatus();
    } finally {
      loading = null;
    }
  })());
  async function showMore() {
    if (loading) return;
    const start = tiles.children.length;
    try {
      await gallery.loadMore();
      tiles.children[start]?.querySelector("button").focus();
    } catch (error) {
      if (!signal.aborted && error.kind !== "session") showNotice(explain(error, MORE_FAILED), "error");
    }
  }
  tiles.append(...gallery.images.map((image) => createTile(image, gallery)));
  updateStatus();
  return { title: "Gallery", node: element("div", null, element("h1", null, "Gallery"), createUploader(gallery), status, empty, tiles, moreButton) };
}

// createQueue returns a function that runs tasks in order, at most limit at the same time.
function createQueue(limit) {
  const waiting = [];
  let running = 0;
  const runNext = () => {
    while (running < limit && waiting.length) {
      running++;
      waiting.shift()().finally(() => { running--; runNext(); });
    }
  };
  return (task) => new Promise((resolve, reject) => {
    waiting.push(() => task().then(resolve, reject));
    runNext();
  });
}

const delay = (seconds, signal) => new Promise((resolve, reject) => {
  const timer = setTimeout(resolve, seconds * 1000);
  signal.addEventListener("abort", () => { clearTimeout(timer); reject(signal.reason); }, { once: true });
});

// blobURL returns the URL of a blob, which is freed when the signal aborts.
function blobURL(blob, signal) {
  const url = URL.createObjectURL(blob);
  signal.addEventListener("abort", () => URL.revokeObjectURL(url), { once: true });
  return url;
}

// The uploader's name is empty if the account is gone.
const altText = (image) => image.caption || `Image${image.owner ? ` by ${image.owner},` : ""} uploaded ${formatTime(image.created)}`;

// facts are the uploader, the time and the size. The size is that of the original.
const facts = (image) => [image.owner && `by ${image.owner}`, formatTime(image.created), formatBytes(image.bytes)].filter(Boolean).join(" · ");

function createTile(image, gallery) {
  const img = element("img", { alt: "", width: 240, height: 180 });
  const hint = element("span", { class: "tile-hint" }, "Creating the thumbnail…");
  const button = element("button", { type: "button", class: "tile", on: { click: () => gallery.open(image) } }, hint);
  const caption = element("p", { class: "tile-caption" });
  const node = element("li", null, button, caption, element("p", { class: "tile-meta" }, facts(image)));
  const showText = () => {
    button.setAttribute("aria-label", `Open: ${altText(image)}`);
    caption.textContent = image.caption;
    caption.hidden = !image.caption;
  };
  gallery.tileTexts.set(image, showText);
  showText();
  const load = async () => {
    for (let attempt = 0; ; attempt++) {
      try {
        img.src = blobURL(await gallery.downloads(() => api.thumbnail(image.id, gallery.signal)), gallery.signal);
        hint.replaceWith(img);
        return;
      } catch (error) {
        if (gallery.signal.aborted || error.kind === "session") return;
        const again = api.isTemporary(error) || api.isPending(error);
        if (!again || attempt === THUMBNAIL_DELAYS.length) {
          hint.textContent = error.status === 404 && !again ? "Damaged image" : "No thumbnail";
          return;
        }
        try {
          await delay(Math.max(THUMBNAIL_DELAYS[attempt], error.retryAfter ?? 0), gallery.signal);
        } catch {
          return;
        }
        if (!node.isConnected) return; // The image was deleted in the meantime.
      }
    }
  };
  // A thumbnail is loaded only when it is near the window, so that a long gallery does not load them all.
  const observer = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    load();
  }, { rootMargin: "300px" });
  observer.observe(button);
  gallery.signal.addEventListener("abort", () => observer.disconnect(), { once: true });
  return node;
}

function createUploader(gallery) {
  const input = element("input", { type: "file", id: "upload-input", name: "image", accept: ACCEPTED_TYPES.join(","), multiple: true, "aria-describedby": "upload-hint" });
  const rows = element("ul", { class: "uploads", role: "list", "aria-label": "Uploads" });
  const dropArea = element("section", { class: "drop-area", "aria-label": "Upload" }, icon("upload"),
    element("label", { for: "upload-input", class: "button button-main" }, "Choose images"), input,
    element("p", { id: "upload-hint", class: "field-hint" }, `or drop them here. JPEG, PNG, GIF or WebP, up to ${MAX_SIZE_TEXT} each. Every member sees what you upload. Location and other metadata are removed.`), rows);
  const uploads = createQueue(1);
  const uploadAll = (files) => {
    for (const file of files) createUploadRow(file, rows, uploads, gallery);
  };
  input.addEventListener("change", () => {
    uploadAll([...input.files]);
    input.value = "";
  });
  // dragDepth counts the elements of the drop area that the pointer has entered.
  let dragDepth = 0;
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
  dropArea.addEventListener("dragenter", (event) => { if (hasFiles(event)) { event.preventDefault(); dragDepth++; dropArea.classList.add("drag-over"); } });
  dropArea.addEventListener("dragover", (event) => { if (hasFiles(event)) event.preventDefault(); });
  dropArea.addEventListener("dragleave", () => { if (dragDepth > 0 && --dragDepth === 0) dropArea.classList.remove("drag-over"); });
  dropArea.addEventListener("drop", (event) => {
    event.preventDefault();
    dragDepth = 0;
    dropArea.classList.remove("drag-over");
    uploadAll([...event.dataTransfer.files]);
  });
  return dropArea;
}

// createUploadRow uploads one file. Its row shows the name, the progress, and a button to cancel or to try again.
function createUploadRow(file, rows, uploads, gallery) {
  const progressBar = element("progress", { max: 100, value: 0, "aria-label": `Upload of ${file.name}` });
  const status = element("p", { class: "upload-status" });
  const button = element("button", { type: "button", class: "button button-small" });
  const node = element("li", { class: "upload" }, element("p", { class: "upload-name" }, file.name, " ", element("span", { class: "card-meta" }, formatBytes(file.size))), progressBar, status, button);
  rows.append(node);

  const showFailure = (text, retry) => {
    node.classList.add("upload-failed");
    progressBar.hidden = true;
    status.textContent = text;
    announce(`${file.name}: ${text}`);
    button.textContent = retry ? "Try again" : "Dismiss";
    button.setAttribute("aria-label", `${button.textContent}: ${file.name}`);
    button.onclick = retry ?? (() => removeRow());
  };
  const removeRow = () => {
    const hadFocus = node.contains(document.activeElement);
    node.remove();
    if (hadFocus) document.getElementById("upload-input")?.focus();
  };
  const upload = async () => {
    const controller = new AbortController();
    const cancel = () => controller.abort();
    gallery.signal.addEventListener("abort", cancel, { once: true });
    node.classList.remove("upload-failed");
    progressBar.hidden = false;
    progressBar.value = 0;
    status.textContent = "Waiting…";
    button.textContent = "Cancel";
    button.setAttribute("aria-label", `Cancel: ${file.name}`);
    button.onclick = cancel;
    try {
      const image = await uploads(async () => {
        controller.signal.throwIfAborted();
        return api.upload(file, { signal: controller.signal, onProgress(fraction) {
          progressBar.value = Math.round(fraction * 100);
          status.textContent = fraction < 1 ? `${Math.round(fraction * 100)} %` : "Checking…";
        } });
      });
      removeRow();
      gallery.add(image);
      announce(`${file.name} was uploaded.`);
    } catch (error) {
      if (error.kind === "session") return;
      if (gallery.signal.aborted) {
        if (session.token()) showNotice(`${file.name} was not uploaded because you left the gallery.`, "error");
        return;
      }
      if (error.name === "AbortError") return removeRow();
      // 408: the upload was too slow for the API's time limit. The connection may be faster at the next attempt.
      showFailure(explain(error, "Not uploaded."), api.isTemporary(error, 408) ? upload : null);
    } finally {
      gallery.signal.removeEventListener("abort", cancel);
    }
  };

  if (file.size > MAX_BYTES) showFailure(`Not uploaded: the file is larger than ${MAX_SIZE_TEXT}. Choose a smaller image.`);
  else if (file.type && !ACCEPTED_TYPES.includes(file.type)) showFailure("Not uploaded: the file is not a JPEG, PNG, GIF or WebP image.");
  else upload();
}

// openViewer shows the images in a dialog, one at a time. The arrow keys show the previous and the next one.
function openViewer(first, gallery) {
  let image = first;
  let imageController = null;
  const frame = element("div", { class: "viewer-frame" });
  const caption = element("p", { class: "viewer-caption" });
  const position = element("p", { class: "viewer-facts" });
  const iconButton = (name, label, click, props) => element("button", { type: "button", class: "icon-button", "aria-label": label, title: label, on: { click }, ...props }, icon(name));
  const originalButton = iconButton("newTab", "Open the original in a new tab", openOriginal);
  const editButton = iconButton("edit", "Edit the caption", editCaption);
  const previousButton = iconButton("previous", "Previous image", () => step(-1));
  const nextButton = iconButton("next", "Next image", () => step(1));
  const deleteButton = iconButton("delete", "Delete this image", () => { editor.replaceChildren(); confirmation.hidden = false; confirmation.querySelector("button").focus(); });
  const alert = element("p", { class: "form-error", role: "alert" });
  const confirmation = element("div", { class: "viewer-confirmation", hidden: true, role: "group", "aria-label": "Delete this image?" }, element("p", null, "Delete this image?"),
    element("button", { type: "button", class: "button button-small", on: { click: () => { confirmation.hidden = true; deleteButton.focus(); } } }, "Cancel"),
    element("button", { type: "button", class: "button button-small button-danger-full", on: { click: remove } }, "Delete"));
  const editor = element("div", { class: "viewer-editor" });
  const dialog = element("dialog", { class: "viewer", "aria-label": "Image", "aria-describedby": "viewer-text" },
    element("div", { class: "viewer-bar" }, element("div", { class: "viewer-text", id: "viewer-text", "aria-live": "polite" }, caption, position),
      previousButton, nextButton, originalButton, editButton, deleteButton, iconButton("close", "Close", () => dialog.close(), { autofocus: true })), confirmation, editor, alert, frame);

  async function step(offset) {
    const before = image;
    const index = gallery.images.indexOf(image) + offset;
    if (index < 0) return;
    if (index === gallery.images.length) {
      if (!gallery.hasMore()) return;
      try {
        await gallery.loadMore();
      } catch (error) {
        if (dialog.open && error.kind !== "session") alert.textContent = explain(error, MORE_FAILED);
        return;
      }
      // The user may have closed the viewer or gone back while the page was loading.
      if (!dialog.open || image !== before || index >= gallery.images.length) return;
    }
    image = gallery.images[index];
    show();
  }

  function showText() {
    const index = gallery.images.indexOf(image);
    caption.textContent = image.caption;
    caption.hidden = !image.caption;
    position.textContent = `${index + 1} of ${gallery.total()} · ${facts(image)}`;
    previousButton.setAttribute("aria-disabled", String(index === 0));
    nextButton.setAttribute("aria-disabled", String(index === gallery.total() - 1));
  }

  async function show() {
    imageController?.abort();
    imageController = new AbortController();
    const signal = AbortSignal.any([imageController.signal, gallery.signal]);
    showText();
    editButton.hidden = deleteButton.hidden = !image.mine;
    confirmation.hidden = true;
    editor.replaceChildren();
    alert.textContent = "";
    frame.replaceChildren(element("span", { class: "spinner" }));
    try {
      const img = element("img", { alt: altText(image), width: image.width, height: image.height });
      img.src = blobURL(await viewOrOriginal(signal), signal);
      await img.decode();
      signal.throwIfAborted();
      frame.replaceChildren(img);
    } catch (error) {
      if (signal.aborted || error.kind === "session") return;
      // Without a kind, the browser could not decode the image. 404: the image is damaged, or deleted.
      const permanent = !error.kind || error.status === 404;
      frame.replaceChildren(element("p", null, permanent ? "This image is damaged or was deleted." : explain(error, "The image can't be shown.")),
        permanent ? "" : element("button", { type: "button", class: "button", on: { click: show } }, "Try again"));
    }
  }

  // The original is shown until the view has been made.
  async function viewOrOriginal(signal) {
    try {
      return await api.view(image.id, signal);
    } catch (error) {
      if (!api.isPending(error)) throw error;
      return api.original(image.id, signal);
    }
  }

  // openOriginal opens the tab at once: after the download, the browser would block it.
  async function openOriginal() {
    const tab = open("", "_blank");
    if (!tab) return;
    tab.opener = null;
    tab.document.title = "Loading…";
    alert.textContent = "";
    try {
      tab.location.replace(blobURL(await api.original(image.id, gallery.signal), gallery.signal));
    } catch (error) {
      tab.close();
      if (dialog.open && error.kind !== "session") alert.textContent = explain(error, "The original can't be opened.");
    }
  }

  function editCaption() {
    const edited = image;
    const close = () => {
      editor.replaceChildren();
      editButton.focus();
    };
    const field = textField({ label: "Caption", name: "Caption", type: "text", maxlength: MAX_CAPTION, autocomplete: "off", value: image.caption, hint: "Describe the image, also for members who can't see it." });
    editor.replaceChildren(form({
      fields: [field], buttonLabel: "Save", busyLabel: "Saving…", failure: "The caption was not saved.", "aria-label": "Caption", onCancel: close,
      async submit() {
        gallery.change(edited, await api.setCaption(edited.id, field.input.value));
        if (image !== edited) return; // The viewer shows another image by now.
        showText();
        frame.querySelector("img")?.setAttribute("alt", altText(image));
        close();
      },
    }));
    confirmation.hidden = true;
    field.input.focus();
  }

  async function remove() {
    try {
      await api.deleteImage(image.id);
    } catch (error) {
      if (error.kind === "session") return;
      confirmation.hidden = true;
      alert.textContent = explain(error, "The image was not deleted.");
      deleteButton.focus();
      return;
    }
    dialog.close();
    gallery.remove(image);
    showNotice("The image was deleted.", "success");
  }

  dialog.addEventListener("keydown", (event) => {
    if (event.target.matches("input")) return; // The keys move the cursor.
    if (event.key === "ArrowLeft") step(-1);
    if (event.key === "ArrowRight") step(1);
  });
  // A click outside the image closes the viewer.
  frame.addEventListener("click", (event) => { if (event.target === frame) dialog.close(); });
  dialog.addEventListener("close", () => { imageController?.abort(); dialog.remove(); });
  gallery.signal.addEventListener("abort", () => dialog.close(), { once: true });
  document.body.append(dialog);
  dialog.showModal();
  show();
}

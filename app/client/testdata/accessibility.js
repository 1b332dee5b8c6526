// Runs in the page and returns the accessibility problems of the current view, as a list of messages.
(() => {
  const problems = [];
  const describe = (e) => `${e.tagName.toLowerCase()}${e.id && `#${e.id}`}${e.classList.length ? `.${[...e.classList].join(".")}` : ""} "${(e.textContent || e.getAttribute("aria-label") || "").trim().slice(0, 40)}"`;

  // Returns a computed CSS color as [red, green, blue, alpha]. A canvas parses every notation.
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const color = (text) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = text;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const blend = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  // Relative luminance and contrast as WCAG 2.2 defines them.
  const luminance = (c) => c.slice(0, 3).map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const contrast = (a, b) => {
    const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
    return (light + 0.05) / (dark + 0.05);
  };
  const background = (element) => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) {
      const style = getComputedStyle(e);
      if (style.backgroundImage !== "none") problems.push(`${describe(e)}: text on a background image, whose contrast is unknown`);
      const layer = color(style.backgroundColor);
      if (layer[3] > 0) layers.unshift(layer);
      if (layer[3] === 1) break;
    }
    // Below all layers is the browser's canvas.
    return layers.reduce((below, layer) => blend(layer, below), [255, 255, 255, 1]);
  };
  const isVisible = (e) => e.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && e.getBoundingClientRect().width > 0;

  // Text: at least 4.5:1, or 3:1 when large (24 px, or 18.66 px bold). Disabled controls are exempt.
  let texts = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || !isVisible(element) || element.closest("[aria-disabled='true'], noscript")) continue;
    texts++;
    const style = getComputedStyle(element);
    const pixels = parseFloat(style.fontSize);
    const needed = pixels >= 24 || (pixels >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
    const behind = background(element);
    const ratio = contrast(blend(color(style.color), behind), behind);
    if (ratio < needed) problems.push(`${describe(element)}: contrast ${ratio.toFixed(2)}, needs ${needed}`);
  }
  if (texts < 5) problems.push(`only ${texts} texts were checked`);

  // Borders of fields: 3:1 against the surrounding color. Placeholders need the contrast of text.
  for (const field of document.querySelectorAll("input:not([type=radio], [type=checkbox], [type=file])")) {
    const style = getComputedStyle(field);
    const around = background(field.parentElement);
    const borderRatio = contrast(blend(color(style.borderTopColor), around), around);
    if (borderRatio < 3) problems.push(`${describe(field)}: border's contrast ${borderRatio.toFixed(2)}, needs 3`);
    if (field.placeholder) {
      const behind = background(field);
      const ratio = contrast(blend(color(getComputedStyle(field, "::placeholder").color), behind), behind);
      if (ratio < 4.5) problems.push(`${describe(field)}: placeholder's contrast ${ratio.toFixed(2)}, needs 4.5`);
    }
  }

  // Size: a target is at least 24 × 24 px (WCAG 2.2, 2.5.8), except links within text.
  for (const e of document.querySelectorAll("a, button, input, label.chip, label.button")) {
    if (!isVisible(e) || e.closest(".visually-hidden, .skip, .drop-area input") || getComputedStyle(e).display === "inline") continue;
    const box = (e.matches("[type=checkbox], [type=radio], [type=file]") ? e.labels[0] : e).getBoundingClientRect();
    if (box.width < 24 || box.height < 24) problems.push(`${describe(e)}: ${box.width} × ${box.height} px, needs 24 × 24`);
  }

  // The page never scrolls sideways.
  if (document.documentElement.scrollWidth > innerWidth) {
    problems.push(`the page is ${document.documentElement.scrollWidth} px wide in a window of ${innerWidth} px`);
    for (const e of document.body.querySelectorAll("*")) if (e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".chips")) problems.push(`  ${describe(e)} extends beyond the window`);
  }

  // The text of a drawn poster fits in it, and no word is broken.
  for (const text of document.querySelectorAll(".poster-text")) {
    if (!isVisible(text)) continue;
    if (text.scrollHeight > text.clientHeight + 1 || text.scrollWidth > text.clientWidth + 1) problems.push(`${describe(text)}: the text does not fit in the poster`);
  }

  for (const title of document.querySelectorAll(".poster-title")) {
    if (!isVisible(title)) continue;
    for (const word of title.textContent.matchAll(/[^\s-]+/g)) {
      const range = document.createRange();
      range.setStart(title.firstChild, word.index);
      range.setEnd(title.firstChild, word.index + word[0].length);
      if (new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size > 1) problems.push(`${describe(title)}: the word ${word[0]} is broken`);
    }
  }

  // Structure: one h1, heading levels without gaps, unique ids, references to existing ids.
  const headings = document.querySelector("dialog[open]") ? [] : [...document.querySelectorAll("h1, h2, h3, h4")].filter((e) => e.checkVisibility());
  if (headings.length && headings.filter((e) => e.tagName === "H1").length !== 1) problems.push("not exactly one h1");
  headings.reduce((level, e) => {
    const own = Number(e.tagName[1]);
    if (own > level + 1) problems.push(`${describe(e)}: heading follows one of level ${level}`);
    return own;
  }, 0);
  const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
  for (const id of new Set(ids.filter((id, i) => ids.indexOf(id) !== i))) problems.push(`the id ${id} is used twice`);
  for (const e of document.querySelectorAll("[aria-labelledby], [aria-describedby], label[for]")) {
    for (const id of `${e.getAttribute("aria-labelledby") ?? ""} ${e.getAttribute("aria-describedby") ?? ""} ${e.getAttribute("for") ?? ""}`.split(" ").filter(Boolean)) {
      if (!document.getElementById(id)) problems.push(`${describe(e)}: refers to #${id}, which does not exist`);
    }
  }
  if (!document.title.includes("Cinema")) problems.push("no title");
  return problems;
})()

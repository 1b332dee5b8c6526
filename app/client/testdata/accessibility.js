// Runs in the page and answers what is wrong with the view as it stands, as a list of sentences.
(() => {
  const wrong = [];
  const name = (e) => `${e.tagName.toLowerCase()}${e.id && `#${e.id}`}${e.classList.length ? `.${[...e.classList].join(".")}` : ""} "${(e.textContent || e.getAttribute("aria-label") || "").trim().slice(0, 40)}"`;

  // Colours: [red, green, blue, alpha], from what the browser computed, drawn on a canvas to take any notation.
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const colour = (text) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = text;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  // Relative luminance and contrast as WCAG 2.2 defines them.
  const luminance = (c) => c.slice(0, 3).map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const contrast = (a, b) => {
    const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
    return (light + 0.05) / (dark + 0.05);
  };
  const ground = (element) => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) {
      const style = getComputedStyle(e);
      if (style.backgroundImage !== "none") wrong.push(`${name(e)}: text on a background image, whose contrast can't be told`);
      const layer = colour(style.backgroundColor);
      if (layer[3] > 0) layers.unshift(layer);
      if (layer[3] === 1) break;
    }
    // Below everything is the canvas of the colour scheme.
    return layers.reduce((below, layer) => over(layer, below), [255, 255, 255, 1]);
  };
  const seen = (e) => e.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && e.getBoundingClientRect().width > 0;

  // Text: at least 4.5:1, or 3:1 when large (24 px, or 18.66 px bold). Controls that are not to be used now are exempt.
  let texts = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || !seen(element) || element.closest("[aria-disabled='true'], noscript")) continue;
    texts++;
    const style = getComputedStyle(element);
    const pixels = parseFloat(style.fontSize);
    const needed = pixels >= 24 || (pixels >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
    const back = ground(element);
    const ratio = contrast(over(colour(style.color), back), back);
    if (ratio < needed) wrong.push(`${name(element)}: contrast ${ratio.toFixed(2)}, needs ${needed}`);
  }
  if (texts < 5) wrong.push(`only ${texts} texts were looked at`);

  // Edges of fields: 3:1 against what is around them. Placeholders are text.
  for (const field of document.querySelectorAll("input:not([type=radio], [type=checkbox], [type=file])")) {
    const style = getComputedStyle(field);
    const around = ground(field.parentElement);
    const edge = contrast(over(colour(style.borderTopColor), around), around);
    if (edge < 3) wrong.push(`${name(field)}: edge's contrast ${edge.toFixed(2)}, needs 3`);
    if (field.placeholder) {
      const back = ground(field);
      const ratio = contrast(over(colour(getComputedStyle(field, "::placeholder").color), back), back);
      if (ratio < 4.5) wrong.push(`${name(field)}: placeholder's contrast ${ratio.toFixed(2)}, needs 4.5`);
    }
  }

  // Size: what is pressed is at least 24 × 24 px (WCAG 2.2, 2.5.8), but for links within text.
  for (const e of document.querySelectorAll("a, button, input, label.chip, label.button")) {
    if (!seen(e) || e.closest(".unseen, .skip, .drop input") || getComputedStyle(e).display === "inline") continue;
    const box = (e.matches("[type=checkbox], [type=radio], [type=file]") ? e.labels[0] : e).getBoundingClientRect();
    if (box.width < 24 || box.height < 24) wrong.push(`${name(e)}: ${box.width} × ${box.height} px, needs 24 × 24`);
  }

  // The page never scrolls sideways.
  if (document.documentElement.scrollWidth > innerWidth) {
    wrong.push(`the page is ${document.documentElement.scrollWidth} px wide in a window of ${innerWidth} px`);
    for (const e of document.body.querySelectorAll("*")) if (e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".chips")) wrong.push(`  ${name(e)} sticks out`);
  }

  // A drawn poster's type stays inside it, whole words on a line.
  for (const text of document.querySelectorAll(".poster-text")) {
    if (!seen(text)) continue;
    if (text.scrollHeight > text.clientHeight + 1 || text.scrollWidth > text.clientWidth + 1) wrong.push(`${name(text)}: the type sticks out of the poster`);
  }

  for (const title of document.querySelectorAll(".poster-title")) {
    if (!seen(title)) continue;
    for (const word of title.textContent.matchAll(/[^\s-]+/g)) {
      const range = document.createRange();
      range.setStart(title.firstChild, word.index);
      range.setEnd(title.firstChild, word.index + word[0].length);
      if (new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size > 1) wrong.push(`${name(title)}: the word ${word[0]} is broken`);
    }
  }

  // Structure: one h1, levels without gaps, one main, unique ids, labels that lead somewhere.
  const scope = document.querySelector("dialog[open]") ? [] : [...document.querySelectorAll("h1, h2, h3, h4")].filter((e) => e.checkVisibility());
  if (scope.length && scope.filter((e) => e.tagName === "H1").length !== 1) wrong.push("not exactly one h1");
  scope.reduce((level, e) => {
    const own = Number(e.tagName[1]);
    if (own > level + 1) wrong.push(`${name(e)}: heading follows one of level ${level}`);
    return own;
  }, 0);
  const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
  for (const id of new Set(ids.filter((id, i) => ids.indexOf(id) !== i))) wrong.push(`id ${id} is there twice`);
  for (const e of document.querySelectorAll("[aria-labelledby], [aria-describedby], label[for]")) {
    for (const id of `${e.getAttribute("aria-labelledby") ?? ""} ${e.getAttribute("aria-describedby") ?? ""} ${e.getAttribute("for") ?? ""}`.split(" ").filter(Boolean)) {
      if (!document.getElementById(id)) wrong.push(`${name(e)}: names #${id}, which is not there`);
    }
  }
  if (!document.title.includes("Cinema")) wrong.push("no title");
  return wrong;
})()

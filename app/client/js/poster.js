// Posters for movies without an image: a drawing with the title. Both depend on the title only, so that a movie looks
// the same on every visit and every machine.
import { element, svgElement } from "./dom.js";

// PALETTES is the number of color palettes in poster.css.
const PALETTES = 12;

// hash is 32-bit FNV-1a over the title's UTF-8 bytes (http://www.isthe.com/chongo/tech/comp/fnv/), then MurmurHash3's
// finalizer: short titles differ in few bits, and FNV alone would give many of them the same palette.
export function hash(text) {
  let value = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text.normalize("NFC"))) {
    value = Math.imul(value ^ byte, 0x01000193) >>> 0;
  }
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}

// random is the mulberry32 generator. Unlike Math.random, it returns the same numbers everywhere for the same seed.
function random(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const round = (n) => Math.round(n * 10) / 10;
const shape = (tag, tone, attributes) => svgElement(tag, { class: `tone-${tone}`, ...attributes });
const circle = (tone, cx, cy, r) => shape("circle", tone, { cx: round(cx), cy: round(cy), r: round(r) });
const rect = (tone, x, y, width, height) =>
  shape("rect", tone, { x: round(x), y: round(y), width: round(width), height: round(height) });
const path = (tone, d) => shape("path", tone, { d });

// Each motif draws on 200 × 200 units.
const MOTIFS = [
  function sun(r) {
    const y = 96 + r() * 20, radius = 52 + r() * 16;
    return [circle("a", 100, y, radius),
      [0, 1, 2, 3, 4].map((i) => rect("background", 0, y + 6 + i * 13, 200, 3 + i * 1.8)),
      path("c", `M0 200V${round(150 + r() * 20)}q50 -${round(20 + r() * 30)} 100 0t100 0V200z`)];
  },
  function arcs(r) {
    const x = r() < 0.5 ? 0 : 200;
    return ["a", "background", "b", "background", "c", "background", "a"].map((tone, i) => circle(tone, x, 200, 182 - i * 25 + r() * 4));
  },
  function beams(r) {
    const x = 30 + r() * 20, y = 150;
    return [path("c", `M${round(x)} ${y}L200 ${round(r() * 20)}V200z`), path("b", `M${round(x)} ${y}L200 ${round(50 + r() * 15)}V${round(150 + r() * 20)}z`),
      circle("a", 158, 100, 22 + r() * 10), rect("a", x - 22, y - 13, 30, 26), circle("b", x - 20, y - 26, 13), circle("b", x + 4, y - 23, 9)];
  },
  function city(r) {
    const parts = [circle("b", 40 + r() * 120, 52 + r() * 20, 20 + r() * 12)];
    for (let x = 0; x < 200; ) {
      const width = 20 + r() * 18, height = 50 + r() * 90;
      parts.push(rect(r() < 0.5 ? "a" : "c", x, 200 - height, width, height));
      for (let y = 208 - height; y < 192; y += 13) if (r() < 0.65) parts.push(rect("background", x + 5, y, 4, 6), rect("background", x + width - 9, y, 4, 6));
      x += width + 2;
    }
    return parts;
  },
  function peaks(r) {
    const m = (tone, x, y, w) => path(tone, `M${round(x - w)} 200L${round(x)} ${round(y)}L${round(x + w)} 200z`);
    return [circle("b", 50 + r() * 100, 56 + r() * 16, 24 + r() * 10), m("c", 20 + r() * 50, 78 + r() * 20, 120), m("a", 120 + r() * 50, 92 + r() * 20, 105),
      m("background", 60 + r() * 80, 150 + r() * 15, 70)];
  },
  function waves(r) {
    const phase = r() * 40;
    return [circle("a", 60 + r() * 80, 66, 34 + r() * 10), ["b", "c", "a", "b", "c"].map((tone, i) => {
      const y = 92 + i * 22, up = 14 + r() * 8;
      return path(tone, `M${round(-60 + ((phase + i * 27) % 50))} 200V${y}q25 -${round(up)} 50 0t50 0t50 0t50 0t50 0t50 0V200z`);
    })];
  },
  function dots(r) {
    const cx = 50 + r() * 100, cy = 60 + r() * 80;
    const parts = [];
    for (let y = 10; y < 200; y += 20) for (let x = 10; x < 200; x += 20) {
      const reach = Math.hypot(x - cx, y - cy) / 130;
      if (reach < 0.97) parts.push(circle(reach < 0.35 ? "a" : reach < 0.7 ? "b" : "c", x, y, 9.5 * (1 - reach * 0.85)));
    }
    return parts;
  },
  function tiles(r) {
    // All backgrounds are drawn before the figures: a later background would show as a line on the figure of its neighbor.
    const backgrounds = [], figures = [];
    const tones = ["a", "b", "c", "background"];
    for (let y = 0; y < 200; y += 50) for (let x = 0; x < 200; x += 50) {
      const back = tones[Math.floor(r() * 4)];
      const front = tones.filter((t) => t !== back)[Math.floor(r() * 3)];
      backgrounds.push(rect(back, x, y, 50, 50));
      const corner = Math.floor(r() * 5);
      if (corner === 4) figures.push(circle(front, x + 25, y + 25, 15));
      else {
        const [ax, ay] = [x + (corner & 1) * 50, y + (corner >> 1) * 50];
        const [dx, dy] = [corner & 1 ? -50 : 50, corner >> 1 ? -50 : 50];
        figures.push(path(front, `M${ax} ${ay}h${dx}a50 50 0 0 ${(dx > 0) === (dy > 0) ? 1 : 0} ${-dx} ${dy}z`));
      }
    }
    return svgElement("g", { class: "flush" }, backgrounds, figures);
  },
  function target(r) {
    let x = 100, y = 100;
    const dx = (r() - 0.5) * 14, dy = (r() - 0.5) * 14;
    return ["c", "b", "background", "a", "background", "b"].map((tone, i) => circle(tone, x += dx, y += dy, 96 - i * 16));
  },
  function stairs(r) {
    const flip = r() < 0.5;
    return [circle("b", flip ? 58 : 142, 62, 26 + r() * 12), Array.from({ length: 8 }, (_, i) =>
      rect(["a", "c"][i % 2], flip ? 200 - (i + 1) * 25 : i * 25, 192 - i * 14, 25.5, 200))];
  },
  function fan(r) {
    const n = 12, x = 100, y = 178, turn = Math.floor(r() * 4);
    return [Array.from({ length: n }, (_, i) => {
      const p = (k) => { const t = Math.PI * (1 + k / n); return `${round(x + 160 * Math.cos(t))} ${round(y + 160 * Math.sin(t))}`; };
      return path(["a", "b", "c", "background"][(i + turn) % 4], `M${x} ${y}L${p(i)}L${p(i + 1)}z`);
    }), circle("a", x, y, 30), circle("background", x, y, 16)];
  },
];

// posterArt returns the drawing for a title, without the text.
export function posterArt(title) {
  const seed = hash(title);
  // The low bits select the palette and others select the motif, so titles with the same palette get different motifs.
  const motif = MOTIFS[(seed >>> 12) % MOTIFS.length];
  return svgElement("svg", { class: "art", viewBox: "0 0 200 200", preserveAspectRatio: "xMidYMid slice", "aria-hidden": "true", focusable: "false" },
    motif(random(seed)));
}

// poster shows a movie's image. It shows the drawn poster if there is no image or the image does not load. It is hidden
// from screen readers: the text next to it says the same.
export function poster(movie) {
  const seed = hash(movie.Title);
  const layout = (seed >>> 8) % 3;
  const drawn = () => {
    const title = element("span", { class: "poster-title" }, movie.Title);
    title.style.setProperty("--size", `${titleSize(movie.Title, layout)}cqi`);
    return element("div", { class: "poster", "data-palette": seed % PALETTES, "data-layout": layout, "aria-hidden": "true" },
      posterArt(movie.Title),
      element("div", { class: "poster-text" }, title, movie.Director?.Name && element("span", { class: "poster-director" }, movie.Director.Name)));
  };
  const source = imageAddress(movie.ImagePath);
  if (!source) return drawn();
  const frame = element("div", { class: "poster poster-image" });
  frame.append(element("img", { src: source, alt: "", loading: "lazy", decoding: "async", referrerpolicy: "no-referrer",
    on: { error: () => frame.replaceWith(drawn()) } }));
  return frame;
}

// titleSize returns the title's font size in percent of the poster's width. Long titles are smaller, and the longest
// word always fits on a line: a letter of the widest serif font is 0.72 em wide on average.
function titleSize(title, layout) {
  const wanted = title.length > 44 ? 6.2 : title.length > 26 ? 7.6 : title.length > 13 ? 10.2 : 13.5;
  const width = layout === 1 ? 68 : 86;
  const longest = Math.max(...title.split(/[\s-]+/).map((word) => word.length));
  return round(Math.min(wanted, width / (longest * 0.72)));
}

// imageAddress returns null for an address that the content security policy blocks. It allows the page's own origin only.
function imageAddress(address) {
  if (!address) return null;
  try {
    const url = new URL(address, document.baseURI);
    return url.origin === location.origin ? url.href : null;
  } catch {
    return null;
  }
}

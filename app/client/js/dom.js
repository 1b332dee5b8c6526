// Builds the page from DOM nodes only. Text is always a text node, so data can't become markup.

const SVG_NAMESPACE = "http://www.w3.org/2000/svg";

// element creates an HTML element. In props, "on" contains event listeners; true sets an empty attribute; false, null and
// undefined leave the attribute out; the names in PROPERTIES are set as properties; all others are attributes.
export function element(tag, props, ...children) {
  return fill(document.createElement(tag), props, children);
}

// svgElement creates an SVG element.
export function svgElement(tag, attributes, ...children) {
  return fill(document.createElementNS(SVG_NAMESPACE, tag), attributes, children);
}

const PROPERTIES = new Set(["value", "checked", "disabled", "multiple"]);

function fill(node, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener);
    } else if (PROPERTIES.has(name)) {
      node[name] = value;
    } else if (value === true) {
      node.setAttribute(name, "");
    } else if (value !== false && value !== null && value !== undefined) {
      node.setAttribute(name, String(value));
    }
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

// pluralize returns a number with its noun: pluralize(1, "movie") is "1 movie".
export function pluralize(n, noun) {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}

// formatTime formats an RFC 3339 time in the user's locale. It returns "" if the value is not a time.
export function formatTime(value) {
  const time = new Date(value);
  if (Number.isNaN(time.getTime())) return "";
  return new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" }).format(time);
}

// formatBytes formats a number of bytes in decimal units, as file managers do.
export function formatBytes(bytes) {
  for (const [unit, name] of [[1e6, "MB"], [1e3, "kB"]]) {
    if (bytes >= unit) return `${(bytes / unit).toFixed(bytes >= 10 * unit ? 0 : 1)} ${name}`;
  }
  return `${bytes} B`;
}

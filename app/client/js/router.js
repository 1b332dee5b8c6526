// Addresses after "#": the page is one file on a static site, so that any address of it can be reloaded.

// link makes an address from path segments and a query: link(["movies", "Face/Off"]) is "#/movies/Face%2FOff".
export function link(segments, query = {}) {
  const search = new URLSearchParams(Object.entries(query).filter(([, value]) => value));
  return `#/${segments.map(encodeURIComponent).join("/")}${search.size ? `?${search}` : ""}`;
}

// parse is the reverse of link. What can't be decoded is taken as it is.
export function parse(hash) {
  const [path, search = ""] = hash.replace(/^#\/?/, "").split(/\?(.*)/s);
  const segments = path.split("/").filter(Boolean).map((segment) => {
    try {
      return decodeURIComponent(segment);
    } catch {
      return segment;
    }
  });
  return { segments, query: Object.fromEntries(new URLSearchParams(search)) };
}

// go opens an address as a link would.
export function go(hash) {
  if (location.hash === hash) dispatchEvent(new HashChangeEvent("hashchange"));
  else location.hash = hash;
}

// replace changes the address without a step in the history and without showing the view again.
export function replace(hash) {
  history.replaceState(history.state, "", hash);
}

// places remembers, for each step in the history, how far it was scrolled and which link was followed from it,
// so that going back ends where the reader was.
const places = new Map();
let key = null;
let steps = 0;

// arrive is called as an address opens; it answers the remembered place when the reader came back to it.
export function arrive() {
  const known = history.state?.key ?? null;
  if (known !== null && places.has(known)) {
    key = known;
    return places.get(known);
  }
  key = `${Date.now()}.${steps++}`;
  history.replaceState({ key }, "");
  return null;
}

// leave is called while the old view still stands.
export function leave() {
  if (key !== null) places.set(key, { scroll: scrollY, link: document.activeElement?.getAttribute("href") ?? null });
}

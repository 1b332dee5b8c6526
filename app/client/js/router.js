// Routes are in the fragment, after "#". The page is one file on a static site, so every address can be reloaded.

// routeTo returns the address of a route: routeTo(["movies", "Face/Off"]) is "#/movies/Face%2FOff".
export function routeTo(segments, query = {}) {
  const search = new URLSearchParams(Object.entries(query).filter(([, value]) => value));
  return `#/${segments.map(encodeURIComponent).join("/")}${search.size ? `?${search}` : ""}`;
}

// parseRoute is the reverse of routeTo. A segment that can't be decoded is returned unchanged.
export function parseRoute(address) {
  const [path, search = ""] = address.replace(/^#\/?/, "").split(/\?(.*)/s);
  const segments = path.split("/").filter(Boolean).map((segment) => {
    try {
      return decodeURIComponent(segment);
    } catch {
      return segment;
    }
  });
  return { segments, query: Object.fromEntries(new URLSearchParams(search)) };
}

// navigate opens an address, as a link does.
export function navigate(address) {
  if (location.hash === address) dispatchEvent(new HashChangeEvent("hashchange"));
  else location.hash = address;
}

// replaceAddress changes the address without a new history entry and without loading the view again.
export function replaceAddress(address) {
  history.replaceState(history.state, "", address);
}

// positions contains, for each history entry, the scroll position and the link that was followed. Going back restores both.
const positions = new Map();
let entryKey = null;
let entryCount = 0;

// restorePosition is called when an address opens. It returns the saved position of this history entry, or null for a new entry.
export function restorePosition() {
  const known = history.state?.key ?? null;
  if (known !== null && positions.has(known)) {
    entryKey = known;
    return positions.get(known);
  }
  entryKey = `${Date.now()}.${entryCount++}`;
  history.replaceState({ key: entryKey }, "");
  return null;
}

// savePosition is called before the current view is replaced.
export function savePosition() {
  if (entryKey !== null) positions.set(entryKey, { scroll: scrollY, link: document.activeElement?.getAttribute("href") ?? null });
}

// The session of the user who is logged in.
//
// The token is kept in sessionStorage, which ends with the tab, so a shared computer keeps nothing. Only if the user
// chooses to stay logged in, it is kept in localStorage, until the token expires (7 days) or the user logs out. A
// script on the page could read both. The content security policy, and the rule that data never becomes markup, keep
// such scripts out. A cookie is not possible: the page may be on another site than the API, and browsers block cross-site
// cookies.

const KEY = "cinema.session";

let current = read("sessionStorage") ?? read("localStorage");
const listeners = new Set();

// withStorage returns the result of use(storage). It returns null if the storage is full, damaged or blocked: the
// session then lasts as long as the page. A browser that blocks site data throws on the access to window[name].
function withStorage(name, use) {
  try {
    return use(window[name]);
  } catch {
    return null;
  }
}

function read(name) {
  return withStorage(name, (storage) => {
    const value = JSON.parse(storage.getItem(KEY));
    return value && typeof value.token === "string" && typeof value.user?.Username === "string" ? value : null;
  });
}

function write() {
  withStorage(current.keep ? "localStorage" : "sessionStorage", (storage) => storage.setItem(KEY, JSON.stringify(current)));
}

function clear() {
  for (const name of ["sessionStorage", "localStorage"]) withStorage(name, (storage) => storage.removeItem(KEY));
}

// user returns the account as last loaded, or null.
export const user = () => current?.user ?? null;

// token returns the bearer token, or null.
export const token = () => current?.token ?? null;

// start begins a session. With keep, it lasts beyond the tab.
export function start(token, user, keep) {
  clear();
  current = { token, user, keep };
  write();
  notifyListeners();
}

// update replaces the account, and the token if the API returned a new one.
export function update(user, token) {
  if (!current) return;
  current = { ...current, user, token: token ?? current.token };
  write();
  notifyListeners();
}

// end removes the session from both storages.
export function end() {
  clear();
  current = null;
  notifyListeners();
}

// onChange registers a function that is called after each change of the session.
export function onChange(listener) {
  listeners.add(listener);
}

function notifyListeners() {
  for (const listener of listeners) listener();
}

// Follow a login or logout in another tab, unless this tab has a session of its own.
addEventListener("storage", (event) => {
  if (!withStorage("localStorage", (storage) => event.storageArea === storage) || (event.key !== KEY && event.key !== null)) return;
  if (current && !current.keep) return;
  current = read("localStorage");
  notifyListeners();
});

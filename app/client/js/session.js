// Who is logged in.
//
// The token is kept in sessionStorage: it ends with the tab, so a shared computer keeps nothing. Only who asks to
// stay logged in has it in localStorage, where it lasts until the token's own end (7 days) or a log out. Both are
// equally readable by a script that runs in the page; what keeps scripts out is the content security policy and
// that data never becomes markup. A cookie is not an option: page and API live on different origins over plain
// HTTP where no domain is configured, and browsers send no cross-site cookies there.

const KEY = "cinema.session";

let current = read("sessionStorage") ?? read("localStorage");
const watchers = new Set();

// storage gives what use answers for one of the two storages; null where it is full, damaged or barred, when the
// session lives as long as the page. A browser that keeps no site data throws at the mere name.
function storage(name, use) {
  try {
    return use(window[name]);
  } catch {
    return null;
  }
}

function read(name) {
  return storage(name, (kept) => {
    const value = JSON.parse(kept.getItem(KEY));
    return value && typeof value.token === "string" && typeof value.user?.Username === "string" ? value : null;
  });
}

function write() {
  storage(current.keep ? "localStorage" : "sessionStorage", (kept) => kept.setItem(KEY, JSON.stringify(current)));
}

function forget() {
  for (const name of ["sessionStorage", "localStorage"]) storage(name, (kept) => kept.removeItem(KEY));
}

// user is the account as last seen, or null.
export const user = () => current?.user ?? null;

// token is the bearer token, or null.
export const token = () => current?.token ?? null;

// start begins a session; keep makes it outlive the tab.
export function start(token, user, keep) {
  forget();
  current = { token, user, keep };
  write();
  tell();
}

// update replaces the account, and the token where the API gave a new one.
export function update(user, token) {
  if (!current) return;
  current = { ...current, user, token: token ?? current.token };
  write();
  tell();
}

// end forgets the session everywhere it is kept.
export function end() {
  forget();
  current = null;
  tell();
}

// watch calls back after each change.
export function watch(callback) {
  watchers.add(callback);
}

function tell() {
  for (const callback of watchers) callback();
}

// A log out or log in in another tab counts here too, for sessions that tabs share.
addEventListener("storage", (event) => {
  if (!storage("localStorage", (kept) => event.storageArea === kept) || (event.key !== KEY && event.key !== null)) return;
  if (current && !current.keep) return;
  current = read("localStorage");
  tell();
});

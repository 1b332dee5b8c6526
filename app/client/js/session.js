// The session of the user who is logged in.
//
// Each tab has a session of its own, in memory and in sessionStorage, which ends with the tab. A new tab asks the other
// tabs of this origin for theirs, so the session ends with the last tab, and a shared computer keeps no token. Only if the
// user chooses to stay logged in, the session is also kept in localStorage, until the token expires (7 days) or the user
// logs out. A script on the page could read all of them. The content security policy, and the rule that data never becomes
// markup, keep such scripts out. A cookie is not possible: the page may be on another site than the API, and browsers block
// cross-site cookies.

const KEY = "cinema.session";
const DEVICES_KEY = "cinema.devices";
// ANSWER_TIME is how long a new tab waits for the other tabs before it shows the login page, in milliseconds. A later
// answer still counts, as long as the user has not logged in.
const ANSWER_TIME = 200;

// isSession reports whether a value has the form of a session.
const isSession = (value) => typeof value?.token === "string" && typeof value.user?.Username === "string";

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
    return isSession(value) ? value : null;
  });
}

function write() {
  withStorage("sessionStorage", (storage) => storage.setItem(KEY, JSON.stringify(current)));
  if (current.keep) withStorage("localStorage", (storage) => storage.setItem(KEY, JSON.stringify(current)));
}

// clear removes this tab's session. Another tab may have stored another one in localStorage, which stays.
function clear() {
  withStorage("sessionStorage", (storage) => storage.removeItem(KEY));
  if (read("localStorage")?.token === current?.token) withStorage("localStorage", (storage) => storage.removeItem(KEY));
}

function notifyListeners() {
  for (const listener of listeners) listener();
}

// set makes value this tab's session.
function set(value) {
  current = value;
  request = null;
  write();
  notifyListeners();
}

// forget ends this tab's session.
function forget() {
  clear();
  current = null;
  request = null;
  notifyListeners();
}

// user returns the account as last loaded, or null.
export const user = () => current?.user ?? null;

// token returns the bearer token, or null. A request uses the token of its own tab.
export const token = () => current?.token ?? null;

// start begins a session. With keep, it lasts beyond the last tab.
export function start(token, user, keep) {
  clear();
  set({ token, user, keep });
}

// update replaces the account, and the token if the API returned a new one, in all tabs that have this session.
export function update(user, token) {
  if (!current) return;
  const previous = current.token;
  set({ ...current, user, token: token ?? previous });
  post({ type: "update", previous, session: current });
}

// end ends the session in this tab. The other tabs notice by themselves what the API does not accept any more.
export const end = forget;

// endInAllTabs ends the account's sessions in all tabs.
export function endInAllTabs() {
  post({ type: "end", username: current?.user.Username });
  forget();
}

// onChange registers a function that is called after each change of the session.
export function onChange(listener) {
  listeners.add(listener);
}

// channel connects the tabs of this origin; null in a browser that blocks site data.
const channel = (() => {
  try {
    return new BroadcastChannel(KEY);
  } catch {
    return null;
  }
})();

const post = (message) => channel?.postMessage(message);

// request is the identifier of this tab's question to the other tabs, while it has no session.
let request = null;
let onAnswer = () => {};

// restore asks the other tabs for their session if this one has none. It returns after the first answer, or soon without one.
export function restore() {
  if (current || !channel) return Promise.resolve();
  return new Promise((resolve) => {
    onAnswer = resolve;
    setTimeout(resolve, ANSWER_TIME);
    request = crypto.getRandomValues(new Uint32Array(4)).join("-");
    post({ type: "ask", request });
  });
}

channel?.addEventListener("message", ({ data }) => {
  switch (data.type) {
    case "ask":
      if (current) post({ type: "answer", request: data.request, session: current });
      break;
    case "answer":
      if (request === null || data.request !== request || !isSession(data.session)) break;
      set(data.session);
      onAnswer();
      break;
    case "update":
      if (current && current.token === data.previous) set(data.session);
      break;
    case "end":
      if (current && current.user.Username === data.username) forget();
  }
});

// A tab without a session follows a login with "stay logged in" in another tab.
addEventListener("storage", (event) => {
  if (event.key !== KEY || current) return;
  const stored = read("localStorage");
  if (stored) set(stored);
});

// The API gives each device a signed text at a login. The next login of that name sends it, so that wrong passwords from
// other devices do not lock out this one. It is no credential: nobody can log in with it. So it stays after the logout,
// also on a shared computer, together with the name.
const readDevices = () => withStorage("localStorage", (storage) => JSON.parse(storage.getItem(DEVICES_KEY))) ?? {};

function writeDevices(devices) {
  withStorage("localStorage", (storage) => storage.setItem(DEVICES_KEY, JSON.stringify(devices)));
}

// device returns the text for a name, or undefined. Names that differ in case only are one account.
export function device(username) {
  const devices = readDevices();
  return Object.hasOwn(devices, username.toLowerCase()) ? devices[username.toLowerCase()] : undefined;
}

// keepDevice keeps the text for a name. Without a text, it removes the name.
export function keepDevice(username, text) {
  writeDevices({ ...readDevices(), [username.toLowerCase()]: text });
}

// All calls to the API: addresses, headers, time limits and errors. No other module calls it.
import * as session from "./session.js";

// TIMEOUT limits a call, including its body, in milliseconds. Uploads have no limit; they show their progress.
const TIMEOUT = 20_000;
// TRANSFER_TIMEOUT limits the download of an image on a slow connection, and the deletion of an account with all its
// images, in milliseconds. It is longer than the API's own limit of 60 s, so that the API's error arrives first.
const TRANSFER_TIMEOUT = 65_000;

let base = "";

// configure reads the API's address from config.js: a path on the page's own origin, or an http or https address. The file
// is next to the page and not in the folder of this module, which the browser may keep. The import is dynamic, so that a
// missing or broken file leads to a message instead of an empty page.
export async function configure() {
  const { default: config } = await import(new URL("config.js", document.baseURI).href);
  base = String(config.apiUrl).replace(/\/+$/, "");
  if (!/^(\/|https?:\/\/)[^/]/.test(base)) throw new Error(`config.js: apiUrl "${config.apiUrl}" is neither a path nor an http or https address`);
}

// ApiError is any response without success. kind is one of
//   "unavailable" no response, or 502, 503 or 504: try again after retryAfter seconds
//   "session"     the API does not accept the token
//   "throttled"   429: try again after retryAfter seconds
//   "refused"     any other status; message is the API's
// fields are the invalid fields of a form, each with field and reason.
export class ApiError extends Error {
  constructor(kind, status, message, { retryAfter = null, fields = [], requestId = "" } = {}) {
    super(message);
    Object.assign(this, { kind, status, retryAfter, fields, requestId });
  }
}

export const isUnavailable = (error) => error instanceof ApiError && error.kind === "unavailable";

// isTemporary reports whether the same call may succeed later. otherStatuses are temporary for this call only.
export const isTemporary = (error, ...otherStatuses) => ["unavailable", "throttled"].includes(error.kind) || otherStatuses.includes(error.status);

// isPending reports whether the API is still creating what was requested.
export const isPending = (error) => error.status === 404 && error.retryAfter !== null;

// retryAfter parses the Retry-After header (RFC 9110), which is a number of seconds or a date. It returns 1 to 300 seconds, or
// null without a valid header.
export function retryAfter(header, now = Date.now()) {
  if (!header) return null;
  const seconds = /^\d+$/.test(header.trim()) ? Number(header) : Math.ceil((Date.parse(header) - now) / 1000);
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 1), 300) : null;
}

// toApiError creates the error for a response without success. It reads the details from an RFC 9457 body.
function toApiError(status, header, body, withToken) {
  let details = {};
  try {
    details = JSON.parse(body) ?? {};
  } catch {
    // The body is a proxy's error page. The status is all that is known.
  }
  const message = details.detail || details.title || `The server returned status ${status}.`;
  const more = {
    retryAfter: retryAfter(header("Retry-After")),
    fields: Array.isArray(details.errors) ? details.errors : [],
    requestId: header("X-Request-Id") ?? "",
  };
  if (status === 401 && withToken) return new ApiError("session", status, message, more);
  if (status === 429) return new ApiError("throttled", status, message, more);
  if (status === 502 || status === 503 || status === 504) return new ApiError("unavailable", status, message, more);
  return new ApiError("refused", status, message, more);
}

const noResponse = () => new ApiError("unavailable", 0, "The server did not respond.");

let sessionEndCallback = () => {};

// onSessionEnd sets the function that is called when the API does not accept the token.
export function onSessionEnd(callback) {
  sessionEndCallback = callback;
}

// checkSession reports the end of the session if the error says so, and returns the error.
function checkSession(error, usedToken) {
  // If the token was replaced in the meantime, the error says nothing about the new one.
  if (error.kind === "session" && usedToken === session.token()) sessionEndCallback();
  return error;
}

// call returns the body of a successful answer. as is "json", "blob", or "page" for {items, next}: next is the query of the
// next page, undefined on the last one.
async function call(method, path, { body, signal, anonymous = false, as = "json", timeout = TIMEOUT, keepalive = false } = {}) {
  const token = anonymous ? null : session.token();
  const headers = { Accept: as === "blob" ? "*/*" : "application/json" };
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const limit = AbortSignal.timeout(timeout);
  let response, content;
  try {
    response = await fetch(base + path, {
      method, headers, keepalive,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
      credentials: "omit",
    });
    content = response.ok && as === "blob" ? await response.blob() : await response.text();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw noResponse();
  }
  if (!response.ok) throw checkSession(toApiError(response.status, (name) => response.headers.get(name), content, Boolean(token)), token);
  if (as === "blob") return content;
  try {
    const value = content === "" ? null : JSON.parse(content);
    return as === "page" ? { items: value, next: nextPage(response.headers.get("Link")) } : value;
  } catch {
    // The response is not from the API: a captive portal, or a wrong address in config.js.
    throw noResponse();
  }
}

// nextPage returns the query of the next page in a Link header (RFC 8288). The address before the query is that of the
// call itself, so that no answer sends the token elsewhere.
const nextPage = (link) => /<[^>?]*\?([^>]*)>\s*;\s*rel="next"/.exec(link ?? "")?.[1];

const encode = encodeURIComponent;

export const signUp = (account) => call("POST", "/users", { body: account, anonymous: true });
// logIn returns {user, token, device}. device is the text that this device got at its last login, if any.
export const logIn = (Username, Password, Device) => call("POST", "/login", { body: { Username, Password, Device }, anonymous: true });
// logOut ends the token. It is sent even if the user closes the tab.
export const logOut = () => call("POST", "/logout", { keepalive: true });

// movies returns a page of movies: {items, next}. The filter has q, genre, director and limit.
export function movies(filter, signal) {
  return moviesPage(new URLSearchParams(Object.entries(filter).filter(([, value]) => value)), signal);
}
// moviesPage returns the page of movies that next names.
export const moviesPage = (next, signal) => call("GET", `/movies?${next}`, { signal, as: "page" });
export const movie = (title, signal) => call("GET", `/movies/${encode(title)}`, { signal });
export const genres = (signal) => call("GET", "/genres", { signal });
export const genre = (name, signal) => call("GET", `/genres/${encode(name)}`, { signal });
export const director = (name, signal) => call("GET", `/directors/${encode(name)}`, { signal });

const accountPath = () => `/users/${encode(session.user().Username)}`;
export const account = (signal) => call("GET", accountPath(), { signal });
export const saveAccount = (changes) => call("PUT", accountPath(), { body: changes });
export const deleteAccount = (CurrentPassword) => call("DELETE", accountPath(), { body: { CurrentPassword }, timeout: TRANSFER_TIMEOUT });
export const favorites = (signal) => call("GET", `${accountPath()}/movies`, { signal });
export const addFavorite = (id) => call("POST", `${accountPath()}/movies/${encode(id)}`);
export const removeFavorite = (id) => call("DELETE", `${accountPath()}/movies/${encode(id)}`);

// images returns one page of the gallery: {images, next, total}. before is the previous page's next.
export const images = (before, signal) => call("GET", before ? `/images?before=${encode(before)}` : "/images", { signal });
const download = (path, signal) => call("GET", path, { signal, as: "blob", timeout: TRANSFER_TIMEOUT });
export const original = (id, signal) => download(`/images/${encode(id)}`, signal);
// view is the original in the size of a window.
export const view = (id, signal) => download(`/images/${encode(id)}/view`, signal);
export const thumbnail = (id, signal) => download(`/images/${encode(id)}/thumbnail`, signal);
export const setCaption = (id, Caption) => call("PUT", `/images/${encode(id)}`, { body: { Caption } });
export const deleteImage = (id) => call("DELETE", `/images/${encode(id)}`);

// upload sends one image and reports its progress from 0 to 1. It uses XMLHttpRequest, because fetch does not report
// the progress of an upload.
export function upload(file, { signal, onProgress }) {
  return new Promise((resolve, reject) => {
    const token = session.token();
    const request = new XMLHttpRequest();
    const form = new FormData();
    form.set("image", file);
    request.open("POST", `${base}/images`);
    request.setRequestHeader("Accept", "application/json");
    if (token) request.setRequestHeader("Authorization", `Bearer ${token}`);
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) onProgress(event.loaded / event.total);
    });
    request.addEventListener("load", () => {
      if (request.status < 200 || request.status > 299) {
        reject(checkSession(toApiError(request.status, (name) => request.getResponseHeader(name), request.responseText, Boolean(token)), token));
        return;
      }
      try {
        resolve(JSON.parse(request.responseText));
      } catch {
        reject(noResponse());
      }
    });
    request.addEventListener("error", () => reject(noResponse()));
    request.addEventListener("abort", () => reject(new DOMException("cancelled", "AbortError")));
    signal.addEventListener("abort", () => request.abort());
    request.send(form);
  });
}

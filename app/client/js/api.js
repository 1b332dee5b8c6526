// The one place that talks to the API: addresses, headers, time limits, and what each failure means.
import * as session from "./session.js";

// TIMEOUT is how long a call may take, body included, in milliseconds; uploads have none, they show their progress.
const TIMEOUT = 20_000;
// TRANSFER_TIMEOUT is the same for a picture on a slow line and for the end of an account with all its pictures, in
// milliseconds: the API ends its side after 60 s, and its answer is to come first.
const TRANSFER_TIMEOUT = 65_000;

let base = "";

// configure reads the API's address from config.js. It is imported late so that a missing or broken file is a
// message on the page and not an empty window.
export async function configure() {
  const { default: config } = await import("../config.js");
  base = String(config.apiUrl).replace(/\/+$/, "");
  if (base && !/^https?:\/\//.test(base)) throw new Error(`config.js: apiUrl ${base}: no http(s) address`);
}

// ApiError is any answer that is no success. Kind is one of
//   "away"    no answer, or 502, 503, 504: try again after retryAfter seconds
//   "session" the token is no longer accepted
//   "busy"    429: wait retryAfter seconds
//   "refused" everything else; message is the API's own words
export class ApiError extends Error {
  constructor(kind, status, message, { retryAfter = null, fields = [], requestId = "" } = {}) {
    super(message);
    Object.assign(this, { kind, status, retryAfter, fields, requestId });
  }
}

// isAway tells whether trying again later makes sense.
export const isAway = (error) => error instanceof ApiError && error.kind === "away";

// retryAfter reads RFC 9110's header, seconds or a date, as seconds from now between 1 and 300; null without one.
export function retryAfter(header, now = Date.now()) {
  if (!header) return null;
  const seconds = /^\d+$/.test(header.trim()) ? Number(header) : Math.ceil((Date.parse(header) - now) / 1000);
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 1), 300) : null;
}

// problem turns an answer that is no success into an ApiError (RFC 9457 where the body is one).
function problem(status, header, body, withToken) {
  let details = {};
  try {
    details = JSON.parse(body) ?? {};
  } catch {
    // A proxy's own error page: its status has to do.
  }
  const message = details.detail || details.title || `The API answered with status ${status}.`;
  const more = {
    retryAfter: retryAfter(header("Retry-After")),
    fields: Array.isArray(details.errors) ? details.errors : [],
    requestId: header("X-Request-Id") ?? "",
  };
  if (status === 401 && withToken) return new ApiError("session", status, message, more);
  if (status === 429) return new ApiError("busy", status, message, more);
  if (status === 502 || status === 503 || status === 504) return new ApiError("away", status, message, more);
  return new ApiError("refused", status, message, more);
}

const unanswered = () => new ApiError("away", 0, "No answer from the API.");

let sessionEnded = () => {};

// onSessionEnd sets what happens when the API no longer accepts the token.
export function onSessionEnd(callback) {
  sessionEnded = callback;
}

function ended(error, used) {
  // Answers to a token that has been replaced in the meantime say nothing about the one in use.
  if (error.kind === "session" && used === session.token()) sessionEnded();
  return error;
}

async function call(method, path, { body, signal, open = false, as = "json", timeout = TIMEOUT } = {}) {
  const token = open ? null : session.token();
  const headers = { Accept: as === "blob" ? "*/*" : "application/json" };
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const limit = AbortSignal.timeout(timeout);
  let response, content;
  try {
    response = await fetch(base + path, {
      method, headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
      credentials: "omit",
    });
    content = response.ok && as === "blob" ? await response.blob() : await response.text();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw unanswered();
  }
  if (!response.ok) throw ended(problem(response.status, (name) => response.headers.get(name), content, Boolean(token)), token);
  if (as === "blob") return content;
  try {
    return content === "" ? null : JSON.parse(content);
  } catch {
    // Something else than the API sits at the address: a captive portal, a wrong config.js.
    throw unanswered();
  }
}

const seg = encodeURIComponent;

export const signUp = (account) => call("POST", "/users", { body: account, open: true });
export const logIn = (Username, Password) => call("POST", "/login", { body: { Username, Password }, open: true });

export function movies({ q = "", genre = "" } = {}, signal) {
  const query = new URLSearchParams();
  if (q) query.set("q", q);
  if (genre) query.set("genre", genre);
  return call("GET", query.size ? `/movies?${query}` : "/movies", { signal });
}
export const movie = (title, signal) => call("GET", `/movies/${seg(title)}`, { signal });
export const genre = (name, signal) => call("GET", `/genres/${seg(name)}`, { signal });
export const director = (name, signal) => call("GET", `/directors/${seg(name)}`, { signal });

const self = () => `/users/${seg(session.user().Username)}`;
export const account = (signal) => call("GET", self(), { signal });
export const saveAccount = (changes) => call("PUT", self(), { body: changes });
export const deleteAccount = () => call("DELETE", self(), { timeout: TRANSFER_TIMEOUT });
export const addFavourite = (id) => call("POST", `${self()}/movies/${seg(id)}`);
export const removeFavourite = (id) => call("DELETE", `${self()}/movies/${seg(id)}`);

// images gives one page of the gallery, {images, next}; before is an earlier page's next.
export const images = (before, signal) => call("GET", before ? `/images?before=${seg(before)}` : "/images", { signal });
const picture = (path, signal) => call("GET", path, { signal, as: "blob", timeout: TRANSFER_TIMEOUT });
export const original = (id, signal) => picture(`/images/${seg(id)}`, signal);
export const thumbnail = (id, signal) => picture(`/images/${seg(id)}/thumbnail`, signal);
export const deleteImage = (id) => call("DELETE", `/images/${seg(id)}`);

// upload sends one picture and reports its progress from 0 to 1. It uses XMLHttpRequest because fetch
// doesn't tell how much of a body has been sent.
export function upload(file, { signal, progress }) {
  return new Promise((resolve, reject) => {
    const token = session.token();
    const request = new XMLHttpRequest();
    const form = new FormData();
    form.set("image", file);
    request.open("POST", `${base}/images`);
    request.setRequestHeader("Accept", "application/json");
    if (token) request.setRequestHeader("Authorization", `Bearer ${token}`);
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) progress(event.loaded / event.total);
    });
    request.addEventListener("load", () => {
      if (request.status < 200 || request.status > 299) {
        reject(ended(problem(request.status, (name) => request.getResponseHeader(name), request.responseText, Boolean(token)), token));
        return;
      }
      try {
        resolve(JSON.parse(request.responseText));
      } catch {
        reject(unanswered());
      }
    });
    request.addEventListener("error", () => reject(unanswered()));
    request.addEventListener("abort", () => reject(new DOMException("cancelled", "AbortError")));
    signal.addEventListener("abort", () => request.abort());
    request.send(form);
  });
}

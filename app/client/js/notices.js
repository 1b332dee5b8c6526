// What the page says besides its content: short notices, spoken updates, and the panel for an API that is away.
import { counted, h } from "./dom.js";
import { icon } from "./icons.js";
import { isAway } from "./api.js";

const NOTICE_TIME = 7_000;
// BACKOFF is how long to wait, in seconds, where the API doesn't say.
const BACKOFF = [2, 4, 8, 15, 30];

// notice shows a short message that goes by itself. It repeats nothing that is not also visible elsewhere.
export function notice(text, kind = "info") {
  const close = () => item.remove();
  const item = h("div", { class: `toast toast-${kind}` }, h("p", null, text),
    h("button", { type: "button", class: "icon-button", "aria-label": "Dismiss this message", on: { click: close } }, icon("close")));
  const box = document.getElementById("toasts");
  box.append(item);
  while (box.children.length > 3) box.firstChild.remove();
  // Who is reading or reaching for it is not hurried.
  const expire = () => (item.matches(":hover, :focus-within") ? setTimeout(expire, 1000) : close());
  setTimeout(expire, NOTICE_TIME);
}

// announce says something to screen readers only.
export function announce(text) {
  document.getElementById("announcer").textContent = text;
}

// explain puts an error in words for the reader; doing names what failed, e.g. "The film was not saved."
export function explain(error, doing = "") {
  const wait = error.retryAfter ? ` Try again in ${counted(error.retryAfter, "second")}.` : " Try again in a moment.";
  switch (error.kind) {
    case "away":
      return `${doing} The cinema can't do this right now.${wait}`.trim();
    case "busy":
      return `${doing} Too many attempts.${wait}`.trim();
    case "session":
      return "Your session has ended. Log in again to go on.";
    case "refused":
      return `${doing} ${error.message}`.trim();
    default:
      return `${doing} Something went wrong in the page.`.trim();
  }
}

// guarded runs load and shows what it gives in place; while the API is away it shows that instead, and tries
// again when the API said, when the browser is back on line, or when the reader asks. Other errors are thrown.
export async function guarded(place, signal, load, level = 1) {
  for (let attempt = 0; ; attempt++) {
    try {
      return await load();
    } catch (error) {
      if (!isAway(error) || signal.aborted) throw error;
      await panel(place, signal, error, error.retryAfter ?? BACKOFF[Math.min(attempt, BACKOFF.length - 1)], level);
      signal.throwIfAborted();
    }
  }
}

function panel(place, signal, error, wait, level) {
  return new Promise((resolve) => {
    // Screen readers pass over what is busy, and this is to be heard.
    place.removeAttribute("aria-busy");
    const existing = place.querySelector(":scope > .away");
    const left = h("span", { class: "away-left" });
    const say = () => (left.textContent = wait > 0 ? `Trying again in ${wait} s.` : "Trying again…");
    const again = () => {
      clearInterval(timer);
      removeEventListener("online", again);
      signal.removeEventListener("abort", again);
      wait = 0;
      say();
      resolve();
    };
    const timer = setInterval(() => (--wait > 0 ? say() : again()), 1000);
    addEventListener("online", again);
    signal.addEventListener("abort", again);
    say();
    if (existing) {
      // The same panel goes on, so that the focus stays and nothing is read out twice.
      existing.querySelector(".away-left").replaceWith(left);
      existing.querySelector("button").onclick = again;
      return;
    }
    const button = h("button", { type: "button", class: "button" }, "Try now");
    button.onclick = again;
    const title = h(`h${level}`, { tabindex: "-1" }, "The cinema is not answering");
    const reason = !navigator.onLine ? "This device seems to be off line."
      : error.status === 503 ? "It is starting, or its database is away. Nothing of yours is lost."
      : "The API can't be reached. Nothing of yours is lost.";
    // The countdown stays out of the alert: it would be read out every second.
    place.replaceChildren(h("div", { class: "away" },
      h("div", { class: "away-what", role: "alert" }, icon("away"), title, h("p", null, reason)),
      h("p", { class: "away-actions" }, left, " ", button)));
  });
}

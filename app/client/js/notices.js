// Messages: short notices, announcements for screen readers, and the panel that is shown while the API is unavailable.
import { element, pluralize } from "./dom.js";
import { icon } from "./icons.js";
import { isUnavailable } from "./api.js";

// NOTICE_TIME is how long a notice is shown, in milliseconds.
const NOTICE_TIME = 7_000;
// RETRY_DELAYS are the delays between attempts, in seconds, when the API sends no Retry-After header.
const RETRY_DELAYS = [2, 4, 8, 15, 30];

// showNotice shows a short message that disappears by itself. kind is "info", "success" or "error".
export function showNotice(text, kind = "info") {
  const close = () => toast.remove();
  const toast = element("div", { class: `toast toast-${kind}` }, element("p", null, text),
    element("button", { type: "button", class: "icon-button", "aria-label": "Dismiss this message", on: { click: close } }, icon("close")));
  const toasts = document.getElementById("toasts");
  toasts.append(toast);
  while (toasts.children.length > 3) toasts.firstChild.remove();
  // The notice stays while the pointer or the focus is on it.
  const expire = () => (toast.matches(":hover, :focus-within") ? setTimeout(expire, 1000) : close());
  setTimeout(expire, NOTICE_TIME);
}

// announce sends a message to screen readers only.
export function announce(text) {
  document.getElementById("announcer").textContent = text;
}

// explain returns the message for an error. failure is the sentence that says what failed, such as "The image was not deleted."
export function explain(error, failure = "") {
  const retry = error.retryAfter ? ` Try again in ${pluralize(error.retryAfter, "second")}.` : " Try again in a moment.";
  switch (error.kind) {
    case "unavailable":
      return `${failure} Cinema is not available.${retry}`.trim();
    case "throttled":
      return `${failure} Too many attempts.${retry}`.trim();
    case "session":
      return "Your session has ended. Log in again to continue.";
    case "refused":
      return `${failure} ${error.message}`.trim();
    default:
      return `${failure} An error occurred on this page. Reload the page and try again.`.trim();
  }
}

// retryWhileUnavailable returns the result of load. While the API is unavailable, it shows a panel in container and
// tries again after the delay, when the browser is online again, or when the user presses the button. It throws every
// other error.
export async function retryWhileUnavailable(container, signal, load, headingLevel = 1) {
  for (let attempt = 0; ; attempt++) {
    try {
      return await load();
    } catch (error) {
      if (!isUnavailable(error) || signal.aborted) throw error;
      await waitInPanel(container, signal, error, error.retryAfter ?? RETRY_DELAYS[Math.min(attempt, RETRY_DELAYS.length - 1)], headingLevel);
      signal.throwIfAborted();
    }
  }
}

function waitInPanel(container, signal, error, seconds, headingLevel) {
  return new Promise((resolve) => {
    // Screen readers skip a busy region, and this message must be read.
    container.removeAttribute("aria-busy");
    const existing = container.querySelector(":scope > .unavailable");
    const countdown = element("span", { class: "unavailable-countdown" });
    const updateCountdown = () => (countdown.textContent = seconds > 0 ? `Trying again in ${seconds} s.` : "Trying again…");
    const retry = () => {
      clearInterval(timer);
      removeEventListener("online", retry);
      signal.removeEventListener("abort", retry);
      seconds = 0;
      updateCountdown();
      resolve();
    };
    const timer = setInterval(() => (--seconds > 0 ? updateCountdown() : retry()), 1000);
    addEventListener("online", retry);
    signal.addEventListener("abort", retry);
    updateCountdown();
    if (existing) {
      // The panel is reused, so that the focus stays and screen readers do not read the message again.
      existing.querySelector(".unavailable-countdown").replaceWith(countdown);
      existing.querySelector("button").onclick = retry;
      return;
    }
    const button = element("button", { type: "button", class: "button" }, "Try now");
    button.onclick = retry;
    const heading = element(`h${headingLevel}`, { tabindex: "-1" }, "Cinema is not available");
    const reason = !navigator.onLine ? "This device seems to be offline. Check its connection."
      : error.status === 503 ? "The server is starting, or its database is not available. Nothing that you saved is lost."
      : "The server can't be reached. Nothing that you saved is lost.";
    // The countdown is outside the alert: screen readers would read it every second.
    container.replaceChildren(element("div", { class: "unavailable" },
      element("div", { class: "unavailable-message", role: "alert" }, icon("unavailable"), heading, element("p", null, reason)),
      element("p", { class: "unavailable-actions" }, countdown, " ", button)));
  });
}

// The application shell: which view an address opens, who may see it, and where the focus goes.
import * as api from "./api.js";
import * as session from "./session.js";
import { element } from "./dom.js";
import { icon } from "./icons.js";
import { announce, explain, retryWhileUnavailable, showNotice } from "./notices.js";
import { navigate, parseRoute, restorePosition, routeTo, savePosition } from "./router.js";
import * as account from "./views/account.js";
import * as favorites from "./views/favorites.js";
import * as gallery from "./views/gallery.js";
import * as movie from "./views/movie.js";
import * as movies from "./views/movies.js";
import * as people from "./views/people.js";
import * as welcome from "./views/welcome.js";

const HOME = routeTo(["movies"]);
// LOADING_DELAY is the time before a view that is loading shows a spinner, in milliseconds. An earlier spinner would flicker.
const LOADING_DELAY = 250;

// Each route has a path, a view and a tab. ":name" matches any one segment. Anonymous routes are for users who are not logged in.
const ROUTES = [
  { path: ["login"], view: welcome.logIn, anonymous: true },
  { path: ["signup"], view: welcome.signUp, anonymous: true },
  { path: ["movies"], view: movies.list, tab: "movies" },
  { path: ["movies", ":title"], view: movie.details, tab: "movies" },
  { path: ["genres", ":name"], view: people.genre, tab: "movies" },
  { path: ["directors", ":name"], view: people.director, tab: "movies" },
  { path: ["favorites"], view: favorites.list, tab: "favorites" },
  { path: ["gallery"], view: gallery.list, tab: "gallery" },
  { path: ["account"], view: account.edit, tab: "account" },
];

// Each tab is a route's first segment, a label and an icon.
const TABS = [["movies", "Movies", "movie"], ["favorites", "Favorites", "heart"], ["gallery", "Gallery", "image"], ["account", "Account", "person"]];

const main = document.getElementById("main");
// addressAfterLogin is the address that opens after a login.
let addressAfterLogin = HOME;
let sessionEnded = false;
// viewController aborts the work of the current view. It is null before the first view.
let viewController = null;

function findRoute(segments) {
  for (const route of ROUTES) {
    if (route.path.length !== segments.length) continue;
    const params = {};
    const matches = route.path.every((part, i) => {
      if (part.startsWith(":")) params[part.slice(1)] = segments[i];
      return part.startsWith(":") || part === segments[i];
    });
    if (matches) return { ...route, params };
  }
  return { view: notFound, params: {} };
}

async function notFound() {
  return { title: "Not found", node: element("div", { class: "empty" }, element("h1", null, "Page not found"),
    element("p", null, "There is no page at this address."), element("a", { class: "button", href: HOME }, "All movies")) };
}

async function showView() {
  savePosition();
  const { segments, query } = parseRoute(location.hash);
  const route = findRoute(segments);
  if (!segments.length) return location.replace(HOME);
  if (!route.anonymous && route.view !== notFound && !session.token()) {
    addressAfterLogin = location.hash;
    return location.replace(routeTo(["login"]));
  }
  if (route.anonymous && session.token()) return location.replace(addressAfterLogin);
  const isFirst = viewController === null;
  viewController?.abort();
  viewController = new AbortController();
  const { signal } = viewController;
  const position = restorePosition();
  updateHeader(route.tab);
  main.setAttribute("aria-busy", "true");
  const spinnerTimer = setTimeout(() => {
    main.replaceChildren(element("div", { class: "loading", role: "status" }, element("span", { class: "spinner" }), "Loading…"));
  }, LOADING_DELAY);
  signal.addEventListener("abort", () => clearTimeout(spinnerTimer));
  let view;
  try {
    view = await retryWhileUnavailable(main, signal, () => route.view({ ...route, query, signal, sessionEnded }).finally(() => clearTimeout(spinnerTimer)));
  } catch (error) {
    if (signal.aborted || error.kind === "session") return;
    if (!error.kind) console.error(error);
    view = { title: "Error", node: element("div", { class: "empty", role: "alert" },
      element("h1", null, error.status === 404 ? "Not found" : "This page can't be shown"),
      element("p", null, explain(error)), element("a", { class: "button", href: HOME }, "All movies")) };
  }
  if (signal.aborted) return;
  const hadFocus = main !== document.activeElement && main.contains(document.activeElement);
  main.removeAttribute("aria-busy");
  main.replaceChildren(view.node);
  document.title = `${view.title} · Cinema`;
  setFocus(position, isFirst && !hadFocus, view);
  view.onShown?.();
}

// setFocus moves the focus to the heading of a new view, or, when the user goes back, to the link that was followed.
// The first view of a visit gets no focus: the browser reads it from the top.
function setFocus(position, isFirst, view) {
  const heading = main.querySelector("h1");
  heading?.setAttribute("tabindex", "-1");
  if (position) {
    const followed = position.link && main.querySelector(`a[href="${CSS.escape(position.link)}"]`);
    (followed || heading)?.focus({ preventScroll: true });
    scrollTo({ top: position.scroll, behavior: "instant" });
    return;
  }
  scrollTo({ top: 0, behavior: "instant" });
  if (view.focus) view.focus.focus();
  else if (!isFirst) heading?.focus({ preventScroll: true });
}

// updateHeader shows the tabs and the user's name.
function updateHeader(tab) {
  const user = session.user();
  document.body.classList.toggle("logged-in", Boolean(user));
  const tabs = document.getElementById("tabs");
  const userMenu = document.getElementById("user-menu");
  tabs.hidden = userMenu.hidden = !user;
  document.querySelector(".brand").href = user ? HOME : routeTo(["login"]);
  if (!user) {
    tabs.replaceChildren();
    userMenu.replaceChildren();
    return;
  }
  if (!tabs.children.length) {
    tabs.append(...TABS.map(([name, label, iconName]) => element("a", { href: routeTo([name]), "data-tab": name }, icon(iconName), element("span", null, label))));
    userMenu.append(element("span", { class: "user-name" }),
      element("button", { type: "button", class: "button button-plain", id: "logout", on: { click: logOut } }, icon("logout"), element("span", null, "Log out")));
  }
  userMenu.querySelector(".user-name").textContent = user.Username;
  for (const item of tabs.children) {
    if (item.dataset.tab === tab) item.setAttribute("aria-current", "page");
    else item.removeAttribute("aria-current");
  }
}

function logOut() {
  addressAfterLogin = HOME;
  sessionEnded = false;
  // The page does not wait for the API, so that a logout works without a connection as well.
  api.logOut().catch(() => {});
  session.endInAllTabs();
  announce("You are logged out.");
}

api.onSessionEnd(() => {
  // After the next login, the user returns to this view.
  addressAfterLogin = location.hash;
  sessionEnded = true;
  session.end();
});

session.onChange(() => {
  if (viewController === null) return; // The first view is about to open.
  const { segments } = parseRoute(location.hash);
  const { anonymous } = findRoute(segments);
  if (session.token() && anonymous) {
    sessionEnded = false;
    navigate(addressAfterLogin);
    addressAfterLogin = HOME;
  } else if (!session.token() && !anonymous) {
    document.querySelectorAll("dialog[open]").forEach((dialog) => dialog.close());
    navigate(routeTo(["login"]));
  } else {
    const user = session.user();
    if (user) document.querySelector(".user-name").textContent = user.Username;
  }
});

document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
  main.scrollIntoView();
});

// The user must see a message after every script error.
addEventListener("unhandledrejection", (event) => {
  if (event.reason?.name !== "AbortError" && event.reason?.kind !== "session") showNotice(explain(event.reason ?? {}), "error");
});

history.scrollRestoration = "manual";
try {
  await api.configure();
  await session.restore();
  addEventListener("hashchange", showView);
  await showView();
} catch (error) {
  console.error(error);
  main.replaceChildren(element("div", { class: "empty", role: "alert" }, element("h1", null, "The page is not configured"),
    element("p", null, "The file config.js is missing or does not contain a valid API address. Publish the site again.")));
}

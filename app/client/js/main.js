// The page's frame: which view an address opens, who may see it, and where the focus goes.
import * as api from "./api.js";
import * as session from "./session.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { announce, explain, guarded, notice } from "./notices.js";
import { arrive, go, leave, link, parse } from "./router.js";
import * as account from "./views/account.js";
import * as favourites from "./views/favourites.js";
import * as gallery from "./views/gallery.js";
import * as movie from "./views/movie.js";
import * as movies from "./views/movies.js";
import * as people from "./views/people.js";
import * as welcome from "./views/welcome.js";

const HOME = link(["movies"]);
// SLOW is when a view that has not come yet says so, in milliseconds; sooner, it would only flicker.
const SLOW = 250;

// Each route: its path, its view, and the tab it belongs to. ":name" takes any one segment.
const ROUTES = [
  { path: ["login"], view: welcome.logIn, open: true },
  { path: ["signup"], view: welcome.signUp, open: true },
  { path: ["movies"], view: movies.list, tab: "movies" },
  { path: ["movies", ":title"], view: movie.details, tab: "movies" },
  { path: ["genres", ":name"], view: people.genre, tab: "movies" },
  { path: ["directors", ":name"], view: people.director, tab: "movies" },
  { path: ["favourites"], view: favourites.list, tab: "favourites" },
  { path: ["gallery"], view: gallery.list, tab: "gallery" },
  { path: ["account"], view: account.edit, tab: "account" },
];

const TABS = [["movies", "Films", "film"], ["favourites", "Favourites", "heart"], ["gallery", "Gallery", "picture"], ["account", "Account", "person"]];

const main = document.getElementById("main");
let wanted = HOME;
let ended = false;
let showing = null;

function route(segments) {
  for (const candidate of ROUTES) {
    if (candidate.path.length !== segments.length) continue;
    const params = {};
    const fits = candidate.path.every((part, i) => {
      if (part.startsWith(":")) params[part.slice(1)] = segments[i];
      return part.startsWith(":") || part === segments[i];
    });
    if (fits) return { ...candidate, params };
  }
  return { view: lost, params: {} };
}

async function lost() {
  return { title: "Not found", node: h("div", { class: "empty" }, h("h1", null, "Nothing is shown here"),
    h("p", null, "The address leads to no part of the cinema."), h("a", { class: "button", href: HOME }, "All films")) };
}

async function show() {
  leave();
  const { segments, query } = parse(location.hash);
  const here = route(segments);
  if (!segments.length) return location.replace(HOME);
  if (!here.open && here.view !== lost && !session.token()) {
    wanted = location.hash;
    return location.replace(link(["login"]));
  }
  if (here.open && session.token()) return location.replace(wanted);
  const first = showing === null;
  showing?.abort();
  const control = (showing = new AbortController());
  const { signal } = control;
  const place = arrive();
  frame(here.tab);
  main.setAttribute("aria-busy", "true");
  const slow = setTimeout(() => {
    main.replaceChildren(h("div", { class: "loading", role: "status" }, h("span", { class: "spinner" }), "Loading…"));
  }, SLOW);
  signal.addEventListener("abort", () => clearTimeout(slow));
  let view;
  try {
    view = await guarded(main, signal, () => here.view({ ...here, query, signal, ended, wanted }).finally(() => clearTimeout(slow)));
  } catch (error) {
    if (signal.aborted || error.kind === "session") return;
    if (!error.kind) console.error(error);
    view = { title: "Not shown", node: h("div", { class: "empty", role: "alert" },
      h("h1", null, error.status === 404 ? "This is not in the programme" : "This can't be shown"),
      h("p", null, explain(error)), h("a", { class: "button", href: HOME }, "All films")) };
  }
  if (signal.aborted) return;
  const held = main !== document.activeElement && main.contains(document.activeElement);
  main.removeAttribute("aria-busy");
  main.replaceChildren(view.node);
  document.title = `${view.title} · Cinema`;
  settle(place, first && !held, view);
  view.shown?.();
}

// settle puts the focus where reading goes on: at the heading of a new view, at the link that was followed when
// coming back, and nowhere on the first view of a visit, which the browser reads from the top by itself.
function settle(place, first, view) {
  const heading = main.querySelector("h1");
  heading?.setAttribute("tabindex", "-1");
  if (place) {
    const followed = place.link && main.querySelector(`a[href="${CSS.escape(place.link)}"]`);
    (followed || heading)?.focus({ preventScroll: true });
    scrollTo({ top: place.scroll, behavior: "instant" });
    return;
  }
  scrollTo({ top: 0, behavior: "instant" });
  if (view.focus) view.focus.focus();
  else if (!first) heading?.focus({ preventScroll: true });
}

// frame shows the tabs and who is logged in.
function frame(tab) {
  const user = session.user();
  document.body.classList.toggle("in", Boolean(user));
  const tabs = document.getElementById("tabs");
  const who = document.getElementById("who");
  tabs.hidden = who.hidden = !user;
  document.querySelector(".brand").href = user ? HOME : link(["login"]);
  if (!user) {
    tabs.replaceChildren();
    who.replaceChildren();
    return;
  }
  if (!tabs.children.length) {
    tabs.append(...TABS.map(([name, label, picture]) => h("a", { href: link([name]), "data-tab": name }, icon(picture), h("span", null, label))));
    who.append(h("span", { class: "who-name" }),
      h("button", { type: "button", class: "button button-plain", id: "logout", on: { click: logOut } }, icon("leave"), h("span", null, "Log out")));
  }
  who.querySelector(".who-name").textContent = user.Username;
  for (const item of tabs.children) {
    if (item.dataset.tab === tab) item.setAttribute("aria-current", "page");
    else item.removeAttribute("aria-current");
  }
}

function logOut() {
  wanted = HOME;
  ended = false;
  session.end();
  announce("You are logged out.");
}

api.onSessionEnd(() => {
  // What the reader was at opens again after logging in.
  wanted = location.hash;
  ended = true;
  document.querySelectorAll("dialog[open]").forEach((dialog) => dialog.close());
  session.end();
});

session.watch(() => {
  const { segments } = parse(location.hash);
  const open = route(segments).open;
  if (session.token() && open) {
    ended = false;
    go(wanted);
    wanted = HOME;
  } else if (!session.token() && !open) {
    go(link(["login"]));
  } else {
    const user = session.user();
    if (user) document.querySelector(".who-name").textContent = user.Username;
  }
});

document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
  main.scrollIntoView();
});

// A script error must not leave the page silent.
addEventListener("unhandledrejection", (event) => {
  if (event.reason?.name !== "AbortError" && event.reason?.kind !== "session") notice(explain(event.reason ?? {}), "error");
});

history.scrollRestoration = "manual";
try {
  await api.configure();
  addEventListener("hashchange", show);
  await show();
} catch (error) {
  console.error(error);
  main.replaceChildren(h("div", { class: "empty", role: "alert" }, h("h1", null, "The page is not set up"),
    h("p", null, "Its file config.js is missing or names no address of the API.")));
}

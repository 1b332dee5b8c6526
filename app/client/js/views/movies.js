// All movies, with a search and a genre filter, which are part of the address.
import * as api from "../api.js";
import { element } from "../dom.js";
import { icon } from "../icons.js";
import { movieList } from "../cards.js";
import { favoriteButton, refreshAccount } from "../favorites.js";
import { explain, retryWhileUnavailable } from "../notices.js";
import { poster } from "../poster.js";
import { replaceAddress, routeTo } from "../router.js";

// SEARCH_DELAY is the time between the last keystroke and the search, in milliseconds.
const SEARCH_DELAY = 200;

export async function list({ query, signal }) {
  const firstFilter = { q: query.q ?? "", genre: query.genre ?? "" };
  const [genres, firstPage] = await Promise.all([api.genres(signal), api.movies(firstFilter, signal), refreshAccount(signal)]);

  const searchInput = element("input", { type: "search", id: "search", name: "q", value: query.q ?? "", placeholder: "Search movies", autocomplete: "off", spellcheck: "false", enterkeyhint: "search" });
  const chip = (value, label) => element("label", { class: "chip" },
    element("input", { type: "radio", name: "genre", value, checked: (query.genre ?? "") === value }), element("span", null, label));
  const chips = element("fieldset", { class: "chips" }, element("legend", { class: "visually-hidden" }, "Genre"), chip("", "All"), genres.map(({ Name }) => chip(Name, Name)));
  const status = element("p", { class: "count", role: "status" });
  const results = element("div", { class: "results" });
  const featured = element("div");
  const tools = element("form", { class: "tools", role: "search", "aria-label": "Movies" },
    element("div", { class: "search" }, element("label", { for: "search", class: "visually-hidden" }, "Search movies"), icon("search"), searchInput), chips);

  const currentFilter = () => ({ q: searchInput.value.trim(), genre: chips.querySelector("input:checked")?.value ?? "" });
  let currentSearch = new AbortController();
  let searchTimer = 0;

  function show(page, { q, genre }, signal) {
    const list = movieList(page, { signal, onCount: (text) => (status.textContent = text) });
    featured.replaceChildren(...(q || genre ? [] : [featuredMovie(page.items)].filter(Boolean)));
    results.replaceChildren(...(page.items.length ? list : [element("div", { class: "empty" },
      element("p", null, q ? `No movie matches “${q}”${genre ? ` in ${genre}` : ""}.` : "No movies found."),
      element("button", { type: "button", class: "button", on: { click: clear } }, "Show all movies"))]));
  }

  function clear() {
    searchInput.value = "";
    chips.querySelector("input").checked = true;
    searchInput.focus();
    update();
  }

  async function update() {
    clearTimeout(searchTimer);
    currentSearch.abort();
    currentSearch = new AbortController();
    const searchSignal = AbortSignal.any([currentSearch.signal, signal]);
    const filter = currentFilter();
    replaceAddress(routeTo(["movies"], filter));
    results.setAttribute("aria-busy", "true");
    try {
      show(await retryWhileUnavailable(results, searchSignal, () => api.movies(filter, searchSignal), 2), filter, searchSignal);
    } catch (error) {
      if (searchSignal.aborted || error.kind === "session") return;
      status.textContent = "";
      results.replaceChildren(element("p", { class: "empty", role: "alert" }, explain(error)));
    }
    results.removeAttribute("aria-busy");
  }

  tools.addEventListener("submit", (event) => {
    event.preventDefault();
    update();
  });
  searchInput.addEventListener("input", () => {
    clearTimeout(searchTimer);
    searchTimer = setTimeout(update, SEARCH_DELAY);
  });
  chips.addEventListener("change", update);
  signal.addEventListener("abort", () => clearTimeout(searchTimer));

  show(firstPage, firstFilter, AbortSignal.any([currentSearch.signal, signal]));
  // On narrow windows the chips scroll sideways. The selected one must be visible.
  const onShown = () => (chips.scrollLeft = (chips.querySelector("input:checked")?.parentElement.offsetLeft ?? 0) - chips.clientWidth / 3);
  return { title: "Movies", onShown, node: element("div", null, element("h1", { class: "visually-hidden" }, "Movies"), tools, featured, status, results) };
}

// featuredMovie shows one of the featured movies of the first page, a different one each day.
function featuredMovie(movies) {
  const candidates = movies.filter((movie) => movie.Featured);
  if (!candidates.length) return null;
  const movie = candidates[Math.floor(Date.now() / 86_400_000) % candidates.length];
  return element("section", { class: "featured", "aria-labelledby": "featured-title" },
    poster(movie),
    element("div", { class: "featured-text" },
      element("p", { class: "eyebrow" }, "Featured today"),
      element("h2", { id: "featured-title" }, movie.Title),
      element("p", { class: "card-meta" }, [movie.Director?.Name, movie.Year, movie.Genre?.Name].filter(Boolean).join(" · ")),
      element("p", { class: "blurb" }, movie.Description),
      element("p", { class: "actions" },
        element("a", { class: "button button-main", href: routeTo(["movies", movie.Title]), "aria-label": `Details of ${movie.Title}` }, "Details"), favoriteButton(movie, { withLabel: true }))));
}

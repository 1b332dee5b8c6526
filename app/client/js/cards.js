// Movies as cards in a grid.
import * as api from "./api.js";
import { element, pluralize } from "./dom.js";
import { favoriteButton } from "./favorites.js";
import { explain, showNotice } from "./notices.js";
import { poster } from "./poster.js";
import { routeTo } from "./router.js";

// movieCard shows a movie. The link covers the whole card, except for the favorite button.
export function movieCard(movie, { headingLevel = 2, onChange } = {}) {
  return element("li", { class: "card" },
    poster(movie),
    element("div", { class: "card-text" },
      element(`h${headingLevel}`, { class: "card-title" }, element("a", { href: routeTo(["movies", movie.Title]) }, movie.Title)),
      element("p", { class: "card-meta" }, movie.Director?.Name),
      element("p", { class: "card-meta" }, [movie.Year, movie.Genre?.Name].filter(Boolean).join(" · "))),
    favoriteButton(movie, { onChange: onChange && ((favorite) => onChange(movie, favorite)) }));
}

// movieGrid shows movies.
export function movieGrid(movies, options) {
  return element("ul", { class: "grid", role: "list" }, movies.map((movie) => movieCard(movie, options)));
}

// movieList shows a page of movies as api.movies returns it, and a button that adds the next page. onCount is called with
// the text that says how many are shown.
export function movieList(page, { signal, onCount, ...options }) {
  const grid = movieGrid(page.items, options);
  const moreButton = element("button", { type: "button", class: "button more", on: { click: loadMore } }, "More movies");
  let { next } = page;
  let loading = false;
  const update = () => {
    moreButton.hidden = !next;
    onCount(next ? `The first ${grid.children.length} movies` : pluralize(grid.children.length, "movie"));
  };
  async function loadMore() {
    if (loading) return;
    loading = true;
    try {
      const page = await api.moviesPage(next, signal);
      next = page.next;
      const start = grid.children.length;
      grid.append(...page.items.map((movie) => movieCard(movie, options)));
      update();
      grid.children[start]?.querySelector("a").focus();
    } catch (error) {
      if (!signal.aborted && error.kind !== "session") showNotice(explain(error, "More movies could not be loaded."), "error");
    } finally {
      loading = false;
    }
  }
  update();
  return [grid, moreButton];
}

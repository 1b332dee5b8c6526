// Movies as cards in a grid.
import { element } from "./dom.js";
import { favoriteButton } from "./favorites.js";
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

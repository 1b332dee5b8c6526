// A film in a grid of films.
import { h } from "./dom.js";
import { heart } from "./favourites.js";
import { poster } from "./poster.js";
import { link } from "./router.js";

// card shows a film. The whole card opens it; the heart is a control of its own.
export function card(movie, { level = 2, changed } = {}) {
  const picture = poster(movie);
  return h("li", { class: "card" },
    picture,
    h("div", { class: "card-text" },
      h(`h${level}`, { class: "card-title" }, h("a", { href: link(["movies", movie.Title]) }, movie.Title)),
      h("p", { class: "card-meta" }, movie.Director?.Name),
      h("p", { class: "card-meta" }, [movie.Year, movie.Genre?.Name].filter(Boolean).join(" · "))),
    heart(movie, { changed: changed && ((on) => changed(movie, on)) }));
}

// grid shows films.
export function grid(movies, options) {
  return h("ul", { class: "grid", role: "list" }, movies.map((movie) => card(movie, options)));
}

// The details of one movie.
import * as api from "../api.js";
import { element } from "../dom.js";
import { movieGrid } from "../cards.js";
import { favoriteButton } from "../favorites.js";
import { poster } from "../poster.js";
import { routeTo } from "../router.js";

// MAX_RELATED is how many movies of the same genre are shown.
const MAX_RELATED = 6;

export async function details({ params, signal }) {
  const movie = await api.movie(params.title, signal);
  const { Genre: genre, Director: director } = movie;
  const related = element("div");
  const node = element("article", { class: "movie" },
    poster(movie),
    element("div", { class: "movie-text" },
      element("h1", null, movie.Title),
      element("p", { class: "facts" },
        genre?.Name && element("a", { class: "tag", href: routeTo(["genres", genre.Name]) }, genre.Name),
        movie.Year && element("span", { class: "tag" }, String(movie.Year)),
        movie.Featured && element("span", { class: "tag" }, "Featured")),
      element("p", { class: "blurb" }, movie.Description),
      element("dl", { class: "credits" },
        director?.Name && element("div", null, element("dt", null, "Director"), element("dd", null, element("a", { href: routeTo(["directors", director.Name]) }, director.Name))),
        movie.Actors?.length > 0 && element("div", null, element("dt", null, "With"), element("dd", null, movie.Actors.join(", ")))),
      element("p", { class: "actions" }, favoriteButton(movie, { withLabel: true }), element("a", { class: "button", href: routeTo(["movies"]) }, "All movies"))),
    related);

  // The page does not wait for the related movies, and an error there does not affect it.
  if (genre?.Name) {
    // One more, because the movie itself is among them.
    api.movies({ genre: genre.Name, limit: MAX_RELATED + 1 }, signal).then(({ items }) => {
      const others = items.filter((other) => other._id !== movie._id).slice(0, MAX_RELATED);
      if (others.length) related.append(element("h2", null, `More ${genre.Name}`), movieGrid(others, { headingLevel: 3 }));
    }).catch(() => {});
  }
  related.className = "movie-related";
  return { title: movie.Title, node };
}

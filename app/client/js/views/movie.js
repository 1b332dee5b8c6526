// One film.
import * as api from "../api.js";
import { h } from "../dom.js";
import { grid } from "../cards.js";
import { heart } from "../favourites.js";
import { poster } from "../poster.js";
import { link } from "../router.js";

// MORE is how many films of the same genre are offered.
const MORE = 6;

export async function details({ params, signal }) {
  const movie = await api.movie(params.title, signal);
  const { Genre: genre, Director: director } = movie;
  const more = h("div");
  const node = h("article", { class: "film" },
    poster(movie),
    h("div", { class: "film-text" },
      h("h1", null, movie.Title),
      h("p", { class: "facts" },
        genre?.Name && h("a", { class: "tag", href: link(["genres", genre.Name]) }, genre.Name),
        movie.Year && h("span", { class: "tag" }, String(movie.Year)),
        movie.Featured && h("span", { class: "tag" }, "Featured")),
      h("p", { class: "blurb" }, movie.Description),
      h("dl", { class: "credits" },
        director?.Name && h("div", null, h("dt", null, "Director"), h("dd", null, h("a", { href: link(["directors", director.Name]) }, director.Name))),
        movie.Actors?.length > 0 && h("div", null, h("dt", null, "With"), h("dd", null, movie.Actors.join(", ")))),
      h("p", { class: "actions" }, heart(movie, { wide: true }), h("a", { class: "button", href: link(["movies"]) }, "All films"))),
    more);

  // The rest of the genre comes when it comes: the film itself doesn't wait for it, nor fails with it.
  if (genre?.Name) {
    api.movies({ genre: genre.Name }, signal).then((movies) => {
      const others = movies.filter((other) => other._id !== movie._id).slice(0, MORE);
      if (others.length) more.append(h("h2", null, `More ${genre.Name}`), grid(others, { level: 3 }));
    }).catch(() => {});
  }
  more.className = "film-more";
  return { title: movie.Title, node };
}

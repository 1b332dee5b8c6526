// The pages of a genre and of a director: a description and the movies.
import * as api from "../api.js";
import { element, pluralize } from "../dom.js";
import { movieGrid } from "../cards.js";

function page(title, kind, facts, description, movies) {
  return { title, node: element("div", { class: "about" },
    element("header", { class: "about-head" }, element("p", { class: "eyebrow" }, kind), element("h1", null, title), facts && element("p", { class: "card-meta" }, facts), description && element("p", { class: "blurb" }, description)),
    element("h2", { class: "count" }, pluralize(movies.length, "movie")), movieGrid(movies, { headingLevel: 3 })) };
}

export async function genre({ params, signal }) {
  const [details, movies] = await Promise.all([api.genre(params.name, signal), api.movies({ genre: params.name }, signal)]);
  return page(details.Name, "Genre", "", details.Description, movies);
}

export async function director({ params, signal }) {
  const [details, movies] = await Promise.all([api.director(params.name, signal), api.movies({}, signal)]);
  const lifeDates = [details.Birth && `Born ${details.Birth}`, details.Death && `died ${details.Death}`].filter(Boolean).join(", ");
  return page(details.Name, "Director", lifeDates, details.Bio, movies.filter((movie) => movie.Director?.Name === details.Name));
}

// The pages of a genre and of a director: a description and the movies.
import * as api from "../api.js";
import { element } from "../dom.js";
import { movieList } from "../cards.js";

function page(title, kind, facts, description, movies, signal) {
  const count = element("h2", { class: "count" });
  const list = movieList(movies, { headingLevel: 3, signal, onCount: (text) => (count.textContent = text) });
  return { title, node: element("div", { class: "about" },
    element("header", { class: "about-head" }, element("p", { class: "eyebrow" }, kind), element("h1", null, title), facts && element("p", { class: "card-meta" }, facts), description && element("p", { class: "blurb" }, description)),
    count, list) };
}

export async function genre({ params, signal }) {
  const [details, movies] = await Promise.all([api.genre(params.name, signal), api.movies({ genre: params.name }, signal)]);
  return page(details.Name, "Genre", "", details.Description, movies, signal);
}

export async function director({ params, signal }) {
  const [details, movies] = await Promise.all([api.director(params.name, signal), api.movies({ director: params.name }, signal)]);
  const lifeDates = [details.Birth && `Born ${details.Birth}`, details.Death && `died ${details.Death}`].filter(Boolean).join(", ");
  return page(details.Name, "Director", lifeDates, details.Bio, movies, signal);
}

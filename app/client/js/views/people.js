// What a film's genre and director lead to: a few words, and the films.
import * as api from "../api.js";
import { counted, h } from "../dom.js";
import { grid } from "../cards.js";

function page(title, kind, facts, words, movies) {
  return { title, node: h("div", { class: "about" },
    h("header", { class: "about-head" }, h("p", { class: "eyebrow" }, kind), h("h1", null, title), facts && h("p", { class: "card-meta" }, facts), words && h("p", { class: "blurb" }, words)),
    h("h2", { class: "count" }, counted(movies.length, "film")), grid(movies, { level: 3 })) };
}

export async function genre({ params, signal }) {
  const [about, movies] = await Promise.all([api.genre(params.name, signal), api.movies({ genre: params.name }, signal)]);
  return page(about.Name, "Genre", "", about.Description, movies);
}

export async function director({ params, signal }) {
  const [about, movies] = await Promise.all([api.director(params.name, signal), api.movies({}, signal)]);
  const life = [about.Birth && `Born ${about.Birth}`, about.Death && `died ${about.Death}`].filter(Boolean).join(", ");
  return page(about.Name, "Director", life, about.Bio, movies.filter((movie) => movie.Director?.Name === about.Name));
}

// All films, with search and a genre filter that the address keeps.
import * as api from "../api.js";
import { counted, h } from "../dom.js";
import { icon } from "../icons.js";
import { grid } from "../cards.js";
import { heart, refresh } from "../favourites.js";
import { explain, guarded } from "../notices.js";
import { poster } from "../poster.js";
import { link, replace } from "../router.js";

// PAUSE is how long typing must rest before a search, in milliseconds.
const PAUSE = 200;

export async function list({ query, signal }) {
  const [all] = await Promise.all([api.movies({}, signal), refresh(signal)]);
  const genres = [...new Set(all.map((movie) => movie.Genre?.Name).filter(Boolean))].sort((a, b) => a.localeCompare(b));

  const search = h("input", { type: "search", id: "search", name: "q", value: query.q ?? "", placeholder: "Search films", autocomplete: "off", spellcheck: "false", enterkeyhint: "search" });
  const chip = (value, label) => h("label", { class: "chip" },
    h("input", { type: "radio", name: "genre", value, checked: (query.genre ?? "") === value }), h("span", null, label));
  const chips = h("fieldset", { class: "chips" }, h("legend", { class: "unseen" }, "Genre"), chip("", "All"), genres.map((name) => chip(name, name)));
  const status = h("p", { class: "count", role: "status" });
  const results = h("div", { class: "results" });
  const marquee = h("div");
  const tools = h("form", { class: "tools", role: "search", "aria-label": "Films" },
    h("div", { class: "search" }, h("label", { for: "search", class: "unseen" }, "Search films"), icon("search"), search), chips);

  const chosen = () => ({ q: search.value.trim(), genre: chips.querySelector("input:checked")?.value ?? "" });
  let running = null;
  let pause = 0;

  function show(movies, { q, genre }) {
    const filtered = q || genre;
    status.textContent = filtered ? `${counted(movies.length, "film")} of ${all.length}` : counted(movies.length, "film");
    marquee.replaceChildren(...(filtered ? [] : [featured(all)].filter(Boolean)));
    results.replaceChildren(movies.length ? grid(movies) : h("div", { class: "empty" },
      h("p", null, q ? `No film matches “${q}”${genre ? ` in ${genre}` : ""}.` : "No films here."),
      h("button", { type: "button", class: "button", on: { click: clear } }, "Show all films")));
  }

  function clear() {
    search.value = "";
    chips.querySelector("input").checked = true;
    search.focus();
    update();
  }

  async function update() {
    clearTimeout(pause);
    running?.abort();
    running = new AbortController();
    const mine = AbortSignal.any([running.signal, signal]);
    const wish = chosen();
    replace(link(["movies"], wish));
    results.setAttribute("aria-busy", "true");
    try {
      show(await guarded(results, mine, () => api.movies(wish, mine), 2), wish);
    } catch (error) {
      if (mine.aborted || error.kind === "session") return;
      status.textContent = "";
      results.replaceChildren(h("p", { class: "empty", role: "alert" }, explain(error)));
    }
    results.removeAttribute("aria-busy");
  }

  tools.addEventListener("submit", (event) => {
    event.preventDefault();
    update();
  });
  search.addEventListener("input", () => {
    clearTimeout(pause);
    pause = setTimeout(update, PAUSE);
  });
  chips.addEventListener("change", update);
  signal.addEventListener("abort", () => clearTimeout(pause));

  const wish = chosen();
  show(wish.q || wish.genre ? await api.movies(wish, signal) : all, wish);
  // On narrow windows the chips scroll sideways: the chosen one is to be seen.
  const shown = () => (chips.scrollLeft = (chips.querySelector("input:checked")?.parentElement.offsetLeft ?? 0) - chips.clientWidth / 3);
  return { title: "Films", shown, node: h("div", null, h("h1", { class: "unseen" }, "Films"), tools, marquee, status, results) };
}

// featured shows one of the featured films, another one each day.
function featured(movies) {
  const choice = movies.filter((movie) => movie.Featured);
  if (!choice.length) return null;
  const movie = choice[Math.floor(Date.now() / 86_400_000) % choice.length];
  return h("section", { class: "marquee", "aria-labelledby": "featured" },
    poster(movie),
    h("div", { class: "marquee-text" },
      h("p", { class: "eyebrow" }, "Featured today"),
      h("h2", { id: "featured" }, movie.Title),
      h("p", { class: "card-meta" }, [movie.Director?.Name, movie.Year, movie.Genre?.Name].filter(Boolean).join(" · ")),
      h("p", { class: "blurb" }, movie.Description),
      h("p", { class: "actions" },
        h("a", { class: "button button-main", href: link(["movies", movie.Title]), "aria-label": `Details of ${movie.Title}` }, "Details"), heart(movie, { wide: true }))));
}

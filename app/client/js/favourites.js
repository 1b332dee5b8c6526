// The heart on each film: shown at once, taken back with a message when the API refuses.
import * as api from "./api.js";
import * as session from "./session.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { explain, notice } from "./notices.js";

// isFavourite tells whether the account holds the film.
export const isFavourite = (movie) => (session.user()?.FavoriteMovies ?? []).includes(movie._id);

// pending holds the changes under way, and changes counts them all.
const pending = new Set();
let changes = 0;

// refresh takes the account from the API, but never an answer that a change on this page has overtaken: who presses
// a heart and opens the favourites at once finds the film there.
export async function refresh(signal) {
  await Promise.allSettled(pending);
  const before = changes;
  const user = await api.account(signal);
  if (before === changes) session.update(user);
}

// heart makes the toggle for a film; wide adds its words; changed is told each confirmed change.
export function heart(movie, { wide = false, changed = () => {} } = {}) {
  const words = h("span", null, "");
  const button = h("button", { type: "button", class: wide ? "button heart-wide" : "heart", "aria-label": wide ? null : `Favourite: ${movie.Title}` },
    icon("heart"), wide && words);
  const show = (on) => {
    button.setAttribute("aria-pressed", String(on));
    words.textContent = on ? "In your favourites" : "Add to favourites";
    if (!wide) button.title = on ? "Take out of your favourites" : "Add to your favourites";
  };
  show(isFavourite(movie));
  const change = async () => {
    const on = !isFavourite(movie);
    show(on);
    changes++;
    try {
      await (on ? api.addFavourite : api.removeFavourite)(movie._id);
      // Only this film: answers may overtake each other, and an older one lacks what a newer one brought.
      const user = session.user();
      const others = (user?.FavoriteMovies ?? []).filter((id) => id !== movie._id);
      session.update({ ...user, FavoriteMovies: on ? [...others, movie._id] : others });
      changed(on);
    } catch (error) {
      show(!on);
      if (error.kind !== "session") notice(explain(error, `“${movie.Title}” was not ${on ? "added" : "removed"}.`), "error");
    }
  };
  let busy = null;
  button.addEventListener("click", async () => {
    if (busy) return;
    pending.add((busy = change()));
    await busy;
    pending.delete(busy);
    busy = null;
  });
  return button;
}

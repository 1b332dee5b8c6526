// The favorite button of each movie. It changes at once, and changes back with a message when the API refuses.
import * as api from "./api.js";
import * as session from "./session.js";
import { element } from "./dom.js";
import { icon } from "./icons.js";
import { explain, showNotice } from "./notices.js";

// isFavorite reports whether the movie is one of the account's favorites.
export const isFavorite = (movie) => (session.user()?.FavoriteMovies ?? []).includes(movie._id);

// pendingChanges are the requests in progress. changeCount counts all changes, finished ones included.
const pendingChanges = new Set();
let changeCount = 0;

// pendingFavorites returns when all changes have been answered, so that a movie that was just added is among the favorites.
export const pendingFavorites = () => Promise.allSettled(pendingChanges);

// refreshAccount loads the account from the API after all pending changes. It ignores the answer when another change was made in the meantime.
export async function refreshAccount(signal) {
  await pendingFavorites();
  const before = changeCount;
  const user = await api.account(signal);
  if (before === changeCount) session.update(user);
}

// favoriteButton creates the toggle button of a movie. withLabel shows text next to the icon. onChange is called with
// the new state after the API has confirmed a change.
export function favoriteButton(movie, { withLabel = false, onChange = () => {} } = {}) {
  const label = element("span", null, "");
  const button = element("button", { type: "button", class: withLabel ? "button heart-labeled" : "heart", "aria-label": withLabel ? null : `Favorite: ${movie.Title}` },
    icon("heart"), withLabel && label);
  const show = (favorite) => {
    button.setAttribute("aria-pressed", String(favorite));
    label.textContent = favorite ? "In your favorites" : "Add to favorites";
    if (!withLabel) button.title = favorite ? "Remove from your favorites" : "Add to your favorites";
  };
  show(isFavorite(movie));
  const toggle = async () => {
    const favorite = !isFavorite(movie);
    show(favorite);
    changeCount++;
    try {
      await (favorite ? api.addFavorite : api.removeFavorite)(movie._id);
      // Change this movie only: answers can arrive out of order, and an older one lacks the newer changes.
      const user = session.user();
      const others = (user?.FavoriteMovies ?? []).filter((id) => id !== movie._id);
      session.update({ ...user, FavoriteMovies: favorite ? [...others, movie._id] : others });
      onChange(favorite);
    } catch (error) {
      show(!favorite);
      if (error.kind !== "session") showNotice(explain(error, `“${movie.Title}” was not ${favorite ? "added" : "removed"}.`), "error");
    }
  };
  let pending = null;
  button.addEventListener("click", async () => {
    if (pending) return;
    pendingChanges.add((pending = toggle()));
    await pending;
    pendingChanges.delete(pending);
    pending = null;
  });
  return button;
}

// The account's favorites.
import * as api from "../api.js";
import { element, pluralize } from "../dom.js";
import { movieGrid } from "../cards.js";
import { isFavorite, pendingFavorites, refreshAccount } from "../favorites.js";
import { routeTo } from "../router.js";

export async function list({ signal }) {
  await pendingFavorites();
  const [movies] = await Promise.all([api.favorites(signal), refreshAccount(signal)]);
  const status = element("p", { class: "count", role: "status" });
  const updateCount = () => (status.textContent = pluralize(movies.filter(isFavorite).length, "movie"));
  updateCount();
  // A movie that is removed stays visible until the user leaves the page, so that one click adds it again.
  const body = movies.length ? movieGrid(movies, { onChange: updateCount }) : element("div", { class: "empty" },
    element("p", null, "No favorites yet. Select the heart on a movie to add it."), element("a", { class: "button button-main", href: routeTo(["movies"]) }, "Find movies"));
  return { title: "Favorites", node: element("div", null, element("h1", null, "Favorites"), movies.length > 0 && status, body) };
}

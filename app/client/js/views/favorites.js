// The account's favourites.
import * as api from "../api.js";
import { counted, h } from "../dom.js";
import { grid } from "../cards.js";
import { isFavourite, refresh } from "../favourites.js";
import { link } from "../router.js";

export async function list({ signal }) {
  const [all] = await Promise.all([api.movies({}, signal), refresh(signal)]);
  const movies = all.filter(isFavourite);
  const status = h("p", { class: "count", role: "status" });
  const say = () => (status.textContent = counted(movies.filter(isFavourite).length, "film"));
  say();
  // A film that is taken out stays until the page is left, so that a slip is mended with one more press.
  const body = movies.length ? grid(movies, { changed: say }) : h("div", { class: "empty" },
    h("p", null, "No favourites yet. Press the heart on a film to keep it here."), h("a", { class: "button button-main", href: link(["movies"]) }, "Find films"));
  return { title: "Favourites", node: h("div", null, h("h1", null, "Favourites"), movies.length > 0 && status, body) };
}

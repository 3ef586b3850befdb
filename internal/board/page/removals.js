// Addresses that became user names and are removed from other cards.

import { h, name, count, number } from "./dom.js";
import { state, edit } from "./store.js";

/** Shows what is removed from users' and from other persons' cards. */
export function removalLists(r) {
  const who = (id) => {
    const u = state.users.get(id);
    return u ? `${u.login}${u.name ? ` (${u.name})` : ""}` : `id ${id}`;
  };
  const table = (label, head, rows) => h("div", { class: "rows", tabindex: "0", role: "region", "aria-label": label },
    h("table", {}, h("thead", {}, h("tr", {}, head.map((t) => h("th", { scope: "col" }, t)))), h("tbody", {}, rows)));
  const more = (total, shown) => total > shown && h("p", {}, `and ${number(total - shown)} more`);
  const tick = h("input", { type: "checkbox", checked: state.removeFromPersons || (r.personsTotal > 0 && r.personsRemoved === r.personsTotal),
    onchange: (e) => {
      const on = e.target.checked;
      edit(on ? "remove names from other persons' cards" : "leave names on other persons' cards", [], { removeFromPersons: on });
      for (const c of box.querySelectorAll(".fate")) c.textContent = on ? "removed" : "stays";
    } });
  const box = h("div", { class: "removals" },
    h("h3", {}, `On cards of other users: ${r.usersTotal ? `${count(r.usersTotal, "address is", "addresses are")} removed` : "none"}`),
    r.users.length > 0 && table("On cards of other users", ["Address", "User name of", "Removed from the card of"], r.users.map((x) =>
      h("tr", {}, h("td", {}, name(x.email)), h("td", {}, name(who(x.owner))), h("td", {}, name(x.other ? who(x.other) : `person ${x.person}`))))),
    more(r.usersTotal, r.users.length),
    h("h3", {}, `On cards of persons who are no users: ${r.personsTotal ? count(r.personsTotal, "address", "addresses") : "none"}`),
    r.personsTotal > 0 && h("label", {}, tick, " remove them there too"),
    r.persons.length > 0 && table("On cards of persons who are no users", ["Address", "User name of", "Person", ""], r.persons.map((x) =>
      h("tr", {}, h("td", {}, name(x.email)), h("td", {}, name(who(x.owner))), h("td", {}, String(x.person)), h("td", { class: "fate" }, x.removed ? "removed" : "stays")))),
    more(r.personsTotal, r.persons.length));
  return box;
}

// User plans: one column a plan, a card a user.

import { h, icon, name, announce, count, number, say } from "./dom.js";
import { state, NONE, UNDECIDED, placeOf, titleOf, move, edit } from "./store.js";
import { VirtualList } from "./virtual.js";
import { draggable } from "./drag.js";
import { menu } from "./popup.js";
import { filterOf } from "./filter.js";

const height = 126; // of a card with the space below it

export class Columns {
  constructor(main, shell) {
    this.shell = shell;
    this.selected = new Set();
    this.current = new Map(); // place → id of the card that Tab goes to
    this.columns = new Map(); // place → column
    this.rail = h("nav", { class: "rail", "aria-label": "All plans" });
    this.strip = h("div", { class: "strip" });
    this.chosen = h("div", { class: "chosen", role: "region", "aria-label": "Selected users" });
    this.root = h("div", { class: "columns" }, this.rail, this.strip, this.chosen);
    main.append(this.root);
    this.root.addEventListener("keydown", (e) => this.key(e));
    this.root.addEventListener("click", (e) => this.click(e));
    this.root.addEventListener("focusin", (e) => this.focused(e));
    draggable(this.root, {
      sideways: this.strip,
      grab: (card) => this.grab(card),
      start: (ids) => this.pin(ids[0]),
      stop: () => this.pin(null),
      over: (place) => this.hover(place),
      drop: (ids, place) => this.move(ids, place),
    });
    this.watch = new ResizeObserver(() => this.fits());
    this.watch.observe(this.root);
  }

  tools() {
    return [h("button", { type: "button", onclick: () => this.removeAll() }, "Remove all user plans")];
  }

  /** The places in their order. A column of undecided users stays until the page is read again. */
  places() {
    if ([...state.users.values()].some((u) => u.plan === null)) this.undecided = true;
    return [...(this.undecided ? [UNDECIDED] : []), NONE, ...state.plans.map((p) => p.name)];
  }

  draw() {
    const places = this.places();
    this.build(places);
    const pass = filterOf(this.shell.typed);
    const shown = new Map(places.map((p) => [p, []]));
    const used = new Map(places.map((p) => [p, 0]));
    let hits = 0;
    for (const id of state.order) {
      const u = state.users.get(id);
      const place = placeOf(u);
      used.set(place, (used.get(place) ?? 0) + 1);
      if (pass && !pass(u)) continue;
      hits++;
      shown.get(place)?.push(u);
    }
    this.shell.hits(pass ? hits : null);
    for (const [place, column] of this.columns) {
      column.used = used.get(place);
      this.head(column, pass ? shown.get(place).length : null);
      column.users = shown.get(place);
      if (!column.users.some((u) => u.id === this.current.get(place))) this.current.set(place, column.users[0]?.id);
      if (column.list.set(column.users)) this.rove(place);
      say(column.empty, column.users.length > 0 ? "" : column.used > 0 ? "no hit" : "nobody");
    }
    this.drawChosen();
  }

  /** Makes columns and the rail when the places are others than before. */
  build(places) {
    if (places.join("\n") === this.built) return;
    this.built = places.join("\n");
    for (const c of this.columns.values()) c.list.close();
    this.columns.clear();
    for (const place of places) this.columns.set(place, this.column(place));
    this.strip.replaceChildren(...[...this.columns.values()].map((c) => c.root));
    this.rail.replaceChildren(...[...this.columns.values()].map((c) => c.entry));
    this.fits();
  }

  column(place) {
    const plan = state.plans.find((p) => p.name === place);
    const c = { place, plan };
    const id = `column-${[...this.columns.keys()].length}`;
    const title = titleOf(place);
    c.count = h("span", { class: "used" });
    c.meter = h("span", { class: "meter", "aria-hidden": "true" }, h("i"));
    c.ul = h("ul", { "aria-labelledby": id });
    c.empty = h("p", { class: "empty" });
    c.scroll = h("div", { class: "scroll", tabindex: "-1" }, c.ul, c.empty);
    const under = place === NONE ? "cannot log in" : place === UNDECIDED ? "nothing chosen yet" : [title !== place && place,
      plan.licence && "from the local licence", plan.gone && "not at the tenant"].filter(Boolean).join(" · ");
    c.root = h("section", { class: "column", dataset: { place }, "aria-labelledby": id },
      h("header", {}, h("h2", { id }, name(title, { title })), h("p", {}, name(under || "\u00a0", { class: "under", title: under }), c.count), c.meter), c.scroll);
    c.entryCount = h("span", { class: "used" });
    c.entry = h("button", { type: "button", class: "entry", dataset: { place }, onclick: () => this.show(place) }, name(title, { title }), c.entryCount);
    c.list = new VirtualList(c.scroll, c.ul, height, (u) => this.card(u));
    return c;
  }

  /** What a column says of itself. */
  head(c, hits) {
    const p = c.plan;
    const limited = p && !p.unlimited;
    const seats = !p || p.gone ? number(c.used) : p.unlimited ? `${number(c.used)} / ∞` : `${number(c.used)} / ${number(p.seats)}`;
    const over = (limited && c.used > p.seats) || (p?.gone && c.used > 0);
    say(c.count, (hits === null ? "" : `${number(hits)} of `) + seats + (over && !p.gone ? `, ${number(c.used - p.seats)} too many` : ""));
    const spoken = p && !p.gone ? `${count(c.used, "user", "users")} of ${p.unlimited ? "unlimited" : number(p.seats)} seats` : count(c.used, "user", "users");
    if (c.count.title !== spoken) c.count.title = spoken;
    say(c.entryCount, seats);
    c.root.classList.toggle("over", Boolean(over));
    c.entry.classList.toggle("over", Boolean(over));
    c.meter.hidden = !limited;
    const width = limited ? `${Math.min(100, (100 * c.used) / Math.max(1, p.seats))}%` : "0";
    if (c.width !== width) c.meter.firstChild.style.width = c.width = width;
  }

  /** The rail is there when not all columns are in view. */
  fits() {
    this.root.classList.toggle("railed", this.columns.size * 236 > this.root.clientWidth);
  }

  card(u) {
    const place = placeOf(u);
    const chosen = this.selected.has(u.id);
    const id = `card-${u.id}`;
    const wrong = u.mark && (u.username || u.plan); // that nothing is chosen yet says the column
    const here = this.current.get(place) === u.id ? "0" : "-1";
    const line = (...parts) => {
      const text = parts.filter(Boolean);
      return h("p", { title: text.join(" · ") }, text.length ? text.flatMap((t, i) => [i > 0 && h("i", { "aria-hidden": "true" }, " · "), name(t)]) : "\u00a0");
    };
    const called = u.name || u.login;
    return h("li", {}, h("article", { class: chosen ? "card chosen-card" : "card", tabindex: here, dataset: { id: u.id, part: "card" },
      "aria-labelledby": id, "aria-describedby": chosen ? "is-selected" : null },
    h("h3", { id, title: called }, name(called)),
    h("button", { type: "button", class: u.admin ? "crown on" : "crown", tabindex: here, dataset: { act: "crown", part: "crown" }, "aria-pressed": String(u.admin),
      "aria-label": `Administrator${u.guessed ? ", guessed" : ""}: ${called}`,
      title: u.admin ? (u.guessed ? "Administrator, guessed by the scan from a right. Click to say that it is not so." : "Administrator. Click to change.") : "No administrator. Click to change." },
    icon("crown"), u.guessed && h("span", { "aria-hidden": "true" }, "?")),
    h("button", { type: "button", class: "more", tabindex: here, dataset: { act: "menu", part: "menu" }, "aria-haspopup": "menu", "aria-label": `Move ${called} to…`, title: "Move to…" }, icon("more")),
    line(u.login, u.position), line(u.role, u.group), line(u.company),
    h("p", { class: wrong ? "mail marked" : u.username ? "mail" : "", title: u.mark || u.username || u.emails.join(", ") }, wrong && icon("warn"), name(u.username || u.emails[0] || "no e-mail")),
    h("label", { class: "tick" }, h("input", { type: "checkbox", tabindex: here, checked: u.confidential, dataset: { act: "confidential", part: "confidential" } }), "Confidential activities")));
  }

  user(element) {
    const card = element?.closest?.(".card");
    return card ? state.users.get(Number(card.dataset.id)) : null;
  }

  click(e) {
    const u = this.user(e.target);
    if (!u) return;
    const act = e.target.closest("[data-act]")?.dataset.act;
    if (act === "crown") edit(`${u.login}: ${u.admin ? "no administrator" : "administrator"}`, [{ id: u.id, admin: String(!u.admin) }]);
    else if (act === "confidential") edit(`${u.login}: confidential activities`, [{ id: u.id, confidential: String(!u.confidential) }]);
    else if (act === "menu") this.menu(e.target.closest("button"), this.grabbed(u));
    else if (!e.target.closest("label")) this.select(u, e.ctrlKey || e.metaKey, e.shiftKey);
  }

  /** Chooses a card: alone, beside others, or up to it. */
  select(u, more, range) {
    const place = placeOf(u);
    if (range && this.anchor !== undefined && placeOf(state.users.get(this.anchor)) === place) {
      const users = this.columns.get(place).users;
      const a = users.findIndex((x) => x.id === this.anchor);
      const b = users.indexOf(u);
      if (!more) this.selected.clear();
      for (let i = Math.min(a, b); i <= Math.max(a, b); i++) this.selected.add(users[i].id);
    } else {
      const only = this.selected.size === 1 && this.selected.has(u.id);
      if (!more) this.selected.clear();
      if (more ? this.selected.has(u.id) : only) this.selected.delete(u.id);
      else this.selected.add(u.id);
      this.anchor = u.id;
    }
    this.selection();
  }

  selection() {
    for (const card of this.root.querySelectorAll(".card")) {
      const on = this.selected.has(Number(card.dataset.id));
      card.classList.toggle("chosen-card", on);
      if (on) card.setAttribute("aria-describedby", "is-selected");
      else card.removeAttribute("aria-describedby");
    }
    this.drawChosen();
    announce(this.selected.size === 0 ? "nobody selected" : `${count(this.selected.size, "user", "users")} selected`);
  }

  drawChosen() {
    const n = this.selected.size;
    this.chosen.hidden = n === 0;
    if (n === 0 || this.chosen.dataset.n === String(n)) return;
    this.chosen.dataset.n = n;
    this.chosen.replaceChildren(h("span", { id: "is-selected" }, "Selected"), h("strong", {}, count(n, "user", "users")),
      h("button", { type: "button", onclick: (e) => this.menu(e.currentTarget, [...this.selected]) }, "Move to…"),
      h("button", { type: "button", class: "plain", onclick: () => this.clear() }, "Clear"));
  }

  clear() {
    this.selected.clear();
    this.selection();
  }

  /** A card takes the other selected ones along when it is one of them. */
  grabbed(u) {
    return this.selected.has(u.id) ? [u.id, ...[...this.selected].filter((id) => id !== u.id)] : [u.id];
  }

  grab(card) {
    const u = this.user(card);
    return u && { ids: this.grabbed(u), label: u.name || u.login };
  }

  pin(id) {
    for (const c of this.columns.values()) c.list.pinned = id;
  }

  hover(place) {
    for (const e of this.root.querySelectorAll("[data-place]")) e.classList.toggle("target", e.dataset.place === place);
  }

  menu(at, ids) {
    const now = new Set(ids.map((id) => placeOf(state.users.get(id))));
    menu(at, ids.length > 1 ? `Move ${ids.length} users to` : "Move to", [...this.columns.values()].map((c) => ({
      label: titleOf(c.place), note: c.entryCount.textContent, disabled: now.size === 1 && now.has(c.place), run: () => this.move(ids, c.place, true),
    })));
  }

  /** Moves and says so; the focus follows where it was on the card. */
  move(ids, place, follow = false) {
    const lead = ids[0];
    const from = new Map(ids.map((id) => [id, placeOf(state.users.get(id))]));
    follow ||= document.activeElement?.closest?.(".card")?.dataset.id === String(lead);
    for (const [id, was] of from) if (this.current.get(was) === id) this.current.set(was, this.neighbour(was, id));
    if (!move(ids, place)) return;
    if (ids.length > 1) this.selected.clear();
    this.drawChosen();
    this.selection();
    const c = this.columns.get(place);
    const who = ids.length > 1 ? count(ids.length, "user", "users") : state.users.get(lead).name || state.users.get(lead).login;
    announce(`${who} moved to ${titleOf(place)}, ${c.count.textContent.replace("/", "of")}`);
    if (follow) this.focus(place, lead);
  }

  neighbour(place, id) {
    const users = this.columns.get(place).users;
    const i = users.findIndex((u) => u.id === id);
    return (users[i + 1] ?? users[i - 1])?.id;
  }

  /** Gives the focus to a card. */
  focus(place, id) {
    const c = this.columns.get(place);
    if (!c || id === undefined) return;
    this.current.set(place, id);
    this.show(place);
    c.list.reveal(id)?.querySelector(".card").focus({ preventScroll: true });
  }

  focused(e) {
    const u = this.user(e.target);
    if (!u) return;
    const place = placeOf(u);
    const before = this.current.get(place);
    if (before === u.id && e.target.closest(".card").tabIndex === 0) return;
    this.current.set(place, u.id);
    this.rove(place);
  }

  /** Lets Tab go to the current card of a column alone. */
  rove(place) {
    const current = this.current.get(place);
    for (const card of this.columns.get(place).ul.querySelectorAll(".card")) {
      const here = Number(card.dataset.id) === current ? "0" : "-1";
      if (card.getAttribute("tabindex") === here) continue;
      for (const el of [card, ...card.querySelectorAll("[data-act]")]) el.setAttribute("tabindex", here);
    }
  }

  /** Brings a column into view. */
  show(place) {
    const root = this.columns.get(place)?.root;
    if (!root) return;
    const left = root.offsetLeft - this.strip.offsetLeft;
    const { scrollLeft, clientWidth } = this.strip;
    if (left < scrollLeft) this.strip.scrollLeft = left - 8;
    else if (left + root.offsetWidth > scrollLeft + clientWidth) this.strip.scrollLeft = left + root.offsetWidth - clientWidth + 8;
  }

  key(e) {
    const u = this.user(e.target);
    if (!u || !e.target.classList.contains("card")) return;
    const place = placeOf(u);
    const places = [...this.columns.keys()];
    const at = places.indexOf(place);
    const users = this.columns.get(place).users;
    const i = users.indexOf(u);
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 5, PageUp: -5, Home: -Infinity, End: Infinity }[e.key];
    if (step !== undefined) {
      const next = users[Math.max(0, Math.min(users.length - 1, i + step))];
      if (e.shiftKey) this.select(next, false, this.anchor !== undefined || (this.anchor = u.id) !== undefined);
      this.focus(place, next.id);
    } else if (e.key === "ArrowLeft" || e.key === "ArrowRight") {
      const d = e.key === "ArrowLeft" ? -1 : 1;
      if (e.altKey) {
        if (places[at + d] !== undefined) this.move(this.grabbed(u), places[at + d], true);
      } else {
        for (let p = at + d; p >= 0 && p < places.length; p += d) {
          if (this.columns.get(places[p]).users.length === 0) continue;
          this.focus(places[p], this.current.get(places[p]));
          break;
        }
      }
    } else if (e.key === " ") this.select(u, true, false);
    else if (e.key === "Enter" || e.key === "m") this.menu(e.target, this.grabbed(u));
    else if (e.key === "Escape" && this.selected.size) this.clear();
    else if (e.key === "a" && (e.ctrlKey || e.metaKey)) {
      for (const x of users) this.selected.add(x.id);
      this.selection();
    } else return;
    e.preventDefault();
  }

  removeAll() {
    const ids = state.order.filter((id) => placeOf(state.users.get(id)) !== NONE);
    if (ids.length === 0) return;
    edit("remove all user plans", ids.map((id) => ({ id, plan: NONE })));
    announce(`${count(ids.length, "user has", "users have")} no plan now`);
  }

  close() {
    this.watch.disconnect();
    for (const c of this.columns.values()) c.list.close();
  }
}

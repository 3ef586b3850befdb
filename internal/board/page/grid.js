// A table of users in which only the rows in view exist; sorted by any column.

import { h, put } from "./dom.js";

const height = 38; // of a row
const ahead = 10;
const collator = new Intl.Collator(undefined, { sensitivity: "base", numeric: true });

export class Grid {
  /** columns are {id, title, value(u) to sort by, cell(u) its content, class}. */
  constructor(label, columns) {
    Object.assign(this, { columns, users: [], sort: null, rows: new Map() });
    this.heads = columns.map((c) => h("th", { scope: "col", class: c.class ?? c.id },
      c.value ? h("button", { type: "button", onclick: () => this.order(c) }, c.title, h("span", { class: "arrow", "aria-hidden": "true" })) : c.title));
    this.body = h("tbody");
    this.table = h("table", { "aria-label": label }, h("thead", {}, h("tr", {}, this.heads)), this.body);
    this.empty = h("p", { class: "empty" });
    this.root = h("div", { class: "grid", tabindex: "-1" }, this.table, this.empty);
    this.top = this.view = 0;
    this.root.addEventListener("scroll", () => {
      this.top = this.root.scrollTop;
      this.draw();
    }, { passive: true });
    this.watch = new ResizeObserver(() => {
      this.view = this.root.clientHeight;
      this.draw();
    });
    this.watch.observe(this.root);
  }

  order(column) {
    this.sort = this.sort?.column === column ? { column, down: !this.sort.down } : { column, down: false };
    this.heads.forEach((th, i) => {
      const on = this.columns[i] === column;
      if (on) th.setAttribute("aria-sort", this.sort.down ? "descending" : "ascending");
      else th.removeAttribute("aria-sort");
    });
    this.held = null;
    this.set(this.users);
  }

  /** Shows users. Their order stays while somebody types, so that a row does not run away. */
  set(users) {
    this.users = users;
    if (this.sort && !this.root.contains(document.activeElement?.closest?.("tbody"))) this.held = null;
    if (this.sort) {
      const { column, down } = this.sort;
      const place = this.held ?? new Map([...users].map((u) => [u, column.value(u)])
        .sort((a, b) => (typeof a[1] === "number" ? a[1] - b[1] : collator.compare(a[1], b[1])) * (down ? -1 : 1) || a[0].id - b[0].id)
        .map(([u], i) => [u.id, i]));
      this.held = place;
      this.users = [...users].sort((a, b) => (place.get(a.id) ?? Infinity) - (place.get(b.id) ?? Infinity));
    }
    this.table.setAttribute("aria-rowcount", users.length + 1);
    this.empty.textContent = users.length ? "" : "no hit";
    this.draw();
  }

  draw() {
    const n = this.users.length;
    const first = Math.max(0, Math.min(n, Math.floor(this.top / height) - ahead));
    const last = Math.min(n, Math.ceil((this.top + this.view) / height) + ahead);
    this.table.style.marginTop = `${first * height}px`;
    this.table.style.marginBottom = `${(n - last) * height}px`;
    const focus = document.activeElement?.closest?.("tr")?.dataset.id;
    const keep = new Set(this.users.slice(first, last).map((u) => u.id));
    for (const [id, row] of this.rows) {
      if (keep.has(id) || String(id) === focus) continue;
      row.tr.remove();
      this.rows.delete(id);
    }
    let before = null;
    for (let i = last - 1; i >= first; i--) {
      const u = this.users[i];
      let row = this.rows.get(u.id);
      if (!row || row.u !== u) {
        const tr = h("tr", { dataset: { id: u.id } }, this.columns.map((c) => h("td", { class: c.class ?? c.id }, c.cell(u))));
        if (row) this.swap(row.tr, tr);
        row = { u, tr };
        this.rows.set(u.id, row);
      }
      row.tr.setAttribute("aria-rowindex", i + 2);
      if (row.tr.parentNode !== this.body || row.tr.nextSibling !== before) put(this.body, row.tr, before);
      before = row.tr;
    }
  }

  /** Puts a new row in the place of an old one; a field that somebody is typing into stays as it is. */
  swap(old, tr) {
    const field = old.contains(document.activeElement) ? document.activeElement : null;
    old.replaceWith(tr);
    if (!field) return;
    const target = tr.querySelector(`[data-part="${field.dataset.part}"]`);
    if (!target) return;
    if (field.dataset.typed && target.type !== "checkbox") {
      target.value = field.value;
      target.dataset.typed = "yes";
    }
    target.focus({ preventScroll: true });
    if (field.type === "text") target.setSelectionRange(field.selectionStart, field.selectionEnd);
  }

  /** Brings a user's row into view and gives the focus to its part. */
  reveal(id, part) {
    const i = this.users.findIndex((u) => u.id === id);
    if (i < 0) return;
    const top = i * height;
    const head = height;
    if (top < this.top) this.root.scrollTop = this.top = top;
    else if (top + height + head > this.top + this.view) this.root.scrollTop = this.top = top + height + head - this.view;
    this.draw();
    const field = this.rows.get(id)?.tr.querySelector(`[data-part="${part}"]`);
    field?.focus({ preventScroll: true });
    field?.select?.();
  }

  close() {
    this.watch.disconnect();
  }
}

// User names: a table with what is wrong beside each name.

import { h, icon, name, message, announce, count, number } from "./dom.js";
import { state, edit, placeOf, titleOf, attempt, removals, NONE } from "./store.js";
import { Grid } from "./grid.js";
import { filterOf } from "./filter.js";
import { menu, dialog } from "./popup.js";
import { parse } from "./paste.js";
import { removalLists } from "./removals.js";

/** Nothing is chosen for the user yet, so nothing is wrong either. */
const early = (u) => u.plan === null && !u.username;

export class Names {
  constructor(main, shell) {
    this.shell = shell;
    this.marked = false;
    const text = (id, title, cls) => ({ id, title, class: cls, value: (u) => u[id], cell: (u) => name(u[id], { title: u[id] }) });
    this.grid = new Grid("User names", [
      { id: "id", title: "Id", value: (u) => u.id, cell: (u) => String(u.id) },
      text("login", "Login"),
      { id: "admin", title: "Admin", value: (u) => (u.admin ? 0 : 1), cell: (u) => u.admin && h("span", { class: "crown on", role: "img",
        "aria-label": u.guessed ? "administrator, guessed" : "administrator", title: u.guessed ? "Administrator, guessed" : "Administrator" }, icon("crown"), u.guessed && "?") },
      text("name", "Full name"),
      { id: "username", title: "User name", value: (u) => u.username, cell: (u) => this.field(u) },
      { id: "mark", title: "Mark", value: (u) => (u.mark ? `0${u.mark}` : "1"), cell: (u) => u.mark && h("span", { class: early(u) ? "early" : "marked", title: u.mark }, !early(u) && icon("warn"), message(u.mark)) },
      text("company", "Company"), text("group", "User group"), text("role", "Role"),
      { id: "plan", title: "User plan", value: (u) => titleOf(placeOf(u)), cell: (u) => name(titleOf(placeOf(u)), { title: titleOf(placeOf(u)) }) },
    ]);
    this.root = h("div", { class: "names" }, this.grid.root);
    main.append(this.root);
    this.root.addEventListener("paste", (e) => this.pasted(e));
    this.root.addEventListener("keydown", (e) => this.key(e));
  }

  tools() {
    this.toggle = h("button", { type: "button", "aria-pressed": "false", onclick: () => {
      this.marked = !this.marked;
      this.draw();
    } });
    return [this.toggle, h("button", { type: "button", onclick: () => this.pattern() }, "Pattern…"),
      h("button", { type: "button", onclick: () => this.paste("") }, "Paste…"),
      h("button", { type: "button", onclick: () => this.removals() }, "Removals…")];
  }

  draw() {
    const pass = filterOf(this.shell.typed);
    const all = state.order.map((id) => state.users.get(id));
    const marks = all.filter((u) => u.mark).length;
    if (marks === 0) this.marked = false;
    this.root.classList.toggle("unmarked", marks === 0);
    this.toggle.textContent = marks ? `${number(marks)} marked` : "none marked";
    this.toggle.disabled = marks === 0;
    this.toggle.setAttribute("aria-pressed", String(this.marked));
    const active = Number(document.activeElement?.closest?.("tr")?.dataset.id);
    const users = all.filter((u) => (!pass || pass(u)) && (!this.marked || u.mark || u.id === active));
    this.shell.hits(pass || this.marked ? users.length : null);
    this.grid.set(users);
  }

  field(u) {
    const called = u.name || u.login;
    const input = h("input", { type: "text", value: u.username, spellcheck: "false", autocomplete: "off", dir: "auto", dataset: { part: "username" },
      "aria-label": `User name of ${called}`, "aria-invalid": u.mark && !early(u) ? "true" : null, title: u.mark || u.username,
      placeholder: placeOf(u) === NONE ? "no plan, no name needed" : "e-mail address",
      oninput: (e) => (e.target.dataset.typed = "yes"), onchange: (e) => this.choose(u, e.target.value) });
    return h("div", { class: "pair" }, input, h("button", { type: "button", class: "pick", dataset: { part: "pick" }, "aria-haspopup": "menu",
      "aria-label": `Addresses of ${called}`, title: "Choose an address of the card",
      onclick: (e) => this.pick(u, e.currentTarget) }, icon("down")));
  }

  choose(u, text) {
    for (const input of this.grid.rows.get(u.id)?.tr.querySelectorAll("input") ?? []) delete input.dataset.typed;
    text = text.trim();
    if (text === "-" || text === "?") text = "";
    if (text === u.username) return;
    edit(`user name of ${u.login}`, [{ id: u.id, username: text === "" ? NONE : text }]).then(() => {
      const mark = state.users.get(u.id).mark;
      announce(mark || `user name of ${u.login} is ${text || "none"}`);
    });
  }

  pick(u, at) {
    menu(at, "User name", [...u.emails.map((e, i) => ({ label: e, note: i === 0 ? "first on the card" : "", run: () => this.choose(state.users.get(u.id), e) })),
      { label: u.emails.length ? "No user name" : "No address on the card", disabled: !u.username, run: () => this.choose(state.users.get(u.id), "") }]);
  }

  key(e) {
    const input = e.target.closest("input[type=text]");
    if (!input) return;
    const id = Number(input.closest("tr").dataset.id);
    const i = this.grid.users.findIndex((u) => u.id === id);
    if (e.key === "Escape") {
      input.value = state.users.get(id).username;
      delete input.dataset.typed;
    } else if (e.key === "ArrowDown" && e.altKey) {
      this.pick(state.users.get(id), input.nextElementSibling);
    } else if (e.key === "ArrowDown" || e.key === "ArrowUp" || e.key === "Enter") {
      const next = this.grid.users[i + (e.key === "ArrowUp" || (e.key === "Enter" && e.shiftKey) ? -1 : 1)];
      if (input.dataset.typed) this.choose(state.users.get(id), input.value);
      if (next) this.grid.reveal(next.id, "username");
    } else return;
    e.preventDefault();
  }

  /** A column pasted into a name goes down from there. */
  pasted(e) {
    const input = e.target.closest?.("input[type=text]");
    const text = e.clipboardData?.getData("text") ?? "";
    if (!input || !/[\n\t]/.test(text.trim())) return;
    e.preventDefault();
    this.paste(text, Number(input.closest("tr").dataset.id));
  }

  /** Asks for a column and shows what it would give. */
  async paste(text, from) {
    const area = h("textarea", { rows: "5", "aria-label": "Column from a spreadsheet", autofocus: true, spellcheck: "false", value: text });
    const out = h("div", { class: "preview" });
    let changes = [];
    const look = async () => {
      const got = parse(area.value, this.grid.users, from);
      changes = got.changes;
      await this.preview(out, got.changes.length ? { changes: got.changes } : null, got.notes);
    };
    area.addEventListener("input", look);
    look();
    await dialog("Paste user names", [h("p", {}, from === undefined
      ? "Paste two columns, login (or id) and user name, or one column of user names for the rows as they are shown."
      : "A column goes down from the row you pasted into; two columns name the login (or id) first."), area, out], [
      { label: "Cancel" },
      { label: "Apply", kind: "primary", run: () => changes.length > 0 && this.apply("paste", changes) },
    ], { wide: true });
  }

  /** Makes names for many from a pattern. */
  async pattern() {
    const shown = () => this.grid.users.filter((u) => placeOf(u) !== NONE);
    const domain = state.migrator.split("@")[1] ?? "firm.no";
    const input = h("input", { type: "text", value: `{first}.{last}@${domain}`, "aria-label": "Pattern", autofocus: true, spellcheck: "false" });
    const missing = h("input", { type: "checkbox", checked: false });
    const out = h("div", { class: "preview" });
    let names = [];
    const look = async () => {
      const users = shown().filter((u) => !missing.checked || !u.username);
      names = await this.preview(out, users.length ? { pattern: input.value, ids: users.map((u) => u.id) } : null, []);
    };
    input.addEventListener("input", look);
    missing.addEventListener("change", look);
    look();
    await dialog("User names from a pattern", [
      h("p", {}, "For the users that the filter shows and that are not without a plan. {first} and {last} are the words of the full name, {f} and {l} their first letters, {login} the login, {email} the first address of the card, {local} what stands before its @."),
      input, h("label", {}, missing, " only users without a user name"), out], [
      { label: "Cancel" },
      { label: "Apply", kind: "primary", run: async () => {
        await look();
        const changes = names.filter((n) => n.username).map((n) => ({ id: n.id, username: n.username }));
        return changes.length > 0 && this.apply("pattern", changes);
      } },
    ], { wide: true });
  }

  apply(what, changes) {
    const real = changes.filter((c) => state.users.get(c.id).username !== c.username);
    if (real.length) edit(`${what}: ${count(real.length, "user name", "user names")}`, real);
    announce(`${count(real.length, "user name", "user names")} changed`);
    return true;
  }

  /** Shows names before they are taken, those with marks first. */
  async preview(out, question, notes) {
    const turn = (this.turn = (this.turn ?? 0) + 1);
    let list = [];
    let error = "";
    if (question) {
      try {
        list = await attempt(question);
      } catch (e) {
        error = e.message;
      }
    }
    if (turn !== this.turn) return [];
    const wrong = list.filter((n) => n.mark);
    const rows = [...wrong, ...list.filter((n) => !n.mark)].slice(0, 200);
    out.replaceChildren(...[
      error && h("p", { class: "marked" }, icon("warn"), error),
      ...notes.map((n) => h("p", { class: "marked" }, icon("warn"), name(n))),
      list.length > 0 && h("p", { role: "status" }, `${count(list.length, "user name", "user names")}, ${wrong.length ? `${number(wrong.length)} with a mark` : "none with a mark"}`),
      rows.length > 0 && h("div", { class: "rows", tabindex: "0", role: "region", "aria-label": "Preview" }, h("table", {}, h("thead", {}, h("tr", {}, ["Login", "Full name", "Now", "Then", "Mark"].map((t) => h("th", { scope: "col" }, t)))),
        h("tbody", {}, rows.map((n) => {
          const u = state.users.get(n.id);
          return h("tr", {}, [u.login, u.name, u.username, n.username].map((t) => h("td", {}, name(t))), h("td", { class: n.mark && "marked" }, message(n.mark)));
        })))),
      list.length > rows.length && h("p", {}, `and ${number(list.length - rows.length)} more`),
    ].filter(Boolean));
    return list;
  }

  async removals() {
    const box = h("div", {}, h("p", {}, "Looking through the addresses…"));
    removals().then((r) => box.replaceChildren(removalLists(r)), (e) => box.replaceChildren(h("p", { class: "marked" }, e.message)));
    await dialog("Addresses that are removed from other cards", box, [{ label: "Close", kind: "primary" }], { wide: true });
  }

  close() {
    this.grid.close();
  }
}

// E-mail notifications: who gets a welcome e-mail, and where the user summary goes.

import { h, name, count } from "./dom.js";
import { state, edit, placeOf, titleOf } from "./store.js";
import { Grid } from "./grid.js";
import { filterOf } from "./filter.js";

export class Notifications {
  constructor(main, shell) {
    this.shell = shell;
    const radio = (value, label, note) => {
      const input = h("input", { type: "radio", name: "welcome", value, onchange: () => this.all(value) });
      return Object.assign(h("label", { class: "choice" }, input, h("span", {}, label, h("small", {}, note))), { input });
    };
    this.radios = [radio("all", "To all users", "sent when they can set their passwords"), radio("none", "To nobody", "it can be sent later from the tenant"),
      radio("each", "Per user", "tick those who get one")];
    this.tick = h("input", { type: "checkbox", onchange: () => this.summary() });
    this.address = h("input", { type: "text", "aria-label": "Address for the user summary", placeholder: "address", spellcheck: "false", onchange: () => this.summary() });
    this.count = h("p", { class: "muted", role: "status" });
    const text = (id, title) => ({ id, title, value: (u) => u[id], cell: (u) => name(u[id], { title: u[id] }) });
    this.grid = new Grid("Welcome e-mails", [
      { id: "welcome", title: "Welcome e-mail", value: (u) => (u.welcome === null ? 0 : u.welcome ? 1 : 2), cell: (u) => this.box(u) },
      text("login", "Login"), text("name", "Full name"), { ...text("username", "User name"), class: "shown-name" },
      { id: "plan", title: "User plan", value: (u) => titleOf(placeOf(u)), cell: (u) => name(titleOf(placeOf(u))) },
    ]);
    this.root = h("div", { class: "notifications" }, h("section", { class: "panel" },
      h("fieldset", {}, h("legend", {}, "Welcome e-mail"), this.radios, this.count),
      h("fieldset", {}, h("legend", {}, "User summary"), h("label", { class: "choice" }, this.tick, h("span", {}, "Send a summary of the users", h("small", {}, "to this address"))), this.address)), this.grid.root);
    main.append(this.root);
  }

  tools() {
    return [];
  }

  draw() {
    const all = [...state.users.values()];
    const yes = all.filter((u) => u.welcome === true).length;
    const no = all.filter((u) => u.welcome === false).length;
    const now = all.length === 0 ? "" : yes === all.length ? "all" : no === all.length ? "none" : yes + no > 0 ? "each" : "";
    if (this.each && now !== "") this.kind = "each";
    else this.kind = now;
    for (const r of this.radios) r.input.checked = r.input.value === this.kind;
    this.count.textContent = `${count(yes, "user gets", "users get")} one, ${no} none${all.length - yes - no ? `, ${all.length - yes - no} not chosen` : ""}`;
    if (document.activeElement !== this.address) {
      this.address.value = state.summary || this.address.value || state.migrator;
      this.tick.checked = state.summary !== "";
    }
    this.address.disabled = !this.tick.checked;
    const pass = filterOf(this.shell.typed);
    const users = state.order.map((id) => state.users.get(id)).filter((u) => !pass || pass(u));
    this.shell.hits(pass ? users.length : null);
    this.grid.set(users);
  }

  box(u) {
    return h("input", { type: "checkbox", checked: u.welcome === true, indeterminate: u.welcome === null, dataset: { part: "welcome" },
      "aria-label": `Welcome e-mail to ${u.name || u.login}${u.welcome === null ? ", not chosen" : ""}`,
      onchange: (e) => {
        this.each = true;
        edit(`welcome e-mail to ${u.login}`, [{ id: u.id, welcome: String(e.target.checked) }]);
      } });
  }

  all(value) {
    this.each = value === "each";
    const to = value === "all";
    const wanted = value === "each" ? (u) => u.welcome === null : (u) => u.welcome !== to;
    const changes = [...state.users.values()].filter(wanted).map((u) => ({ id: u.id, welcome: String(value === "all") }));
    if (changes.length) edit(value === "each" ? "welcome e-mail per user" : `welcome e-mail to ${value}`, changes);
    else this.draw();
  }

  summary() {
    this.address.disabled = !this.tick.checked;
    const to = this.tick.checked ? this.address.value.trim() : "";
    if (to !== state.summary) edit(to ? "user summary by e-mail" : "no user summary", [], { summaryTo: to });
  }

  close() {
    this.grid.close();
  }
}

// The checklist: what is done and what is open.

import { h, icon, name, message } from "./dom.js";
import { state, edit } from "./store.js";
import { dialog } from "./popup.js";

const about = {
  plans: "Give every user a plan, or none. Whoever has none cannot log in. At least one administrator needs a plan.",
  usernames: "The e-mail address that each user logs in with. No two are equal.",
  notifications: "Who gets a welcome e-mail, and where a summary of the users goes.",
  findings: "What the rules found about users. An error must be resolved, or let stand with a reason.",
};

export class Checklist {
  constructor(main, shell) {
    this.shell = shell;
    this.root = h("div", { class: "checklist" });
    main.append(this.root);
  }

  tools() {
    return [];
  }

  draw() {
    this.shell.hits(null);
    this.root.replaceChildren(h("h1", {}, "Before this is written"), ...state.notes.map((n) => h("p", { class: "remark" }, message(n))),
      ...state.checklist.map((i) => this.item(i)));
  }

  item(i) {
    const go = i.id === "findings" ? null : h("button", { type: "button", onclick: () => this.shell.go(i.id) }, i.done ? "Look" : "Resolve", h("span", { class: "hidden" }, ` ${i.title}`));
    const quiet = i.id === "findings" && i.notes.length === 0;
    return h("section", { class: i.done ? "item done" : "item open", "aria-label": `${i.title}: ${i.done ? "done" : "open"}` },
      h("header", {}, icon(i.done ? "done" : "open"), h("h2", {}, i.title), h("span", { class: "state" }, i.id === "findings" && state.checking ? "checking…" : i.done ? "done" : `${i.open} open`), go),
      h("p", { class: "muted" }, quiet ? "The rules found nothing about users." : about[i.id]),
      i.notes.length > 0 && h("ul", {}, i.notes.map((n) => this.note(n))));
  }

  note(n) {
    const kind = n.waived ? "waived" : n.severity;
    return h("li", { class: `note ${kind}` }, h("span", { class: "kind" }, n.waived ? "let stand" : n.severity), h("span", { class: "text" }, message(n.text), n.waived && h("small", {}, name(` (${n.waived})`))),
      n.waivable && n.severity === "error" && n.rule && !n.waived && h("button", { type: "button", class: "plain", onclick: () => this.waive(n) }, "Let it stand…"));
  }

  async waive(n) {
    const reason = h("input", { type: "text", "aria-label": "Reason", autofocus: true, placeholder: "reason" });
    await dialog("Let it stand", [h("p", {}, message(n.text)), h("p", { class: "muted" }, `Everything that rule ${n.rule} finds about ${n.subject || "this"} is let stand; the report shows it with your reason.`), reason], [
      { label: "Cancel" },
      { label: "Let it stand", kind: "primary", run: () => {
        if (reason.value.trim() === "") return false;
        edit(`let ${n.rule} stand`, [], { waive: { rule: n.rule, subject: n.subject ?? "", reason: reason.value.trim() } });
        return true;
      } },
    ]);
  }

  close() {}
}

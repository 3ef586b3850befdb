// The frame of the page: views, filter, undo, OK and Cancel.

import { h, icon, name, message, count, number, announce } from "./dom.js";
import { state, subscribe, load, listen, undo, redo, finish, cancel, draft, removals, settled, clearTrouble } from "./store.js";
import { Columns } from "./columns.js";
import { Names } from "./names.js";
import { Notifications } from "./notifications.js";
import { Checklist } from "./checklist.js";
import { dialog } from "./popup.js";
import { removalLists } from "./removals.js";

const views = { checklist: Checklist, plans: Columns, usernames: Names, notifications: Notifications };
const titles = { checklist: "Checklist", plans: "User plans", usernames: "User names", notifications: "Notifications" };
const main = document.getElementById("main");

const shell = {
  typed: "",
  hits(n) {
    const text = n === null ? "" : count(n, "hit", "hits");
    if (shell.count.textContent === text) return;
    shell.count.textContent = text;
  },
  go(id) {
    location.hash = id;
  },
};

let view = null;
let shown = "";

function frame() {
  shell.filter = h("input", { type: "search", placeholder: "Filter users", "aria-label": "Filter users", autocomplete: "off", spellcheck: "false",
    oninput: () => {
      shell.typed = shell.filter.value;
      view.draw();
    } });
  shell.count = h("output", { class: "hits", "aria-live": "polite" });
  shell.nav = h("nav", { "aria-label": "Steps" }, Object.keys(views).map((id) => h("a", { href: `#${id}`, dataset: { view: id } }, h("span", { class: "flag" }), titles[id], h("span", { class: "hidden" }))));
  shell.undo = h("button", { type: "button", class: "round", onclick: undo, "aria-label": "Undo" }, icon("undo"));
  shell.redo = h("button", { type: "button", class: "round", onclick: redo, "aria-label": "Redo" }, icon("redo"));
  shell.ok = h("button", { type: "button", class: "primary", onclick: ok }, "OK");
  shell.seats = h("p", { class: "seats" });
  shell.tools = h("div", { class: "tools" });
  shell.row = h("div", { class: "row", role: "search" }, shell.filter, shell.count, shell.seats, shell.tools);
  shell.trouble = h("div", { class: "trouble", role: "alert" });
  document.getElementById("bar").replaceChildren(h("div", { class: "top" },
    h("p", { class: "owner" }, name(state.owner || "Users", { title: state.owner }), h("small", {}, [state.serial, state.test ? "test migration" : "live migration"].filter(Boolean).join(" · "))),
    shell.nav, h("div", { class: "ends" }, shell.undo, shell.redo, h("button", { type: "button", onclick: leave }, "Cancel"), shell.ok)), shell.row, shell.trouble);
}

function open() {
  const wanted = location.hash.slice(1);
  const id = views[wanted] ? wanted : "checklist";
  if (id === shown) return;
  view?.close();
  shown = id;
  main.replaceChildren(...(id === "checklist" ? [] : [h("h1", { class: "hidden" }, titles[id])]));
  document.body.dataset.view = id;
  document.title = `${titles[id]} – ${state.owner || "OMT"}`;
  view = new views[id](main, shell);
  shell.tools.replaceChildren(...view.tools());
  for (const a of shell.nav.children) {
    if (a.dataset.view === id) a.setAttribute("aria-current", "page");
    else a.removeAttribute("aria-current");
  }
  shell.row.hidden = id === "checklist";
  view.draw();
}

function draw() {
  if (state.ended) return over();
  for (const a of shell.nav.children) {
    const item = state.checklist.find((i) => i.id === a.dataset.view);
    const all = a.dataset.view === "checklist" ? state.checklist.every((i) => i.done) : item?.done;
    a.classList.toggle("done", Boolean(all));
    a.firstChild.replaceChildren(icon(all ? "done" : "open"));
    a.lastChild.textContent = all ? ": done" : ": open";
  }
  for (const [button, what] of [[shell.undo, state.undo], [shell.redo, state.redo]]) {
    const verb = button === shell.undo ? "Undo" : "Redo";
    button.disabled = !what;
    button.title = what ? `${verb}: ${what}` : verb;
  }
  const seats = state.plans.filter((p) => !p.unlimited && !p.gone).reduce((n, p) => n + p.seats, 0);
  const unlimited = state.plans.some((p) => p.unlimited);
  shell.seats.textContent = `${count(state.users.size, "on-site user", "on-site users")}, ${number(seats)} seats available${unlimited ? " and unlimited ones" : ""}`;
  shell.ok.classList.toggle("blocked", state.checklist.some((i) => !i.done));
  const said = state.trouble || state.keeping;
  const trouble = said.charAt(0).toUpperCase() + said.slice(1);
  shell.trouble.hidden = !trouble;
  if (shell.trouble.dataset.text !== trouble) {
    shell.trouble.dataset.text = trouble;
    shell.trouble.replaceChildren(h("span", {}, trouble), state.trouble && !state.offline && h("button", { type: "button", class: "plain", onclick: clearTrouble }, "Close") || "");
  }
  view?.draw();
}

/** The page after the end. */
function over() {
  view?.close();
  view = null;
  const text = {
    ok: ["Your choices are handed over.", "omt-assign writes the manifest now and says so in the terminal."],
    cancelled: ["Cancelled.", "Nothing was written."],
    stopped: ["omt-assign was ended in the terminal.", "Nothing was written. Your work is kept and offered again."],
  }[state.ended];
  for (const d of document.querySelectorAll("dialog, .menu")) d.remove();
  document.getElementById("bar").replaceChildren();
  document.title = text[0];
  main.replaceChildren(h("div", { class: "over", role: "status" }, icon(state.ended === "ok" ? "done" : "open"), h("h1", {}, text[0]), h("p", {}, text[1]), h("p", { class: "muted" }, "You can close this page.")));
}

async function ok() {
  await settled();
  const open = state.checklist.filter((i) => !i.done);
  if (open.length) return blocked(open.flatMap((i) => i.notes.filter((n) => n.severity === "error" && !n.waived).map((n) => `${i.title}: ${n.text}`)));
  const box = h("div", {}, h("p", {}, "Looking through the addresses…"));
  let bad = "";
  removals().then((r) => box.replaceChildren(removalLists(r)), (e) => {
    bad = e.message;
    box.replaceChildren(h("p", { class: "marked" }, bad));
  }).finally(() => (box.dataset.ready = "yes"));
  const users = [...state.users.values()];
  const none = users.filter((u) => u.plan === "").length;
  await dialog("Write the manifest?", [
    h("ul", { class: "sums" }, h("li", {}, `${count(users.length - none, "user", "users")} with a plan, ${number(none)} without`),
      h("li", {}, `${count(users.filter((u) => u.welcome).length, "welcome e-mail", "welcome e-mails")}, ${state.summary ? "a user summary to " : "no user summary"}`, state.summary && name(state.summary)),
      h("li", {}, "User plans, user names and notifications count as reviewed by you.")), box], [
    { label: "Back" },
    { label: "Write the manifest", kind: "primary", run: async () => {
      if (!box.dataset.ready) {
        announce("still looking through the addresses");
        return false;
      }
      try {
        const { blocks } = await finish();
        if (blocks) blocked(blocks);
      } catch (e) {
        state.trouble = e.message;
        await load().catch(() => {});
      }
      return true;
    } },
  ], { wide: true });
}

function blocked(why) {
  return dialog("Not yet", [h("p", {}, "This is still open:"), h("ul", {}, why.slice(0, 30).map((t) => h("li", {}, message(t)))), why.length > 30 && h("p", {}, `and ${why.length - 30} more`)],
    [{ label: "To the checklist", kind: "primary", run: () => shell.go("checklist") }, { label: "Close" }]);
}

function leave() {
  const end = (keep) => ({ run: () => cancel(keep).catch((e) => {
    state.trouble = e.message;
    draw();
  }) });
  return dialog("End without writing anything?", h("p", {}, "No manifest is written. Your work can be kept and is then offered again when the board is opened for this input."), [
    { label: "Back" }, { label: "End, forget the work", kind: "danger", ...end(false) }, { label: "End, keep the work", kind: "primary", ...end(true) }]);
}

function offer() {
  if (!state.offer) return;
  const at = new Date(state.offer.at);
  dialog("Go on with earlier work?", h("p", {}, `Work on this input was not finished: ${count(state.offer.steps, "step", "steps")}, the last on ${at.toLocaleString()}.`), [
    { label: "Start afresh", run: () => draft(false) }, { label: "Go on with it", kind: "primary", run: () => draft(true) }], { mustChoose: true });
}

addEventListener("hashchange", () => state.ended || open());
addEventListener("keydown", (e) => {
  if (state.ended || document.querySelector("dialog")) return;
  const typing = e.target.closest?.("input[type=text], input[type=search], textarea");
  const z = (e.ctrlKey || e.metaKey) && e.key.toLowerCase();
  if (z === "z" && !typing && !e.shiftKey) undo();
  else if (((z === "z" && e.shiftKey) || z === "y") && !typing) redo();
  else if (e.key === "/" && !typing && !shell.row.hidden) shell.filter.focus();
  else return;
  e.preventDefault();
});

try {
  await load();
  frame();
  open();
  subscribe(draw);
  draw();
  offer();
  listen();
} catch (e) {
  main.replaceChildren(h("div", { class: "over" }, h("h1", {}, "The board cannot be shown."), h("p", {}, e.message)));
}

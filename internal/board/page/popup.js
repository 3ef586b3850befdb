// Menus and dialogs.

import { h } from "./dom.js";

let close = () => {};

/**
 * Opens a menu at an element. entries are {label, note, disabled, run}; arrows, Home, End and first letters move, Escape
 * gives the focus back.
 */
export function menu(at, label, entries) {
  close();
  const items = entries.map((e) => h("button", { type: "button", role: "menuitem", tabindex: "-1", "aria-disabled": e.disabled ? "true" : null,
    onclick: () => choose(e) }, h("bdi", {}, e.label), e.note && h("small", {}, e.note)));
  const box = h("div", { class: "menu", role: "menu", "aria-label": label, onkeydown: key }, items);
  const back = document.activeElement;
  document.querySelector("main").append(box);
  place(box, at);
  const outside = (ev) => !box.contains(ev.target) && close();
  close = () => {
    close = () => {};
    document.removeEventListener("pointerdown", outside, true);
    removeEventListener("resize", shut);
    const had = box.contains(document.activeElement);
    box.remove();
    if (had && back?.isConnected) back.focus();
  };
  const shut = () => close();
  addEventListener("resize", shut);
  document.addEventListener("pointerdown", outside, true);
  items[0]?.focus();

  function choose(e) {
    if (e.disabled) return;
    close();
    e.run();
  }
  function key(ev) {
    const i = items.indexOf(document.activeElement);
    const go = { ArrowDown: i + 1, ArrowUp: i - 1, Home: 0, End: items.length - 1 }[ev.key];
    if (go !== undefined) items[(go + items.length) % items.length].focus();
    else if (ev.key === "Escape" || ev.key === "Tab") close();
    else if (ev.key.length === 1 && ev.key !== " " && !ev.ctrlKey && !ev.altKey) {
      const ring = [...items.slice(i + 1), ...items.slice(0, i + 1)];
      ring.find((m) => m.textContent.toLowerCase().startsWith(ev.key.toLowerCase()))?.focus();
    } else return;
    ev.stopPropagation();
    if (ev.key !== "Tab") ev.preventDefault();
  }
}

/** Keeps a box beside an element and inside the window. */
function place(box, at) {
  const a = at.getBoundingClientRect();
  const b = box.getBoundingClientRect();
  const below = innerHeight - a.bottom - 8;
  const above = a.top - 8;
  const down = below >= Math.min(b.height, 240) || below >= above;
  box.style.maxHeight = `${Math.max(120, down ? below : above)}px`;
  const height = Math.min(b.height, down ? below : above);
  box.style.top = `${down ? a.bottom + 2 : Math.max(4, a.top - height - 2)}px`;
  box.style.left = `${Math.max(4, Math.min(a.left, innerWidth - b.width - 8))}px`;
}

/**
 * Opens a dialog. buttons are {label, kind, run}; run's result false keeps it open. The promise resolves with the label of
 * the button, or null when it was left.
 */
export function dialog(title, body, buttons, { wide = false, mustChoose = false } = {}) {
  return new Promise((resolve) => {
    const box = h("dialog", { class: wide ? "wide" : "", "aria-labelledby": "dialog-title" });
    let said = null;
    const press = async (b) => {
      if (b.run && (await b.run()) === false) return;
      said = b.label;
      box.close();
    };
    box.append(h("h2", { id: "dialog-title", tabindex: "-1" }, title), h("div", { class: "body" }, body),
      h("div", { class: "buttons" }, buttons.map((b) => h("button", { type: "button", class: b.kind ?? "", onclick: () => press(b) }, b.label))));
    box.addEventListener("close", () => {
      if (mustChoose && said === null) {
        box.showModal(); // Escape closes whatever a page says
        return;
      }
      box.remove();
      resolve(said);
    });
    document.body.append(box);
    box.showModal();
    (box.querySelector("[autofocus]") ?? box.querySelector("h2")).focus();
  });
}

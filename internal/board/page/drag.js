// Dragging cards by pointer: a mouse or a pen drags at once, a finger after it has rested, so that it can scroll before.
// No style above the cards changes with it, not even the cursor: thousands of elements would be styled anew at every drop.

import { h } from "./dom.js";
import { count } from "./dom.js";

const slop = 5; // pixels before a press becomes a drag
const rest = 350; // milliseconds for a finger
const edge = 56; // pixels at an edge in which it scrolls
const pace = 14; // pixels a frame there

/**
 * Makes cards in root draggable. grab(element) gives {ids, label} or null; targets carry data-place; over(place or null)
 * shows where a drop would go, drop(ids, place) makes it, sideways is the element that scrolls left and right.
 */
export function draggable(root, { grab, over, drop, start, stop, sideways }) {
  let press = null;
  let held = null; // what is being dragged

  root.addEventListener("pointerdown", (e) => {
    delete root.dataset.dropped;
    if (e.button !== 0 || held || e.target.closest("button, input, label, a")) return;
    const card = e.target.closest(".card");
    if (!card) return;
    press = { card, x: e.clientX, y: e.clientY, id: e.pointerId, touch: e.pointerType === "touch" };
    if (press.touch) press.timer = setTimeout(() => press && begin(press.x, press.y), rest);
  });
  root.addEventListener("pointermove", (e) => {
    if (held) return track(e.clientX, e.clientY);
    if (!press || e.pointerId !== press.id) return;
    if (Math.hypot(e.clientX - press.x, e.clientY - press.y) < slop) return;
    if (press.touch) forget();
    else begin(e.clientX, e.clientY);
  });
  root.addEventListener("pointerup", (e) => (held ? finish(e.clientX, e.clientY) : forget()));
  root.addEventListener("pointercancel", () => (held ? end() : forget()));
  root.addEventListener("touchmove", (e) => held && e.preventDefault(), { passive: false });
  root.addEventListener("contextmenu", (e) => (held || press?.touch) && e.preventDefault());
  root.addEventListener("click", (e) => {
    if (!root.dataset.dropped) return;
    delete root.dataset.dropped; // the click that ends a drag chooses nothing
    e.stopPropagation();
    e.preventDefault();
  }, true);
  const escape = (e) => {
    if (e.key === "Escape" && held) {
      e.stopPropagation();
      end();
    }
  };

  function forget() {
    clearTimeout(press?.timer);
    press = null;
  }

  function begin(x, y) {
    const what = grab(press.card);
    if (!what) return forget();
    root.setPointerCapture(press.id);
    const many = what.ids.length > 1;
    const ghost = h("div", { class: many ? "ghost many" : "ghost", "aria-hidden": "true" }, h("bdi", {}, many ? count(what.ids.length, "user", "users") : what.label));
    document.body.append(ghost);
    held = { ...what, ghost, place: null, x, y };
    addEventListener("keydown", escape, true);
    start(what.ids);
    track(x, y);
    held.frame = requestAnimationFrame(scroll);
  }

  function track(x, y) {
    Object.assign(held, { x, y });
    held.ghost.style.transform = `translate(${x + 12}px, ${y + 8}px)`;
    const under = document.elementFromPoint(x, y);
    held.list = under?.closest(".scroll") ?? null;
    const place = under?.closest("[data-place]")?.dataset.place ?? null;
    if (place !== held.place) over((held.place = place));
  }

  /** Scrolls what is under the pointer when it rests near an edge. */
  function scroll() {
    if (!held) return;
    const side = sideways.getBoundingClientRect();
    let moved = 0;
    if (held.y > side.top && held.y < side.bottom) {
      if (held.x > side.left - edge && held.x < side.left + edge) moved = -pace;
      else if (held.x > side.right - edge && held.x < side.right + edge) moved = pace;
    }
    if (moved) sideways.scrollLeft += moved;
    if (held.list) {
      const box = held.list.getBoundingClientRect();
      if (held.y < box.top + edge) held.list.scrollTop -= pace;
      else if (held.y > box.bottom - edge) held.list.scrollTop += pace;
    }
    if (moved) track(held.x, held.y);
    held.frame = requestAnimationFrame(scroll);
  }

  function finish(x, y) {
    track(x, y);
    const { ids, place } = held;
    end();
    root.dataset.dropped = "yes";
    setTimeout(() => delete root.dataset.dropped, 0);
    if (place) drop(ids, place);
  }

  function end() {
    cancelAnimationFrame(held.frame);
    removeEventListener("keydown", escape, true);
    held.ghost.remove();
    held = null;
    forget();
    over(null);
    stop();
  }
}

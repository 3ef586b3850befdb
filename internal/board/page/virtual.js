// A list of any length in which only what is in view exists as elements.

import { put } from "./dom.js";

const ahead = 4; // rows kept beyond both edges

export class VirtualList {
  /** scroller scrolls, list holds the rows, make(item, index) gives a row's element. Items are compared by identity. */
  constructor(scroller, list, height, make, key = (item) => item.id) {
    Object.assign(this, { scroller, list, height, make, key, items: [], rows: new Map(), pinned: null, top: 0, view: 0 });
    // Both are kept, since to ask for them in the middle of changes makes the browser lay out the page each time.
    scroller.addEventListener("scroll", () => {
      this.top = scroller.scrollTop;
      this.draw();
    }, { passive: true });
    this.watch = new ResizeObserver(() => {
      this.view = scroller.clientHeight;
      this.draw();
    });
    this.watch.observe(scroller);
  }

  /** Shows items; false when they are the very same as before. */
  set(items) {
    if (items.length === this.items.length && items.every((item, i) => item === this.items[i])) return false;
    if (items.length !== this.items.length) this.list.style.height = `${items.length * this.height}px`;
    this.items = items;
    this.draw();
    return true;
  }

  /** The element of an item, after it was scrolled into view. */
  reveal(key) {
    const i = this.items.findIndex((item) => this.key(item) === key);
    if (i < 0) return null;
    const top = i * this.height;
    if (top < this.top) this.scroller.scrollTop = this.top = top;
    else if (top + this.height > this.top + this.view) this.scroller.scrollTop = this.top = top + this.height - this.view;
    this.draw();
    return this.rows.get(key)?.element ?? null;
  }

  draw() {
    const first = Math.max(0, Math.floor(this.top / this.height) - ahead);
    const last = Math.min(this.items.length, Math.ceil((this.top + this.view) / this.height) + ahead);
    const keep = new Set(this.items.slice(first, last).map(this.key));
    for (const [key, row] of this.rows) {
      if (keep.has(key) || key === this.pinned) continue;
      row.element.remove();
      this.rows.delete(key);
    }
    let before = null;
    for (let i = last - 1; i >= first; i--) {
      const item = this.items[i];
      const key = this.key(item);
      let row = this.rows.get(key);
      if (!row || row.item !== item) {
        const element = this.make(item, i);
        if (row) this.swap(row.element, element);
        row = { element, item };
        this.rows.set(key, row);
      }
      if (row.index !== i || row.total !== this.items.length) {
        Object.assign(row, { index: i, total: this.items.length });
        row.element.style.transform = `translateY(${i * this.height}px)`;
        row.element.setAttribute("aria-posinset", i + 1);
        row.element.setAttribute("aria-setsize", this.items.length);
      }
      if (row.element.parentNode !== this.list || row.element.nextSibling !== before) put(this.list, row.element, before);
      before = row.element;
    }
  }

  /** Puts a new element in the place of an old one and keeps the focus that was inside. */
  swap(old, element) {
    const inside = old.contains(document.activeElement) ? document.activeElement : null;
    const what = inside?.dataset.part;
    old.replaceWith(element);
    if (!inside) return;
    const target = what ? element.querySelector(`[data-part="${what}"]`) : null;
    (target ?? element.querySelector("[tabindex]") ?? element).focus({ preventScroll: true });
  }

  close() {
    this.watch.disconnect();
  }
}

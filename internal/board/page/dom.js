// Elements are made of text and attributes alone: no name ever becomes markup.

/** Makes an element. Keys of props: on* is a listener, class, dataset, aria-* and other attributes; false leaves one out. */
export function h(tag, props, ...children) {
  const e = document.createElement(tag);
  for (const [key, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) e.addEventListener(key.slice(2), value);
    else if (key === "dataset") Object.assign(e.dataset, value);
    else if (key === "value" || key === "checked" || key === "disabled" || key === "indeterminate") e[key] = value;
    else e.setAttribute(key, value === true ? "" : value);
  }
  e.append(...children.flat().filter((c) => c !== null && c !== undefined && c !== false));
  return e;
}

/** An icon of the sprite; it says nothing to a screen reader. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#${name}`);
  svg.append(use);
  return svg;
}

/** A name in its own direction, so that right-to-left text does not turn what stands beside it. */
export function name(text, props) {
  return h("bdi", props, text);
}

/** A message in which what stands in quotes has its own direction. */
export function message(text) {
  return h("span", { class: "message" }, text.split(/('[^']*')/).map((part) => (part.startsWith("'") ? name(part) : part)));
}

/** Tells a screen reader. */
export function announce(text) {
  const live = document.getElementById("live");
  live.textContent = live.textContent === text ? `${text}\u00a0` : text;
}

/** "1 user", "5,000 users". */
export function count(n, one, many) {
  return `${number(n)} ${n === 1 ? one : many}`;
}

const form = new Intl.NumberFormat("en");
export const number = (n) => form.format(n);

/** Puts an element before another and keeps the focus that is inside. */
export function put(parent, element, before) {
  const inside = element.contains(document.activeElement) ? document.activeElement : null;
  parent.insertBefore(element, before);
  if (inside && document.activeElement !== inside) inside.focus({ preventScroll: true });
}

/** Changes a text where it differs. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

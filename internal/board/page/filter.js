// A filter over everything a card shows: every word must occur somewhere, without regard to case and accents.

import { placeOf, titleOf } from "./store.js";

const fold = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
const texts = new WeakMap(); // user object → folded text; a changed user is a new object

function textOf(u) {
  let text = texts.get(u);
  if (text === undefined) {
    text = fold([u.id, u.name, u.login, u.company, u.group, u.role, u.position, u.username, ...u.emails, titleOf(placeOf(u)), placeOf(u),
      u.admin ? "administrator" : "", u.confidential ? "confidential" : "", u.onsite, u.mark ?? ""].join("\n"));
    texts.set(u, text);
  }
  return text;
}

/** Makes a test of users from what was typed; null where nothing was. */
export function filterOf(typed) {
  const words = fold(typed).split(/\s+/).filter(Boolean);
  if (words.length === 0) return null;
  return (u) => {
    const text = textOf(u);
    return words.every((w) => text.includes(w));
  };
}

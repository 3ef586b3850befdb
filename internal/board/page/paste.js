// What was copied from a spreadsheet: one column of user names, or two of which the first says whose.

const fold = (text) => text.normalize("NFC").trim().toLowerCase();

/** Reads pasted text. users are the rows as shown, from the id of the row a single column begins at. */
export function parse(text, users, from) {
  const lines = text.replace(/\r\n?/g, "\n").replace(/\n+$/, "").split("\n").map((l) => l.split("\t").map(unquote));
  const notes = [];
  if (lines.length === 1 && lines[0].join("") === "") return { changes: [], notes };
  const changes = new Map();
  const put = (u, cell) => {
    if (cell !== "") changes.set(u.id, { id: u.id, username: cell });
  };
  if (lines.some((l) => l.length > 1)) {
    const byLogin = new Map();
    for (const u of users) byLogin.set(fold(u.login), byLogin.has(fold(u.login)) ? null : u);
    const byID = new Map(users.map((u) => [String(u.id), u]));
    const unknown = [];
    lines.forEach(([who, cell = ""], i) => {
      const u = byLogin.get(fold(who)) ?? byID.get(who.trim());
      if (u) put(u, cell);
      else if (who !== "" && !(i === 0 && /^(login|id|user|initials)$/i.test(who))) unknown.push(who);
    });
    if (unknown.length) notes.push(`not among the rows shown: ${unknown.slice(0, 10).join(", ")}${unknown.length > 10 ? ` and ${unknown.length - 10} more` : ""}`);
  } else {
    const start = Math.max(0, users.findIndex((u) => u.id === from));
    lines.forEach(([cell], i) => users[start + i] && put(users[start + i], cell));
    if (start + lines.length > users.length) notes.push(`${start + lines.length - users.length} lines are more than there are rows below`);
  }
  return { changes: [...changes.values()], notes };
}

/** Takes off the quotes in which a spreadsheet puts a cell. */
function unquote(cell) {
  const m = /^"(.*)"$/s.exec(cell.trim());
  return (m ? m[1].replaceAll('""', '"') : cell).trim();
}

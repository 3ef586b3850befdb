// What the page knows, and the only place that talks to the command. Every step is applied here at once and sent in
// order; the answer says what really follows, and is taken.

export const NONE = "-";
export const UNDECIDED = "?";

export const state = {
  users: new Map(), // id → user; a changed user is a new object
  order: [], // ids by full name
  plans: [], revision: 0, checklist: [], checking: false, undo: "", redo: "", summary: "", removeFromPersons: false,
  owner: "", serial: "", test: true, migrator: "", notes: [], offer: null, keeping: "", trouble: "", ended: "",
};

const listeners = new Set();
export const subscribe = (fn) => listeners.add(fn);
function changed() {
  for (const fn of listeners) fn();
}

/** The column a user stands in. */
export const placeOf = (u) => (u.plan === null ? UNDECIDED : u.plan === "" ? NONE : u.plan);

/** What people call a column. */
export function titleOf(place) {
  if (place === NONE) return "No user plan";
  if (place === UNDECIDED) return "Undecided";
  const plan = state.plans.find((p) => p.name === place);
  return (plan && plan.title) || place;
}

class Answer extends Error {
  constructor(status, text) {
    super(text);
    this.status = status;
  }
}

async function call(path, body) {
  const options = body === undefined ? {} :
    { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
  let r;
  try {
    r = await fetch(path, { ...options, credentials: "same-origin" });
  } catch {
    throw new Answer(0, "omt-assign does not answer");
  }
  if (!r.ok) throw new Answer(r.status, (await r.text()).trim());
  return r.json();
}

const collator = new Intl.Collator(undefined, { sensitivity: "base", numeric: true });

/** Reads everything anew. */
export async function load() {
  const view = await call("api/state");
  const { users, ...rest } = view;
  Object.assign(state, { offer: null, keeping: "" }, rest);
  state.users = new Map(users.map((u) => [u.id, u]));
  expected.forEach(expect);
  state.order = [...state.users.values()].sort((a, b) => collator.compare(a.name || a.login, b.name || b.login) || a.id - b.id)
    .map((u) => u.id);
  changed();
}

function take(news) {
  const { users, ...rest } = news;
  Object.assign(state, rest);
  for (const u of users) state.users.set(u.id, { ...state.users.get(u.id), ...u, mark: u.mark ?? "", guessed: u.guessed ?? false });
  expected.forEach(expect); // of steps that were made since
  changed();
}

let expected = []; // changes on their way

/** Shows what changes will give, before the command has answered. */
function expect(changes) {
  for (const c of changes) {
    const u = { ...state.users.get(c.id) };
    if (c.plan) u.plan = c.plan === NONE ? "" : c.plan === UNDECIDED ? null : c.plan;
    if (c.username) u.username = c.username === NONE ? "" : c.username;
    if (c.admin) Object.assign(u, { admin: c.admin === "true", guessed: false });
    if (c.confidential) u.confidential = c.confidential === "true";
    if (c.welcome) u.welcome = c.welcome === "?" ? null : c.welcome === "true";
    state.users.set(c.id, u);
  }
}

let tail = Promise.resolve();
let waiting = 0;

/** Sends a step behind those on their way, and shows at once what its changes will give. */
function send(path, body, changes = []) {
  waiting++;
  expected.push(changes);
  expect(changes);
  changed();
  const sent = tail.then(() => call(path, { revision: state.revision, ...body })).then((news) => {
    expected = expected.filter((c) => c !== changes);
    take(news);
  });
  tail = sent.catch((err) => {
    expected = expected.filter((c) => c !== changes);
    return trouble(err);
  }).finally(() => waiting--);
  return tail;
}

async function trouble(err) {
  state.trouble = err.message;
  if (err.status === 410 && !state.ended) state.ended = "ok";
  if (err.status === 0) {
    changed();
    return;
  }
  await load().catch(changed);
}

/** Makes a step. changes are as in a users table: "-" none, "?" undecided. */
export function edit(label, changes, rest) {
  return send("api/edit", { edit: { label, changes, ...rest } }, changes);
}

export const undo = () => state.undo && send("api/undo");
export const redo = () => state.redo && send("api/redo");
export const settled = () => tail;
export const attempt = (body) => tail.then(() => call("api/try", body));
export const removals = () => tail.then(() => call("api/removals"));
export const draft = (yes) => call("api/draft", { take: yes }).then(load);
export const finish = () => tail.then(() => call("api/ok", { revision: state.revision }));
export const cancel = (keep) => call("api/cancel", { keep });

export function clearTrouble() {
  state.trouble = "";
  changed();
}

/** Puts users into a column. */
export function move(ids, place) {
  const moved = ids.filter((id) => placeOf(state.users.get(id)) !== place);
  if (moved.length === 0) return null;
  const who = moved.length === 1 ? state.users.get(moved[0]).login : `${moved.length} users`;
  return edit(`${who} to ${titleOf(place)}`, moved.map((id) => ({ id, plan: place })));
}

/** Listens to what other tabs and the command do. */
export function listen() {
  const events = new EventSource("api/events");
  events.onmessage = async ({ data }) => {
    const e = JSON.parse(data);
    if (state.offline) Object.assign(state, { offline: false, trouble: "" });
    if (e.ended) {
      state.ended = e.ended;
      events.close();
      changed();
      return;
    }
    while (waiting > 0) await tail;
    if (e.revision > state.revision || e.checked) await load().catch(() => {});
  };
  events.onerror = () => {
    if (state.ended) return;
    state.offline = true;
    state.trouble = "No connection to omt-assign; trying again. If it was ended, your work is kept and offered again.";
    changed();
  };
}

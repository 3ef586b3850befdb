// Package board is a page in a browser that edits the choices of package plan: the face for whoever gives users their
// plans and user names by hand. [Run] serves it until a person says OK or Cancel, and returns choices as flags would have
// given them; what follows from choices is decided by plan alone, before every repaint and again when the manifest is
// written. It knows no database and no destination.
//
// # What a person can rely on
//
// A closed or sleeping page ends nothing: the terminal says so and gives a new address. Every step can be undone. Steps
// are kept as they are made, in a file below [Options].StateDir, and offered again when the same input is opened; they are
// forgotten when the manifest is written, or when somebody says so. One board at a time keeps them for an input: a second
// one works, and says that nothing is kept.
//
// OK is possible when nothing blocks: nobody is undecided, no plan has more users than seats, an administrator has a plan,
// every user with a plan has a valid user name of their own, the welcome e-mail of each of them is chosen, and no error
// that a rule found about users stands. An error can be let stand with a reason, where package plan or the rule allows it.
// The addresses that user names take off other cards are shown before.
//
// # The protocol
//
// The page asks for /api/state and sends steps: /api/edit, /api/undo, /api/redo, each with the revision it was made on. A
// step on an old revision is refused (409), so that two tabs cannot overwrite each other unseen; the page then reads the
// state and says that the step was not made. The answer has what changed. /api/try gives the marks that names would have,
// /api/removals what is removed, /api/events tells of steps of other tabs and of the end. A change of a user is written in
// the texts of a users table ("-" is none, "?" undecided).
//
// # Who may
//
// The page can choose who becomes an administrator of the tenant, so it is guarded like a login, on machines where others
// work too. It listens on a loopback address alone. The address holds a token that is good once and gives a cookie
// (HttpOnly, SameSite=Strict); a token that somebody else used first is seen, since the person who comes second is
// refused. The Host must be the address (against DNS rebinding), an Origin must be the page's own, and a step must have
// one. The content security policy is default-src 'self', without exceptions; names are put into text nodes and
// attributes alone. Nothing is loaded from elsewhere.
//
// # Cost
//
// With 5,000 users and 26 plans the frame that shows a drop came 18 ms after it at the earliest, 48 to 60 ms in the median
// (TestDropIsRepainted, Debian's Chromium without a graphics card, 2 cores that a dozen other programs kept busy, where an
// empty frame takes 16 ms). The page shows a step before the command has answered; to decide and answer takes the command
// 33 ms there (BenchmarkStep). Only rows and columns in view exist as elements or are laid out. omt-assign --board peaked
// at 46 MB with 5,000 users, a million addresses and a million files. Addresses of persons are not held: they are read
// from the manifest, a few seconds for a million, when somebody wants to see the removals.
//
// A browser holds a connection open for each page and takes no more than six to one host, so more than five pages of one
// board at a time make the next ones wait.
//
// # Why
//
// The page is plain modules without a framework: one store, a draw function a view, two lists that keep only what is in
// view. Dragging is our own, on pointer events: native drag and drop does not start from a finger everywhere, shows a
// picture that cannot say "12 users", and does not scroll a list under the pointer; what a library would add is less than
// what it would need around it. Undo lives in the command, not in the page: it survives a reload, and is one history for
// all tabs. The journal is a list of steps rather than a picture of the result, since then one append is all that a step
// costs and undo survives a crash too.
package board

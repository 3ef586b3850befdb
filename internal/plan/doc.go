// Package plan decides which user gets which plan and which user name. It knows records and choices and nothing else:
// no database, no destination. [Assign] is the decision, a pure function: the same records and choices give the same
// result, whether the choices come from flags, a spreadsheet, an earlier manifest or a page in a browser. [Run] is the
// same over a stream of records, with the preflight rules at its end. For a page, which has choices that are still being
// made, [Draft] decides as Assign does without refusing, and [Mark] says what is wrong.
//
// # Choices
//
// A run starts from the choices in its input, and applies to them in this order:
//
//  1. the rows of --users (a table or an earlier manifest), then --welcome-email, then --set, so that what names one
//     user on the command line wins over what names all, and that over a file;
//  2. --auto, which fills what is left: the plan of undecided users, missing user names, undecided welcome e-mails. It
//     changes no choice that somebody made, in this run or before.
//
// In every cell an empty text changes nothing. As a plan "-" is none and "?" undecided; "?" stays undecided in a run with
// --auto too. As a user name "-" or "?" takes the name away; as a welcome e-mail "?" makes it undecided. A user who had a
// plan, or none chosen, and now gets "-" gives up the user name unless this run gives another one: somebody who cannot log
// in needs no name, and it is free for the one who does. Names of plans and logins are compared exactly, and
// where that finds nothing without regard to case.
//
// --auto takes the plan that --map-plan names for the plan held on site, else the one whose on-site name, else the one
// whose name equals it. Where seats are short administrators come first, then users by id; the others stay undecided and
// are named. A user without a plan on site stays undecided too, since nobody has said that he shall not log in:
// --map-plan =- says so, --map-plan =NAME gives a plan. The user name is the address of the first rank, even if it is
// invalid or taken: the finding shows it. The welcome e-mail is set to false: it cannot be called back once sent, and
// can be sent later.
//
// From an earlier manifest plan, user name and welcome e-mail are taken where id and login agree and they were decided;
// administrator and confidential activities are facts of the new scan and are not. Users who are gone are noted, plans
// that are gone are errors unless --map-plan names another.
//
// # What is wrong and what is found
//
// A choice that cannot be is a problem: an unknown login or plan, a plan that this run's rows fill beyond its seats, a
// user name that is invalid or that another user has. All problems are reported at once and nothing is written. A row
// that says what is so already is never a problem, so a table written by [Export] can always be given back.
//
// What remains wrong after all choices is found by the preflight rules, which are handed in as a function: they see the
// records as they are written, and say what they found when all stands before the checks. One rule is looked after here,
// under the plugin "omt":
//
//	username-address    a user name is an address on the card of somebody else (warning, or info where it stays there)
//
// What the rules say takes the place of what the input says of the same rules, as manifest.Merge has it. All else of the
// input stays: what omt-scan and omt-pack found themselves, and rules that no plugin holds any more.
//
// # Waivers
//
// A waiver lets findings stand: RULE=REASON, RULE:SUBJECT=REASON. Without a subject it is about all findings of the rule,
// with a pattern as subject ("user:*", * any text, ? one character) about those that it fits; both cover the findings there
// are after this run and no more, so that new ones block again. A plain subject covers whatever is found of it, now and
// later. A rule whose findings can never be waived refuses a waiver before anything is written; single findings of other
// rules may be final too, which is noted. Notes also tell of waivers that have ended, that were given for fewer findings than
// there are, or that no finding needs; they stay in the manifest, since what they were for may come again.
//
// # Removals
//
// An address on another user's card that became a user name is removed at the tenant. On the card of a person who is no
// user it is listed, and removed with --remove-from-persons; removals of an earlier run stay while the name is used,
// unless --remove-from-persons=false. Nothing is removed for a name that two users claim, nor for the name of a user
// without a plan, nor from cards of the user's own person.
//
// # Reviews
//
// A review says that somebody settled plans, user names or notifications. --auto writes all three. --users and --set
// write plans and usernames when nobody is left undecided, and take them back when they leave somebody undecided; they
// write notifications when a welcome e-mail was given. --welcome-email and --summary-to write notifications. A board
// writes all three.
//
// # Cost
//
// Users, findings and waivers are in memory; addresses, files and the rest pass through. With 5,000 users, a million
// addresses and two million files omt-assign peaked at 28 MiB resident (2 cores, both busy with other work), and
// BenchmarkRun gave about 300,000 records a second, half of them addresses, which are decoded.
//
// # Why
//
// Records of users are changed in place, key by key, so that fields of a later version survive. Addresses are looked up
// in a table of user names instead of merged with it: the names are in memory anyway, and a table does not depend on
// the order of a file that somebody may have edited.
package plan

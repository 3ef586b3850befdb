// Package runbook writes a customer's migration down as steps: what is done by whom and when, with the commands filled in, how
// long each takes as far as that was measured, and the way back from each. It reads a manifest of any stage, and of a
// destination (package tenant) what the tenant holds and how fast the last push was. It knows no driver, no flag and no verb.
//
// # Promises
//
//   - Sizes are the manifest's. Rates are measured: that of sending by receipts (see Times), that of proving by the proofs
//     beside the tenant's last revision. What was not measured is called unknown; nothing is taken for likely. How long packing
//     takes stands in no manifest and is unknown.
//   - What the vendor's documents do not state is marked: "guess" where the tools go by it all the same, "not documented"
//     where they do not, "suggested" where it is our advice and no fact.
//   - Commands are given for bash and for PowerShell, once where both take the same line. Words with anything that a shell
//     takes for its own are quoted; control characters and those that turn the direction of text are written as escapes, so
//     that what is read is what is run. No command holds a secret: the destination stands as @FILE, or without one.
//   - Text of the installation is hostile: it is escaped in the page and in Markdown, and what controls a terminal or turns
//     directions is replaced. The page needs no script and nothing from elsewhere, and prints.
//
// # Times
//
// The day begins with the freeze (T). Steps before it have a suggested day; a step of that night begins after what those before it
// take, of which some may be unknown: "T + 0:42 + step 5". With a start they are clock times too. A pause of ten minutes
// between two receipts parts two pushes; the rate is that of the one which sent most, without its first chunk, from the first
// receipt to the last, and none where that was under a second.
//
// # Memory
//
// The manifest is read once, as a stream. Held are some 60 bytes for each chunk, and the domains of user names.
package runbook

// Package freeze keeps users out of an installation while it is migrated live, and lets them in again: a line "frozen" in
// Customer Service's config file, and an event "no login" in the table SystemEvent, which the Windows client obeys. The web
// client obeys neither. The database is changed through an interface that a driver implements beside package source.
//
// # Promises
//
//   - Every change is written to the journal and synced before it is made, with all that undoes it. A process that is
//     killed, or a machine that loses its power, leaves an installation that Thaw brings back, or that Run goes on with.
//   - Nothing is believed of the journal that the installation itself can tell: each change is looked for first. So Run and
//     Thaw can be repeated any number of times.
//   - Thaw undoes what was recorded and nothing else: the file byte for byte, the row by its key. Where somebody has
//     changed the one or the other since, it is left alone, and the error says what it was and what it is. What was frozen
//     by somebody else before stays frozen.
//   - No content of a config file, which holds passwords, is in the journal, in a record or in an error.
//
// # The file
//
// One line is put in at the end of the file: the word frozen in the file's encoding (one byte a character, or UTF-16 of
// either order with or without a mark) with the line end that the file's last line has; where the last line has none, the
// line end comes first and the word is the file's end. Everything else stays: bytes that are no text, comments, also one
// that says #frozen. A file in which a line is the word frozen already, in whatever letter case, is not touched.
//
// It is written beside its name, synced and renamed over it, with the old file's permissions, owner and (Unix) extended
// attributes; on Windows with the call that keeps attributes and access list of the file that is replaced. A file that is
// marked read-only is changed all the same and stays so marked. The time of change is that of the change, when it thaws
// too: a program that watches the file by its time has to see both. A link is followed, and the file that it leads to
// replaced. A program that holds the file open without sharing it (Windows) is waited for a moment, then named as the
// cause; nothing is changed then.
//
// # The row
//
// A row of SystemEvent with scope 1 (the system), owner 0 and the event key "NoLogin" is made as the table demands: the
// columns that are there are looked at, a column that is not known gets its default or NULL, and where it takes neither
// an empty value of its type. Its id comes from the row of sequence for the table, taken in the same transaction, as the
// product's own programs do. Where a row of that key, scope and owner is there, nothing is done. Thaw deletes the row by its id if
// all its columns are what they were, and puts sequence back where nobody has taken an id since.
//
// The text of the key is not documented by the vendor, and neither is the scope: both are guesses, taken from the table's
// description and its unique index. EventKey is therefore an option, and whoever freezes for the first time looks
// whether the Windows client obeys.
//
// # The journal
//
// SPOOL/freeze.jsonl, one JSON object a line, each synced. A last line that is cut short is as if it were not there: what
// it announced was not begun.
//
//	step      "begin"   manifest, database, prefix: a freeze begins
//	          "intend"  record: this change is made next
//	          "made"    record (what alone): it was made
//	          "frozen"  all is frozen
//	          "undone"  record (what alone): it was undone, or was not there any more
//	          "thawed"  all is undone; what stands above counts no longer
//	at        when
//	record    a freeze record as the manifest has it (package manifest)
//
// # Why the row is read back before it is recorded
//
// Defaults and the rounding of times are the server's, so what undoing compares with is what the server says inside the
// transaction that makes the row. The transaction is committed after the journal was synced: before that there is
// nothing to see and nothing to undo.
package freeze

// Package archive is the document tree on disk: how a document's path follows from its row, when two names mean the same
// file, how a tree is walked, and how a file below a root is opened. It knows nothing of the database.
//
// Promises:
//   - A walk lists each folder once, in batches, and holds one open folder for each level of depth, never a whole folder:
//     its memory does not grow with the number of files.
//   - Nothing is silently absent. A file or folder that cannot be read is an entry with Err and the error's class in
//     Reason. A link is an entry and is not followed.
//   - A root that is empty, cannot be listed, or is gone or another folder at the end of the walk is an error of the walk
//     itself, so that a share that dropped is never taken for an archive without files.
//   - A file is opened through os.Root: no link and no name leads out of the root, also when the tree changes meanwhile.
//
// # The path rule
//
// A document lies at USER/YEAR.PERIOD/NAME: the login of the associate who registered it, and the year and half of its
// registration, .1 for January to July and .2 for August to December. The vendor's documents agree on the months. They
// do not say whether the month is taken in UTC or in a local zone, so within 14 hours of the end of July and of the
// year both halves are possible (inferred), and Paths gives both.
//
// # Names
//
// Names are compared as Windows compares them, for the archive was made by programs on Windows: without regard to letter
// case, and to dots and spaces at the end of an element. Canonically equal Unicode strings are equal too, which Windows
// does not do, but a copy by way of a Mac or a Unix file server changes the one into the other. See Fold.
//
// An entry's Path is what a manifest record holds (manifest.EscapeName).
//
// Why simple case mapping and not full folding: full folding makes "Straße" equal to "Strasse", which are two files on
// Windows. Only letters that are each other's upper and lower case are equal here, which is what the file systems of
// Windows do as far as their table is known; the table itself is not at hand.
//
// Why no parallel walk: one folder listing after the other keeps the load on a file server small and the code plain.
// Listing is bound by the server's answer for each folder, of which an archive has two for each user and year.
//
// Untried on Windows: the conversion of long and UNC names (a pure function, tested everywhere) and the classes of
// Windows errors (a table of its documented numbers).
package archive

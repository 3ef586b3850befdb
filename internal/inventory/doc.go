// Package inventory says what exists: the tables of a source database with their rows counted, and for each area the
// files on disk joined with the rows that name them, as manifest records. omt-scan uses it for its forecast, omt-pack
// inside its snapshot, so that the two say the same of the same installation.
//
// Promises:
//   - Records come in the manifest's order (manifest.FileKey); the same rows and files give the same records.
//   - Memory does not grow with rows or files: everything is sorted externally, with at most three sorters of
//     Options.Memory bytes alive at a time. What is held in memory: accounts and counters for each, template rows (a list
//     that administrators keep, some 300 bytes a row), the top-level folders that nobody owns and the folders that cannot
//     be listed (both limited), up to 4,096 unclaimed files of one name, the files of one user under one name, findings.
//     Measured (BenchmarkDocuments, no file system): 15 µs of processor time for a document, 119 MiB at the peak of three
//     million, 77 MiB of 200,000.
//   - Rows are read before folders, so a row of the snapshot finds the file that was written before it.
//   - A row is missing only where the folder it would lie in, or the nearest one above that exists, was listed. Under a
//     folder that could not be listed it is unreadable.
//   - A root that is empty, cannot be listed or goes away ends the run (status 1), with two exceptions: a template or text
//     folder of Service, and an attachment location that no row is looked for in, may be empty.
//
// # Tables
//
// A table whose rows cannot be had is never left out in silence: it is a finding of the rule table-missing with the
// subject table:NAME (lower case), and has no table record, since that would promise rows. The rule finds
//
//	error    a table that the table of keys (sequence), the database model or the dictionary of a version without one
//	         names, that a manifest of an earlier stage lists, or that users, plans or documents are read from, and that
//	         cannot be seen: it is missing, or the database login may not see it
//	error    a table that is there and cannot be read, wholly or in a column, or not counted, with the server's words
//	warning  a table that cannot be seen and that nothing but the dictionary of older versions names, where the database
//	         has a model, which took its place
//	warning  a list of tables that tells nothing, once, with what was tried: package dbmodel on the model
//	info     rows of the table of keys without a name
//
// A table without which there is no database is no finding: source.CheckRequired refuses the run.
//
// # Documents
//
// A row of archive provider 0 is looked for at each path that its registration and owner allow (the period in UTC, the
// other period near a boundary, then the same in the folders given with LOGIN=NAME), in each at the roots in their order.
// The first find is the document's file. Two rows may have one file. A file that no row took is no-row, or shadowed where
// an earlier root has a file of that path. Reasons:
//
//	missing         outside, no-appointment, no-associate
//	no-associate    author: nobody is known who registered the document, so it has no path
//	elsewhere       "provider 5": the archive provider
//	no-row          same-name: another file of the folder means the same on Windows and was taken, or stands first
//	unreadable      see package archive: denied, locked, network, vanished, link, irregular, name, error
//	left            age: changed after Options.OlderThan
//
// A provider other than 0 goes before a blank name, since a name means nothing there. Where an earlier root's folder
// cannot be listed and a later root has the file, the later file is taken; the folder has a finding of its own. A file in
// a folder that cannot be listed is not known and has no record, the folder has a finding.
//
// System folders (S1, S2 …, Data, Script, Template, Travel, Wishlist) at the top of a document root are not looked into,
// unless a login is called so; then only files that rows name are listed. Files of Word and Windows (~$*, *.tmp,
// thumbs.db, desktop.ini) are listed only where a row names them. mail.htm and *.sxf in a user's folder have no row and
// are no-row with their owner, like every file without a row below a folder that somebody owns.
//
// # Templates
//
// A row's file is looked for at its name below the roots and below folders of two letters there (languages: only the
// place is documented, the codes by example). Each file found is a record of the row under its own path. A row without any
// file is missing (reason deleted where the row is), or elsewhere where its name is a URL or it has another document
// provider: that column speaks of new documents, so a file that is there counts more. All other files are no-row, those in
// the folder Travel and temporary ones are not listed.
//
// # Again
//
// Again looks for the files of an earlier manifest's records where their rows would find them, without a database: documents at
// path and also, in the folders given with LOGIN=NAME, in all roots; templates at their path and, where they are missing, in
// folders of languages; files of Service and attachments at the place that they had in their root; an attachment that never had
// a file by its number, in the root of its record, unless the naming was not recognised. A path that leaves the root is never
// looked for. Candidates are files of the same name that no record has taken.
//
// # Service
//
// All files below base, template and text, each once. Folders of other areas that lie inside are left to these. A file
// whose path an earlier root has already gets its folder's prefix once more.
//
// Why "config" does not move: the file config at the top of base holds the passwords of the database and of NetServer
// (dbPassword, nsPass), and so may copies of it (config.bak) and web.config, SuperOffice.config. The tenant has no use for
// them and the destination may be anybody's storage. They are listed as left with the reason secrets.
//
// # Attachments
//
// How a file is called is documented only so far that its name comes from the row's id. So a file belongs to the row whose
// id is the number at the front of its name, else the only number in its name before the extension, else an extension of
// digits. It is looked for in its row's location, or in all where that is not known. Of several files the first whose size
// the row names is taken, else the first by path; the others are no-row with the reason same-number, files of a row that
// names another location with the reason other-location. Where less than half of the rows find a file and there are files nobody took, the naming is taken
// as not recognised: all files are present without id, all rows missing with the reason naming, and a finding says so.
// A name that two locations have gets its location's id in front; where a file of one location is called like a folder
// of another ("1" of a flat one, "1/10001" of one with sub-folders), all names do, since such an id may itself be a name.
// Attachment rows without a file have no path, since its spelling is not known.
package inventory

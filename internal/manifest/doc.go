// Package manifest is the format in which the stages of a migration speak to each other, and the streams that read and
// write it. This comment is the specification; design and code follow it, and programs of others may.
//
// The package knows records and bytes. It does not know where a manifest comes from, what SuperOffice is, nor what a
// stage does with what it reads. It imports none of our packages.
//
// # Form
//
// A manifest is a sequence of lines, each one JSON object, called a record. A writer of this format writes:
//
//   - ASCII alone: every character above U+007E, and every control character, stands inside a string as \uXXXX, one
//     beyond U+FFFF as a surrogate pair. <, > and & stand as they are.
//   - one record a line, no white space between its tokens, one LF after it;
//   - "kind" as the first key;
//   - at most two levels of nesting below the record;
//   - instants as RFC 3339 in UTC ("2026-11-22T04:00:00Z") with as many fractional digits as are known, and years up to
//     9999; sizes in bytes; integers below 2^53; digests as SHA-256 in 64 lower-case hex digits.
//
// A manifest holds no secret: no password, no SAS, no credentials in a URL, no file content.
//
// A reader accepts UTF-8 with or without byte order mark and UTF-16 with one; LF, CRLF and CR as line end, mixed too;
// blank lines; a byte order mark at the start of any line, since files get joined; a last line without line end; white
// space inside a record and keys in another order, since people and PowerShell's ConvertTo-Json write records as well;
// and lines of up to 16 MiB, counted in UTF-8 without the line end. It refuses, naming them, UTF-16 without a byte order
// mark, UTF-32, and what gzip or zstd compressed. It ignores fields that it does not know. Records of a kind that it does
// not know, or does not touch, it copies through byte for byte without decoding them; only characters above U+007E, which
// none of our writers leaves, become \uXXXX.
//
// # Kinds
//
// Fields may be added to a kind, and kinds to the format, without a new version. Fields marked ? may be absent. Names of
// types are those of Go in this package.
//
// manifest (Header): the first record.
//
//	format     "omt/1". Another number is refused
//	id         UUID version 7, made by omt-scan; names the folder at the destination. Stays through all stages and revisions
//	tool       program and version that made the manifest first ("omt-scan 0.1.0"); stays
//	created    when it did; stays
//	migration  "test" or "live"; omt-scan's
//	mode ?     "initial" or "recovery", written by the first stage that is given --to; omt-push has the last word
//	phase      "full" or "preseed", written by omt-scan or omt-pack
//	before ?   of a preseed by age: files changed after this instant are left (reason "age"). It is created less the age,
//	           written by the first stage that is given one, and what later stages and reruns go by, whatever their clock
//	           says
//
// edit (Edit): a person changed the manifest by hand, and a stage was told to accept it.
//
//	by    the system account that ran the stage
//	at    when
//	tool  the stage
//	was   the digest that the end record had, 64 zeros where it had none
//
// installation (Installation): what was scanned. One record.
//
//	owner     company name of the licence
//	serial    its serial number
//	version   of SuperOffice, as far as it can be told, else ""
//	engine    "mssql" or "sqlite"
//	database  URL without user info; SQLite: "sqlite:" and an absolute path
//	prefix    of the tables ("crm7")
//	fingerprint ?  a text that is the same for the database however its URL is written, and another one for a copy of
//	          it; compared with that of a target, so that nothing is unpacked into the source
//	areas     names of the areas found, in their order
//	roots     object: area to list of folders, absolute as the scanning machine names them. service: [base, template,
//	          text]; attachment: the locations in the order of their ids
//	map ?     list of FROM=TO, the rewrites of paths in force
//	folders ? list of LOGIN=NAME, the old folders of renamed users
//
// migrator (Migrator): the person who migrates. login, name, email, phone; language ("en"); verified, how the login was
// verified ("database", by the database login alone; "windows", by the account of the operating system; "netserver"); admin, whether the right that makes it an administrator was "confirmed" by a flag
// or "guessed".
//
// freeze (Freeze): one change that froze the source, with what undoes it.
//
//	what             "service-config" or "system-event"
//	already ?        it was frozen before: nothing was changed, and nothing is to be undone
//	path ?           service-config: the file; line ?, where it says frozen
//	inserted ?       the text put in, at offset ? in bytes, written in encoding ? ("utf-16le", "utf-16be"; absent: one byte
//	                 a character)
//	before_sha256 ?  of the file; after_sha256 ? with the text
//	table ?          system-event: the table; id ?, the row's key
//	row ?            object: its columns as texts, without those that are NULL
//
// plan (Plan): a user plan that can be given. name; title; onsite, its name on site or ""; seats; unlimited; source,
// "tenant" (from --plans) or "licence" (the local licence, a hint).
//
// user (User): an internal associate that is not retired.
//
//	id            associate_id
//	login
//	person ?      person_id
//	name, company, group, role, position
//	admin         administrator (crown)
//	confidential  may see confidential activities
//	emails        list, by rank, first-rank first
//	onsite        plan held on site, or ""; written by omt-scan
//	plan ?        name of a plan; absent: undecided; "": chosen to have none. Never written by omt-scan
//	username ?    e-mail address to log in with
//	welcome ?     whether a welcome e-mail is sent; absent: undecided
//
// review (Review): a person, or --auto, settled an item. item ("plans", "usernames", "notifications"); by; at; how
// ("auto", "users", "set", "board", "flag"); summary ?, of notifications: the address of the user summary, or "" for
// none.
//
// address (Address): an e-mail address of a person who is not a user. person; rank; email. Sorted by AddressKey of email
// (lower case), then person, then rank.
//
// removal (Removal): the tenant's side shall take an address off a person's card, since it became a user's name. person;
// email; user, the id of that user.
//
// fact (Fact): a row for rules to look at. name of the fact; id of the row, as text; data, an object.
//
// table (Table): a table of the source, its rows counted.
//
//	name       as declared, without the prefix
//	rows       number of rows
//	columns    list of: name; type as SQL Server writes it ("nvarchar(239)"); null; collation ?; identity ?; computed ?,
//	           the expression of a column whose values do not move; default ?, as SQL text
//	key        list of the columns of the primary or first unique key over columns that are not null; empty: none
//	indexes ?  list of: name; on, columns as SQL Server writes them ("[a],[b] DESC"); unique ?;
//	           include ?, further columns in the same form; where ?, the condition of a filtered index
//
// chunk (Chunk): an object at the destination.
//
//	sha256     of its bytes; its name
//	type       "tar.zst" or "parquet"
//	area       whose content it is; "database" for parquet
//	role ?     of tar.zst: "content", or "links" (hard links to names of content chunks)
//	bytes      its size
//	raw        bytes of the tar stream, or of the canonical rows
//	items      entries, or rows
//	table ?    parquet: name of the table, and
//	first ?    the first and
//	last ?     last key of the part as text
//	rows ?     number of rows
//	content ?  SHA-256 over the canonical rows (encoding: package chunk)
//	schema ?   SHA-256 of the table record without its rows
//	op ?       of a chunk that changes a part: "delta", rows that take the place of those with their keys or come new, or
//	           "delete", keys of rows that are gone. It follows the part's chunk and what was applied before it
//	of ?       with op: the sha256 of the part's chunk
//	after ?    with op, of the last of what one run adds to a part: {rows, raw, first, last, content} of the part's rows
//	           once it is applied
//
// file (File): a file, or a row that should have one.
//
//	area          "template", "document", "service", "attachment"
//	id ?          id of its row, where the area has rows
//	path ?        what the row says, slash-separated, for ever; absent where no path can be told
//	disk ?        what the disk calls it; absent when equal to path
//	root          index in the installation's roots of the area
//	size          bytes; 0 where there is no file
//	mtime ?       time of last change
//	owner ?       login of the author
//	title ?       of the document
//	state         see below
//	reason ?      a word on the state
//	also ?        path in the other folder at a period boundary
//	candidates ?  up to three finds elsewhere, never used silently
//	raw ?         true: the name is not valid Unicode; path, disk, also and same have each bad byte as %XX (upper-case
//	              hex) and each % as %25 (EscapeName)
//	sha256 ?      of the content
//	chunk ?       the chunk that holds the content
//	offset ?      where the content begins in the uncompressed tar stream; absent: 0
//	same ?        the path whose bytes this copy shares
//
// A content is at the destination when its chunk has a receipt in the same manifest.
//
//	state           meaning
//	present         row and file (or a file of an area without rows)
//	missing         row without file, and the parent folder, or its nearest existing ancestor under a readable root,
//	                was listed; reason "outside": the path leaves the root
//	blank-name      no name in the row
//	elsewhere       held by another archive provider
//	no-appointment  no appointment refers to the row; moved where the file exists
//	no-associate    the author or the appointment's associate is gone; moved where the file exists; reason "author": the
//	                folder cannot be named
//	no-row          file without row: left out, or moved with --orphans move
//	shadowed        the same path in an earlier root wins (document and template alone)
//	unreadable      locked, denied, network error, or changed while it was read
//	stored          packed by an earlier run; written by omt-pack alone
//	left            not in this run; reason "area", "age" or "limit"
//
// receipt (Receipt): a chunk is at the destination. chunk; bytes; sent, false where it was there already; at.
//
// check (Check): a rule ran over this manifest. rule; plugin, name and version of where the rule comes from; tool that
// ran it; status, "done" or anything else ("not-completed"), which blocks like an error and cannot be waived; reason ?, why
// it is not done; findings, their number.
//
// finding (Finding): what a rule has to say. rule; severity ("error", "warning", "info"); subjects, list of "user:7",
// "file:document:123", "folder:bob"; message for people; waived, the waiver's reason or ""; final ?, true: no waiver lets
// it stand.
//
// waiver (Waiver): lets findings stand. rule; subject, see below; reason; by; until ?, the last day on which it holds
// (2026-12-31); at; covers, the number of findings it was about when it was given, of any severity. A subject without * and
// ? is that of findings: all findings of the rule that have it are covered, whenever they came. An empty one is about all
// findings of the rule; one with * (any text) or ? (one character) is a pattern, and about those with a subject that it
// fits ("user:*", "file:document:1*"). These two are in force while they are about no more findings than covers says: more
// of them block again, all of them, since nothing tells which are new. A finding that is final is covered by none.
//
// What blocks packing and pushing (Standing): an error that no waiver in force lets stand; a check that is not done; a rule
// that is required (RequiredRules) or has findings, and has no check. A stage that runs rules replaces checks and findings
// of those that ran to their end; of a rule that did not, the earlier result stays if that was done (Merge).
//
// abort (Abort): the last record of a stage that did not finish, in place of end. tool; status, its exit status; message
// for people. A reader stops there with status 5 or 130 if the record says so, else 4. It may be the only record.
//
// end (End): the last record. tool, the writer of this manifest; counts, object: kind to number of lines, of every kind
// but end; sha256 over all lines before it, see Trust.
//
// # Order
//
//	0 manifest        5 plan       10 fact
//	1 edit            6 user       11 table, each followed by its parts (chunks of type parquet)
//	2 installation    7 review     12 chunk, file
//	3 migrator        8 address    13 receipt   15 finding
//	4 freeze          9 removal    14 check     16 waiver    17 end, or abort
//
// At 12 stand first the chunks of earlier runs, in their old order, then area by area (template, document, service,
// attachment; areas of later versions last) the files with their content chunks and then the area's chunks of links. A
// chunk record precedes every file record that refers to it. Inside an area files are sorted by the bytes of path in
// UTF-8, then by id; files without path stand last, by id (FileKey). A record of unknown kind stands anywhere behind the
// first.
//
// Order is a promise that two manifests can be compared in one pass and in constant memory. A Writer refuses whatever
// breaks it.
//
// # Trust
//
// The digest in end is taken over the lines before it as a reader sees them: decoded to UTF-8, without byte order marks
// and blank lines, each line with one LF after it. Encoding and line ends may therefore change on the way, the content
// of a line may not. The line end behind the last line is not part of the contract: a manifest that loses nothing else
// is whole, one cut at any other byte is refused.
//
// A Reader distinguishes, all with status 4: a manifest that is cut short, since there is no end; a line that is no
// record; something behind end; two manifests joined; a first record that is not of kind manifest, or of another format;
// and an end record that does not match, which means that somebody edited the manifest. Only that last one is accepted
// when asked (ReadOptions.AcceptEdits); every line is then also checked to be JSON. The stage that accepts it writes an
// edit record. As the mismatch is known only at the end, such a stage must have read its input once before it writes;
// with a pipe, by way of a temporary file.
//
// Nothing irreversible is done on a manifest before its good end was seen.
//
// # Memory and speed
//
// A Reader holds one line beside 64 KiB, a Writer one line, 64 KiB and some 20 bytes for each chunk record. A Sorter
// holds what it is told. Verify holds checks, waivers, up to 10,000 errors and the subjects of as many findings. Passing records of 250 bytes through a
// Reader and a Writer, with every check made and both digests taken, allocates nothing for a record
// (BenchmarkPassThrough). Measured on an EPYC with SHA extensions, for a second of processor time: 1,100,000 records
// passed through, 2,000,000 file records written and 800,000 decoded. Ten million pairs of 160 bytes were sorted with 32
// MiB at a peak of 72 MiB of the process.
//
// # Why
//
//   - ASCII, because Windows PowerShell decodes the output of a native program with the console's code page and hands it
//     on with "?" for whatever is not ASCII, without any error.
//   - A digest over decoded lines, because the same shells turn LF into CRLF and UTF-8 into UTF-16.
//   - An end record, because the end of a pipe looks the same whether the stage before finished or died, and no pipefail
//     exists in PowerShell.
//   - Kind first, because it lets a stage that touches users pass millions of files through by looking at nine bytes.
//   - The Writer keeps the order and not the Reader, because a stage that breaks it must fail where the mistake is, and
//     every manifest has come out of a Writer; what an accepted edit put out of order is refused when it is copied.
//   - The own encoder and decoder of file records: encoding/json gives ASCII only by a second pass, and takes seven times
//     as long to write and five times as long to read (BenchmarkWriteFile, BenchmarkDecodeFile). They agree with it by test, and leave to it whatever they do not understand.
//   - %XX for names that are not Unicode, because JSON cannot hold them and U+FFFD would make two names one. What is
//     decoded must be what EscapeName makes, so that an escape cannot hold a "/" or a "..".
//   - Sorted runs share one temporary file, because the number of open files is then two whatever the size; it loses its
//     name at once where the system allows, so that a killed process leaves nothing behind.
package manifest

// Package pack turns an installation into chunks in a spool folder, and a manifest of what is in them.
//
// # Promises
//
//   - Nothing is packed unless the input has a good end, was written by omt-assign or omt-pack, and nothing in it blocks:
//     unwaived errors, rules that were not completed, and required ones that were never run refuse it (5). For a pre-seed
//     they are told.
//   - The preflight rules, which are handed in as a function, see the output as it is written. What they say stands in the
//     place of what the input says of the rules that were completed, and waivers are weighed against it; an error that only
//     this run finds refuses the output (5) at its end. The chunks stay in the spool.
//   - The input's tables and files are a forecast. The database is read inside one view of the source, the folders after
//     its rows, and what was found then stands in the output: documents made since the scan too. In a view of one moment
//     the tables are what the database held at that moment, and a table whose rows are not as many as were counted is a
//     failure. In one that is not (see source.Conn), tables that change are read again, for Options.Settle, until all are of
//     one moment (package settle); those for which that cannot be had are findings (table-changed) with the logins of those
//     who changed them. So are tables whose rows become records of files, where they change between that moment and the
//     listing of the files.
//   - Files have no snapshot: they are read after the rows. One whose row came after the moment of the tables has none and is
//     left out (no-row), the next run has it; one that went is missing, and reported.
//   - Files that go ahead by their age are those not changed since an instant that the header holds (before), so that a
//     rerun takes the same.
//   - A table whose rows cannot be had is looked for before anything is packed: what the database names, what the input
//     lists, what refuses to be read or counted (table-missing, see package inventory). It stops the run (5), unless a
//     waiver lets it stand: then the table is left out, has no record in the output, and the finding with the waiver's
//     reason says so there.
//   - The same rows and files give the same chunks at the same level and codec, whatever the number of workers and
//     whatever an earlier run left in the spool. Boundaries of file chunks come from the sorted sizes alone, those of
//     table parts from keys (package parts).
//   - A chunk is reported after it was synced, read back from disk (digest, frame checksums, number of entries or rows)
//     and put in its place under its name. A killed run loses the chunks that were being written, no more: the next one
//     finds the others in pack.journal and reads neither them nor their files again.
//   - A file that changes while it is read is read once more and then reported (unreadable, finding file-changed). One
//     that cannot be read is reported; one root that cannot be listed ends the run.
//   - A part of a table is settled (synced, read back, published, reported) while the next one is written, except where a row
//     of one of the two has 4 MiB or more. Parts are reported in their order.
//   - Memory: a buffer of one chunk (32 MiB) for each worker and one more, of which there are at most MaxWorkers+1, the
//     records of as many groups, and two sorters. The index of contents lies on disk.
//
// # Live migrations
//
// A manifest whose migration is "live" is packed behind a freeze (package freeze), unless it is a part that goes ahead. All
// that can stop it is checked before; between the freeze and the view of the source that is packed nothing else happens, and
// the view is opened anew. Who calls Run thaws when it fails, which may be later than its return (Live.Begun tells). Records
// of an earlier freeze in the input are replaced by those of this one.
//
// # Copies
//
// Content is stored once in an area of a manifest: the first name in manifest order has it, a later one says so (same).
// Not once in the whole manifest, since a hard link names only a path of its own area, and a stock tar must restore every
// name. Copies get hard-link entries in chunks of their own at the end of the area; after 1,000 links to a name the
// content is stored anew. A content that an earlier run has stored is not stored again; then the name that has it may be a later
// one. Two rows that name one file share it without a link. Empty files are stored each by itself.
//
// # Known content
//
// Known are the manifests of former pushes: those that are named (Options.Known) and, of a destination (Options.To), the
// tenant's migration, this one's earlier revisions and all parts that went ahead. What they refer to is at the destination if
// they have a receipt for it and, where the destination is asked, it is listed there with its size. They are read once each,
// before anything is packed; their chunks are kept in memory (some 300 bytes each), their files on disk, and joined with what
// the inventory lists, both in manifest order.
//
// A file whose size and time agree with a known record is not read: it is stored, under the digest, chunk and offset of that
// record. With Options.Rehash every known file is read, and its digest decides in place of size and time. Its state becomes
// stored where it would be present; other states of files that move say more and stay. A table part that holds the rows of a
// known one (table, schema, range and content agree) is dropped for that one's record. Chunks of links are made new.
//
// Where a name was stored more than once, the content that a stock tar restores is that of the last chunk that has it. So the
// chunks of several manifests are put into one order, and a name that would not come out of it right is packed anew: order
// and choose say how. Of one manifest alone the order is its own.
//
// # Forecast
//
// Ahead says what Run would do and makes nothing but a temporary folder, which is gone at its end: files are planned as Run
// plans them, and what is not stored is counted, with the share to which the known chunks of its area were compressed. Copies
// among them show only when they are read, so they count; chunks of links do not. A table's rows are counted. What will have
// changed in them is taken to be what the last known manifest brought anew for rows that the one before had; at most it is the
// table. Nothing is said of a time that was not measured: that of the last reading of tables stands in the spool.
//
// # What is stored already
//
// To the packer a file record that comes with a chunk is stored: it is passed through in its place and its file is not read.
// All others are packed as ever, and boundaries of new chunks come from their sizes alone. The records of all areas go
// through a plan first (newPlan, add for each, settle), in manifest order, because a copy may stay one only if its original
// is stored with the same content in this manifest, and because the chunks of earlier runs that are referred to
// (earlier.needed) stand before the first area, in their old order. After that plan.list gives the records of an area to
// packer.pack in place of the inventory. Stored originals are in the index of contents from the beginning, so a new file
// may be a copy of a stored one whose name comes later; a stored copy without an original is packed anew (plan.lost may say
// otherwise: such a copy gets no link). Chunks of links cover stored copies too.
//
// # Again
//
// Again starts from a committed manifest instead of a database. On disk it finds what is missing and what has another size or
// time (package inventory); a stored file with another time alone is read, and if its content is what it was nothing becomes
// of it. Or it takes files from another manifest of the same installation, walked beside the base in their order, and by the
// ids of rows where paths differ. What is to be packed goes through the same packer, in the order of the new records, into
// chunks of its own: those of the base are not touched, and of chunks of another manifest only the wanted contents are taken
// out and packed anew, so that a document does not bring 32 MiB with it.
//
//   - The index knows those stored originals of the base that nothing replaces and whose size is that of a file that is
//     packed. A copy whose original is replaced names another original of its content or, without one, is taken out of its
//     chunk at the tenant: its own file may be gone.
//   - The base's other records are copied byte for byte. The record of a file without row that a row has found is left out.
//     Roots stay those of the machine that scanned; folders that this machine has more come behind them.
//   - Memory holds the lines of the base's chunks (some 300 bytes for each), a set of sizes (1 MiB), four sorters, and what
//     the packer holds.
//
// # The spool
//
// chunks/ab/<sha256>.<type>, pack.journal (see journal), rows (row digests of parts), reading.json (how fast tables were read
// last), pack.lock, and tmp/pack, which a run empties when it begins.
// With a limit, a group takes room in manifest order, since a push takes chunks away in that order; a wait ends after 30 s
// without a push. Tables of a database without snapshots do not keep to a limit: their records, which say how many rows
// there are, can only be written when all are settled. The parts of a reading that another one takes the place of are removed.
//
// # Why
//
//   - Groups are held in memory between hashing and compressing, so that each file is read once and the decision about
//     copies, which must be made in manifest order, stands before any byte is compressed. Only a file that is larger than a
//     chunk is compressed before it, and its chunk dropped when it turns out to be a copy.
//   - The journal names a group by paths, sizes and times, and its outcome holds only if every decision about copies comes
//     out the same again; so a run with a journal gives what a fresh run gives.
//   - What is known and what is planned lie on disk in manifest order and not in a database: each is written once, and read
//     once or twice from its beginning to its end.
//   - Rows are read and encoded although their part may be known, because only they say so.
//   - The root that a file was found under does not count when it is compared with what is known: a share that is mounted
//     elsewhere the next time would make everything new.
//   - A file that got its former content and time back while another content was stored in between is packed anew, since its
//     former chunk stands before that other one. It is rare, and the order of chunks stays one that needs no table.
//   - The index is a log and hash tables of our own in place of an embedded database: it is written once, in one order,
//     and thrown away, and costs a read and a write for each file.
//
// # Figures
//
// From make bench on two busy cores, 50,000 generated files (3.1 GB), medians of three runs in turn. Packing with
// read-back: 0.91 times the wall time of tar | zstd -3 -T0 (29.2 / 31.9 s; processor 32.6 / 30.6 s), 0.37 times that of
// restic 0.14 (78.6 s; processor 0.52 times). A run that finds nothing changed: 0.42 times restic's (3.6 / 8.7 s), but 8
// times a look at every file, most of it sorting, the index, and reading the tables again. Peak memory 196 MiB. Tables
// with read-back: 156,000 rows/s, 0.89 times a bare SELECT * through the same SQLite driver and one connection. Ten
// million documents of a few bytes with their rows: 111 µs of processor time for one, 168 MiB (of 100,000: 107 µs, 167 MiB); 20
// million rows: 9 µs a row, 100 MiB.
//
// With Options.Known and an empty spool, on the same 50,000 files while the machine did much else: nothing changed, 2.2 s of
// processor time with tables and rules (a find that looks at every file: 0.16 s; wall 7 to 12 times it), 98 MiB, no file
// opened; a fifth is looking at the files, the rest sorting, reading and writing records. One file in a hundred changed: the new chunks of
// files, one of links included, have 17.6 MB, 0.76 times the 23.3 MB of the changed files. Of 300,000 files of a few bytes: 35 µs
// of processor time for one, 144 MiB; with Rehash 75 µs.
package pack

// Package restore is the tenant's side: it takes a committed migration from a destination and makes files and a
// database of it again (Unpack), proves that everything is there and whole, at the destination and in a database (Verify),
// and tells what is in it (List).
//
// # Promises
//
// Nothing is written outside the folder that was named: a path that would leave it is an error before the first byte,
// and links are never followed. Every byte that is written has been checked against the manifest: the digest of the
// chunk, the checksums of its frames, the digest of each file and of the rows of each table part. A run that was killed
// at any moment is gone on with by the same command; a chunk or part counts as done once its files are closed and, on
// systems that can say so, on disk, which is asked for eight chunks at a time. Memory does not grow with the number of
// files or rows: records are sorted by chunk and offset on disk, so each chunk is read once, whatever the number of
// copies of its content.
//
// # Layout
//
// Files go to DIR/<area>/<path>. While a run is unfinished DIR holds .omt-unpack.json, which names the migration and
// revision, and .omt-unpack.done, one chunk digest a line (and a digest that stands for the database, once nothing is
// left but to finish it); both are removed at the end. A folder that holds anything else is refused, as is a database
// that holds tables under the prefix, the database that the migration was taken from, by whatever name (its fingerprint is
// in the manifest), and a folder inside one that it was taken from. Both targets are looked at before either is written
// to, and both are finished when everything is in both.
//
// A database gets one table more than the source has: source.UserTable, a row for each user of the migration. What the
// engine or the server cannot make as it is declared (source.Note) is told at the end.
//
// A name that is not valid Unicode (raw in its record) gets its own bytes back where the system's names are bytes, and
// stays in its escaped form on Windows. Letter case is as the rows have it.
//
// # Proof
//
// Verify reads each chunk once, whatever the number of connections that break meanwhile: what has come is not asked for
// again where the destination is wrapped by destination.Retry. A chunk that cannot be read since the way to the
// destination is down, or the credential has ended, says nothing of the chunk: the run ends, and is gone on with.
//
// What was found good is noted in a file below VerifyOptions.State, one line for each chunk (or for each job or piece of
// one), whose name is made of destination, migration, revision, manifest and depth; it counts for seven days from the
// beginning of the first run. What was found wrong is looked at again. A chunk on which a run was killed is read anew, from
// its first byte. The file goes when the proof has come to its end, whatever it found. Two runs at once: the second keeps
// nothing. Migration.Keep stores what was found beside the revision (tenant.Proof), with the times of the first run's
// beginning and the last one's end.
//
// A sample is a window in the space of digests: [From, From+Sample). Migration.NextSample puts it behind those of the proofs
// that are kept, so that a run that goes on has the same window, and samples in a row read everything; a larger sample
// of the same beginning includes a smaller one. Where nothing lies in the window the nearest is read. Chunks of 64 MiB of
// tar stream and more, each of them one file, are sampled in pieces of 16 MiB: by the seek table, the frames of the piece alone are
// asked for, and their checksums looked at. That proves that these bytes are whole, not which file's they are.
//
// # Proof of a database
//
// Verify compares a database with the migration: the one that was unpacked, or the source again, on either engine. Its rows
// are put into the order of the parts and cut as they were when they were packed (package parts), and the digest and the
// number of rows of each such part are compared with the record of the migration's. A part whose rows agree is not
// downloaded. From one that differs on, both sides are walked in the order of their keys until both stand at the boundary
// of a part again, since a row that comes or goes may move a boundary. The counts of rows that are missing, too many or
// different are exact, whatever was done to the table. Rows of a table without a key are told apart by their digests and
// counted as often as they stand there; a different one is one missing and one too many.
//
// Told is also what is missing, of another type or too many among tables and columns; tables that the migration does not
// know, and types that keep every value as it is (a rowversion made binary(8)), are told and are no difference. Tables and
// columns are found without regard to letter case. E-mail rows that unpacking removes (removal records) may be gone or
// there. A column whose values cannot be compared, because it is not there or of another kind, is left out, and the rows
// are compared in the others: then every part of the table is downloaded.
//
// Not compared are computed columns, and of declarations anything but the type: whether NULL is allowed, defaults,
// collations, keys and indexes. Rows are read once, in one view of the database where it gives one. Memory does not grow
// with tables: rows lie on disk while they are sorted, and what is beyond 16 MiB of a part until its digest is known.
//
// A part that cannot be read where its rows are needed is told, and its table counts as different; other tables go on.
//
// # What it does not know
//
// Whether the file system of the folder ignores letter case: there, two paths that differ by case alone become one file
// (of the same bytes where both rows meant one file, as they do on a Windows share). Whether the tenant's application
// likes what it gets: that is the receiver's test.
//
// # Figures
//
// From make bench on two busy cores: a full proof of 3.1 GB in 50,000 files took 0.46 times the processor time of restic
// 0.14 check --read-data (7.6 / 16.7 s; wall 5.3 / 13.0 s), in 80 MiB. Of ten million documents of a few bytes with their
// rows: unpack 71 µs of processor time for one in 119 MiB, full proof 21 µs in 127 MiB; of 100,000, 67 and 23 µs.
//
// Comparing a SQLite database, by verify --depth names --db, in seconds of processor time on the same machine under load
// (reading and encoding run beside each other): a table of 1,000,007 rows of 19 columns with an integer
// key took 5.2 s (median of three), 192,000 rows in a second, at a peak (VmHWM) of 68 MB; 1,000,000 rows of three columns without a key 3.8 s,
// 131 MB. With every row of a million changed and another million missing it was 93 MB. Packing the same rows takes 1.3 to
// 1.5 times as long.
package restore

// Command omt-pack turns what omt-assign decided into chunks: tables as Parquet, files as .tar.zst, laid down in a
// spool folder for omt-push. On the tenant's side it proves, lists and unpacks what was pushed.
//
//	omt-pack --in assigned.jsonl --spool omt-spool --out packed.jsonl
//	omt-pack --in assigned.jsonl --spool omt-spool --to @tenant.url --out packed.jsonl
//	omt-pack --in assigned.jsonl --spool omt-spool --known done.jsonl --out packed.jsonl
//	omt-pack --in assigned.jsonl --spool omt-spool --to @tenant.url --dry-run
//	omt-pack thaw --spool omt-spool
//	omt-pack verify --from file:///srv/tenant --depth content
//	omt-pack verify --from file:///srv/tenant --depth names --db sqlite:new.sqlite
//	omt-pack list   --from file:///srv/tenant [--names]
//	omt-pack unpack --from file:///srv/tenant --files DIR --db sqlite:new.sqlite
//
// The input is read to its end before anything begins. What scan listed is a forecast: pack reads the database and the
// folders again, inside one snapshot where the database gives one, and its manifest says what was found then.
//
// Where the database gives no snapshot (or the URL says snapshot=off), every table is read twice, and tables that changed are
// read again until all are of one moment, for two minutes or --settle. Tables that go on changing are errors (table-changed)
// that name them and the logins of those who changed them. With --settle 0 nothing is read twice: changes are looked for in
// numbers of rows, keys, dates and the log of changes alone, and an update that shows in none of them is not seen.
//
// Nothing is packed while an error stands in the input that nobody waived, or a rule was not run to its end: what blocks is
// told, one line a rule. The preflight rules (--plugins DIR, as omt-scan takes it) are run over what is packed as well; an
// error that only they find then ends the run with 5, and the chunks stay in the spool. For a part that goes ahead (--only,
// --older-than) findings are told and stop nothing. --older-than 30d takes the files that were not changed in the 30 days before
// the scan; the instant stands in the manifest (before), and a rerun, at whatever time, takes the same files.
//
// --known FILE (repeatable, the oldest first) names manifests that omt-push wrote, and --to URL a destination, whose own
// manifests are read: those of the tenant's migration, of this one's earlier revisions, and of all parts that went ahead. A file
// whose size and time agree with what they say is stored is not read: its record is of state stored and names the chunk that is
// there. --rehash reads every known file and goes by its digest. A known chunk must have a receipt, and with --to be listed.
// Table parts are read and compared; of those whose rows are at the destination nothing is kept. With --to a tenant of another
// company name or serial number is refused before anything else is done (5), and the manifest gets its mode. Nothing is
// written there. A manifest of another company, or without receipts, is refused (5).
//
// --dry-run says on standard output what the same command line would send now, and for about how long: files as they would be
// planned, tables by their rows and by what known manifests say was sent of them, the rate by the spool's receipts of the last push.
// It packs, writes and freezes nothing, --out neither, runs no rules, and is refused as the run would be by its input. It ends
// with 0.
//
// So a chunk may hold files that have changed or gone since. A tar that is given the chunks in their order takes the last entry
// of a name, which is the right one; names that are gone are extra, unless list --names says to tar --no-recursion -T which
// are meant.
//
// A live migration (omt-scan --live) is frozen before it is packed. It needs --to. Checked first are the tenant, the right to
// write there and how long its SAS is good, the room for the spool, the three reviews, the migrator, and that what is to be
// frozen can be. Who is logged on is shown; --wait-idle 30m waits until nobody is. Then it is asked, unless --yes answers.
// --freeze service,event says what is frozen: a line in Customer Service's config, and an event in the database that keeps the
// Windows client out, whose key (--event-key) is not documented and whose default is a guess. Web users are not stopped.
// Each change stands in SPOOL/freeze.jsonl before it is made. A run that fails or is interrupted thaws; after one that was
// killed the same command goes on, or omt-pack thaw undoes exactly what was recorded (--spool, or --in with the manifest),
// any number of times. It refuses (5) what somebody has changed since, showing both, and --leave-changed then leaves that as
// it is. After success the installation stays frozen.
//
// verify --db compares the rows of a database with those of the migration: the one that was unpacked, or the source again.
// It names tables, keys and columns that differ. unpack --db writes a table omt_user besides those of the source, one row
// for each user of the migration, for whoever makes the accounts at the tenant (package source describes it); and it says
// at its end what is in the database otherwise than at the source. Their --db has no variable: of unpack since it says
// what is written to, of verify since a good proof of the database of another day misleads.
//
// A run that was killed is gone on with by the same command: finished chunks are not made again. The same input gives
// the same chunks, whatever --workers says.
//
// Table parts are Parquet files whose pages are compressed with zstd. --table-codec snappy or gzip is for readers that do
// not know zstd, as those in SQL Server and Azure Synapse; it takes more room, and the rows are the same.
//
// Exit statuses: 0 done; 1 could not finish; 2 command line or configuration wrong, nothing was read; 3 done, but a plugin
// did not start, or a rule of it cannot be run; 4 the input is cut short, edited or from a failed stage; 5 refused (an error that nobody waived, a rule that was not run to its end, a
// plugin that is not the one that was locked, another company or serial number, a target that is not empty or is the
// source); 130 interrupted, run it again to go on. verify ends with 1 where anything is missing or differs, at the
// destination or in the database.
package main

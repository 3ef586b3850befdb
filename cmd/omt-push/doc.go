// Command omt-push sends the chunks that omt-pack laid down in a spool to the tenant's destination, commits the
// manifest there with a receipt for every chunk, and writes it out.
//
//	omt-push --in packed.jsonl --spool omt-spool --to file:///srv/tenant --out done.jsonl
//	omt-push --in packed.jsonl --spool D:\spool --to '@tenant.url' --out done.jsonl
//	omt-push status --to file:///srv/tenant [--json]
//	omt-push accept --to '@tenant.url' [--close]
//	omt-push collect --to '@tenant.url' [--older-than 7d] [--dry-run] [--json]
//	omt-push report --to file:///srv/tenant --out report.html
//	omt-push report --runbook --in assigned.jsonl --to '@tenant.url' --start '2026-11-27 20:00' --out runbook.html
//
// --to is a folder (file:///path, a path, on Windows also C:\path and \\server\share), which is made if only its last part
// is not there; a container of Azure Blob Storage (https:// with a SAS, azblob:// with a credential of the environment); or
// a bucket of S3 (s3://). --ca FILE trusts a company's own authority. What the credential may not do, and what the
// destination cannot hold, is said before anything is sent. A SAS that ends is read again from its @FILE.
//
// From a file, the input is read to its end first. From a pipe, chunks are sent as their records arrive, and nothing is
// committed before the input's end was seen to be good. Before the commit the destination is listed: every chunk must be there.
//
// A run that was killed, or whose destination broke off, is gone on with by the same command: what has arrived is not
// sent again. What was committed already is not pushed again; the same output is written and the run ends as the first
// time. Packed again with other content, the same migration becomes the next revision. Two pushes at once: one wins,
// the other says so.
//
// # When documents turn up later
//
//	omt-push --in done.jsonl --to '@tenant.url' --out done2.jsonl
//
// A manifest that omt-push wrote is looked at again: every file that was not stored is looked for in the archive, every one that is
// compared by size and time; what is found or has changed is packed, sent and committed as the next revision. The tenant's
// latest revision is what counts, whichever is given. The folders are the manifest's; --root, --map, --folder, --install and --config
// say where they are on another machine, which needs the manifest and the archive alone: no database is opened. --root AREA=
// leaves an area as it is. A folder that cannot be read ends the run (1).
//
// # When the tenant holds another migration
//
// The push is refused (5) with the lines to type. --recover missing takes missing and changed files from the input and nothing
// else; --recover overwrite puts the input in the place of a test migration.
//
// Nothing is committed while an error stands that nobody waived, or one of the required preflight rules was not run to its
// end: what blocks is told, one line a rule. A part that goes ahead is pushed all the same.
//
// Chunks leave the spool after the commit, unless --keep is given; when omt-pack keeps the spool small (--spool-limit),
// as soon as the destination has them.
//
// accept says that users work with the tenant's live migration from now on: its database is closed, and files alone are
// added; with --close not even these. collect deletes the chunks that nothing refers to any more and that are older than
// --older-than; its credential must be allowed to delete (sp=rcwld of a SAS, s3:DeleteObject). It may run beside pushes,
// which wait for it and send what it has taken from them. --dry-run counts and changes nothing.
//
// --bandwidth holds back what is sent: over the wire to a service (heads, TLS and repetitions included), and as it is
// written to a folder. It is a rate (20Mbit, 2.5MB/s) or a timetable of this machine's clock ("08:00-17:00=20Mbit,100Mbit":
// from 8 to 17 o'clock 20, else 100); all workers share it, and a change takes effect at once. What is read is not limited.
//
// report --runbook writes the migration down as steps, from the order to the follow-up: commands filled in for bash and
// PowerShell, times as far as the last push and its proof measured them, and the way back from each step. It takes the sizes
// from --in (a manifest of any stage), what the tenant holds from --to, or both; --start gives clock times, --format markdown
// a text for a ticket.
//
// # Exit statuses
//
//	0    committed, and nothing is missing
//	1    could not finish
//	2    the command line is wrong; nothing was read
//	3    committed, but documents are missing: standard error names the first ten, the manifest all
//	4    the input is cut short, edited or from a failed stage; nothing was committed
//	5    refused: written by neither omt-pack nor omt-push, an error that nobody waived, a rule that was not run to its end, another company
//	     or serial number, a tenant that holds another migration, or another push has won; accept: there is no live
//	     migration; collect: a push has begun to commit and not said yet what it refers to
//	130  interrupted; run it again to go on
package main

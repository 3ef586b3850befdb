// Command omt-push sends the chunks that omt-pack laid down in a spool to the tenant's destination, commits the
// manifest there with a receipt for every chunk, and writes it out.
//
//	omt-push --in packed.jsonl --spool omt-spool --to file:///srv/tenant --out done.jsonl
//	omt-push --in packed.jsonl --spool D:\spool --to '@tenant.url' --out done.jsonl
//	omt-push status --to file:///srv/tenant [--json]
//	omt-push report --to file:///srv/tenant --out report.html
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
// Nothing is committed while an error stands that nobody waived, or one of the required preflight rules was not run to its
// end: what blocks is told, one line a rule. A part that goes ahead is pushed all the same.
//
// Chunks leave the spool after the commit, unless --keep is given; when omt-pack keeps the spool small (--spool-limit),
// as soon as the destination has them.
//
// The flags of later builds (--recover, --bandwidth, report --runbook, and the subcommands accept and collect) are refused.
//
// # Exit statuses
//
//	0    committed, and nothing is missing
//	1    could not finish
//	2    the command line is wrong; nothing was read
//	3    committed, but documents are missing: standard error names the first ten, the manifest all
//	4    the input is cut short, edited or from a failed stage; nothing was committed
//	5    refused: not written by omt-pack, an error that nobody waived, a rule that was not run to its end, another company
//	     or serial number, a tenant that holds another migration, or another push has won
//	130  interrupted; run it again to go on
package main

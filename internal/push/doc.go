// Package push is the verb of omt-push: it sends the chunks that a packed manifest names from a spool to a destination,
// commits the manifest with a receipt for each chunk as a revision of the tenant, and passes it on. It knows no driver,
// no flag and no other verb.
//
// # Order of things
//
//  1. the input is read. From a file it was checked to its end before; from a stream its lines are copied into the
//     spool, and chunks are sent as their records arrive, since an object named by its content harms nobody
//  2. what the destination cannot hold is refused (from a stream, as the records arrive); company, serial number and migration are judged against the tenant, before the first chunk is sent
//  3. at the input's good end: committed already? Then nothing is done, and the committed manifest is passed on again.
//     Who wrote it, what blocks it: unwaived errors, rules that were not completed, required ones that were never run
//  4. the remaining chunks are sent; then the destination is listed, and every chunk must be there with its size
//  5. the manifest with receipts is made in the spool, compressed, and committed (package tenant)
//  6. it is read back from the destination, checked against its digest, and written to the output
//  7. chunks that it names are removed from the spool, unless they are to be kept
//
// A run that is killed anywhere, or whose destination breaks off, is gone on with by running it again. From step 5 on
// it finishes the same revision, as long as the journal was not lost in between; else it makes the next one.
//
// # Looking again
//
// An input that omt-push wrote is looked at again. What its tenant holds of that id by now, its latest committed revision, is
// the base: the input where that is it, else the manifest at the destination, and a line says so. Step 3 is then
//
//   - a function that is handed in (Options.Repack) looks on disk for what the base does not have and for what has changed,
//     packs it into the spool and writes the manifest that then holds; push knows nothing of how
//   - nothing to take: nothing is committed, the base is passed on, and the run ends as the push that committed it
//   - else steps 4 to 7 bring that manifest, as the next revision of the same id with the mode that it had. Receipts that
//     the base has spare the journal; the destination is listed all the same before the commit
//
// The base's checks, findings and waivers stay as of their time, and are not asked again whether they block: they let this
// migration pass when it was packed, and a document that is found cannot make it worse. So a finding document-missing goes on
// saying how many were missing when the rules ran; what is missing now is counted anew by push, in the commit, in what it tells
// people and in its status.
//
// An edit that was accepted (edit record) makes a revision, though nothing is found, when it was made to the tenant's latest
// one; else it is refused. A part that goes ahead is not looked at again: it is packed anew.
//
// # Another migration at the tenant
//
// The mode is found out (package tenant, Judge): recovery, where the tenant holds a migration with another id. Without a choice
// that is refused with the command lines to type (Options.Line). With overwrite the input is committed in its place, as any
// other. With missing the tenant's manifest is the base, and files are taken from the input: Repack gets both. Nothing of a
// stream is sent before its end then, since most of its chunks are not wanted. The result is the next revision of the tenant's
// id. At a tenant that was accepted the same is done for a manifest of its own id.
//
// # Collect
//
// Collect deletes the chunks that no manifest names that counts and that are old enough; package tenant says which
// manifests count and how it keeps out of the way of pushes. Manifests are read and the destination is listed first; only
// then pushes are made to wait, for as long as chunks are being deleted. The right to delete is tried before anything is
// read. With DryRun nothing is written, ages are told by this machine's clock, and what is counted may change until it is
// done. Names of chunks are not listed: they are digests and tell a person nothing. Manifests, claims and records stay.
//
// It needs 9 bytes for each chunk that a manifest names that counts, and 48 for each that is spare: 46 MB at most with
// 100,000 of each, 133 MB with 1,000,000.
//
// # Receipts journal
//
// SPOOL/receipts.jsonl says what destinations have acknowledged, so that a chunk is neither sent nor asked for again.
// It is only ever appended to, one line for each receipt, synced before the receipt counts, but for those that a listing has
// told, as the next one would again:
//
//	{"chunk":"<sha256>","bytes":30412345,"sent":true,"at":"…","push":"…","to":"file:///srv/tenant","sum":"<16 hex digits>"}
//
// push is when the push began that wrote the line. sum is the first 8 bytes of the SHA-256 of what stands before `,"sum"`. A last line that is torn is cut off. Lines that
// are damaged are left out when the journal is next opened; the destination is then listed, which tells what they said.
// Lines of another destination count for nothing here.
//
// The journal is believed for what need not be sent. It is never believed for a commit: step 4 asks the destination,
// once, not once for each chunk. What the journal says and the destination does not have is sent again.
//
// It also tells how fast the last push was (Measured): the bytes that it sent between its first receipt and its last.
//
// # Progress
//
// One line an area, as the vendor's upload page has them, between Starting and Finishing. What an area's line counts as done
// are bytes that this run has sent; of a chunk of which an earlier run had sent a part, that part is skipped like chunks that
// are there. What must be sent again is taken back. The totals of a stream are told at its end.
//
// # Memory
//
// Some 300 bytes for each chunk record, whose number is that of table parts (65,536 rows) and of 32 MiB of files:
// 100,000 of them for 3 TB. Findings, checks and waivers. Nothing for a file record but the first ten that are missing.
// Measured with 10 million file records in 12,500 chunks (a manifest of 3.4 GB, stored in 500 MB): 41 MB at most from a
// file, 56 MB from a stream; from a file 8 µs of processor time a record for all four passes (checking, looking through,
// writing with receipts, reading back).
//
// Looking again holds the lines of the base's chunks as well. Measured with 2 million file records in 245 chunks, of which one file
// was found and the others were gone from disk: 86 MB, 25 µs of processor time a record for all that is done.
package push

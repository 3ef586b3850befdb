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
// # Receipts journal
//
// SPOOL/receipts.jsonl says what destinations have acknowledged, so that a chunk is neither sent nor asked for again.
// It is only ever appended to, one line for each receipt, synced before the receipt counts, but for those that a listing has
// told, as the next one would again:
//
//	{"chunk":"<sha256>","bytes":30412345,"sent":true,"at":"…","to":"file:///srv/tenant","sum":"<16 hex digits>"}
//
// sum is the first 8 bytes of the SHA-256 of what stands before `,"sum"`. A last line that is torn is cut off. Lines that
// are damaged are left out when the journal is next opened; the destination is then listed, which tells what they said.
// Lines of another destination count for nothing here.
//
// The journal is believed for what need not be sent. It is never believed for a commit: step 4 asks the destination,
// once, not once for each chunk. What the journal says and the destination does not have is sent again.
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
package push

// Package report tells what became of a migration: one page that a customer's manager can read and keep, the same as a
// table (CSV) and as JSON, and the user summary, which it sends by e-mail. It reads what was committed at a destination
// (package tenant) and asks nothing else: neither the installation nor a spool. It knows no driver, no flag and no other verb.
//
// # Promises
//
//   - The sums add up, or no report is written (Gather fails with status Failed and says what differs). For each area: in
//     the installation = stored + missing + left out, and each of the latter two is the sum of its reasons. The records of
//     all areas are as many as the manifest's end counts; what is missing as many as the commit says; chunks and their
//     bytes, too; each chunk has a receipt; the rows of each table are those of its parts; documents and attachments with a row are
//     as many as their table has rows, unless a finding says that the table changed meanwhile. The page lists these sums.
//   - Stored means: the record names a chunk, and the chunk has a receipt. Missing is what push calls so: what should have
//     moved and has no chunk. Left out is what was not to move: files that nothing refers to, that another one takes the
//     place of, that were not in this run, that hold passwords.
//   - What was proved is what proofs beside the revision say, of exactly this manifest. One that was changed proves nothing,
//     and is named. Without any the page says that nothing was proved.
//   - Text of the installation is hostile. In the page it is escaped, isolated from the direction of what stands around it, and
//     characters that turn directions are replaced; a content security policy forbids everything but the page's own style. In CSV a
//     cell that a spreadsheet would take for a formula gets an apostrophe in front (unlike package sheet, whose tables come back).
//   - The page needs no script and nothing from elsewhere, prints, and shows the first 500 entries of a list; the CSV and
//     the JSON have all, and the page says so.
//   - The user summary goes to the address in the manifest's review of notifications, and to nobody else. It is sent once:
//     that it was sent is kept beside the revision (tenant.Mailed), after the mail server has accepted it, and the same
//     table is not sent to the same address again, for later revisions neither, unless that is asked for. A run that is
//     killed between the two sends it a second time, with the same message id; where nothing may be written at the
//     destination every run sends it, and says so. No password is in it. Welcome letters are listed, not sent.
//
// # Times
//
// A scan's time is the manifest's; choices have those of their reviews; sending is from the first to the last receipt that
// says sent, of the receipts between two commits; a commit is from its claim to it. How long packing took is not known.
//
// # Memory
//
// The manifest is read once, as a stream. Held are some 200 bytes for each chunk, and users, plans, removals, findings,
// checks and waivers. What did not make it is kept in a temporary file, of the size that its records have. Measured with
// 2,000,000 files, 100,000 of them missing (TestScale, two cores that many other programs kept busy): 38 MB at most, as many
// as with 500,000 files; 34 s to read the manifest; 168 kB of page.
package report

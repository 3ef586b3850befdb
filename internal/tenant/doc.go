// Package tenant is the layout of a destination: where chunks, revisions and the tenant's state lie, how a revision comes
// into being, and how it is read again. It works on any destination.Destination and asks one atomic operation of it: to
// create an object if it is absent. It knows no driver, no verb, and nothing of what chunks contain.
//
// # Layout
//
// Nothing is ever overwritten but omt-tenant.json, a convenience copy of the highest state record that nobody but
// people should read.
//
//	chunks/ab/<sha256>.<type>                    content, named by the SHA-256 of its bytes
//	migrations/<id>/<revision>/open.json         a push has claimed the revision (Claim)
//	migrations/<id>/<revision>/manifest.jsonl.zst  the manifest with its receipts, zstd
//	migrations/<id>/<revision>/commit.json       the revision exists (Commit); without it, it does not
//	migrations/<id>/<revision>/proof-<n>.json    what somebody looked at there, and found (Proof)
//	migrations/<id>/<revision>/summary-<n>.json  the user summary was sent by e-mail (Mailed)
//	preseeds/<id>/<revision>/…                   the same of manifests of phase "preseed"
//	state/<number>.json                          the tenant's states; the highest number is its state (State)
//	omt-tenant.json                              see above
//
// id is the manifest's id, a UUID in lower case. revision and n have 6 digits and number 8, all from 1.
//
// # Records
//
// open.json, commit.json, proofs and the state records are one line each: a JSON object whose last field, "sha256", is the
// SHA-256 of the bytes of the line that stand before `,"sha256"`. A record in which any bit has changed is thereby
// found, and refused. Unknown fields are ignored. Times are RFC 3339 in UTC.
//
// Claim: format ("omt/1"), id, revision, phase, migration ("test", "live"), company, serial (both of the manifest's
// installation), input (digest of the manifest that push was given: that of its end record, or of its lines if it was
// edited), manifest ({sha256, bytes} of manifest.jsonl.zst as it will be), spool (the id of the spool it comes from), tool, at.
//
// Commit: format, id, revision, phase, migration, mode ("initial"), company, serial, manifest ({sha256, bytes}), end
// (digest in the stored manifest's end record), input, counts (that end record's), chunks and bytes (of the chunks that
// the manifest refers to, each once), missing (files that should have moved and did not), tool, at.
//
// State: format, number, company, serial, state, at, tool; migration, the Commit that is the tenant's, absent before
// the first; pending, the Commit on its way, in records of state "migrationpending" alone; history, one {number, state,
// id, revision, at} for each state that was not pending, oldest first, this one included.
//
// The states are our own record, named after the vendor's: of its names (Unknown, Provisioning, Running, Deleted,
// Suspended, OnlineMaintenance, OfflineMaintenance, ProvisioningFailed, Deleting, DeleteFailed, MigrationPending), in
// lower case, this build writes two. A committed test migration leaves "offlinemaintenance". "migrationpending" stands
// for the moment in which a revision is being committed; it is not written while chunks are being sent, so that a
// push to the wrong tenant that is stopped leaves no company name behind.
//
// # How a revision comes into being
//
//  1. open.json                    claims the number; whoever loses takes the next one
//  2. manifest.jsonl.zst           after all chunks were seen at the destination
//  3. state/<n>.json, pending      the gate: n is one more than the highest number that was judged. Whoever loses judges
//     anew and may find that another push has won
//  4. commit.json                  exactly the pending commit
//  5. state/<n+1>.json             the pending commit is now the tenant's
//  6. omt-tenant.json
//
// Before step 3 nothing of a push counts, and after it anybody finishes steps 4 and 5, which need nothing but the gate
// record and give the same bytes whoever takes them: the same push after a kill, or another one before it judges. So
// two pushes at once end with one that won and one that is told so, and a kill at any step leaves nothing half done for
// longer than until the next push. A preseed changes no state; of it there are steps 1, 2 and 4.
//
// # Why
//
//   - The gate, because commit.json alone cannot keep two migrations with different ids from both being committed, and a
//     state record after it would come too late.
//   - A claim is taken up again only by the same spool with the same input and the same manifest, because whether
//     another one is dead or at work cannot be seen from here. What it leaves behind is one small object.
//   - Digests inside the records, because a state in which one letter changed is still JSON.
package tenant

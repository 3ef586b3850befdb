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
// edited), recover (as --recover says; "again" for a push that looked again; absent without), over (the id of the migration
// whose place it takes; absent where it takes none), base (the revision that it adds files to; absent for one that stands
// for itself), manifest ({sha256, bytes} of manifest.jsonl.zst as it will be),
// spool (the id of the spool it comes from), tool, at.
//
// Commit: format, id, revision, phase, migration, mode ("initial", "recovery"), company, serial, manifest ({sha256,
// bytes}), end (digest in the stored manifest's end record), input, counts (that end record's), chunks and bytes (of the
// chunks that the manifest refers to, each once), missing (files that should have moved and did not), tool, at.
//
// State: format, number, company, serial, state, closed (true, or absent), at, tool; migration, the Commit that is the
// tenant's, absent before the first; pending, the Commit on its way, in records of state "migrationpending" alone;
// seeding, the Commit of a preseed on its way; collecting, {run} while chunks are being removed; history, one {number,
// state, id, revision, closed, at} for each state that the tenant's migration came into, oldest first. Records that
// follow one another may say the same but for what is on its way.
//
// # States
//
// The states are our own record, named after the vendor's: of its names (Unknown, Provisioning, Running, Deleted,
// Suspended, OnlineMaintenance, OfflineMaintenance, ProvisioningFailed, Deleting, DeleteFailed, MigrationPending), in
// lower case, this build writes four.
//
//	unknown             nothing but parts that went ahead were committed, or chunks collected
//	migrationpending    the moment in which a revision is being committed; not while chunks are being sent, so that a push
//	                    to the wrong tenant that is stopped leaves no company name behind
//	offlinemaintenance  a migration is committed, test or live. A test stays so
//	running             a live migration was accepted; with closed, for good
//
// Accept takes a live migration from offlinemaintenance to running, or closes it, or both at once. A test migration and
// an empty tenant are refused. What was accepted before is accepted again without a change (closing is never undone). A
// push that is under way does not keep it from accepting: what it commits before is what is judged anew, and when that
// is another revision than the one that was found at the beginning, nothing is accepted; what it would commit later is
// refused unless it adds files. A commit that was stopped behind the gate is finished first.
//
// # What may come
//
// Judge says how a manifest may come to a tenant, by the migration that it holds (one that passed the gate counts). With
// another company name or serial number, never. To an empty tenant everything comes but what adds files; else
//
//	manifest    tenant's             same id             another id
//	test        test                 next revision       --recover missing or overwrite
//	live        test                 --recover overwrite --recover overwrite
//	test        live                 never               never
//	live        live                 next revision       --recover missing
//	live        live and running     --recover missing   --recover missing
//	any         closed               never               never
//	preseed     running              never               never
//	preseed     any other            yes                 yes
//
// A test manifest is of another kind than a live one even with the same id. With --recover missing the tenant's manifest
// is the base and files alone are taken from the input (Verdict.FilesOnly), but for the same id on a tenant that is not
// running, where the input is the next revision as without the flag; so it is with --recover overwrite of what has overwritten
// already. An input that is the tenant's migration already passes whatever the flag: nothing is to be done. A push whose input is what a push wrote adds files
// to the same id with no flag (RecoverAgain). A revision that adds files names the one it was made from (Claim.Base), and
// is refused where that is the tenant's no longer: what another push has added meanwhile is never lost. mode is "recovery"
// where the tenant held another id, and stays what it was for the next revisions of that id.
//
// A test migration is overwritten as a whole: the former one stays the tenant's until the new commit.json is there. Its
// revisions stay, its chunks until they are collected. A push that overwrites says which one (Claim.Over), so that of two
// that overwrite the same one at once one is told that the other has won.
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
// longer than until the next push. A preseed takes the same steps, as seeding; it leaves state, migration and history as
// they were.
//
// # Collecting
//
// Chunks are removed (Removal) that no manifest names that counts and that are older than a limit. What counts is the
// tenant's migration (its last revision); what went ahead, until a migration was accepted; and the manifests of claims
// that are younger than the limit and not committed. Of a claim that is younger and has no manifest yet nobody can tell,
// so nothing is removed. Ages are told by the far side's clock alone: that of the record with which a removal begins, and
// those of the objects.
//
// A removal and a commit keep out of each other's way by the numbered records:
//
//   - A removal looks through what counts on top of state n, and begins by creating record n+1, which says collecting. If
//     that is there already, it looks anew. Under one record chunks are removed for two minutes at most; then it is
//     followed by the next one, or nothing more is removed. It ends with a record that says so no longer.
//   - Nobody writes a record on top of one that says collecting before five minutes have passed since he first saw it. A
//     removal that was killed is thereby followed by whoever comes next.
//   - A commit whose gate would be n+1 needs its chunks to have been seen at the destination after record n was read, and
//     n not to say collecting, or those five minutes to be over. Else they are looked for again first, and sent again
//     where they are gone.
//
// So every chunk that a gate record's manifest names was there when nobody removed anything, and whoever begins to
// remove after it reads that manifest. This holds whatever the order, and wherever anybody is killed. It does not need
// clocks that agree: the two minutes and the five are each measured by one machine, the two by its wall and its monotonic
// clock, whichever says more. What it needs is that a request to remove one chunk, sent within those two minutes, takes
// effect within three more or never.
//
// # Why
//
//   - The gate, because commit.json alone cannot keep two migrations with different ids from both being committed, and a
//     state record after it would come too late.
//   - Preseeds pass it too, because a chunk that one names must not be removed between the look and the commit.
//   - Create if absent alone, because conditional overwrites let two writers win at some services at times.
//   - A claim is taken up again only by the same spool with the same input and the same manifest, because whether
//     another one is dead or at work cannot be seen from here. What it leaves behind is one small object.
//   - Digests inside the records, because a state in which one letter changed is still JSON.
//   - A removal names its run, so that two of them whose record was created by the other never take it for their own.
package tenant

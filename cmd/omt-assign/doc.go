// Command omt-assign gives users their plans and user names. It reads the manifest of omt-scan, or one that was assigned
// or packed before, and writes it again with what was chosen; everything else passes through as it is, so that after
// packing the chunks stay valid.
//
//	omt-assign --in scan.jsonl --auto --out assigned.jsonl
//	omt-assign --in scan.jsonl --board --out assigned.jsonl
//	omt-assign export --in assigned.jsonl --out users.csv      # edit users.csv in a spreadsheet
//	omt-assign --in assigned.jsonl --users users.csv --out assigned2.jsonl
//	omt-assign --in scan2.jsonl --users assigned.jsonl --auto --out assigned3.jsonl
//	omt-assign --in assigned.jsonl --set "GKS:plan='Sales, Premium',username=gks@example.com" --out assigned4.jsonl
//
// # Choosing
//
// Choices that the input holds stay unless they are changed. They are changed by --users, then --welcome-email, then
// --set; --auto fills what is left then.
//
//	--auto            the plan whose on-site name or name equals the plan held on site, as long as it has seats; the
//	                  address of the first rank; no welcome e-mail
//	--users FILE      a table with the columns id, login, admin, confidential, plan, username, welcome in any order (id or
//	                  login tells the user; others are ignored), or an earlier manifest, whose plans, user names and
//	                  welcome e-mails are taken over where id and login agree
//	--set LOGIN:…     plan=, username=, confidential=, welcome=, admin= with commas between; a value that holds a comma is
//	                  quoted: plan='Sales, Premium'
//	--map-plan OLD=NEW  for --auto, and for plans of an earlier manifest that are gone; =NEW is for users without a plan
//	                  on site, OLD=- gives none
//	--welcome-email all|none, --summary-to ADDRESS  e-mails when users can log in
//	--remove-from-persons  user names are removed from cards of persons who are no users
//	--waive RULE[:SUBJECT]=REASON, --waivers FILE  let findings stand; FILE is a table with the columns rule, subject,
//	                  reason, by, until. * in a subject is any text, ? one character; a subject that holds an equals sign
//	                  is quoted: file-size:'file:service:a=b'=known
//	--plugins DIR     the folder of the preflight rules, as omt-scan takes it
//
// As a plan "-" is none and "?" undecided; an empty cell changes nothing. Truth values are true and false. Tables are
// CSV as spreadsheets write them: with ";", "," or tab, UTF-8, UTF-16 or Windows-1252 (others with --encoding).
//
// A choice that cannot be (a user or plan that does not exist, a plan that is full, a user name that is taken or no
// e-mail address) is refused together with all others, each with its row and column, and nothing is written. What
// remains wrong is found by the preflight rules and written as findings: two equal user names, users undecided or without a
// valid user name, too many users for a plan, no administrator with a plan, and all that the scan knows of. An error blocks
// packing until it is resolved or waived.
//
// A waiver with a subject covers what is found of it, now and later; one without, or with a pattern, covers what is found
// now, so that more of it blocks again. Rules that say so cannot be waived at all (plan-seats), nor can single findings
// (equal user names, no administrator where it was named what makes one). A waiver that has ended, or that nothing needs, is
// told. Package internal/plan has it in full.
//
// Without plugins no rules are run, the results of the input stay, and the run ends with 3 where some were never run. An
// earlier manifest as --users is noted with its company name and serial number, which a rule compares.
//
// # The board
//
// With --board a page in the default browser shows what the input and the flags above give, and lets a person change it:
// plans by dragging cards, user names in a table, notifications, and a checklist of what is open. The rules are run over
// every change. OK ends the command as without a board, Cancel on the page and an interrupt end it with 130 and write
// nothing; closing the page ends nothing, and a new address is printed. What is done there is the same as --set with the
// same choices, and counts as reviewed.
//
//	--listen ADDRESS  on this machine alone, such as 127.0.0.1:8765; any free port without it
//	--no-open         opens no browser
//
// The printed address is good for one browser. Work in progress is kept in the folder omt of the user's configuration
// folder, readable for that user alone, until the manifest is written, and offered again. A stream is copied to --temp
// first, since the board reads the input several times: it opens when the stage before has ended.
//
// # Exit statuses
//
//	0    done
//	1    could not finish
//	2    the command line, a table or a choice is wrong; nothing was written
//	3    done, but users are undecided, errors stand or rules were not run: omt-pack will refuse the output
//	4    the input is cut short, edited or from a failed stage
//	5    refused: the plugins are not those that plugins.lock names
//	130  interrupted, or cancelled on the board
package main

package report

import (
	"fmt"
	"slices"

	"github.com/openomt/omt/internal/manifest"
)

// limits are what the tools do not do, and what they had to guess: of all of it what concerns this migration.
func (g *gatherer) limits() (list []string) {
	say := func(applies bool, format string, args ...any) {
		if applies {
			list = append(list, fmt.Sprintf(format, args...))
		}
	}
	r := g.r
	test := g.header.Migration != "live"
	say(g.c.Phase == "preseed", "This is a part that went ahead of a migration, and no migration: the tenant does not have it yet.")
	say(test, "This was a test migration. People went on working in the installation; what they have written since %s is not at the tenant.", day(g.header.Created))
	say(!test, "During the live migration programs on the desktop were stopped, and web users were not: what they wrote after the database was read is not at the tenant, unless a finding names it.")
	say(r.Accounts.With > 0, "User accounts are made by whoever receives the migration, from the list of users in it; it makes none itself. Welcome letters are sent from there, too.")
	say(g.areas[manifest.Service] != nil || slices.ContainsFunc(r.Findings, func(f manifest.Finding) bool { return f.Rule == "service-mailbox" }),
		"Mailboxes of Customer Service are not moved: which address receives and sends at the tenant has to be settled by itself.")
	say(g.seen.elsewhere > 0, "%s held by another archive than the folder: the row moved, and the content did not.", count(g.seen.elsewhere, "document or template is", "documents or templates are"))
	say(g.seen.noActivity > 0, "%s without an activity: the file moved, and whether users find the document at the tenant is not known.", count(g.seen.noActivity, "document is", "documents are"))
	say(g.raw > 0, "%s that is not valid Unicode: where the system's names are text, it is kept in an escaped form.", count(g.raw, "file has a name", "files have a name"))
	say(g.seen.secrets > 0, "%s with passwords of the installation stayed behind on purpose.", count(g.seen.secrets, "file", "files"))
	say(len(r.LeftOut) > 0, "%s left out, since the rows could not be had and somebody said that this may be.", count(int64(len(r.LeftOut)), "table was", "tables were"))
	say(slices.ContainsFunc(r.Revisions, func(v Revision) bool { return v.Sent == 0 && v.Chunks > 0 }),
		"How long sending took is not known for every revision: its receipts say that chunks were there already.")
	say(r.Migrator.Admin == "guessed", "Which function right makes an administrator is not documented and was guessed: look at who is one.")
	say(r.Migrator.Verified == "database", "Whoever ran the migration was known by the database login alone.")
	say(slices.ContainsFunc(g.plans, func(p manifest.Plan) bool { return p.Source == "licence" }), "The plans are those of the local licence and not a list of the tenant's: a hint, no more.")
	say(r.Installation.Version == "", "The version of the installation could not be told.")
	say(r.Accounts.Undecided > 0, "For %s nobody has chosen a plan, or that there is none.", count(int64(r.Accounts.Undecided), "user", "users"))
	say(len(r.Edits) > 0, "The manifest was edited by hand (%d); what was edited was accepted, and that is recorded.", len(r.Edits))
	return list
}

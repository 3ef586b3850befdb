package runbook

import (
	"strconv"
	"strings"
	"time"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/tenant"
)

// Days before the freeze that are suggested.
const (
	daysOrder = 28
	daysTest  = 14
	daysTell  = 7
	daysSeed  = 3
)

// runbook makes the steps.
func (g *gathered) runbook() *Runbook {
	r := &Runbook{Company: g.f.inst.Owner, Serial: g.f.inst.Serial, Tool: g.o.Tool, At: g.o.Now, Start: g.o.Start, State: g.stateText(), Sizes: g.sizes()}
	r.Steps = append(r.Steps, g.order(), g.test(), g.tell(), g.seed(), g.assigning())
	r.Steps = append(r.Steps, g.night()...)
	for i := range r.Steps {
		r.Steps[i].Number = i
	}
	return r
}

// Steps that others speak of.
const (
	refScan  = "step 4"
	refPack  = "step 5"
	refPush  = "step 6"
	refProve = "step 7"
	refLater = "step 10"
)

func (g *gathered) running() bool { return g.state.State == tenant.Running }

func (g *gathered) holds(kind string) bool {
	return g.state.Migration != nil && (g.state.Migration.Migration == kind || g.running())
}

// stateText says what the tenant holds.
func (g *gathered) stateText() string {
	m := g.state.Migration
	switch {
	case !g.asked:
		return "The tenant was not asked what it holds: no --to was given."
	case g.state.Company != "" && (g.state.Company != g.f.inst.Owner || g.state.Serial != g.f.inst.Serial):
		return "The tenant is that of " + g.state.Company + ", serial number " + g.state.Serial + ", and takes nothing of another: name another destination."
	case m == nil:
		return "The tenant holds no migration."
	case g.state.Closed:
		return "The tenant's live migration was accepted and closed on " + day(g.since(true)) + ": no file is added to it any more."
	case g.running():
		return "The tenant's live migration was accepted on " + day(g.since(false)) + ": users work there, and what is left is the follow-up."
	case m.Migration == "live":
		return "The tenant holds a live migration, revision " + strconv.Itoa(m.Revision) + ", committed on " + day(m.At) + ": it waits to be accepted."
	}
	return "The tenant holds a test migration, committed on " + day(m.At) + "."
}

// since is when the tenant was accepted, or accepted and closed.
func (g *gathered) since(closed bool) manifest.Time {
	for _, p := range g.state.History {
		if p.State == tenant.Running && p.Closed == closed {
			return p.At
		}
	}
	return g.state.At
}

func day(t manifest.Time) string { return t.UTC().Format("2006-01-02 15:04") + " UTC" }

// sizes are what there is to move, and what was measured.
func (g *gathered) sizes() []Fact {
	f := g.f
	list := []Fact{
		{"Database", plural(f.rows, "row", "rows") + " in " + plural(int64(f.tables), "table", "tables")},
		{"Files", plural(f.files, "file", "files") + ", " + size(f.bytes) + " on disk"},
		{"Users", plural(int64(f.users), "user", "users") + ", " + plural(int64(f.with), "with a plan", "with a plan")},
	}
	packed := "unknown before anything was packed"
	if f.packed {
		packed = size(f.inTables) + " of tables, " + size(f.inFiles) + " of files"
	}
	send := "unknown: no push was measured"
	if g.send.known() {
		send = size(g.send.rate()) + "/s: " + size(g.send.Bytes) + " in " + lasts(g.send.Took) + ", by the receipts of " + day(manifest.At(g.send.From))
	}
	verify := "unknown: no whole proof of content was measured"
	if g.verify.known() {
		verify = size(g.verify.rate()) + "/s: " + size(g.verify.Bytes) + " in " + lasts(g.verify.Took) + ", on " + day(manifest.At(g.verify.From))
	}
	return append(list, Fact{"Compressed", packed}, Fact{"Sending", send}, Fact{"Proving", verify},
		Fact{"Packing", "unknown: no manifest says how long it takes. Take the time of omt-pack in the test migration"})
}

func (g *gathered) order() Step {
	s := Step{
		Title: "Order and prepare", Who: "customer, migrator", When: daysBefore(daysOrder, g.o.Start), Takes: "unknown: others do it",
		Notes: []Note{
			say("The migration is ordered through SuperOffice's sales; its Online Operations prepares a tenant."),
			marked(Undocumented, "What agreement the customer accepts for the tenant, and where: ask whoever sells it, and have it accepted before the test migration."),
			g.domains(),
			say("The plans that users can have come from the tenant's licence, not from the local one: put them into plans.csv (name,title,onsite,seats,unlimited)."),
			say("The destination is storage agreed with whoever unpacks at the tenant's side. Put its URL with its credential into the file that the commands name as @FILE; only its first line counts."),
			say("Everybody on Travel comes home, satellites are closed, and whoever made customisations and integrations is asked what takes their place."),
		},
		Back: say("Nothing was changed."),
	}
	if g.state.Migration != nil {
		s.Done = "the tenant holds a migration"
	}
	return s
}

func (g *gathered) domains() Note {
	text := "Where users log in with their Microsoft or Google account, the domain of their user names is registered before the migration at https://id.superoffice.com/identityprovider/register, each domain and sub-domain for itself; user names then equal the accounts' names (UPN)."
	const shown = 10
	switch list := g.f.domains; {
	case len(list) == 0:
		return say("%s No user names are given yet.", text)
	case len(list) > shown:
		return say("%s Domains of the user names: %s and %d more.", text, strings.Join(list[:shown], ", "), len(list)-shown)
	default:
		return say("%s Domains of the user names: %s.", text, strings.Join(list, ", "))
	}
}

func (g *gathered) test() Step {
	s := Step{
		Title: "Test migration", Who: "migrator, tenant's side", When: daysBefore(daysTest, g.o.Start), Takes: "packing unknown, " + g.sendAll(),
		Notes: []Note{say("It touches nothing: users go on working. It shows what is missing and measures how long sending and proving take; write down how long omt-pack took."),
			say("Settle what the findings say (omt-scan ends with 3 when there are any), in the installation or by waivers, and give every user a plan and a user name: in users.csv, or with --board in the place of --users."),
			say("What the first scan was given and no manifest has is given again: --netserver, --admin-right, --admin-role, --encoding, --ca.")},
		Commands: []Command{
			g.scan(false, "test-scan.jsonl"),
			{"omt-assign", "export", "--in", "test-scan.jsonl", "--out", "users.csv"},
			g.assign("test-scan.jsonl", "test-assigned.jsonl"),
			g.pack("test-assigned.jsonl", g.spool("test"), "test-packed.jsonl"),
			g.push("test-packed.jsonl", g.spool("test"), "test-done.jsonl"),
			{"omt-pack", "verify", "--from", g.to(), "--depth", "content"},
			{"omt-push", "report", "--to", g.to(), "--out", "test-report.html"},
		},
		After: []Note{say("The tenant's side unpacks and looks at it; the customer looks at the report and at documents of their own choice."),
			say("Repeated after a new scan, omt-push also takes --recover overwrite; what is at the destination is not sent again.")},
		Back: say("Nothing to go back from: the installation is as it was, and a test migration never becomes the one that users work with."),
	}
	if n := len(g.f.blocked); n > 0 {
		s.Notes = append(s.Notes, say("In this manifest %s nobody waived: %s. Nothing is packed before that is settled.",
			plural(int64(n), "rule has an error that", "rules have errors that"), enumerate(g.f.blocked)))
	}
	if g.f.missing > 0 {
		s.Notes = append(s.Notes, say("In this manifest %s no file. Look for them now: %s takes those that turn up later.", plural(g.f.missing, "document or other item has", "documents and other items have"), refLater))
	}
	if g.f.waivers > 0 {
		s.Notes = append(s.Notes, say("The manifest has %s: keep them in waivers.csv, a scan begins without any.", plural(int64(g.f.waivers), "waiver", "waivers")))
	}
	switch {
	case g.holds("live"):
		s.Done = "the tenant holds a live migration"
	case g.state.Migration != nil && g.proof != nil:
		s.Done = "committed on " + day(g.state.Migration.At) + ", proved on " + day(g.proof.Ended)
	case g.state.Migration != nil:
		s.Done = "committed on " + day(g.state.Migration.At) + "; nothing proves it yet"
	}
	return s
}

// sendAll says how long it takes to send everything.
func (g *gathered) sendAll() string {
	d, ok := g.send.takes(g.f.inFiles + g.f.inTables)
	if !ok || !g.f.packed {
		return "sending unknown"
	}
	return "sending " + lasts(d)
}

func (g *gathered) tell() Step {
	from := "T"
	if !g.o.Start.IsZero() {
		from = clockOf(g.o.Start)
	}
	s := Step{
		Title: "Tell the users", Who: "customer", When: daysBefore(daysTell, g.o.Start) + "; again one day and one hour before", Takes: "a letter",
		Notes: []Note{
			say("Log out of SuperOffice, the web client too, before %s. From then on the Windows client lets nobody in; the web client is not stopped, and what is written there is not moved.", from),
			say("It is over when a second letter says so. Then you log in at the tenant, with your e-mail address as the user name; the old installation is not used any more."),
			say("Save open documents, and give back what is checked out. Whoever is on Travel comes home first: what is written there later is lost."),
			say("The welcome letter has a link that works once."),
			marked(Suggested, "Name a person to call, and say again when it is over, or that it was called off."),
		},
		Back: say("Call it off with a second letter."),
	}
	if g.f.with > 0 {
		s.Notes = append(s.Notes, say("To be told: %s with a plan. The others cannot log in at the tenant.", plural(int64(g.f.with), "user", "users")))
	}
	if g.holds("live") {
		s.Done = "the tenant holds a live migration"
	}
	return s
}

func (g *gathered) seed() Step {
	days, takes := daysSeed, "unknown: no rate was measured"
	if d, ok := g.send.takes(g.f.inFiles); ok && g.f.packed {
		takes = "sending at most " + lasts(d) + " (" + size(g.f.inFiles) + " of files, less what is there), and packing"
		days = max(days, int(d/(24*time.Hour))+2)
	}
	s := Step{
		Title: "Pre-seed: send files ahead", Who: "migrator", When: daysBefore(days, g.o.Start), Takes: takes,
		Notes: []Note{say("Users go on working. As often as you like; the last run then packs what is new or has changed. What the test migration sent is at the destination already.")},
		Back:  say("Nothing to go back from. What was sent and is not used is deleted by omt-push collect once a migration was accepted."),
	}
	if only := g.areas(); only != "" {
		s.Commands = []Command{
			g.pack("test-assigned.jsonl", g.spool("seed"), "seed.jsonl", "--to", g.to(), "--only", only, "--older-than", "30d"),
			g.push("seed.jsonl", g.spool("seed"), "seeded.jsonl"),
		}
	} else {
		s.Takes, s.Notes = "nothing", []Note{say("No files take part: there is nothing to send ahead.")}
	}
	if g.holds("live") {
		s.Done = "the tenant holds a live migration"
	}
	return s
}

func (g *gathered) assigning() Step {
	s := Step{
		Title: "Scan again, for the live migration", Who: "migrator", When: daysBefore(1, g.o.Start), Takes: "unknown: nothing measures it",
		Notes: []Note{say("Who came, left or was renamed since the test is found now. New users are undecided: the last line says who, users.csv takes them."),
			say("--summary-to says who gets the user summary; - is nobody. Welcome letters and the summary must be settled before a live pack.")},
		Commands: []Command{
			{"omt-assign", "export", "--in", "test-assigned.jsonl", "--out", "users.csv"},
			g.scan(true, "live-scan.jsonl"),
			g.assign("live-scan.jsonl", "live-assigned.jsonl"),
		},
		After: []Note{marked(Suggested, "Try the freeze at an hour when nobody works: the event key that keeps the Windows client out is a guess. omt-pack as in %s, look whether the Windows client lets anybody in, then omt-pack thaw.", refPack)},
		Back:  say("Nothing was changed; where the freeze was tried, omt-pack thaw has undone it."),
	}
	if g.holds("live") {
		s.Done = "the tenant holds a live migration"
	}
	return s
}

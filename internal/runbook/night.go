package runbook

import "github.com/openomt/omt/internal/manifest"

// night are the steps from the freeze on.
func (g *gathered) night() []Step {
	var at length
	var list []Step
	for _, part := range []func(length) (Step, length){g.freeze, g.cutover, g.prove, g.accept} {
		s, took := part(at)
		at = at.plus(took)
		list = append(list, s)
	}
	return append(list, g.mailboxes(at), g.follow())
}

func (g *gathered) freeze(at length) (Step, length) {
	more := []string{"--to", g.to(), "--wait-idle", "30m"}
	if !g.has(manifest.Service) {
		more = append(more, "--freeze", "event")
	}
	s := Step{
		Title: "Freeze and pack", Who: "migrator", When: at.offset(g.o.Start), Takes: "unknown: see Packing above",
		Notes:    []Note{say("It checks what could stop it later, shows who is still logged on, waits for them, asks, and freezes; then it reads the database and the folders.")},
		Commands: []Command{g.pack("live-assigned.jsonl", g.spool("live"), "live-packed.jsonl", more...)},
		After: []Note{
			marked(Guess, "The event NoLogin keeps the Windows client out: --event-key says another name, if you know a better one."),
			say("The web client is not stopped: see that nobody works in it."),
		},
		Back: say("Failed or stopped with Ctrl+C it thaws by itself. Killed, or afterwards, omt-pack thaw lets users in again, and they go on as if nothing had been."),
		Undo: g.thaw(),
	}
	if g.f.inst.Engine == "mssql" {
		s.Notes = append(s.Notes, say("The database's login needs INSERT, UPDATE and DELETE on the tables of the freeze: see Rights in the README."))
	}
	if g.has(manifest.Service) {
		s.After = append(s.After, marked(Undocumented, "Whether Customer Service obeys the line frozen in its config at once: its scheduler may have to be restarted."))
	}
	if g.holds("live") {
		s.Done = "the tenant holds a live migration"
	} else if g.f.header.Migration == "live" && g.f.frozen > 0 {
		s.Done = "the manifest says that the source was frozen"
	}
	return s, length{unknown: []string{refPack}}
}

func (g *gathered) cutover(at length) (Step, length) {
	took := length{unknown: []string{refPush}}
	takes := "unknown: no rate was measured"
	if d, ok := g.send.takes(g.f.inTables); ok && g.f.packed {
		all, _ := g.send.takes(g.f.inTables + g.f.inFiles)
		took = length{known: d, unknown: []string{"changed files"}}
		takes = lasts(d) + " for all tables (" + size(g.f.inTables) + "), and changed files, whose size is unknown; at most " + lasts(all) + " if everything were sent anew"
		if !g.has(manifest.Document) && g.f.inFiles == 0 {
			took.unknown = nil
			takes = lasts(d) + " for all tables (" + size(g.f.inTables) + ")"
		}
	}
	s := Step{
		Title: "Cut-over: send and commit", Who: "migrator", When: at.offset(g.o.Start), Takes: takes,
		Notes:    []Note{say("Table parts and files that the destination has are not sent again. Cut off, the same command goes on where it was. --recover overwrite puts it in the place of the test migration. It ends with 3 when documents are missing: they can come later.")},
		Commands: []Command{g.push("live-packed.jsonl", g.spool("live"), "live-done.jsonl", "--recover", "overwrite")},
		Back:     say("Before it is committed the tenant holds what it held. omt-pack thaw lets users in on site again; on another day go on with %s.", refScan),
		Undo:     g.thaw(),
	}
	if g.holds("live") {
		s.Done = "committed on " + day(g.state.Migration.At)
	}
	return s, took
}

func (g *gathered) prove(at length) (Step, length) {
	took, takes := length{unknown: []string{refProve}}, "unknown: no whole proof of content was measured"
	if d, ok := g.verify.takes(g.f.inTables + g.f.inFiles); ok && g.f.packed {
		took, takes = length{known: d}, lasts(d)+" for "+size(g.f.inTables+g.f.inFiles)
	}
	s := Step{
		Title: "Proof", Who: "migrator, tenant's side, customer", When: at.offset(g.o.Start), Takes: takes,
		Commands: []Command{
			{"omt-pack", "verify", "--from", g.to(), "--depth", "content"},
			{"omt-push", "report", "--to", g.to(), "--out", "live-report.html"},
		},
		After: []Note{
			say("The tenant's side unpacks; omt-pack verify with --depth names --db URL compares its database with the migration."),
			marked(Suggested, "The customer logs in there with two or three people, opens documents, compares the last entries of the day, and then says in writing whether the tenant is accepted."),
		},
		Back: say("Nobody works at the tenant yet. omt-pack thaw lets users in on site again, and nothing is lost. On another day go on with %s and the same live-assigned.jsonl, which becomes the next revision: the tenant takes no other live migration any more.", refPack),
		Undo: g.thaw(),
	}
	if g.holds("live") && g.proof != nil {
		s.Done = "proved on " + day(g.proof.Ended) + ", depth " + g.proof.Depth
	}
	return s, took
}

func (g *gathered) accept(at length) (Step, length) {
	s := Step{
		Title: "Accept: users work at the tenant", Who: "customer decides, migrator", When: at.offset(g.o.Start), Takes: "a moment",
		Notes:    []Note{say("The point of no return. Before it, everything can still be taken back with one line; accept when proof and customer say yes.")},
		Commands: []Command{{"omt-push", "accept", "--to", g.to()}},
		After:    []Note{say("The installation on site stays frozen. Tell the users that they may log in, and where.")},
		Back:     say("None for the tenant: its database is closed, and no push replaces it any more. omt-pack thaw still opens the installation on site, but what users have written at the tenant by then does not come back."),
		Undo:     g.thaw(),
	}
	if g.running() {
		s.Done = "accepted on " + day(g.since(false))
	}
	return s, length{}
}

func (g *gathered) mailboxes(at length) Step {
	s := Step{
		Title: "Mailboxes and logins", Who: "customer, tenant's side", When: at.offset(g.o.Start), Takes: "unknown: others do it",
		Notes: []Note{
			say("Accounts are made by whoever receives the migration, from the table omt_user; welcome letters go out from there."),
			say("Customer Service gets new addresses in a domain of SuperOffice's. For each old one: forward it to the new one, or tell everybody the new one. Where mail goes on being sent from the old one, its domain's SPF record is: v=spf1 include:_spf.online.superoffice.com ~all"),
		},
		Back: say("Take forwards and DNS records back; mail that has arrived at the tenant stays there."),
	}
	if g.f.mailbox {
		s.Notes = append(s.Notes, say("The finding service-mailbox of the manifest names the mailboxes."))
	} else if !g.has(manifest.Service) && !g.has(manifest.Attachment) {
		s.Notes = append(s.Notes[:1], say("Customer Service has no part in this migration."))
	}
	return s
}

func (g *gathered) follow() Step {
	s := Step{
		Title: "Follow-up: missing documents, and the end", Who: "migrator", When: "the days after; as often as documents turn up", Takes: "unknown",
		Notes: []Note{say("Put what is found into the archive on site; the first line looks again, sends what it finds, and adds it. When nothing more is expected, close; what nothing refers to is deleted then (the credential must be allowed to).")},
		Commands: []Command{
			{"omt-push", "--in", "live-done.jsonl", "--spool", g.spool("later"), "--to", g.to(), "--out", "live-done-2.jsonl"},
			{"omt-push", "report", "--to", g.to(), "--missing", "--out", "missing.csv"},
			{"omt-push", "accept", "--to", g.to(), "--close"},
			{"omt-push", "collect", "--to", g.to(), "--dry-run"},
			{"omt-push", "collect", "--to", g.to()},
		},
		After: []Note{marked(Suggested, "Keep the manifest live-done.jsonl, the report, and a backup of the installation for as long as the law wants. Thaw only if somebody has to read there.")},
		Back:  say("Nothing at the tenant is taken away by looking again. Closing is never undone; what collect has deleted is gone."),
	}
	if m := g.state.Migration; g.running() && m.Missing > 0 {
		s.Notes = append(s.Notes, say("At the tenant %s missing.", plural(m.Missing, "file is", "files are")))
	}
	if g.state.Closed {
		s.Done = "closed on " + day(g.since(true))
	}
	return s
}

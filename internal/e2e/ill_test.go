package e2e

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/sample/ill"
)

// found are the findings of manifests by rule, those of one severity, or all.
func found(t testing.TB, severity manifest.Severity, manifests ...[]byte) map[string][]map[string]any {
	t.Helper()
	list := map[string][]map[string]any{}
	for _, m := range manifests {
		for _, f := range records(t, m, "finding") {
			if severity == "" || f["severity"] == string(severity) {
				list[f["rule"].(string)] = append(list[f["rule"].(string)], f)
			}
		}
	}
	return list
}

// byTools are the rules of a manifest that the tools themselves look after.
func byTools(t testing.TB, m []byte) (rules []string) {
	t.Helper()
	for _, c := range records(t, m, "check") {
		if c["plugin"] == "omt" {
			rules = append(rules, c["rule"].(string))
		}
	}
	return rules
}

// says fails where the result does not end with the status or does not say each of the texts.
func (r result) says(t testing.TB, status int, texts ...string) {
	t.Helper()
	if r.status != status {
		t.Errorf("want status %d: %s", status, r)
	}
	for _, text := range texts {
		if !strings.Contains(r.err, text) {
			t.Errorf("want it to say %q: %s", text, r)
		}
	}
}

// What stands in the way of the manifest that omt-assign makes of the ill installation: each rule with how many errors it
// has and their subjects.
var illBlocks = []string{
	"table-missing (1: table:area)", "document-missing (2: user:18, folder:GKS)", "missing-email (1: user:16)",
	"undecided-user (9: user:2, user:3, user:5, user:6, user:7, user:14, user:15, user:17, user:18)", "plan-seats (1: plan:SalesPREM)",
	"administrator-plan (1: user:1, user:20)", "travel (1: user:2, traveller:1)",
	"satellite (2: satellite:1, satellite:2, traveller:2, travelgeneratedtransaction:33554432)", "travel-database (1: travelcurrent:1)",
	"version (1: installation:version)", "licence-changed (1: installation:licence)", "database-model (1: table:databasemodel)",
	"sentry-addons (1: userpreference:1)",
}

// One run of the whole pipeline in which every rule has something to say; then everything is resolved or waived, and it
// goes through to the tenant.
func TestEveryRule(t *testing.T) {
	t.Parallel()
	w := world{newSite(t)}
	w.want(0, "omt-scan", "sample", "--dir", "inst", "--documents", "60")
	illScan, illAssign := with(scanStep, "--plans", "inst/"+ill.Plans), without(with(assignStep, "--users", "inst/"+ill.Users), "--waivers")

	// Last month the installation was scanned. Today somebody scans another database by mistake, and assigns in haste.
	w.want(3, scanStep...)
	if err := ill.Make(t.Context(), w.path("inst")); err != nil {
		t.Fatal(err)
	}
	w.want(3, illScan...)
	w.want(3, illScan...) // a second time, which makes it no more right
	w.refusedUpFront()
	w.want(3, illAssign...)
	w.everyRuleFound()

	// Nothing of it gets through, and each rule that blocks is named.
	blocked := w.want(5, packStep...)
	blocked.says(t, 5, illBlocks...)
	piped := w.pipe(nil, without(packStep, "--out"), without(without(pushStep, "--in"), "--out"))
	w.wantAll(piped, 5, 5)
	piped[1].says(t, 5, illBlocks...)
	if abort := record(t, lines(piped[1].out)[0]); !strings.Contains(fmt.Sprint(abort["message"]), strings.Join(illBlocks, "; ")) {
		t.Errorf("push ends its output with %v", abort)
	}
	w.want(5, with(pushStep, "--in", "assigned.jsonl")...)
	for _, made := range []string{"packed.jsonl", "done.jsonl", "dest"} {
		if w.has(made) {
			t.Errorf("%s was made", made)
		}
	}
	if n := len(chunksIn(t, w.path("spool"))); n > 0 {
		t.Errorf("%d chunks were made", n)
	}
	w.waiversThatDoNotHelp()

	// The right database, the seats that were ordered, all users decided, reasons for what has to stand. The manifest at --out
	// is that of the wrong one, which is no measure.
	if err := ill.Heal(t.Context(), w.path("inst")); err != nil {
		t.Fatal(err)
	}
	w.want(3, scanStep...)
	w.want(0, assignStep...)
	w.want(0, packStep...)
	w.want(3, pushStep...)
	w.want(0, "omt-pack", "verify", "--from", "dest", "--depth", "content")
	w.everythingSettled()
	w.noLitter()
}

// refusedUpFront are choices that omt-assign refuses before it writes anything.
func (w world) refusedUpFront() {
	w.t.Helper()
	w.write([]byte("rule;subject;reason\r\ntravel;user:2;\r\n"), "no-reason.csv")
	equal := []string{"--set", "HH:plan=ServicePREM,username=office@docklock.example", "--set", "HUH:plan=ServicePREM,username=Office@docklock.example"}
	for _, c := range []struct {
		more []string
		says string
	}{
		{[]string{"--waive", "plan-seats=they are ordered"}, "plan-seats cannot be waived: the tenant gives no more plans than seats"},
		{equal, "is also used by HUH"},
		{append(equal, "--waive", "duplicate-email=they share it"), "is also used by HUH"},
		{[]string{"--waive", "travel:user:2="}, "a waiver needs a reason"},
		{[]string{"--waivers", "no-reason.csv"}, "no-reason.csv: row 2, column reason: a waiver needs a reason"},
	} {
		w.run(append([]string{"omt-assign", "--in", "scan.jsonl", "--out", "assigned.jsonl"}, c.more...)...).says(w.t, 2, c.says)
		if w.has("assigned.jsonl") {
			w.t.Fatalf("%v: something was written", c.more)
		}
	}
}

// everyRuleFound fails where a rule that packing requires found nothing in the scan's manifest and nothing in that of
// omt-assign, or was not completed.
func (w world) everyRuleFound() {
	w.t.Helper()
	scanned, assigned := w.read("scan.jsonl"), w.read("assigned.jsonl")
	own := byTools(w.t, assigned)
	got := slices.DeleteFunc(slices.Sorted(maps.Keys(found(w.t, "", scanned, assigned))), func(rule string) bool { return slices.Contains(own, rule) })
	want := manifest.RequiredRules()
	slices.Sort(want)
	if !slices.Equal(got, want) {
		w.t.Errorf("rules with findings:\n%v\nwant\n%v", got, want)
	}
	for _, m := range [][]byte{scanned, assigned} {
		done := 0
		for _, c := range records(w.t, m, "check") {
			if slices.Contains(want, fmt.Sprint(c["rule"])) && c["status"] == "done" {
				done++
			}
		}
		if done != len(want) {
			w.t.Errorf("%d of %d rules were completed", done, len(want))
		}
	}
}

// waiversThatDoNotHelp are one that has ended, one of nothing, one of what cannot be waived, and one whose pattern fits more
// than when it was given.
func (w world) waiversThatDoNotHelp() {
	w.t.Helper()
	const head = "rule;subject;reason;by;until\r\n"
	w.write([]byte(head+"travel;;he comes home;Eva;2020-01-31\r\n"), "old.csv")
	w.run("omt-assign", "--in", "assigned.jsonl", "--waivers", "old.csv", "--out", "old.jsonl").says(w.t, 2, "old.csv: row 2: the waiver ended on 2020-01-31 already")
	w.write([]byte(head+"travel;;he comes home;Eva;2099-01-31\r\ntravel;user:7;never on Travel;Eva;\r\n"), "waivers.csv")
	r := w.run("omt-assign", "--in", "assigned.jsonl", "--waivers", "waivers.csv", "--waive", "administrator-plan=later",
		"--waive", "satellite:satellite:*=both were closed in May", "--out", "waived.jsonl")
	r.says(w.t, 3, "the waiver of travel:user:7 covers no finding", "the waiver of administrator-plan covers no finding: what there is cannot be waived",
		"administrator-plan: no administrator has a plan: ADM0, BOBADM (cannot be waived)")
	if strings.Contains(r.err, "satellite:") || strings.Contains(r.err, "travel: BOB") {
		w.t.Errorf("a waived finding is told: %s", r)
	}

	// Later: the one has ended, and there is one more satellite.
	third := []byte(`{"kind":"fact","name":"satellite","id":"3","data":{"area_id":3}}`)
	var list [][]byte
	for _, l := range lines(w.read("waived.jsonl")) {
		list = append(list, bytes.Replace(l, []byte(`"until":"2099-`), []byte(`"until":"2020-`), 1))
		if bytes.HasPrefix(l, []byte(`{"kind":"fact","name":"satellite","id":"2"`)) {
			list = append(list, third)
		}
	}
	w.write(append(bytes.Join(list, []byte("\n")), '\n'), "later.jsonl")
	w.run("omt-assign", "--in", "later.jsonl", "--out", "again.jsonl").says(w.t, 4)
	w.run("omt-assign", "--in", "later.jsonl", "--accept-edits", "--out", "again.jsonl").says(w.t, 3,
		"the waiver of travel ended on 2020-01-31", "omt-assign: travel: BOB",
		"the waiver of satellite:satellite:* was given for 2 findings; now there are 3, and none is waived", "omt-assign: satellite: satellite 3")
	w.run(with(packStep, "--in", "again.jsonl")...).says(w.t, 5, "satellite (3: satellite:1, satellite:2,", "travel (1: user:2, traveller:1)")
}

// everythingSettled fails where the manifest that was pushed has an error without a waiver's reason.
func (w world) everythingSettled() {
	w.t.Helper()
	done := w.read("done.jsonl")
	waived := map[string]int{}
	for rule, list := range found(w.t, manifest.SeverityError, done) {
		for _, f := range list {
			if waived[rule]++; f["waived"] == "" {
				w.t.Errorf("%s stands: %v", rule, f["message"])
			}
		}
	}
	if want := map[string]int{"document-missing": 2, "travel": 1, "satellite": 2, "sentry-addons": 1}; !maps.Equal(waived, want) {
		w.t.Errorf("waived errors: %v, want %v", waived, want)
	}
	for _, c := range records(w.t, done, "check") {
		if c["status"] != "done" || c["plugin"] != "omt" && !strings.HasPrefix(fmt.Sprint(c["tool"]), "omt-pack ") {
			w.t.Errorf("check of %v: %v, by %v; want it done by omt-pack", c["rule"], c["status"], c["tool"])
		}
	}
}

// Where the scan had to guess who is an administrator, administrator-plan can be waived; where a right was named, not.
func TestAdministratorGuessed(t *testing.T) {
	t.Parallel()
	w := sample(t, "--clean")
	config := bytes.Replace(w.read("inst", "omt.json"), []byte("  \"adminRights\": [\n    \"admin-general\",\n    \"admin-user\"\n  ],\n"), nil, 1)
	if bytes.Contains(config, []byte("adminRights")) {
		t.Fatalf("the sample's config names rights still:\n%s", config)
	}
	w.write(config, "inst", "omt.json")
	assign := []string{"omt-assign", "--in", "scan.jsonl", "--auto", "--set", "ADM0:plan=-", "--waive", "administrator-plan=KN will be one", "--out", "assigned.jsonl"}
	w.want(0, scanStep...)
	w.want(0, assign...)
	w.want(0, packStep...)
	w.want(0, append(scanStep, "--admin-right", "admin-general")...)
	w.run(assign...).says(t, 3, "the waiver of administrator-plan covers no finding: what there is cannot be waived")
	w.run(packStep...).says(t, 5, "blocked by administrator-plan (1: user:1)")
	if w.has("packed.jsonl") {
		t.Error("an older output stands where a run was refused")
	}
}

// Between assigning and packing somebody renames a user's folder. Pack's own run of the rules finds it, at the end: nothing
// is at --out, the chunks stay, and once the folder has its name again the same command goes through.
func TestFoundByPackAlone(t *testing.T) {
	t.Parallel()
	w := sample(t, "--clean")
	w.want(0, scanStep...)
	w.want(0, "omt-assign", "--in", "scan.jsonl", "--auto", "--out", "assigned.jsonl")
	rename := func(from, to string) {
		t.Helper()
		if err := os.Rename(w.path("inst", "so_arc", from), w.path("inst", "so_arc", to)); err != nil {
			t.Fatal(err)
		}
	}
	rename("BOB", "BOB.old")
	w.run(packStep...).says(t, 5, "blocked by document-missing (2: user:2, folder:BOB)", "13 of 37 documents have no file (BOB 13)")
	if w.has("packed.jsonl") {
		t.Error("a manifest of a run that was refused lies at --out")
	}
	kept := chunksIn(t, w.path("spool"))
	if len(kept) == 0 {
		t.Error("no chunk stays in the spool")
	}
	rename("BOB.old", "BOB")
	w.want(0, packStep...)
	if f := found(t, manifest.SeverityError, w.read("packed.jsonl")); len(f) > 0 {
		t.Errorf("errors stand: %v", f)
	}
	w.want(0, append(pushStep, "--keep")...)
	if n := len(chunksIn(t, w.path("spool"))); n < len(kept) {
		t.Errorf("%d chunks in the spool, and there were %d", n, len(kept))
	}
	if _, r := w.moved(w.read("done.jsonl")); r.Rows < 200 {
		t.Errorf("compared %+v", r)
	}
}

// Rules look at the manifest alone: on another machine, with no database in reach, omt-assign says what it says here.
func TestAssignElsewhere(t *testing.T) {
	t.Parallel()
	b, w := base(t), newSite(t)
	for _, name := range []string{"scan.jsonl", "inst/users.csv", "inst/waivers.csv"} {
		from := bytes.ReplaceAll(b.read(name), []byte(b.dir), []byte("/nowhere"))
		if name == "scan.jsonl" {
			l := lines(from)
			last := len(l) - 1
			from = append(bytes.Join(append(slices.Clone(l[:last]), resealed(t, l[:last], l[last])), []byte("\n")), '\n')
		}
		w.write(from, name)
	}
	w.want(0, assignStep...)
	same(t, "assigned.jsonl", normal(t, b.read("assigned.jsonl"), b.dir), normal(t, w.read("assigned.jsonl"), "/nowhere"))
}

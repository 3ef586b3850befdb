package plugins

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/plan"
	"github.com/openomt/omt/internal/planfile"
	"github.com/openomt/omt/internal/progress"
	"github.com/openomt/omt/internal/sample"
	"github.com/openomt/omt/internal/scan"
	"github.com/openomt/omt/internal/source"
	"github.com/openomt/omt/internal/source/sqlite"
	"github.com/openomt/omt/plugins/sdk"
	"github.com/openomt/omt/plugins/sdk/ruletest"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// install writes a sample.
func install(t *testing.T, clean bool) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "inst")
	o := sample.Options{Dir: dir, DB: "sqlite:crm.sqlite", Prefix: "crm7", Users: 8, Documents: 60, Seed: 1, Clean: clean, Files: true, Progress: progress.None{}}
	_, err := sample.Write(t.Context(), o, func(context.Context) (source.Loader, error) {
		return sqlite.OpenLoader("sqlite:" + filepath.Join(dir, "crm.sqlite"))
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// openFile opens a file of the sample.
func openFile(t *testing.T, dir, name string) *os.File {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// scanned scans a sample and returns its manifest.
func scanned(t *testing.T, dir string) []byte {
	t.Helper()
	driver, err := sqlite.Open("sqlite:" + filepath.Join(dir, "crm.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	defer driver.Close()
	db, err := source.New(t.Context(), driver, "")
	if err != nil {
		t.Fatal(err)
	}
	view, err := db.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer view.Close()
	plans, err := planfile.Read(openFile(t, dir, "plans.csv"), "plans.csv", "")
	if err != nil {
		t.Fatal(err)
	}
	at := func(names ...string) (list []string) {
		for _, n := range names {
			list = append(list, filepath.Join(dir, n))
		}
		return list
	}
	quiet := func(string, ...any) {}
	o := scan.Options{
		Reader: view, Installation: manifest.Installation{
			Engine: "sqlite", Database: "sqlite:" + filepath.Join(dir, "crm.sqlite"), Prefix: "crm7", Areas: manifest.Areas[:],
			Roots: map[string][]string{"document": at("so_arc", "so_arc2"), "template": at("so_arc/Template"),
				"service": at("service", "service/template", "service/text"), "attachment": at("service/attachments", "service/attachments2")},
		},
		Login: "ADM0", Migrator: scan.Person{Name: "Anne Aas", Email: "adm0@docklock.example", Phone: "1", Language: "no"},
		AdminRights: []string{"admin-general"}, Plans: plans, Tool: "omt-scan 0.1.0", Temp: t.TempDir(), Now: func() time.Time { return now },
		NewID: func() string { return "019b7d00-0000-7000-8000-000000000001" }, Progress: progress.None{}, Log: slog.New(slog.DiscardHandler),
		Say: quiet, Remark: quiet,
	}
	var b bytes.Buffer
	out := manifest.NewWriter(&b, o.Tool)
	if err := scan.Run(t.Context(), o, out); err != nil && manifest.StatusOf(err) != manifest.Remarks {
		t.Fatal(err)
	}
	if _, err := out.End(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// records are the records of a manifest that rules can read. The fields of sdk's types are those of the manifest.
func records(t *testing.T, text []byte) (list []sdk.Record) {
	t.Helper()
	makers := map[string]func() sdk.Record{
		sdk.KindHeader: func() sdk.Record { return &sdk.Header{} }, sdk.KindInstallation: func() sdk.Record { return &sdk.Installation{} },
		sdk.KindMigrator: func() sdk.Record { return &sdk.Migrator{} }, sdk.KindPlan: func() sdk.Record { return &sdk.Plan{} },
		sdk.KindUser: func() sdk.Record { return &sdk.User{} }, sdk.KindAddress: func() sdk.Record { return &sdk.Address{} },
		sdk.KindFact: func() sdk.Record { return &sdk.Fact{} }, sdk.KindTable: func() sdk.Record { return &sdk.Table{} },
		sdk.KindFile: func() sdk.Record { return &sdk.File{} },
	}
	for r := manifest.NewReader(bytes.NewReader(text), manifest.ReadOptions{}); ; {
		l, err := r.Next()
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		maker := makers[string(l.Kind)]
		if maker == nil {
			continue
		}
		rec := maker()
		d := json.NewDecoder(bytes.NewReader(l.Raw))
		d.UseNumber()
		if err := d.Decode(rec); err != nil {
			t.Fatal(err)
		}
		if f, ok := rec.(*sdk.Fact); ok {
			for key, v := range f.Data {
				if n, ok := v.(json.Number); ok {
					f.Data[key], err = n.Int64()
				}
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		list = append(list, rec)
	}
}

// found runs all rules.
func found(t *testing.T, list []sdk.Record) (out []manifest.Finding) {
	t.Helper()
	for _, rule := range all() {
		for _, f := range ruletest.Run(t, rule, list...) {
			out = append(out, manifest.Finding{Rule: rule.ID, Severity: manifest.Severity(f.Severity), Subjects: f.Subjects, Message: f.Message,
				Final: f.Final || rule.Final != ""})
		}
	}
	return out
}

// golden compares findings with those of a file.
func golden(t *testing.T, name string, findings []manifest.Finding) {
	t.Helper()
	var b strings.Builder
	for _, f := range findings {
		fmt.Fprintf(&b, "%s: %s %s\n\t%s\n", f.Rule, f.Severity, f.Subjects, f.Message)
	}
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(strings.ReplaceAll(string(want), "\r\n", "\n"), b.String()); d != "" {
		t.Errorf("%s: %s", name, d)
	}
}

// assign makes the choices of a sample's users.csv.
func assign(t *testing.T, dir string, list []sdk.Record) {
	t.Helper()
	choices, err := plan.ReadUsers(openFile(t, dir, "users.csv"), "users.csv", "", manifest.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range list {
		u, ok := r.(*sdk.User)
		if !ok {
			continue
		}
		i := slices.IndexFunc(choices, func(c plan.Choice) bool { return c.Login == u.Login })
		if i < 0 {
			t.Fatalf("users.csv does not say what becomes of %s", u.Login)
		}
		name := strings.TrimPrefix(choices[i].Plan, "-")
		u.Plan, u.Username = &name, strings.TrimPrefix(choices[i].Username, "-")
	}
}

// What all rules find in the sample, before and after assigning; what is left is waived by the sample's own waivers.
func TestSample(t *testing.T) {
	dir := install(t, false)
	list := records(t, scanned(t, dir))
	before := found(t, list)
	golden(t, "sample-scanned.txt", before)
	fires(t, before, "licence-changed", "plan-seats", "administrator-plan", "travel-database", "version", "database-model")
	assign(t, dir, list)
	after := found(t, list)
	golden(t, "sample-assigned.txt", after)

	waivers, err := plan.ReadWaivers(openFile(t, dir, "waivers.csv"), "waivers.csv", "")
	if err != nil {
		t.Fatal(err)
	}
	var given []manifest.Waiver
	for _, w := range waivers {
		for _, f := range after {
			if f.Rule == w.Rule && (w.Subject == "" || slices.Contains(f.Subjects, w.Subject)) {
				w.Covers++
			}
		}
		if w.Covers == 0 || w.Reason == "" {
			t.Errorf("the waiver of %s:%s (%q) covers nothing", w.Rule, w.Subject, w.Reason)
		}
		given = append(given, w.Waiver)
	}
	for _, f := range manifest.Blocking(after, given, now) {
		t.Errorf("nothing waives %s %s: %s", f.Rule, f.Subjects, f.Message)
	}
	if len(manifest.Blocking(after, nil, now)) < len(given) {
		t.Error("there are more waivers than findings that block: this proves nothing")
	}
}

// fires fails for rules that find nothing in the sample, but for those that want a sick database.
func fires(t *testing.T, findings []manifest.Finding, sick ...string) {
	t.Helper()
	for _, rule := range all() {
		fired := slices.ContainsFunc(findings, func(f manifest.Finding) bool { return f.Rule == rule.ID })
		if fired == slices.Contains(sick, rule.ID) {
			t.Errorf("%s found something in the sample: %v", rule.ID, fired)
		}
	}
}

// In the clean sample nothing blocks but that users are undecided, and nothing once they are not.
func TestCleanSample(t *testing.T) {
	dir := install(t, true)
	list := records(t, scanned(t, dir))
	before := found(t, list)
	golden(t, "clean-scanned.txt", before)
	for _, f := range before {
		if f.Severity == manifest.SeverityError && f.Rule != "undecided-user" {
			t.Errorf("%s: %s", f.Rule, f.Message)
		}
	}
	assign(t, dir, list)
	after := found(t, list)
	golden(t, "clean-assigned.txt", after)
	if b := manifest.Blocking(after, nil, now); len(b) > 0 {
		t.Errorf("%+v", b)
	}
}

// Records are shared between rules: none changes them, and each gives the same findings again.
func TestRecordsStay(t *testing.T) {
	list := records(t, scanned(t, install(t, false)))
	before, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	first := found(t, list)
	after, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(before, after) {
		t.Error("a rule has changed a record")
	}
	if d := cmp.Diff(first, found(t, list)); d != "" || len(first) == 0 {
		t.Errorf("the second run found something else: %s", d)
	}
}

// What rules read is in a manifest: a name that is spelled wrongly would give a rule nothing, and no error. The facts that
// no sample has are of a tool with an earlier manifest, of a table that older versions lack, and of a sick database.
func TestReads(t *testing.T) {
	there := map[string]bool{"earlier": true, "mailbox-alias": true, "table-absent": true}
	for _, r := range records(t, scanned(t, install(t, false))) {
		name := r.Kind()
		if f, ok := r.(*sdk.Fact); ok {
			name = f.Name
		}
		there[name] = true
	}
	for _, rule := range all() {
		for _, name := range append(rule.Reads, rule.Facts...) {
			if !there[name] {
				t.Errorf("%s reads %q, which no manifest has", rule.ID, name)
			}
		}
	}
}

// Chat names, retired associates, and associates who are no persons never reach the rules about users.
func TestSampleUsers(t *testing.T) {
	users := 0
	for _, r := range records(t, scanned(t, install(t, false))) {
		u, ok := r.(*sdk.User)
		if !ok {
			continue
		}
		users++
		if slices.Contains([]string{"OLA", "ROOM1", "EXT1", "anonymous", "ejSysUser"}, u.Login) {
			t.Errorf("%s is no user", u.Login)
		}
		for _, e := range u.Emails {
			if strings.HasSuffix(e, "@chat") || e == "jon_d" {
				t.Errorf("%s has the chat name %q among the addresses", u.Login, e)
			}
		}
	}
	if users < 12 {
		t.Errorf("only %d users: this proves nothing", users)
	}
}

package scan_test

import (
	"bytes"
	"context"
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
	"github.com/openomt/omt/internal/progress"
	"github.com/openomt/omt/internal/scan"
	"github.com/openomt/omt/internal/scan/scantest"
	"github.com/openomt/omt/internal/source"
	"github.com/openomt/omt/internal/source/sqlite"
)

// world is one run of the verb over an installation.
type world struct {
	site    *scantest.Site
	o       scan.Options
	said    []string
	remarks []string
	log     bytes.Buffer
	bytes   []byte
}

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// TestMain writes the installation that most tests share, and removes it.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "scan")
	if err != nil {
		panic(err)
	}
	shared = found(scantest.New(filepath.Join(dir, "site")))
	if err := shared.Write(context.Background()); err != nil {
		panic(err)
	}
	status := m.Run()
	os.RemoveAll(dir)
	os.Exit(status)
}

// shared is an installation in which nothing blocks. It is written once and must not be changed.
var shared *scantest.Site

// found puts the missing document into an installation.
func found(s *scantest.Site) *scantest.Site {
	s.Files["so_arc/GKS/2003.2/lost.doc"] = "found again"
	return s
}

// open writes an installation and makes the options for a run that asks nothing.
func open(t *testing.T, site *scantest.Site) *world {
	t.Helper()
	ctx := context.Background()
	if site != shared {
		if err := site.Write(ctx); err != nil {
			t.Fatal(err)
		}
	}
	driver, err := sqlite.Open(site.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { driver.Close() })
	db, err := source.New(ctx, driver, site.Prefix)
	if err != nil {
		t.Fatal(err)
	}
	view, err := db.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { view.Close() })
	at := func(name string) string { return filepath.Join(site.Dir, name) }
	w := &world{site: site}
	w.o = scan.Options{
		Reader: view,
		Installation: manifest.Installation{
			Engine: "sqlite", Database: site.URL(), Prefix: site.Prefix, Areas: manifest.Areas[:],
			Roots: map[string][]string{
				"template": {at("so_arc/TEMPLATE")}, "document": {at("so_arc")},
				"service": {at("cs"), "", at("cs_text")}, "attachment": {at("att")},
			},
		},
		Login: "KK", Migrator: scan.Person{Name: "Karl Klopp", Email: "kk@example.com", Phone: "93466018", Language: "en"},
		Tool: "omt-scan 0.1.0", Temp: t.TempDir(), Now: func() time.Time { return now },
		NewID:    func() string { return "019b7d00-0000-7000-8000-000000000001" },
		Progress: progress.None{}, Log: slog.New(slog.NewTextHandler(&w.log, nil)),
		Say:    func(format string, args ...any) { w.said = append(w.said, fmt.Sprintf(format, args...)) },
		Remark: func(format string, args ...any) { w.remarks = append(w.remarks, fmt.Sprintf(format, args...)) },
	}
	return w
}

func (w *world) run(t *testing.T) error {
	t.Helper()
	var b bytes.Buffer
	out := manifest.NewWriter(&b, w.o.Tool)
	err := scan.Run(context.Background(), w.o, out)
	if s := manifest.StatusOf(err); s == manifest.OK || s == manifest.Remarks {
		if _, eerr := out.End(); eerr != nil {
			t.Fatal(eerr)
		}
	} else if ferr := out.Flush(); ferr != nil {
		t.Fatal(ferr)
	}
	w.bytes = b.Bytes()
	return err
}

// records decodes the records of one kind.
func records[T any](t *testing.T, w *world, kind manifest.Kind) []T {
	t.Helper()
	r := manifest.NewReader(bytes.NewReader(w.bytes), manifest.ReadOptions{})
	var list []T
	for {
		l, err := r.Next()
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		if l.Kind != kind {
			continue
		}
		var rec T
		if err := l.Decode(&rec); err != nil {
			t.Fatal(err)
		}
		list = append(list, rec)
	}
}

func site(t *testing.T) *scantest.Site {
	t.Helper()
	return scantest.New(filepath.Join(t.TempDir(), "site"))
}

// small is an installation of its own in which nothing blocks.
func small(t *testing.T) *scantest.Site { return found(site(t)) }

func TestScan(t *testing.T) {
	w := open(t, shared)
	if err := w.run(t); err != nil {
		t.Fatal(err, w.remarks)
	}
	wantHead := manifest.Header{
		Format: manifest.Format, ID: "019b7d00-0000-7000-8000-000000000001", Tool: "omt-scan 0.1.0", Created: manifest.At(now),
		Migration: "test", Phase: "full",
	}
	if d := cmp.Diff([]manifest.Header{wantHead}, records[manifest.Header](t, w, manifest.KindManifest)); d != "" {
		t.Error(d)
	}
	inst := w.o.Installation
	inst.Owner, inst.Serial, inst.Version = "Kalles Blåbær AS", "1801830017", "8.5"
	if d := cmp.Diff([]manifest.Installation{inst}, records[manifest.Installation](t, w, manifest.KindInstallation)); d != "" {
		t.Error(d)
	}
	wantMigrator := manifest.Migrator{Login: "KK", Name: "Karl Klopp", Email: "kk@example.com", Phone: "93466018", Language: "en", Verified: "database", Admin: "guessed"}
	if d := cmp.Diff([]manifest.Migrator{wantMigrator}, records[manifest.Migrator](t, w, manifest.KindMigrator)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]manifest.Plan{
		{Name: "ten-sales", Title: "Sales Premium", Onsite: "ten-sales", Seats: 20, Source: "licence"},
		{Name: "ten-service", Title: "Service Premium", Onsite: "ten-service", Unlimited: true, Source: "licence"},
	}, records[manifest.Plan](t, w, manifest.KindPlan)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]manifest.User{
		{ID: 1, Login: "KK", Person: 1, Name: "Karl Klopp", Company: "Kalles", Group: "Administration", Role: "User level 0", Position: "Chief", Admin: true, Confidential: true, Emails: []string{"kk@example.com", "karl@example.com"}, Onsite: "ten-sales"},
		{ID: 2, Login: "GKS", Person: 2, Name: "Gunn K. Schpaa", Company: "Kalles", Group: "Sales", Role: "User level 1", Emails: []string{"gks@example.com"}, Onsite: "ten-sales"},
		{ID: 6, Login: "TWIN1", Person: 6, Name: "Tone Twin", Company: "Kalles", Group: "Sales", Role: "Påteplass", Emails: []string{"twin@example.com"}},
		{ID: 7, Login: "TWIN2", Person: 6, Name: "Tone Twin", Company: "Kalles", Group: "Sales", Role: "User level 1", Emails: []string{"twin@example.com"}},
	}, records[manifest.User](t, w, manifest.KindUser)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]manifest.Address{
		{Person: 5, Rank: 1, Email: "ANNA@kunde.example"}, {Person: 7, Rank: 2, Email: "anna@kunde.example"},
		{Person: 3, Rank: 1, Email: "olga@example.com"}, {Person: 7, Rank: 1, Email: "Zoe@kunde.example"},
	}, records[manifest.Address](t, w, manifest.KindAddress)); d != "" {
		t.Error(d)
	}
	checkContent(t, w)
}

// checkContent looks at facts, tables, files and checks.
func checkContent(t *testing.T, w *world) {
	t.Helper()
	facts := records[manifest.Fact](t, w, manifest.KindFact)
	if !slices.ContainsFunc(facts, func(f manifest.Fact) bool { return f.Name == "travelcurrent" && f.Data["systemlevel"] == float64(10) }) {
		t.Errorf("no fact of travelcurrent in %v", facts)
	}
	tables := records[manifest.Table](t, w, manifest.KindTable)
	if len(tables) != len(w.site.Tables) {
		t.Errorf("%d tables, want %d", len(tables), len(w.site.Tables))
	}
	for _, table := range tables {
		if n := int64(len(w.site.Table(table.Name).Rows)); table.Rows != n || len(table.Key) != 1 {
			t.Errorf("table %s: %d rows, key %v; want %d rows", table.Name, table.Rows, table.Key, n)
		}
	}
	var files []string
	for _, f := range records[manifest.File](t, w, manifest.KindFile) {
		files = append(files, fmt.Sprintf("%s %d %s %s %d", f.Area, f.ID, f.Path, f.State, f.Size))
	}
	if d := cmp.Diff([]string{
		"template 1 NO/letter.dotx present 3", "template 1 letter.dotx present 8",
		"document 2 GKS/2002.2/blåbær 文書.txt present 6", "document 0 GKS/2002.2/nobody.doc no-row 6",
		"document 3 GKS/2003.2/lost.doc present 11", "document 1 KK/2002.1/offer.doc present 5", "document 0 kk/mail.htm no-row 9",
		"document 4  blank-name 0", "document 5  elsewhere 0",
		"service 0 config left 45", "service 0 text/mail.txt present 4", "service 0 www/index.html present 6",
		"attachment 1 1.png present 3", "attachment 2 2.png present 4",
	}, files); d != "" {
		t.Error(d)
	}
	var rules []string
	for _, c := range records[manifest.Check](t, w, manifest.KindCheck) {
		rules = append(rules, c.Rule)
		if c.Plugin != "omt" || c.Tool != w.o.Tool || c.Status != manifest.CheckDone {
			t.Errorf("check %+v", c)
		}
	}
	if !slices.IsSorted(rules) || !slices.Contains(rules, "table-missing") || !slices.Contains(rules, "column-type") {
		t.Errorf("checks %v", rules)
	}
}

// TestTheSameTwice holds that a run can be repeated byte for byte, and that only id and time differ otherwise.
func TestTheSameTwice(t *testing.T) {
	w := open(t, shared)
	if err := w.run(t); err != nil {
		t.Fatal(err)
	}
	first := w.bytes
	if err := w.run(t); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, w.bytes) {
		t.Error("two runs differ")
	}
}

func TestPlansThatAreGiven(t *testing.T) {
	w := open(t, shared)
	w.o.Plans = []manifest.Plan{{Name: "SalesPREM", Title: "Sales Premium", Onsite: "ten-sales", Seats: 20, Source: "tenant"}}
	if err := w.run(t); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(w.o.Plans, records[manifest.Plan](t, w, manifest.KindPlan)); d != "" {
		t.Error(d)
	}
}

func TestFindingsEndWithRemarks(t *testing.T) {
	s := site(t)
	s.Add("sequence", 600, 1, "LOST_TABLE", 300)
	s.Drop("UserGroup")
	w := open(t, s)
	err := w.run(t)
	if manifest.StatusOf(err) != manifest.Remarks {
		t.Fatalf("status %d: %v", manifest.StatusOf(err), err)
	}
	for _, part := range []string{"table-missing (2: table:lost_table, table:usergroup)", "packing it is blocked by"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error lacks %q: %v", part, err)
		}
	}
	if !strings.Contains(manifest.HintOf(err), "--waive") {
		t.Errorf("hint %q", manifest.HintOf(err))
	}
	all := strings.Join(w.remarks, "\n")
	for _, part := range []string{`table "lost_table" cannot be seen`, "the table of keys names it", "the groups of users", "may not see it"} {
		if !strings.Contains(all, part) {
			t.Errorf("remarks lack %q: %s", part, all)
		}
	}
	var missing int
	for _, f := range records[manifest.Finding](t, w, manifest.KindFinding) {
		if f.Rule == "table-missing" && f.Severity == manifest.SeverityError && f.Waived == "" {
			missing++
		}
	}
	checks := records[manifest.Check](t, w, manifest.KindCheck)
	i := slices.IndexFunc(checks, func(c manifest.Check) bool { return c.Rule == "table-missing" })
	if missing != 2 || checks[i].Findings != 2 {
		t.Errorf("%d findings, check says %d", missing, checks[i].Findings)
	}
}

func TestColumnsThatCannotBeRead(t *testing.T) {
	w := open(t, shared)
	w.o.Reader = strange{w.o.Reader}
	err := w.run(t)
	if manifest.StatusOf(err) != manifest.Remarks || !strings.Contains(err.Error(), "column-type (1: table:z_partner)") {
		t.Fatalf("%v", err)
	}
	if all := strings.Join(w.remarks, "\n"); !strings.Contains(all, `"where" (point)`) || strings.Contains(all, "sum") {
		t.Errorf("remarks %s", all)
	}
}

// strange has one table with a column of a type that nobody knows, and a computed one.
type strange struct{ source.Reader }

func (s strange) Tables() []source.Table {
	return append(slices.Clone(s.Reader.Tables()), source.Table{Name: "z_partner", Columns: []source.Column{
		{Name: "id", Type: source.ParseType("int")}, {Name: "where", Type: source.ParseType("point")},
		{Name: "sum", Type: source.ParseType("sql_variant"), Computed: "(1)"},
	}})
}

func (s strange) Count(ctx context.Context, table string) (int64, error) {
	if table == "z_partner" {
		return 3, nil
	}
	return s.Reader.Count(ctx, table)
}

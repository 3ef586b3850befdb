package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/tenant"
)

var update = flag.Bool("update", false, "write the golden files")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		check(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	check(t, err)
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s: %s\n(go test -update writes it anew)", name, diff)
	}
}

func written(t *testing.T, write func(b *bytes.Buffer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	check(t, write(&b))
	return b.Bytes()
}

// told is a migration of two revisions, proved, in all forms.
func told(t testing.TB) *Report {
	t.Helper()
	s := newSite(t)
	s.commit(idA, 60, small(false), nil)
	c := s.commit(idA, 120, small(true), nil)
	_, err := s.ten.PutProof(t.Context(), proof(c, 130))
	check(t, err)
	return s.must("")
}

func TestGolden(t *testing.T) {
	r := told(t)
	golden(t, "report.html", unstyled(t, written(t, func(b *bytes.Buffer) error { return r.WriteHTML(b) })))
	golden(t, "report.csv", written(t, func(b *bytes.Buffer) error { return r.WriteCSV(b, ';') }))
	golden(t, "report.json", written(t, func(b *bytes.Buffer) error { return r.WriteJSON(b) }))
	golden(t, "missing.html", unstyled(t, written(t, func(b *bytes.Buffer) error { return r.WriteMissingHTML(b) })))
	golden(t, "missing.csv", written(t, func(b *bytes.Buffer) error { return r.WriteMissingCSV(b, ',') }))
	golden(t, "missing.json", written(t, func(b *bytes.Buffer) error { return r.WriteMissingJSON(b) }))
	golden(t, "users.csv", written(t, func(b *bytes.Buffer) error { return r.WriteUsersCSV(b, ';') }))
	golden(t, "users.json", written(t, func(b *bytes.Buffer) error { return r.WriteUsersJSON(b) }))
}

// unstyled is a page without its style, which says nothing.
func unstyled(t *testing.T, page []byte) []byte {
	t.Helper()
	from, to := bytes.Index(page, []byte("<style>")), bytes.Index(page, []byte("</style>"))
	if from < 0 || to < from+1000 {
		t.Fatal("the page has no style")
	}
	return append(page[:from:from], page[to+len("</style>"):]...)
}

// The numbers of every form are the same, and add up, whoever adds them.
func TestSumsAddUp(t *testing.T) {
	r := told(t)
	var j struct {
		Areas []struct {
			Area                         manifest.Area
			Found, Stored, Missing, Left int64
			MissingBy                    []struct{ Count int64 } `json:"missing_by"`
			LeftBy                       []struct{ Count int64 } `json:"left_by"`
		}
		Missing     int64
		MissingList []json.RawMessage `json:"missing_list"`
	}
	check(t, json.Unmarshal(written(t, func(b *bytes.Buffer) error { return r.WriteJSON(b) }), &j))
	var missing int64
	for _, a := range j.Areas {
		var byReason, left int64
		for _, x := range a.MissingBy {
			byReason += x.Count
		}
		for _, x := range a.LeftBy {
			left += x.Count
		}
		if a.Found != a.Stored+a.Missing+a.Left || byReason != a.Missing || left != a.Left {
			t.Errorf("%+v", a)
		}
		missing += a.Missing
	}
	if len(j.Areas) != 5 || missing != j.Missing || int64(len(j.MissingList)) != j.Missing || j.Missing != 4 {
		t.Errorf("%d areas, %d missing, %d listed, %d in the areas", len(j.Areas), j.Missing, len(j.MissingList), missing)
	}
	table := records(t, written(t, func(b *bytes.Buffer) error { return r.WriteCSV(b, ';') }), ';')
	sums := map[string]int64{}
	for _, x := range table {
		if x["section"] == "area" {
			var n int64
			_, err := fmt.Sscan(x["count"], &n)
			check(t, err)
			sums[x["area"]+" "+x["state"]] = n
		}
		if x["section"] == "missing" {
			sums["missing rows"]++
		}
	}
	for _, a := range j.Areas {
		for state, n := range map[string]int64{"in the installation": a.Found, "stored": a.Stored, "missing": a.Missing, "left out": a.Left} {
			if sums[string(a.Area)+" "+state] != n {
				t.Errorf("%s, %s: the table has %d, the JSON %d", a.Area, state, sums[string(a.Area)+" "+state], n)
			}
		}
	}
	if sums["missing rows"] != missing || len(r.Sums) < 12 {
		t.Errorf("%v; %d sums", sums, len(r.Sums))
	}
	if want := "5 of 9 documents are at the tenant; 4 are missing."; r.Answer != want {
		t.Errorf("answer %q, want %q", r.Answer, want)
	}
}

// records reads a table by its header.
func records(t *testing.T, b []byte, separator rune) (list []map[string]string) {
	t.Helper()
	text, ok := bytes.CutPrefix(b, []byte("\ufeff"))
	if !ok || !bytes.HasSuffix(text, []byte("\r\n")) {
		t.Fatalf("not as a spreadsheet opens it: %.40q", b)
	}
	c := csv.NewReader(bytes.NewReader(text))
	c.Comma = separator
	all, err := c.ReadAll()
	check(t, err)
	for _, row := range all[1:] {
		m := map[string]string{}
		for i, name := range all[0] {
			m[name] = row[i]
		}
		list = append(list, m)
	}
	return list
}

// A report whose sums do not add up is not written, and the error says what differs.
func TestSumsThatDoNot(t *testing.T) {
	cases := map[string]struct {
		records func(list []manifest.Record) []manifest.Record
		commit  func(c *tenant.Commit)
		want    string
	}{
		"missing":    {commit: func(c *tenant.Commit) { c.Missing++ }, want: "missing files of all areas 5, and those that the commit counts 6"},
		"chunks":     {commit: func(c *tenant.Commit) { c.Chunks-- }, want: "chunks 5, and those that the commit counts 4"},
		"bytes":      {commit: func(c *tenant.Commit) { c.Bytes = 1 }, want: "bytes of chunks 40,007,724, and those that the commit counts 1"},
		"no receipt": {records: drop(func(r manifest.Record) bool { x, ok := r.(manifest.Receipt); return ok && x.Bytes == 700 }), want: "chunks with a receipt 4, and all chunks 5"},
		"a part": {records: change(func(k manifest.Chunk) manifest.Chunk {
			if k.Table == "associate" {
				k.Rows = 20
			}
			return k
		}), want: "Database: in the installation 30, and 29 stored + 0 missing + 0 left out 29"},
		"a document": {records: drop(func(r manifest.Record) bool { f, ok := r.(manifest.File); return ok && f.ID == 102 }), want: `Documents with a row 8, and rows of the table "document" 9`},
	}
	for name, c := range cases {
		s := newSite(t)
		list := small(false)
		if c.records != nil {
			list = c.records(list)
		}
		s.commit(idA, 60, list, c.commit)
		_, err := s.gather("")
		if manifest.StatusOf(err) != manifest.Failed || !strings.Contains(fmt.Sprint(err), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A table that changed while it was read is known, and no mistake.
	s := newSite(t)
	list := cases["a document"].records(small(false))
	i := slices.IndexFunc(list, func(r manifest.Record) bool { _, ok := r.(manifest.Finding); return ok })
	list = slices.Insert(list, i, manifest.Record(manifest.Finding{Rule: "table-changed", Severity: manifest.SeverityWarning, Subjects: []string{"table:Document"}, Message: "it changed"}))
	s.commit(idA, 60, list, nil)
	if r := s.must(""); !slices.ContainsFunc(r.Sums, func(x Sum) bool { return x.Is == 8 && x.Want == 9 && x.Not != "" }) {
		t.Errorf("%+v", r.Sums)
	}
}

func drop(is func(manifest.Record) bool) func([]manifest.Record) []manifest.Record {
	return func(list []manifest.Record) []manifest.Record { return slices.DeleteFunc(list, is) }
}

func change[T manifest.Record](fn func(T) T) func([]manifest.Record) []manifest.Record {
	return func(list []manifest.Record) []manifest.Record {
		for i, r := range list {
			if x, ok := r.(T); ok {
				list[i] = fn(x)
			}
		}
		return list
	}
}

// The sums check reasons against the fates that they stand beside.
func TestReasonsAddUp(t *testing.T) {
	s := newSite(t)
	c := s.commit(idA, 60, small(false), nil)
	g := newGatherer(Options{Tenant: s.ten, Tool: "t", Now: func() time.Time { return at(0) }}, c)
	g.r.Areas = []Area{{Area: manifest.Document, Found: 3, Stored: 1, Missing: 2, MissingBy: []Reason{{Count: 1}}}}
	if err := unequal(g.areaSums()); err == nil || !strings.Contains(err.Error(), "Documents: missing 2, and the sum of its reasons 1") {
		t.Errorf("error is %v", err)
	}
}

// What is shown is bounded, and what is not is counted; the list is whole.
func TestManyMissing(t *testing.T) {
	s := newSite(t)
	list := []manifest.Record{
		manifest.Header{Format: manifest.Format, ID: idA, Tool: "omt-scan 0.1.0", Created: moment(0), Migration: "test", Phase: "full"},
		manifest.Installation{Owner: "Kalles", Areas: []manifest.Area{manifest.Document}, Roots: map[string][]string{}},
	}
	const n = 20_000
	long := strings.Repeat("é", 60_000) // longer than a buffer
	for i := range n {
		f := manifest.File{Area: manifest.Document, ID: int64(i + 1), Path: fmt.Sprintf("a/%06d", i), State: manifest.Missing}
		if i == 10 {
			f.Title = long
		}
		list = append(list, f)
	}
	s.commit(idA, 60, list, nil)
	r := s.must("")
	page := written(t, func(b *bytes.Buffer) error { return r.WriteHTML(b) })
	if rows := bytes.Count(page, []byte(`class="path">a/`)); rows != Shown || len(page) > 1<<20 {
		t.Errorf("the page has %d rows and %d bytes", rows, len(page))
	}
	if want := "These are the first 500 of 20,000."; !bytes.Contains(page, []byte(want)) {
		t.Errorf("the page does not say %q", want)
	}
	for range 2 { // a list can be written again
		table := records(t, written(t, func(b *bytes.Buffer) error { return r.WriteMissingCSV(b, ',') }), ',')
		if len(table) != n || table[n-1]["path"] != "a/019999" || table[10]["title"] != long {
			t.Errorf("the table has %d rows", len(table))
		}
	}
	if r.Answer != "0 of 20,000 documents are at the tenant; 20,000 are missing." {
		t.Error(r.Answer)
	}
}

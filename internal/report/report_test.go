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

// What comes from the installation can neither run in the page nor be a formula in a spreadsheet.
func TestHostileText(t *testing.T) {
	for text, want := range map[string]string{
		"=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)", "\t=1": "'\t=1", " =1": "' =1", "\n=1": "'\n=1", "\u00a0=1": "'\u00a0=1",
		"＝1": "'＝1", "a=1": "a=1", "": "", "é": "é", "a\x00b": "a\ufffdb", "'=1": "'=1", "  ": "  ",
	} {
		if got := cell(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
	evil := []string{`"><script>alert(1)</script>`, `<img src=x onerror=alert(1)>`, `</style><script>alert(1)</script>`, `javascript:alert(1)`,
		"{{.Style}}", "=HYPERLINK(\"http://x\")", "\u202egnp.exe", "\x00\x01", "' onload='x"}
	for _, text := range evil {
		list := small(false)
		for i, r := range list {
			switch x := r.(type) {
			case manifest.Installation:
				x.Owner, x.Serial, x.Version, x.Database = text, text, text, text
				list[i] = x
			case manifest.Migrator:
				x.Name, x.Email = text, text
				list[i] = x
			case manifest.User:
				x.Name, x.Login, x.Username = text, text, text
				list[i] = x
			case manifest.Plan:
				x.Title = text
				list[i] = x
			case manifest.Removal:
				x.Email = text
				list[i] = x
			case manifest.File:
				x.Title, x.Owner = text, text
				if fateOf(x) == missed {
					x.Reason, x.Candidates = text, []string{text}
				}
				list[i] = x
			case manifest.Finding:
				x.Message, x.Waived, x.Severity = text, text, manifest.Severity(text)
				list[i] = x
			case manifest.Waiver:
				x.Reason, x.By, x.Subject, x.Until = text, text, text, text
				list[i] = x
			case manifest.Edit:
				x.By, x.Tool = text, text
				list[i] = x
			}
		}
		s := newSite(t)
		s.commit(idA, 60, list, nil)
		r := s.must("")
		page := written(t, func(b *bytes.Buffer) error { return r.WriteHTML(b) })
		for _, bad := range []string{"<script", "<img", "onerror=alert(1)>", "\x00", "</style><", "\u202e"} {
			if bytes.Contains(page, []byte(bad)) {
				t.Errorf("%q: the page holds %q", text, bad)
			}
		}
		for _, write := range []func(*bytes.Buffer) error{
			func(b *bytes.Buffer) error { return r.WriteCSV(b, ';') }, func(b *bytes.Buffer) error { return r.WriteUsersCSV(b, ';') },
			func(b *bytes.Buffer) error { return r.WriteMissingCSV(b, ';') },
		} {
			for _, row := range records(t, written(t, write), ';') {
				for name, c := range row {
					if strings.IndexAny(c, "=+-@\t") == 0 {
						t.Errorf("%q: the cell %q is %q", text, name, c)
					}
				}
			}
		}
		if b := written(t, func(b *bytes.Buffer) error { return r.WriteJSON(b) }); !json.Valid(b) {
			t.Errorf("%q: the JSON is none", text)
		}
	}
}

// Nothing is loaded from elsewhere.
func TestSelfContained(t *testing.T) {
	r := told(t)
	page := string(written(t, func(b *bytes.Buffer) error { return r.WriteHTML(b) }))
	for _, bad := range []string{"http:", "https:", "url(", `src="`, "@import", "<link", "<script", "<form"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
}

// What the tenant's proofs come to.
func TestProved(t *testing.T) {
	s := newSite(t)
	first := s.commit(idA, 60, small(false), nil)
	want := func(text string, good bool) {
		t.Helper()
		r := s.must("")
		if !strings.Contains(r.Proved, text) || r.Good != good {
			t.Errorf("%q, %v; want %q, %v", r.Proved, r.Good, text, good)
		}
	}
	put := func(c tenant.Commit, minutes int, edit func(p *tenant.Proof)) {
		t.Helper()
		p := proof(c, minutes)
		if edit != nil {
			edit(&p)
		}
		_, err := s.ten.PutProof(t.Context(), p)
		check(t, err)
	}
	want("Nothing was proved yet. omt-pack verify --from file:///srv/tenant proves it.", false)
	put(first, 70, func(p *tenant.Proof) { p.Depth, p.Read, p.BytesRead = "names", 0, 0 })
	want("Proved on 2026-11-20 19:17 UTC: 5 chunks are there by name and size; nothing is missing", true)
	put(first, 80, func(p *tenant.Proof) { p.Sample, p.BytesRead = 0.05, 2_000_000 })
	want("a sample of 5 % was read back, 2.0 MB of 40 MB, and 6 files and 30 rows were compared", true)
	put(first, 90, func(p *tenant.Proof) { p.Database = &tenant.ProvedDatabase{URL: "sqlite:/x", Tables: 2, Rows: 30} })
	want("every byte was read back, 40 MB in 5 chunks, and 6 files and 30 rows were compared; 30 rows of a database were compared with it", true)
	put(first, 95, func(p *tenant.Proof) { p.Depth = "hash" })
	want("6 files and 30 rows were compared; 30 rows of a database", true) // the deepest counts
	put(first, 97, nil)
	put(first, 98, func(p *tenant.Proof) {
		p.Depth, p.Database = "names", &tenant.ProvedDatabase{URL: "sqlite:/y", Tables: 2, Rows: 31}
	})
	want("nothing differs. On 2026-11-20 19:45 UTC 31 rows of a database were compared with it, and all agree.", true)
	put(first, 100, func(p *tenant.Proof) { p.Problems = 1; p.Database = &tenant.ProvedDatabase{Tables: 2, Differ: 1} })
	want("found what is wrong: 1 chunk or table is missing or different, 1 of 2 tables of the database is different.", false)
	put(first, 110, nil)
	want("Proved on 2026-11-20 19:57 UTC", true)
	put(first, 112, func(p *tenant.Proof) { p.End = digest("another manifest") })
	want("Proved on 2026-11-20 19:57 UTC", true)
	second := s.commit(idA, 120, small(true), nil)
	want("Nothing was proved of this revision; earlier ones were.", false)
	put(second, 130, nil)
	want("Proved on 2026-11-20 20:17 UTC", true)
	name := filepath.Join(s.path, "migrations", idA, "000002", "proof-000001.json")
	b, err := os.ReadFile(name)
	check(t, err)
	check(t, os.WriteFile(name, bytes.Replace(b, []byte(`"files":6`), []byte(`"files":7`), 1), 0o644))
	want("Nothing was proved of this revision", false)
	if r := s.must(""); len(r.Untrusted) != 1 || !strings.HasSuffix(r.Untrusted[0], "000002/proof-000001.json") {
		t.Errorf("%q", r.Untrusted)
	}
}

// What each revision added, and when, as receipts and commits tell.
func TestRevisions(t *testing.T) {
	s := newSite(t)
	s.commit(idA, 60, small(false), nil)
	list := small(true)
	for i, r := range list {
		if x, ok := r.(manifest.Receipt); ok && x.Bytes == 700 {
			x.At = moment(100)
			list[i] = x
		}
	}
	s.commit(idA, 120, list, nil)
	r := s.must("")
	if len(r.Revisions) != 2 {
		t.Fatalf("%+v", r.Revisions)
	}
	a, b := r.Revisions[0], r.Revisions[1]
	if a.Sent != 4 || a.SentBytes != 40_007_024 || a.Missing != 5 || !a.Begun.Equal(at(59)) || b.Sent != 1 || b.SentBytes != 700 || b.Found != 1 || revisionText(b) != "1 chunk of 700 B sent; 1 missing file found" {
		t.Errorf("%+v\n%+v", a, b)
	}
	var what []string
	for _, x := range r.Timeline {
		what = append(what, x.What+" "+took(x))
	}
	want := []string{"the installation was scanned ", "notifications, plans and usernames were settled ", "chunks of revision 1 were sent 20 minutes", "revision 1 was committed 1 minute",
		"chunks of revision 2 were sent ", "revision 2 was committed 1 minute"}
	if diff := cmp.Diff(want, what); diff != "" {
		t.Error(diff)
	}
	// A revision that somebody begins later is not told of, and an older one can be asked for by none but its number.
	if r.Migration.State != tenant.OfflineMaintenance {
		t.Errorf("%+v", r.Migration)
	}
}

func TestFind(t *testing.T) {
	s := newSite(t)
	if _, err := s.gather(""); manifest.StatusOf(err) != manifest.Refused || manifest.HintOf(err) == "" {
		t.Errorf("nothing there: %v", err)
	}
	list := small(false)
	h := list[0].(manifest.Header)
	h.ID, h.Phase = idB, "preseed"
	list[0] = h
	s.commit(idB, 60, list, nil)
	if _, err := s.gather(""); manifest.StatusOf(err) != manifest.Refused {
		t.Errorf("a part that goes ahead is no migration: %v", err)
	}
	if r := s.must(idB); r.Migration.Phase != tenant.Preseed || !strings.Contains(strings.Join(r.Limits, "\n"), "a part that went ahead") || r.Migration.State != "" {
		t.Errorf("%+v", r.Migration)
	}
	if _, err := s.gather(idA); manifest.StatusOf(err) != manifest.Refused {
		t.Errorf("another: %v", err)
	}
	if _, err := s.gather("../x"); manifest.StatusOf(err) != manifest.Usage {
		t.Errorf("no id: %v", err)
	}
	c := s.commit(idA, 70, small(false), nil)
	name := filepath.Join(s.path, "migrations", idA, "000001", "manifest.jsonl.zst")
	b, err := os.ReadFile(name)
	check(t, err)
	b[len(b)/2] ^= 1
	check(t, os.WriteFile(name, b, 0o644))
	if _, err := s.gather(""); manifest.StatusOf(err) != manifest.Failed {
		t.Errorf("a damaged manifest of %s: %v", c.ID, err)
	}
}

func TestAnswer(t *testing.T) {
	for want, r := range map[string]Report{
		"All 815 documents are at the tenant.":                                     {Items: Items{true, 815, 815, 0, 0}},
		"The only document is at the tenant.":                                      {Items: Items{true, 1, 1, 0, 0}},
		"812 of 815 documents are at the tenant; 3 are missing.":                   {Items: Items{true, 815, 812, 3, 0}, Totals: Totals{Missing: 3}},
		"0 of 1 document are at the tenant; 1 is missing.":                         {Items: Items{true, 1, 0, 1, 0}, Totals: Totals{Missing: 1}},
		"2 of 4 files are at the tenant; 1 is missing; 1 left out.":                {Items: Items{false, 4, 2, 1, 1}, Totals: Totals{Missing: 1}},
		"All 1,000,000 documents are at the tenant. Of other files 2 are missing.": {Items: Items{true, 1_000_000, 1_000_000, 0, 0}, Totals: Totals{Missing: 2}},
		"31 rows of the database are at the tenant; there are no files.":           {Totals: Totals{Rows: 31}},
	} {
		if got := r.answer(); got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
}

// Limits are told where they apply.
func TestLimits(t *testing.T) {
	all := func(list []manifest.Record) string {
		s := newSite(t)
		s.commit(idA, 60, list, nil)
		return strings.Join(s.must("").Limits, "\n")
	}
	got := all(small(false))
	for _, want := range []string{"test migration", "User accounts are made", "Mailboxes", "1 document or template is held by another archive", "1 document is without an activity",
		"1 file with passwords", "was guessed", "database login alone", "For 1 user nobody", "edited by hand (1)"} {
		if !strings.Contains(got, want) {
			t.Errorf("not told: %s", want)
		}
	}
	plain := []manifest.Record{
		manifest.Header{Format: manifest.Format, ID: idA, Created: moment(0), Migration: "live", Phase: "full"},
		manifest.Installation{Owner: "Kalles", Version: "9", Areas: []manifest.Area{manifest.Document}, Roots: map[string][]string{}},
		manifest.Migrator{Verified: "netserver", Admin: "confirmed"},
	}
	s := newSite(t)
	s.commit(idA, 60, plain, func(c *tenant.Commit) { c.Migration = "test" })
	if got := s.must("").Limits; len(got) != 1 || !strings.Contains(got[0], "web users were not") {
		t.Errorf("%q", got)
	}
}

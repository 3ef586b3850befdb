package report

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/tenant"
)

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

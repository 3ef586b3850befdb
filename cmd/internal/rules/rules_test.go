package rules

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/manifest"
)

func TestFind(t *testing.T) {
	dir := t.TempDir()
	with, without := filepath.Join(dir, "with"), filepath.Join(dir, "without")
	for _, d := range []string{filepath.Join(with, "plugins"), without} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(with, "omt-x"), nil, 0o755); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(without, "omt-x")
	if err := os.Symlink(filepath.Join(with, "omt-x"), link); err != nil {
		t.Skip(err)
	}
	real, err := filepath.EvalSymlinks(with)
	if err != nil {
		t.Fatal(err)
	}
	at := func(program string, err error) func() (string, error) {
		return func() (string, error) { return program, err }
	}
	for name, c := range map[string]struct {
		flags Flags
		want  folder
		lacks string
		fails bool
	}{
		"named":                    {flags: Flags{dir: without}, want: folder{without, true}},
		"named and not here":       {flags: Flags{dir: filepath.Join(dir, "none"), beside: at(filepath.Join(with, "omt-x"), nil)}, fails: true},
		"named, and a file":        {flags: Flags{dir: filepath.Join(with, "omt-x")}, fails: true},
		"beside":                   {flags: Flags{beside: at(filepath.Join(with, "omt-x"), nil)}, want: folder{filepath.Join(real, "plugins"), false}},
		"beside what a link names": {flags: Flags{beside: at(link, nil)}, want: folder{filepath.Join(real, "plugins"), false}},
		"none":                     {flags: Flags{beside: at(filepath.Join(without, "omt-y"), nil)}, lacks: filepath.Join(without, "plugins")},
		"not told":                 {flags: Flags{beside: at("", errors.New("x"))}, lacks: "the folder of this program, which the system does not tell"},
	} {
		t.Run(name, func(t *testing.T) {
			got, lacks, err := c.flags.find()
			if (err != nil) != c.fails || err != nil && manifest.StatusOf(err) != manifest.Usage {
				t.Fatal(err)
			}
			if got != c.want || lacks != c.lacks {
				t.Errorf("%+v, %q; want %+v, %q", got, lacks, c.want, c.lacks)
			}
		})
	}
}

// TestReserved: every id of ours is kept for the plugin that holds it, those of the tools for none.
func TestReserved(t *testing.T) {
	ids := reserved()
	if n := len(manifest.RequiredRules()) + len(OwnRules()); len(ids) != n {
		t.Errorf("%d ids, want %d: one is both a tool's and a plugin's, or is spelled otherwise", len(ids), n)
	}
	for _, id := range manifest.RequiredRules() {
		if len(ids[id]) != 1 || (ids[id][0] == "archive") != (strings.HasPrefix(id, "document-") || id == "file-size" || id == "path-length") {
			t.Errorf("%s: %q", id, ids[id])
		}
	}
	var own []string
	for _, r := range OwnRules() {
		own = append(own, r.ID)
		if ids[r.ID] != nil || r.Title == "" || r.Tools == "" || r.Severity == "" {
			t.Errorf("%+v", r)
		}
	}
	if !slices.IsSorted(own) {
		t.Errorf("%q", own)
	}
}

func TestEarlier(t *testing.T) {
	write := func(name string, records ...manifest.Record) string {
		var b bytes.Buffer
		w := manifest.NewWriter(&b, "omt-scan 0.1.0")
		for _, r := range append([]manifest.Record{manifest.Header{ID: "x"}}, records...) {
			if err := w.Write(r); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := w.End(); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := write("scan.jsonl", manifest.Installation{Owner: "Kalles", Serial: "7"})
	want := &manifest.Fact{Name: "earlier", ID: FromScan, Data: map[string]any{"owner": "Kalles", "serial": "7", "from": "scan.jsonl"}}
	if d := cmp.Diff(want, Earlier(FromScan, good)); d != "" {
		t.Error(d)
	}
	b, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(t.TempDir(), "cut.jsonl")
	if err := os.WriteFile(cut, b[:len(b)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"", "-", filepath.Join(t.TempDir(), "none"), t.TempDir(), cut, write("bare.jsonl")} {
		if f := Earlier(FromUsers, path); f != nil {
			t.Errorf("%q: %+v", path, f)
		}
	}
}

func TestWrite(t *testing.T) {
	l := Listing{Folder: "/p", Plugins: []Plugin{{File: "crm", Lock: "locked"}, {File: "x", Lock: "changed", Error: "it is not as plugins.lock says"}},
		Rules: []Rule{{ID: "travel", Severity: "error", Title: "nobody is on Travel | ever", Plugin: "crm", Version: "1", From: "crm", Lock: "locked", Error: "two of them"},
			{ID: "table-missing", Severity: "error", Title: "tables are there", Plugin: "omt", Version: "0.1.0", From: "omt-scan, omt-pack"}}}
	table := func(columns int) string {
		var b strings.Builder
		if err := l.WriteTable(&b, columns); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	want := `RULE           SEVERITY  PLUGIN     FROM                LOCK    TITLE
travel         error     crm 1      crm                 locked  nobody is on Travel | ever
table-missing  error     omt 0.1.0  omt-scan, omt-pack  -       tables are there

x (changed): it is not as plugins.lock says
rule travel of crm is not run: two of them
`
	if d := cmp.Diff(want, table(0)); d != "" {
		t.Error(d)
	}
	if lines := strings.Split(table(70), "\n"); lines[1] != "travel         error     crm 1      crm                 locked  nobod…" {
		t.Errorf("cut to 70: %q", lines[1])
	}
	var b strings.Builder
	if err := l.WriteMarkdown(&b); err != nil || !strings.Contains(b.String(), "| `travel` | error | crm 1 | crm | nobody is on Travel \\| ever |\n") {
		t.Errorf("%v: %s", err, b.String())
	}
	if err := l.Err(); manifest.StatusOf(err) != manifest.Remarks {
		t.Errorf("%v", err)
	}
	if _, err := l.Find("none"); manifest.StatusOf(err) != manifest.Usage {
		t.Errorf("%v", err)
	}
	l.Plugins, l.Rules = l.Plugins[:1], l.Rules[1:]
	if err := l.Err(); err != nil || strings.Contains(table(0), "\n\n") {
		t.Errorf("%v: %s", err, table(0))
	}
}

func TestWriteText(t *testing.T) {
	var b strings.Builder
	r := Rule{ID: "x", Title: "t", Help: strings.Repeat("word ", 30) + "\nnext line", Severity: "error", Final: "it is so", Plugin: "crm", Version: "1", From: "crm",
		Lock: "locked", Required: true, Queries: []Query{{"x.q", "-- title: x\nSELECT\n  1", 5, 30}}}
	if err := r.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"x: t", "word word", "next line", "waived     never: it is so", "required   nothing is packed or pushed before it ran to its end",
		"from       crm (locked)", "query      x.q (at most 5 rows, 30 s): SELECT 1"} {
		if !strings.Contains("\n"+b.String(), "\n"+line) {
			t.Errorf("%q is not in %s", line, b.String())
		}
	}
	for line := range strings.Lines(b.String()) {
		if len(line) > wide+1 {
			t.Errorf("a long line: %q", line)
		}
	}
}

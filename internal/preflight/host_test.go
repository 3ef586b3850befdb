package preflight

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/manifest"
)

// folder makes a locked folder of plugins of these names.
func folder(t testing.TB, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		if runtime.GOOS == "windows" {
			n += ".exe"
		}
		if err := os.Link(self, filepath.Join(dir, n)); err != nil {
			b, err := os.ReadFile(self)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, n), b, 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	lockFolder(t, dir)
	return dir
}

func lockFolder(t testing.TB, dir string) {
	t.Helper()
	if _, err := Lock(dir); err != nil {
		t.Fatal(err)
	}
}

// journal is a log that can be read while it is written.
type journal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(b)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.String()
}

func options(dir string) Options {
	return Options{Dir: dir, Tool: "omt-test 1", Now: func() time.Time { return time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC) },
		StartTimeout: time.Minute, RuleTimeout: 30 * time.Second}
}

func open(t testing.TB, o Options) *Host {
	t.Helper()
	h, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	return h
}

// users are as many user records.
func users(n int) []manifest.Record {
	var all []manifest.Record
	for i := range n {
		all = append(all, manifest.User{ID: int64(i + 1), Login: fmt.Sprintf("U%d", i+1)})
	}
	return all
}

// check runs all rules over records, which are written with a Writer as a tool does.
func check(t testing.TB, h *Host, records ...manifest.Record) ([]manifest.Check, []manifest.Finding) {
	t.Helper()
	s, err := h.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := manifest.NewWriter(&out, "omt-test 1")
	w.Observe(s.Observe)
	for _, r := range records {
		if err := w.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	checks, findings, err := s.Finish(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return checks, findings
}

// said are checks and findings as lines.
func said(checks []manifest.Check, findings []manifest.Finding) []string {
	var lines []string
	for _, c := range checks {
		line := c.Rule + " " + c.Status
		if c.Reason != "" {
			line += ": " + c.Reason
		}
		lines = append(lines, line)
	}
	for _, f := range findings {
		lines = append(lines, fmt.Sprintf("%s %s %v %s", f.Rule, f.Severity, f.Subjects, f.Message))
	}
	return lines
}

func header() manifest.Record {
	return manifest.Header{ID: "x", Tool: "t", Migration: "test", Phase: "full"}
}

func TestRulesGetWhatTheyReadAndAnswer(t *testing.T) {
	h := open(t, options(folder(t, "honest")))
	records := append([]manifest.Record{header(), manifest.Plan{Name: "P"}}, users(1200)...)
	records = append(records, manifest.Address{Person: 1, Email: "a@b"},
		manifest.Fact{Name: "licence", ID: "1", Data: map[string]any{"a": 1}}, manifest.Fact{Name: "other", ID: "2"},
		manifest.File{Area: manifest.Document, Path: "a", State: manifest.Present})
	want := []string{
		"saw-users done", "saw-files done", "saw-facts done",
		"saw-users warning [table:x] saw 1 plan, 1200 user",
		"saw-files warning [table:x] saw 1 file",
		"saw-facts warning [table:x] saw 1 fact, licence/1",
	}
	for range 2 { // a second session starts from nothing
		checks, findings := check(t, h, records...)
		if d := cmp.Diff(want, seen(said(checks, findings))); d != "" {
			t.Fatal(d)
		}
		if c := checks[0]; c.Plugin != "honest 1.0" || c.Tool != "omt-test 1" || c.Findings != 1 {
			t.Fatalf("check %+v", c)
		}
	}
}

// seen leaves out of what rules saw what the plugin was sent for another rule: a rule of the fakes sees all that its plugin
// is sent.
func seen(lines []string) []string {
	keep := map[string][]string{"saw-users": {"plan", "user"}, "saw-files": {"file"}, "saw-facts": {"fact", "/"}}
	for i, l := range lines {
		id, _, _ := strings.Cut(l, " ")
		before, list, ok := strings.Cut(l, "saw ")
		if kinds := keep[id]; ok && kinds != nil && strings.Contains(before, "warning") {
			parts := slices.DeleteFunc(strings.Split(list, ", "), func(s string) bool {
				return !slices.ContainsFunc(kinds, func(k string) bool { return strings.Contains(s, k) })
			})
			lines[i] = before + "saw " + strings.Join(parts, ", ")
		}
	}
	return lines
}

func TestAPluginIsSentOnlyWhatItsRulesRead(t *testing.T) {
	h := open(t, options(folder(t, "final")))
	h.plugins[0].Rules = h.plugins[0].Rules[1:] // final-beside alone, which reads users
	_, findings := check(t, h, header(), manifest.Plan{Name: "P"}, users(1)[0], manifest.Fact{Name: "licence", ID: "1"},
		manifest.File{Area: manifest.Document, Path: "a", State: manifest.Present})
	if len(findings) != 1 || findings[0].Message != "saw 1 user" {
		t.Fatalf("findings %+v", findings)
	}
}

// Each rule that does something wrong is not completed, or bounded; the rule beside it and another plugin are not disturbed.
func TestWrongRulesHarmNobodyElse(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a plugin for every case")
	}
	other := "its plugin"
	tests := []struct {
		name, want string // want: how a line begins
		beside     string // how the rule beside ends; empty: either way, by who was first
	}{
		{"hang", "hang not-completed: it took longer than 6s", manifest.CheckDone},
		{"lasts", "lasts not-completed: it took longer than 6s", manifest.CheckDone},
		{"floods", "floods not-completed: it took longer than 6s", manifest.CheckDone},
		{"failing", "failing not-completed: the tables are odd", manifest.CheckDone},
		{"late", "late not-completed: it reported a finding after it had said that it was done", manifest.CheckDone},
		{"twice", "twice not-completed: it said twice that it was done", manifest.CheckDone},
		{"ahead", "ahead not-completed: it said that it took batch 8, when it had 0 and 1 were sent", manifest.CheckDone},
		{"severe", "severe not-completed: it reported a finding of the unknown severity 99", manifest.CheckDone},
		{"empty", "empty not-completed: it reported a finding that says nothing", manifest.CheckDone},
		{"wordless", "wordless not-completed: its plugin ended the check without a word about it", manifest.CheckDone},
		{"early-done", "early-done done", manifest.CheckDone},
		{"crash", "crash not-completed: " + other + " ended in the middle (exit status 2): panic: boom in the middle", ""},
		{"steals", `steals not-completed: its plugin reported a finding for rule "saw-users", which it was not asked to run`, manifest.CheckNotCompleted},
		{"huge", "huge not-completed: its plugin sent what cannot be read: grpc: received message larger than max", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := options(folder(t, tt.name, "honest"))
			o.RuleTimeout = 6 * time.Second
			h := open(t, o)
			checks, findings := check(t, h, append([]manifest.Record{header()}, users(3)...)...)
			lines := said(checks, findings)
			if !slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, tt.want) }) {
				t.Errorf("missing %q", tt.want)
			}
			i := slices.IndexFunc(checks, func(c manifest.Check) bool { return c.Rule == tt.name+"-beside" })
			if c := checks[i]; tt.beside != "" && c.Status != tt.beside {
				t.Errorf("the rule beside: %s", c.Status)
			}
			if !slices.Contains(lines, "saw-users done") || !slices.Contains(lines, "saw-users warning [table:x] saw 3 user") {
				t.Error("the other plugin was disturbed")
			}
			for _, f := range findings {
				if f.Rule == tt.name && tt.name != "early-done" {
					t.Errorf("a finding of a rule that did not complete: %+v", f)
				}
			}
			if t.Failed() {
				t.Log(strings.Join(lines, "\n"))
			}
		})
	}
}

func logged(o *Options) *journal {
	j := &journal{}
	o.Log = slog.New(slog.NewTextHandler(j, &slog.HandlerOptions{Level: slog.LevelDebug}))
	return j
}

// within fails where f takes longer.
func within(t *testing.T, limit time.Duration, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	start := time.Now()
	go func() { f(); close(done) }()
	select {
	case <-done:
		t.Logf("%s took %s", what, time.Since(start))
	case <-time.After(limit):
		t.Fatalf("%s takes longer than %s", what, limit)
	}
}

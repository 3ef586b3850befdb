package pack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/inventory"
	"github.com/openomt/omt/internal/manifest"
)

func done(rule, tool string) manifest.Check {
	return manifest.Check{Rule: rule, Plugin: "crm 0.1.0", Tool: tool, Status: manifest.CheckDone}
}

func wrong(rule, message string) manifest.Finding {
	return manifest.Finding{Rule: rule, Severity: manifest.SeverityError, Subjects: []string{"user:7"}, Message: message}
}

// judged makes a run that has read this input, and where it tells people something.
func judged(in *intake, o Options) (*run, *bytes.Buffer, *[]string) {
	var out bytes.Buffer
	said := &[]string{}
	o.Now = func() time.Time { return time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC) }
	o.Tool = "omt-pack 0.1.0"
	o.Remark = func(format string, args ...any) { *said = append(*said, fmt.Sprintf(format, args...)) }
	if in.header.Phase == "" {
		in.header.Phase = "full"
	}
	r := &run{o: o, in: in, out: manifest.NewWriter(&out, o.Tool), packer: &packer{findings: &fileFindings{}}}
	r.inv = inventory.New(inventory.Options{Tool: o.Tool})
	return r, &out, said
}

func TestRefuse(t *testing.T) {
	results := func(f ...manifest.Finding) manifest.Results {
		return manifest.Results{Checks: []manifest.Check{done("satellite", "omt-assign 0.1.0")}, Findings: f}
	}
	for _, c := range []struct {
		name, tool string
		in         manifest.Results
		waivers    []manifest.Waiver
		required   []string
		phase      string
		want       string
		said       []string
	}{
		{name: "nothing blocks", tool: "omt-assign 0.1.0", in: results(), required: []string{"satellite"}},
		{name: "packed before", tool: "omt-pack 0.1.0", in: results()},
		{name: "nobody has a plan yet", tool: "omt-scan 0.1.0", want: "the input was written by omt-scan: nobody has a plan and a user name yet"},
		{name: "another program", tool: "x 1", want: "the input was written by x: omt-pack takes what omt-assign wrote"},
		{name: "an error", tool: "omt-assign 0.1.0", in: results(wrong("satellite", "m")), want: "blocked by satellite (1: user:7)", said: []string{"satellite: m"}},
		{name: "a waived error", tool: "omt-assign 0.1.0", in: results(wrong("satellite", "m")), waivers: []manifest.Waiver{{Rule: "satellite", Subject: "user:*", Covers: 1}}},
		{name: "a rule that was never run", tool: "omt-assign 0.1.0", in: results(), required: []string{"satellite", "travel"},
			want: "blocked by rules that were never run: travel", said: []string{"travel was never run over this manifest, which blocks like an error"}},
		{name: "a pre-seed", tool: "omt-assign 0.1.0", in: results(wrong("satellite", "m")), required: []string{"travel"}, phase: "preseed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := &intake{said: c.in, waivers: c.waivers, end: manifest.End{Tool: c.tool}}
			in.header.Phase = c.phase
			r, _, said := judged(in, Options{Required: c.required})
			err := r.refuse()
			if c.want == "" && err != nil || c.want != "" && (manifest.StatusOf(err) != manifest.Refused || err.Error() != c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
			if d := cmp.Diff(c.said, *said, cmp.Transformer("", func(s []string) string { return strings.Join(s, "\n") })); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestTail: the rules' results take the place of the input's where they were completed, waivers are weighed anew and those
// without effect told, and an error that only this run finds refuses it.
func TestTail(t *testing.T) {
	input := func() *intake {
		return &intake{said: manifest.Results{
			Checks:   []manifest.Check{done("satellite", "omt-assign 0.1.0"), done("travel", "omt-assign 0.1.0"), done("ansi-text", "omt-scan 0.1.0")},
			Findings: []manifest.Finding{wrong("satellite", "old"), wrong("travel", "old"), {Rule: "ansi-text", Severity: manifest.SeverityInfo, Message: "stays"}},
		}, waivers: []manifest.Waiver{{Rule: "satellite", Subject: "user:7", Reason: "known"}, {Rule: "travel", Reason: "home", Covers: 1}, {Rule: "version", Reason: "x"}}}
	}
	rules := func(findings ...manifest.Finding) func(context.Context) ([]manifest.Check, []manifest.Finding, error) {
		crashed := done("travel", "omt-pack 0.1.0")
		crashed.Status, crashed.Reason = manifest.CheckNotCompleted, "it crashed"
		return func(context.Context) ([]manifest.Check, []manifest.Finding, error) {
			return []manifest.Check{done("satellite", "omt-pack 0.1.0"), crashed}, findings, nil
		}
	}
	r, out, said := judged(input(), Options{Rules: rules(wrong("satellite", "new")), Required: []string{"satellite", "travel"}})
	begin(t, r)
	if err := r.tail(t.Context()); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"check travel omt-assign 0.1.0", "check ansi-text omt-scan 0.1.0", "check file-changed omt-pack 0.1.0",
		"check table-changed omt-pack 0.1.0", "check satellite omt-pack 0.1.0",
		"finding travel old (home)", "finding ansi-text stays ()", "finding satellite new (known)"}, written(t, r, out)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"travel (crm 0.1.0) was not completed, and what it found before stands: it crashed", "the waiver of version covers no finding"}, *said); d != "" {
		t.Error(d)
	}

	// One more than the waiver was given for.
	in := input()
	in.waivers[0] = manifest.Waiver{Rule: "satellite", Reason: "known", Covers: 1}
	r, _, said = judged(in, Options{Rules: rules(wrong("satellite", "one"), wrong("satellite", "two"))})
	begin(t, r)
	err := r.tail(t.Context())
	if manifest.StatusOf(err) != manifest.Refused || err.Error() != "blocked by satellite (2: user:7)" {
		t.Errorf("%v", err)
	}
	if !slices.Contains(*said, "satellite (2 errors), first: one") {
		t.Errorf("said %q", *said)
	}

	// In a pre-seed the same is told.
	in = input()
	in.waivers, in.header.Phase = nil, preseed
	r, _, said = judged(in, Options{Rules: rules(wrong("satellite", "one"))})
	begin(t, r)
	if err := r.tail(t.Context()); err != nil || !slices.Contains(*said, "satellite: one") {
		t.Errorf("%v, said %q", err, *said)
	}

	stop := errors.New("stop")
	r, _, _ = judged(input(), Options{Rules: func(context.Context) ([]manifest.Check, []manifest.Finding, error) { return nil, nil, stop }})
	begin(t, r)
	if err := r.tail(t.Context()); !errors.Is(err, stop) {
		t.Errorf("%v", err)
	}
}

// begin writes the first record.
func begin(t *testing.T, r *run) {
	t.Helper()
	if err := r.out.Write(manifest.Header{ID: "x", Phase: "full"}); err != nil {
		t.Fatal(err)
	}
}

// written are the checks and findings of a manifest.
func written(t *testing.T, r *run, out *bytes.Buffer) (list []string) {
	t.Helper()
	if _, err := r.out.End(); err != nil {
		t.Fatal(err)
	}
	in, err := readInput(t.Context(), manifest.NewReader(out, manifest.ReadOptions{}))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range in.said.Checks {
		list = append(list, fmt.Sprintf("check %s %s", c.Rule, c.Tool))
	}
	for _, f := range in.said.Findings {
		list = append(list, fmt.Sprintf("finding %s %s (%s)", f.Rule, f.Message, f.Waived))
	}
	return list
}

package plan

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/manifest"
)

// told is findings as text: "rule severity [subjects] message".
func told(findings []manifest.Finding) string {
	var b strings.Builder
	for _, f := range findings {
		fmt.Fprintf(&b, "%s %s %s %s\n", f.Rule, f.Severity, f.Subjects, f.Message)
	}
	return b.String()
}

// ruled is a run of rules that says this.
func ruled(checks []manifest.Check, findings ...manifest.Finding) func(context.Context) ([]manifest.Check, []manifest.Finding, error) {
	return func(context.Context) ([]manifest.Check, []manifest.Finding, error) { return checks, findings, nil }
}

func check(rule, status, reason string) manifest.Check {
	return manifest.Check{Rule: rule, Plugin: "crm 0.2.0", Tool: "omt-assign 0.1.0", Status: status, Reason: reason}
}

// TestRunRunsTheRules: what they say takes the place of what the input says of the rules that were completed, waivers are
// judged against the sum, and the rules are asked before the checks and after all that stands before them.
func TestRunRunsTheRules(t *testing.T) {
	o := RunOptions{Choices: Choices{Auto: true, Set: []Choice{set(t, "CC:plan=-")}, Waivers: []Waiver{waived("missing-email", "user:*", "soon", "")}},
		Required: []string{"satellite", "missing-email", "travel"}}
	var seen []string
	rules := ruled([]manifest.Check{check("satellite", manifest.CheckNotCompleted, "it crashed"), check("missing-email", "done", ""), check("other", "done", "")},
		manifest.Finding{Rule: "missing-email", Severity: manifest.SeverityError, Subjects: []string{"user:1"}, Message: "one"},
		manifest.Finding{Rule: "missing-email", Severity: manifest.SeverityError, Subjects: []string{"user:2"}, Message: "final", Final: true},
		manifest.Finding{Rule: "other", Severity: manifest.SeverityError, Subjects: []string{"x:1"}, Message: "other"})
	o.Rules = func(ctx context.Context) ([]manifest.Check, []manifest.Finding, error) {
		seen = append(seen, "rules")
		return rules(ctx)
	}
	b, s, err := run(t, whole(t), o, func(w *manifest.Writer) {
		w.Observe(func(l manifest.Line, _ manifest.Record) error {
			seen = append(seen, string(l.Kind))
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(strings.Join(seen, " "), "receipt rules check check check check finding") {
		t.Errorf("the order is %q", seen)
	}
	want := lines(
		`{"kind":"check","rule":"satellite","plugin":"crm 0.1.0","tool":"omt-scan 0.1.0","status":"done","findings":2}`,
		`{"kind":"check","rule":"missing-email","plugin":"crm 0.2.0","tool":"omt-assign 0.1.0","status":"done","findings":0}`,
		`{"kind":"check","rule":"other","plugin":"crm 0.2.0","tool":"omt-assign 0.1.0","status":"done","findings":0}`,
		`{"kind":"check","rule":"username-address","plugin":"omt","tool":"omt-assign 0.1.0","status":"done","findings":2}`)
	if d := cmp.Diff(want, of(b, "check")); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(`"user:1"],"message":"one","waived":"soon"}`, cut(of(b, "finding"), `"missing-email"`, `"user:1"`)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(`"user:2"],"message":"final","waived":"","final":true}`, cut(of(b, "finding"), `"missing-email"`, `"user:2"`)); d != "" {
		t.Error(d)
	}
	if strings.Contains(string(b), "stale") {
		t.Error("a finding of a rule that was completed again stands")
	}
	wantRemarks := []string{"satellite: Ærø", "missing-email: final (cannot be waived)", "other: other",
		"travel was never run over this manifest, which blocks like an error",
		"satellite (crm 0.2.0) was not completed, and what it found before stands: it crashed"}
	if d := cmp.Diff(wantRemarks, s.Remarks()); d != "" {
		t.Error(d)
	}
	if err := s.Err(); err == nil || !strings.HasSuffix(err.Error(), "3 errors stand, 1 rule did not run to its end") ||
		!strings.Contains(manifest.HintOf(err), "--waive") || !strings.Contains(manifest.HintOf(err), "--plugins DIR") {
		t.Errorf("%v, %s", err, manifest.HintOf(err))
	}
	if w := of(b, "waiver"); !strings.Contains(w, `"subject":"user:*","reason":"soon","by":"KK","at":"2026-11-22T10:00:00Z","covers":1}`) {
		t.Errorf("the waiver counts what it covers: %s", w)
	}
}

// cut returns the rest of the line that holds both texts, from the second on.
func cut(text, a, b string) string {
	for l := range strings.Lines(text) {
		if i := strings.Index(l, b); i >= 0 && strings.Contains(l, a) {
			return strings.TrimSuffix(l[i:], "\n")
		}
	}
	return ""
}

// TestRunRulesFail: the error of the rules, which is an interrupt, ends the run.
func TestRunRulesFail(t *testing.T) {
	stop := errors.New("stop")
	o := RunOptions{Rules: func(context.Context) ([]manifest.Check, []manifest.Finding, error) { return nil, nil, stop }}
	if out, _, err := run(t, whole(t), o); !errors.Is(err, stop) || strings.Contains(string(out), `"kind":"check"`) {
		t.Errorf("%v", err)
	}
}

// TestRunNotesTheEarlierManifest: behind the facts, in place of one of an earlier run; that of the scan stays.
func TestRunNotesTheEarlierManifest(t *testing.T) {
	fact := func(id, from string) manifest.Fact {
		return manifest.Fact{Name: "earlier", ID: id, Data: map[string]any{"from": from}}
	}
	in := build(t, user(1, "AA"), manifest.Removal{Person: 1, Email: "x@x.no", User: 1}, fact("scan", "a.jsonl"), fact("users", "b.jsonl"),
		manifest.Fact{Name: "traveller", ID: "1"}, manifest.Table{Name: "t"})
	now := fact("users", "c.jsonl")
	out, _, err := run(t, in, RunOptions{Earlier: &now})
	if err != nil {
		t.Fatal(err)
	}
	want := lines(`{"kind":"fact","name":"earlier","id":"scan","data":{"from":"a.jsonl"}}`, `{"kind":"fact","name":"traveller","id":"1","data":{}}`,
		`{"kind":"fact","name":"earlier","id":"users","data":{"from":"c.jsonl"}}`)
	if d := cmp.Diff(want, of(out, "fact")); d != "" {
		t.Error(d)
	}
	if again, _, err := run(t, out, RunOptions{}); err != nil || of(again, "fact") != want {
		t.Errorf("%v, without one: %s", err, of(again, "fact"))
	}
}

package scan_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/scan"
)

// ruled is a run of rules that says this.
func ruled(checks []manifest.Check, findings ...manifest.Finding) func(context.Context) ([]manifest.Check, []manifest.Finding, error) {
	return func(context.Context) ([]manifest.Check, []manifest.Finding, error) { return checks, findings, nil }
}

func done(rule string) manifest.Check {
	return manifest.Check{Rule: rule, Plugin: "crm 0.1.0", Tool: "omt-scan 0.1.0", Status: manifest.CheckDone}
}

// TestRules: what rules say is written with what the scan found itself, what blocks is told in full, and nobody's having a
// plan yet is no remark.
func TestRules(t *testing.T) {
	w := open(t, shared)
	bad := func(rule, message string) manifest.Finding {
		return manifest.Finding{Rule: rule, Severity: manifest.SeverityError, Subjects: []string{"user:1"}, Message: message}
	}
	undecided := []manifest.Finding{bad("undecided-user", "u1"), bad("undecided-user", "u2")}
	w.o.Rules, w.o.Required = ruled([]manifest.Check{done("undecided-user")}, undecided...), []string{"undecided-user"}
	if err := w.run(t); err != nil || len(w.remarks) > 0 {
		t.Fatalf("%v, %q", err, w.remarks)
	}
	if n := len(records[manifest.Finding](t, w, manifest.KindFinding)); n != 2 {
		t.Errorf("%d findings", n)
	}

	crashed := manifest.Check{Rule: "travel", Plugin: "crm 0.1.0", Tool: "omt-scan 0.1.0", Status: manifest.CheckNotCompleted, Reason: "it crashed"}
	w.o.Rules = ruled([]manifest.Check{done("zeta"), crashed, done("undecided-user")}, append(undecided, bad("zeta", "z1"), bad("zeta", "z2"))...)
	w.o.Required = append(w.o.Required, "version")
	err := w.run(t)
	want := "everything is listed, and packing it is blocked by travel (not completed: it crashed); zeta (2: user:1); rules that were never run: version"
	if manifest.StatusOf(err) != manifest.Remarks || err.Error() != want || !strings.Contains(manifest.HintOf(err), "--plugins DIR") {
		t.Errorf("%v", err)
	}
	if d := cmp.Diff([]string{"zeta: z1", "zeta: z2", "travel (crm 0.1.0) was not completed, which blocks like an error: it crashed",
		"version was never run over this manifest, which blocks like an error"}, w.remarks); d != "" {
		t.Error(d)
	}
	var checks, findings []string
	for _, c := range records[manifest.Check](t, w, manifest.KindCheck) {
		checks = append(checks, c.Rule)
	}
	for _, f := range records[manifest.Finding](t, w, manifest.KindFinding) {
		findings = append(findings, f.Rule)
	}
	if d := cmp.Diff("ansi-text attachment-names column-type file-unreadable folder-owner table-missing travel undecided-user zeta", strings.Join(checks, " ")); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff("undecided-user undecided-user zeta zeta", strings.Join(findings, " ")); d != "" {
		t.Error(d)
	}
}

func TestRulesFail(t *testing.T) {
	stop := errors.New("stop")
	w := open(t, shared)
	w.o.Rules = func(context.Context) ([]manifest.Check, []manifest.Finding, error) { return nil, nil, stop }
	if err := w.run(t); !errors.Is(err, stop) {
		t.Errorf("%v", err)
	}
}

// TestQueries: rows behind the facts of every scan, then what came of each query, then the manifest that is replaced.
func TestQueries(t *testing.T) {
	w := open(t, shared)
	w.o.Queries = []scan.Query{{Name: "old.drafts", SQL: "a"}, {Name: "old.gone", SQL: "b"}, {Name: "old.slow", SQL: "c"}}
	w.o.Select = func(_ context.Context, q scan.Query) (scan.Answer, error) {
		switch q.SQL {
		case "a":
			return scan.Answer{Status: scan.AnswerDone, Rows: []map[string]any{{"id": int64(7), "name": "Ærø"}, {}}}, nil
		case "b":
			return scan.Answer{Status: scan.AnswerAbsent, Reason: "there is no table x"}, nil
		}
		return scan.Answer{Status: scan.AnswerFailed, Reason: "30 s are over", Rows: []map[string]any{{"id": int64(1)}}}, nil
	}
	w.o.Earlier = &manifest.Fact{Name: "earlier", ID: "scan", Data: map[string]any{"owner": "K", "serial": "1", "from": "scan.jsonl"}}
	if err := w.run(t); err != nil {
		t.Fatal(err)
	}
	var facts []string
	for _, f := range records[manifest.Fact](t, w, manifest.KindFact) {
		facts = append(facts, fmt.Sprintf("%s %s %v", f.Name, f.ID, f.Data))
	}
	if d := cmp.Diff([]string{
		"old.drafts 1 map[id:7 name:Ærø]", "old.drafts 2 map[]", "query old.drafts map[rows:2 status:done]",
		"query old.gone map[reason:there is no table x rows:0 status:absent]",
		"query old.slow map[reason:30 s are over rows:0 status:failed]",
		"earlier scan map[from:scan.jsonl owner:K serial:1]",
	}, facts[len(facts)-6:]); d != "" {
		t.Error(d)
	}

	stop := errors.New("stop")
	w.o.Select = func(context.Context, scan.Query) (scan.Answer, error) { return scan.Answer{}, stop }
	if err := w.run(t); !errors.Is(err, stop) || !strings.Contains(err.Error(), "query old.drafts") {
		t.Errorf("%v", err)
	}
}

package manifest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestBlocked(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	missing := func(n int) (list []Finding) {
		for i := range n {
			list = append(list, Finding{Rule: "document-missing", Severity: SeverityError, Subjects: []string{fmt.Sprintf("user:%d", i)},
				Message: fmt.Sprintf("no file %d", i)})
		}
		return list
	}
	done := []Check{{Rule: "document-missing", Status: CheckDone}, {Rule: "x", Status: CheckDone}}
	final := Finding{Rule: "x", Severity: SeverityError, Subjects: []string{"user:1"}, Message: "two\nof them", Final: true}
	for _, tc := range []struct {
		name     string
		checks   []Check
		findings []Finding
		waivers  []Waiver
		required []string
		want     string
		lines    []string
		hint     []string // parts
		unsaid   string   // what the hint must not say
	}{
		{name: "nothing stands"},
		{name: "a warning does not block", checks: done, findings: []Finding{{Rule: "x", Severity: SeverityWarning}}},
		{name: "an error blocks", checks: done, findings: missing(2), want: "blocked by document-missing (2: user:0, user:1)",
			lines: []string{"document-missing (2 errors), first: no file 0"}, hint: []string{"resolve", ", or let them stand: omt-assign --waive"}, unsaid: "--plugins"},
		{name: "a waiver lets it stand", checks: done, findings: missing(2), waivers: []Waiver{{Rule: "document-missing", Reason: "known", Covers: 2}}},
		{name: "more than the waiver covers block", checks: done, findings: missing(3),
			waivers: []Waiver{{Rule: "document-missing", Reason: "known", Covers: 2}}, want: "blocked by document-missing (3: user:0, user:1, user:2)",
			lines: []string{"document-missing (3 errors), first: no file 0"}, hint: []string{"--waive"}},
		{name: "ten subjects are named", checks: done, findings: missing(12),
			want:  "blocked by document-missing (12: user:0, user:1, user:2, user:3, user:4, user:5, user:6, user:7, user:8, user:9, …)",
			lines: []string{"document-missing (12 errors), first: no file 0"}, hint: []string{"--waive"}},
		{name: "what cannot be waived is not to be waived", checks: done, findings: []Finding{final}, waivers: []Waiver{{Rule: "x", Covers: 9}, {Rule: "x", Subject: "user:1"}},
			want: "blocked by x (1: user:1)", lines: []string{"x: two of them (cannot be waived)"}, hint: []string{"resolve"}, unsaid: "--waive"},
		{name: "a rule that was not completed blocks", waivers: []Waiver{{Rule: "travel", Covers: 9}},
			checks: []Check{{Rule: "travel", Plugin: "crm 1", Status: CheckNotCompleted, Reason: "it crashed"}, {Rule: "version", Status: CheckDone}, {Rule: "z", Status: "odd"}},
			want:   "blocked by travel (not completed: it crashed); z (not completed: odd)",
			lines:  []string{"travel (crm 1) was not completed, which blocks like an error: it crashed", "z () was not completed, which blocks like an error: odd"},
			hint:   []string{"--plugins DIR", "cannot be waived"}, unsaid: "--waive"},
		{name: "a required rule that was never run blocks", checks: done, required: []string{"x", "y"}, waivers: []Waiver{{Rule: "y", Covers: 9}},
			want: "blocked by rules that were never run: y", lines: []string{"y was never run over this manifest, which blocks like an error"}, hint: []string{"--plugins DIR"}},
		{name: "many of them share a line", checks: done, required: RequiredRules(),
			want: "blocked by rules that were never run: duplicate-email, invalid-email, missing-email, undecided-user, plan-seats, administrator-plan, " +
				"shared-person, username-domain, travel, satellite and 13 more",
			lines: []string{"23 rules were never run over this manifest, which blocks like an error: duplicate-email, invalid-email, missing-email, undecided-user, " +
				"plan-seats, administrator-plan, shared-person, username-domain, travel, satellite and 13 more"}, hint: []string{"--plugins DIR"}},
		{name: "a rule whose check was taken out blocks", checks: done, findings: []Finding{{Rule: "q", Severity: SeverityInfo}},
			want: "blocked by rules that were never run: q", lines: []string{"q was never run over this manifest, which blocks like an error"}, hint: []string{"--plugins DIR"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := Standing{Results{tc.checks, tc.findings}, tc.waivers, tc.required}
			if d := cmp.Diff(tc.lines, Lines(s.Blocks(now))); d != "" {
				t.Error(d)
			}
			err := s.Blocked(now)
			if tc.want == "" {
				if err != nil {
					t.Fatalf("got %v, want nothing", err)
				}
				return
			}
			if err == nil || err.Error() != tc.want {
				t.Fatalf("got %v, want %s", err, tc.want)
			}
			hint := HintOf(err)
			for _, part := range tc.hint {
				if !strings.Contains(hint, part) {
					t.Errorf("hint %q", hint)
				}
			}
			if StatusOf(err) != Refused || tc.unsaid != "" && strings.Contains(hint, tc.unsaid) {
				t.Fatalf("status %d, hint %q", StatusOf(err), hint)
			}
		})
	}
}

func TestMessages(t *testing.T) {
	list := []Block{{Rule: "y", NeverRun: true}, {Rule: "x", Errors: []Finding{{Rule: "x", Message: "one\r\ntwo", Final: true}}}, {Rule: "many"}}
	want := []string{"x: one two (cannot be waived)"}
	for i := range 12 {
		list[2].Errors = append(list[2].Errors, Finding{Rule: "many", Message: fmt.Sprint(i)})
		if i < 10 {
			want = append(want, fmt.Sprintf("many: %d", i))
		}
	}
	want = append(want, "many: and 2 more", "y was never run over this manifest, which blocks like an error")
	if d := cmp.Diff(want, Messages(list)); d != "" {
		t.Error(d)
	}
}

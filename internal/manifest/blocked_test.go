package manifest

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestBlocked(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	missing := func(n int) (list []Finding) {
		for i := range n {
			list = append(list, Finding{Rule: "document-missing", Severity: SeverityError, Subjects: []string{fmt.Sprintf("user:%d", i)}})
		}
		return list
	}
	for _, tc := range []struct {
		name     string
		checks   []Check
		findings []Finding
		waivers  []Waiver
		want     string
	}{
		{name: "nothing stands"},
		{name: "a warning does not block", findings: []Finding{{Rule: "x", Severity: SeverityWarning}}},
		{name: "an error blocks", findings: missing(2), want: "blocked by document-missing (2: user:0, user:1)"},
		{name: "a waiver lets it stand", findings: missing(2), waivers: []Waiver{{Rule: "document-missing", Reason: "known", Covers: 2}}},
		{name: "more than the waiver covers block", findings: missing(3),
			waivers: []Waiver{{Rule: "document-missing", Reason: "known", Covers: 2}}, want: "blocked by document-missing (3: user:0, user:1, user:2)"},
		{name: "ten subjects are named", findings: missing(12),
			want: "blocked by document-missing (12: user:0, user:1, user:2, user:3, user:4, user:5, user:6, user:7, user:8, user:9, …)"},
		{name: "a rule that was not completed blocks", checks: []Check{{Rule: "travel", Status: "crashed"}, {Rule: "version", Status: CheckDone}},
			want: "blocked by travel (not completed: crashed)"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := Blocked(tc.checks, tc.findings, tc.waivers, now)
			if tc.want == "" {
				if err != nil {
					t.Fatalf("got %v, want nothing", err)
				}
				return
			}
			if err == nil || err.Error() != tc.want {
				t.Fatalf("got %v, want %s", err, tc.want)
			}
			if StatusOf(err) != Refused || !strings.Contains(HintOf(err), "--waive") {
				t.Fatalf("status %d, hint %q", StatusOf(err), HintOf(err))
			}
		})
	}
}

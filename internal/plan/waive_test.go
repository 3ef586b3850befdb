package plan

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/manifest"
)

func TestReadWaivers(t *testing.T) {
	got, err := ReadWaivers(strings.NewReader("Reason;Until;rule;Subject;by\nlost in 2009;2026-12-31;document-missing;folder:bob;KK\nx;1.2.2027;satellite;;\ny;31-12-2026;travel;;\n"),
		"w.csv", "")
	if err != nil {
		t.Fatal(err)
	}
	var s []string
	for _, w := range got {
		s = append(s, fmt.Sprintf("%s|%s|%s|%s|%s|%s", w.At, w.Rule, w.Subject, w.Reason, w.By, w.Until))
	}
	want := []string{"w.csv: row 2|document-missing|folder:bob|lost in 2009|KK|2026-12-31",
		"w.csv: row 3|satellite||x||2027-02-01", "w.csv: row 4|travel||y||2026-12-31"}
	if d := cmp.Diff(want, s); d != "" {
		t.Error(d)
	}
	for in, want := range map[string]string{
		"rule;subject\n": `w.csv: row 1: the header has no column "reason"`,
		"rule;reason;until\n;x;\na;;12/31/2026\nb; ;\n": lines(`w.csv: row 2, column rule: it is empty`,
			`w.csv: row 3, column until: "12/31/2026": want a date such as 2026-12-31`,
			`w.csv: row 3, column reason: a waiver needs a reason`, `w.csv: row 4, column reason: a waiver needs a reason`),
	} {
		if _, err := ReadWaivers(strings.NewReader(in), "w.csv", ""); err == nil || err.Error() != strings.TrimSuffix(want, "\n") {
			t.Errorf("%q: got %v, want %s", in, err, want)
		}
	}
}

func TestWaive(t *testing.T) {
	findings := []manifest.Finding{{Rule: "satellite", Subjects: []string{"satellite:1"}},
		{Rule: "satellite", Subjects: []string{"satellite:2", "x"}}, {Rule: "travel", Subjects: []string{"user:7"}}, {Rule: "plan", Final: true}}
	at := manifest.At(now)
	old := func(rule, subject, reason string, covers int) manifest.Waiver {
		return manifest.Waiver{Rule: rule, Subject: subject, Reason: reason, By: "OLD", Covers: covers}
	}
	for _, tt := range []struct {
		name  string
		old   []manifest.Waiver
		new   []Waiver
		want  []manifest.Waiver
		notes []string
	}{
		{"a rule", nil, []Waiver{waived("satellite", "", "r", "")},
			[]manifest.Waiver{{Rule: "satellite", Reason: "r", By: "KK", At: at, Covers: 2}}, nil},
		{"a subject, with end", nil, []Waiver{waived("satellite", "x", "r", "2026-11-22")},
			[]manifest.Waiver{{Rule: "satellite", Subject: "x", Reason: "r", By: "KK", Until: "2026-11-22", At: at, Covers: 1}},
			nil},
		{"others are kept, the same is replaced in its place",
			[]manifest.Waiver{old("satellite", "", "old", 1), old("travel", "user:7", "old", 1)},
			[]Waiver{waived("satellite", "", "new", "")},
			[]manifest.Waiver{{Rule: "satellite", Reason: "new", By: "KK", At: at, Covers: 2},
				old("travel", "user:7", "old", 1)}, nil},
		{"more findings than it was given for", []manifest.Waiver{old("satellite", "", "old", 1)}, nil,
			[]manifest.Waiver{old("satellite", "", "old", 1)},
			[]string{"the waiver of satellite was given for 1 findings; now there are 2, and none is waived"}},
		{"more findings of a subject are waived too", []manifest.Waiver{old("satellite", "x", "old", 0)}, nil,
			[]manifest.Waiver{old("satellite", "x", "old", 0)}, nil},
		{"no finding", nil, []Waiver{waived("satelite", "x", "r", "")},
			[]manifest.Waiver{{Rule: "satelite", Subject: "x", Reason: "r", By: "KK", At: at}},
			[]string{"the waiver of satelite:x covers no finding"}},
		{"ended", []manifest.Waiver{{Rule: "travel", Until: "2026-11-21"}}, nil,
			[]manifest.Waiver{{Rule: "travel", Until: "2026-11-21"}}, []string{"the waiver of travel ended on 2026-11-21"}},
		{"ended and given anew", []manifest.Waiver{{Rule: "travel", Until: "2026-11-21"}},
			[]Waiver{waived("travel", "", "r", "")}, []manifest.Waiver{{Rule: "travel", Reason: "r", By: "KK", At: at, Covers: 1}},
			nil},
		{"a pattern counts what it is about", nil, []Waiver{waived("satellite", "satellite:?", "r", "")},
			[]manifest.Waiver{{Rule: "satellite", Subject: "satellite:?", Reason: "r", By: "KK", At: at, Covers: 2}}, nil},
		{"more findings of a pattern than it was given for", []manifest.Waiver{old("satellite", "s*", "old", 1)}, nil,
			[]manifest.Waiver{old("satellite", "s*", "old", 1)},
			[]string{"the waiver of satellite:s* was given for 1 findings; now there are 2, and none is waived"}},
		{"what it was given for is no more", []manifest.Waiver{old("satellite", "satellite:9", "old", 1), old("travel", "user:8*", "old", 1)}, nil,
			[]manifest.Waiver{old("satellite", "satellite:9", "old", 1), old("travel", "user:8*", "old", 1)},
			[]string{"the waiver of satellite:satellite:9 covers no finding", "the waiver of travel:user:8* covers no finding"}},
		{"a finding that is final", nil, []Waiver{waived("plan", "", "r", "")},
			[]manifest.Waiver{{Rule: "plan", Reason: "r", By: "KK", At: at}}, []string{"the waiver of plan covers no finding: what there is cannot be waived"}},
		{"what cannot be waived is left out", []manifest.Waiver{old("plan-seats", "", "edited in", 9)}, nil, nil,
			[]string{"the waiver of plan-seats is left out: plan-seats is as it is"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, notes := waive(findings, tt.old, Choices{Waivers: tt.new, Now: now, By: "os user", Final: final}, manifest.Migrator{Login: "KK"})
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(tt.notes, notes); d != "" {
				t.Error(d)
			}
		})
	}
}

// final is what the rules say cannot be waived.
func final(rule string) string {
	if rule == "plan-seats" || rule == "duplicate-email" {
		return rule + " is as it is"
	}
	return ""
}

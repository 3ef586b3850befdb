package manifest

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func failure(rule string, subjects ...string) Finding {
	return Finding{Rule: rule, Severity: SeverityError, Subjects: subjects, Message: "m"}
}

func TestBlocking(t *testing.T) {
	two := []Finding{failure("a", "user:1"), failure("a", "user:2", "user:3")}
	now := time.Date(2026, 11, 22, 23, 30, 0, 0, time.FixedZone("", -3600)) // the 23rd in UTC
	for _, c := range []struct {
		name     string
		findings []Finding
		waivers  []Waiver
		want     []string // first subjects of what blocks
	}{
		{"none", nil, nil, nil},
		{"no waiver", two, nil, []string{"user:1", "user:2"}},
		{"warnings", []Finding{{Rule: "a", Severity: SeverityWarning}, {Rule: "a", Severity: SeverityInfo}}, nil, nil},
		{"rule", two, []Waiver{{Rule: "a", Reason: "r", Covers: 2}}, nil},
		{"rule that covers more", two, []Waiver{{Rule: "a", Covers: 3}}, nil},
		{"rule that covers less", two, []Waiver{{Rule: "a", Covers: 1}}, []string{"user:1", "user:2"}},
		{"warnings count", append(two[:2:2], Finding{Rule: "a", Severity: SeverityWarning}), []Waiver{{Rule: "a", Covers: 2}}, []string{"user:1", "user:2"}},
		{"other rule", two, []Waiver{{Rule: "b", Covers: 9}}, []string{"user:1", "user:2"}},
		{"subject", two, []Waiver{{Rule: "a", Subject: "user:3"}}, []string{"user:1"}},
		{"subject of another rule", two, []Waiver{{Rule: "b", Subject: "user:3"}}, []string{"user:1", "user:2"}},
		{"both subjects", two, []Waiver{{Rule: "a", Subject: "user:3"}, {Rule: "a", Subject: "user:1"}}, nil},
		{"a newer waiver", two, []Waiver{{Rule: "a", Covers: 1}, {Rule: "a", Covers: 2}}, nil},
		{"last day", two, []Waiver{{Rule: "a", Covers: 2, Until: "2026-11-22"}}, nil},
		{"day after", two, []Waiver{{Rule: "a", Covers: 2, Until: "2026-11-21"}}, []string{"user:1", "user:2"}},
		{"pattern", two, []Waiver{{Rule: "a", Subject: "user:*", Covers: 2}}, nil},
		{"pattern for some", two, []Waiver{{Rule: "a", Subject: "user:?", Covers: 9}}, nil},
		{"pattern of one", two, []Waiver{{Rule: "a", Subject: "*:1", Covers: 1}}, []string{"user:2"}},
		{"pattern that covers less", two, []Waiver{{Rule: "a", Subject: "user:*", Covers: 1}}, []string{"user:1", "user:2"}},
		{"pattern of a part", two, []Waiver{{Rule: "a", Subject: "ser:*", Covers: 9}, {Rule: "a", Subject: "user:", Covers: 9}}, []string{"user:1", "user:2"}},
		{"final", []Finding{{Rule: "a", Severity: SeverityError, Subjects: []string{"user:1"}, Final: true}, failure("a", "user:2")},
			[]Waiver{{Rule: "a", Covers: 1}, {Rule: "a", Subject: "user:1"}, {Rule: "a", Subject: "user:*", Covers: 1}}, []string{"user:1"}},
		{"no date", two, []Waiver{{Rule: "a", Covers: 2, Until: "soon"}}, []string{"user:1", "user:2"}},
		{"waived before, not now", []Finding{{Rule: "a", Severity: SeverityError, Subjects: []string{"user:1"}, Waived: "old"}}, nil, []string{"user:1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, f := range Blocking(c.findings, c.waivers, now) {
				got = append(got, f.Subjects[0])
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}

			// A Summary of the same manifest agrees.
			var out bytes.Buffer
			w := begun(t, &out)
			for _, f := range c.findings {
				if err := w.Write(f); err != nil {
					t.Fatal(err)
				}
			}
			for _, v := range c.waivers {
				if err := w.Write(v); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := w.End(); err != nil {
				t.Fatal(err)
			}
			s, err := Verify(&out, ReadOptions{})
			if err != nil {
				t.Fatal(err)
			}
			got = nil
			list, total := s.Blocking(now)
			for _, f := range list {
				got = append(got, f.Subjects[0])
			}
			if diff := cmp.Diff(c.want, got); diff != "" || total != len(got) {
				t.Error(diff, total)
			}
		})
	}
}

func TestWaive(t *testing.T) {
	in := []Finding{failure("a", "x"), failure("b", "x"), {Rule: "c", Severity: SeverityWarning, Waived: "old"}}
	got := Waive(in, []Waiver{{Rule: "a", Subject: "x", Reason: "known"}, {Rule: "b", Covers: 1}}, time.Time{})
	if got[0].Waived != "known" || got[1].Waived != "waived" || got[2].Waived != "" {
		t.Errorf("%+v", got)
	}
	if in[0].Waived != "" || in[2].Waived != "old" {
		t.Error("what was given was changed")
	}
}

func TestVerify(t *testing.T) {
	in := sample(t)
	s, err := Verify(bytes.NewReader(in), ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if s.Header.ID != "01936f1c-0000-7000-8000-000000000000" || s.Installation.Serial != "1801830017" || s.End.Tool != "omt-push 0.1.0" {
		t.Errorf("%+v", s)
	}
	if s.Edited || s.Counts["file"] != 4 || s.Findings["duplicate-email"] != 1 || s.Severities[SeverityInfo] != 1 {
		t.Errorf("%+v", s)
	}
	if len(s.Errors) != 1 || len(s.Waivers) != 1 || len(s.Checks) != 1 {
		t.Errorf("%+v", s)
	}
	if u := s.Undone([]string{"duplicate-email"}); len(u) != 1 || u[0].Rule != "version" || !u[0].NeverRun {
		t.Errorf("undone, of which there is a finding without a check: %v", u)
	}
	if list, total := s.Blocking(when.Time); total != 0 || len(list) != 0 {
		t.Errorf("blocking: %v", list)
	}
	if list, total := s.Blocking(when.AddDate(1, 0, 0)); total != 1 || list[0].Rule != "duplicate-email" || list[0].Waived != "" {
		t.Errorf("blocking once the waiver has expired: %v", list)
	}

	edited := bytes.Replace(in, []byte(`"rows":123,"columns"`), []byte(`"rows":124,"columns"`), 1)
	if _, err := Verify(bytes.NewReader(edited), ReadOptions{}); StatusOf(err) != BadInput {
		t.Errorf("edited: %v", err)
	}
	if s, err := Verify(bytes.NewReader(edited), ReadOptions{AcceptEdits: true}); err != nil || !s.Edited {
		t.Errorf("edited and accepted: %v", err)
	}
	odd := ended(`{"kind":"fact"}` + "\n" + `{"kind":"fact"}` + "\n")
	odd = strings.Replace(odd, `{"kind":"fact"}`, `{"kind":"finding","rule":1}`, 1)
	if _, err := Verify(strings.NewReader(odd), ReadOptions{AcceptEdits: true}); StatusOf(err) != BadInput || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("a finding that cannot be decoded: %v", err)
	}
}

// TestVerifyMany: errors beyond those that are held still block.
func TestVerifyMany(t *testing.T) {
	var out bytes.Buffer
	w := begun(t, &out)
	if err := w.Write(Check{Rule: "a", Status: "crashed"}); err != nil {
		t.Fatal(err)
	}
	for i := range maxErrors + 7 {
		if err := w.Write(failure("a", fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Write(Waiver{Rule: "a", Subject: "5"}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.End(); err != nil {
		t.Fatal(err)
	}
	s, err := Verify(&out, ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if list, total := s.Blocking(when.Time); len(list) != maxErrors-1 || total != maxErrors+6 {
		t.Errorf("%d of %d", len(list), total)
	}
	if u := s.Undone([]string{"a", "b"}); len(u) != 2 || u[0].Undone.Status != "crashed" || u[1].Rule != "b" || !u[1].NeverRun {
		t.Errorf("undone: %v", u)
	}
	s.Waivers = []Waiver{{Rule: "a", Subject: "?", Covers: maxErrors + 7}}
	if list, total := s.Blocking(when.Time); len(list) != maxErrors || total != maxErrors+7 {
		t.Errorf("a pattern over more than is held: %d of %d", len(list), total)
	}
	s.Waivers = append(s.Waivers, Waiver{Rule: "a", Covers: maxErrors + 7})
	if list, total := s.Blocking(when.Time); len(list) != 0 || total != 0 {
		t.Errorf("waived: %d of %d", len(list), total)
	}
}

// TestVerifyFinal: a final error beyond those that are held blocks whatever is waived.
func TestVerifyFinal(t *testing.T) {
	s := Summary{Findings: map[string]int{}, Severities: map[Severity]int{}, MoreErrors: map[string]int{},
		more: map[string]int{}, final: map[string]int{}, moreFinal: map[string]int{}}
	for i := range maxErrors + 2 {
		f := failure("a", fmt.Sprint(i))
		f.Final = i > maxErrors
		s.addFinding(f)
	}
	s.Waivers = []Waiver{{Rule: "a", Covers: maxErrors + 1}}
	if list, total := s.Blocking(when.Time); len(list) != 0 || total != 1 {
		t.Errorf("%d of %d", len(list), total)
	}
}

func TestWaiverMatches(t *testing.T) {
	for _, c := range []struct {
		subject, of string
		want        bool
	}{
		{"user:*", "user:", true}, {"user:*", "user:17", true}, {"user:*", "users:1", false},
		{"file:document:1*", "file:document:1", true}, {"file:document:1*", "file:document:21", false},
		{"?", "æ", true}, {"?", "", false}, {"??", "æ", false}, {"*", "", true},
		{"*a*b", "xaxaxb", true}, {"*a*b", "xaxaxbc", false}, {"a*a", "a", false}, {"**", "x", true},
		{"*.doc?", "x.doc.docx", true}, {"[a]*", "a", false}, {"user:7", "user:7", true}, {"user:7", "user:77", false},
	} {
		f := Finding{Rule: "r", Subjects: []string{"other", c.of}}
		if got := (Waiver{Rule: "r", Subject: c.subject}).Matches(f); got != c.want {
			t.Errorf("%q of %q: %v", c.subject, c.of, got)
		}
	}
	if long := strings.Repeat("a", 4000); (Waiver{Rule: "r", Subject: strings.Repeat("*a", 40) + "b"}).Matches(Finding{Rule: "r", Subjects: []string{long}}) {
		t.Error("no b is in it")
	}
}

func TestWaiverNotes(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	findings := []Finding{failure("a", "user:1"), failure("a", "user:2"), {Rule: "b", Subjects: []string{"user:3"}, Final: true}}
	got := WaiverNotes(findings, []Waiver{
		{Rule: "a", Covers: 2}, {Rule: "a", Subject: "user:1"}, {Rule: "a", Subject: "user:*", Covers: 5}, // of effect
		{Rule: "a", Covers: 1}, {Rule: "a", Subject: "*:2"}, {Rule: "a", Subject: "user:9"}, {Rule: "a", Until: "2026-02-28", Covers: 9},
		{Rule: "b", Subject: "user:3"}, {Rule: "c"},
	}, now)
	want := []string{
		"the waiver of a was given for 1 findings; now there are 2, and none is waived",
		"the waiver of a:*:2 was given for 0 findings; now there are 1, and none is waived",
		"the waiver of a:user:9 covers no finding",
		"the waiver of a ended on 2026-02-28",
		"the waiver of b:user:3 covers no finding: what there is cannot be waived",
		"the waiver of c covers no finding",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

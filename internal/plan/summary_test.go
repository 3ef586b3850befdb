package plan

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/manifest"
)

func TestSummaryLines(t *testing.T) {
	s := Summary{
		Plans: []PlanUse{{manifest.Plan{Name: "A", Title: "Plan A", Seats: 20, Source: "tenant"}, 12},
			{manifest.Plan{Name: "B", Title: "B", Seats: 1, Source: "licence"}, 3}, {manifest.Plan{Name: "C", Unlimited: true}, 4}},
		Notes: []string{"a note"}, Unmatched: []Unmatched{{"ten-x", 4}, {"", 1}},
		Kept: []manifest.Check{{Rule: "path-length", Plugin: "archive 0.1.0", Status: "not-completed", Reason: "out of time"}},
		Blocks: []manifest.Block{{Rule: "undecided-user"}, {Rule: "satellite"},
			{Rule: "travel", Undone: &manifest.Check{Rule: "travel", Plugin: "crm 0.1.0", Status: "crashed"}}, {Rule: "version", NeverRun: true}},
	}
	for i := range 12 {
		s.Undecided = append(s.Undecided, user(int64(i), fmt.Sprintf("U%d", i)))
		s.Blocks[0].Errors = append(s.Blocks[0].Errors, manifest.Finding{Rule: "undecided-user", Message: "u"})
		s.Blocks[1].Errors = append(s.Blocks[1].Errors, manifest.Finding{Rule: "satellite", Message: fmt.Sprintf("s%d", i)})
	}
	if d := cmp.Diff([]string{`plan "A" (Plan A): 12 used of 20 seats, 8 free`, `plan "B", from the local licence: 3 used of 1 seats, 2 too many`, `plan "C": 4 used, unlimited`},
		s.Info()); d != "" {
		t.Error(d)
	}
	want := []string{"a note",
		`"ten-x", held on site by 4 users, has no counterpart; --map-plan 'ten-x=NAME' gives one`,
		"1 user has no plan on site; --map-plan =NAME gives one, --map-plan =- none",
		"undecided: U0 (Name of U0), U1 (Name of U1), U2 (Name of U2), U3 (Name of U3), U4 (Name of U4), U5 (Name of U5), U6 (Name of U6), U7 (Name of U7), U8 (Name of U8), U9 (Name of U9) and 2 more"}
	for i := range 10 {
		want = append(want, fmt.Sprintf("satellite: s%d", i))
	}
	want = append(want, "satellite: and 2 more", "travel (crm 0.1.0) was not completed, which blocks like an error: crashed",
		"version was never run over this manifest, which blocks like an error",
		"path-length (archive 0.1.0) was not completed, and what it found before stands: out of time")
	if d := cmp.Diff(want, s.Remarks()); d != "" {
		t.Error(d)
	}
	if err := s.Err(); err.Error() != "the output is complete, but packing will refuse it: 12 users are undecided, 12 errors stand, 2 rules did not run to their end" || manifest.StatusOf(err) != manifest.Remarks {
		t.Error(err)
	}
	if err := (Summary{Undecided: s.Undecided[:1]}).Err(); err.Error() != "the output is complete, but packing will refuse it: 1 user is undecided" {
		t.Error(err)
	}
	if err := (Summary{Plans: s.Plans, Notes: s.Notes, Unmatched: s.Unmatched}).Err(); err != nil {
		t.Error(err)
	}
}

func TestPatch(t *testing.T) {
	for _, tt := range []struct {
		in     string
		fields []field
		want   string
	}{
		{`{"kind":"x","a":1}`, nil, `{"kind":"x","a":1}`},
		{`{"kind":"x", "a" : [1, {"b":2}] ,"c":"<é>"}`, []field{{"c", "<d>"}}, `{"kind":"x","a":[1, {"b":2}],"c":"<d>"}`},
		{`{"kind":"x","a":1,"b":2}`, []field{{"a", nil}, {"z", true}, {"y", nil}}, `{"kind":"x","b":2,"z":true}`},
		{`{"a":1}`, []field{{"a", nil}}, `{}`},
		{`{"A":1,"a":2,"b":12345678901234567890}`, []field{{"a", 3}}, `{"a":3,"b":12345678901234567890}`},
	} {
		got, err := patch([]byte(tt.in), tt.fields)
		if err != nil || string(got) != tt.want {
			t.Errorf("%s: got %s, %v", tt.in, got, err)
		}
	}
	if _, err := patch([]byte(`{"a":`), nil); err == nil {
		t.Error("a cut record was patched")
	}
}

package manifest

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMerge(t *testing.T) {
	done := func(rule, plugin string) Check { return Check{Rule: rule, Plugin: plugin, Status: CheckDone} }
	not := func(rule, reason string) Check {
		return Check{Rule: rule, Plugin: "now", Status: CheckNotCompleted, Reason: reason}
	}
	old, fresh := Finding{Rule: "a", Message: "old"}, Finding{Rule: "a", Message: "new"}
	for _, c := range []struct {
		name         string
		earlier, now Results
		want         Results
		kept         []Check
	}{
		{name: "nothing"},
		{"first run", Results{}, Results{[]Check{done("a", "now")}, []Finding{fresh}}, Results{[]Check{done("a", "now")}, []Finding{fresh}}, nil},
		{"nothing was run", Results{[]Check{done("a", "was")}, []Finding{old}}, Results{}, Results{[]Check{done("a", "was")}, []Finding{old}}, nil},
		{"done again", Results{[]Check{done("a", "was")}, []Finding{old}}, Results{[]Check{done("a", "now")}, []Finding{fresh}},
			Results{[]Check{done("a", "now")}, []Finding{fresh}}, nil},
		{"done again, and nothing is found", Results{[]Check{done("a", "was")}, []Finding{old}}, Results{[]Check{done("a", "now")}, nil},
			Results{Checks: []Check{done("a", "now")}}, nil},
		{"not this time", Results{[]Check{done("a", "was")}, []Finding{old}}, Results{[]Check{not("a", "x")}, []Finding{fresh}},
			Results{[]Check{done("a", "was")}, []Finding{old}}, []Check{not("a", "x")}},
		{"neither time", Results{[]Check{not("a", "x")}, nil}, Results{[]Check{not("a", "y")}, nil}, Results{Checks: []Check{not("a", "y")}}, nil},
		{"once and not once", Results{[]Check{done("a", "was"), not("a", "x")}, nil}, Results{[]Check{not("a", "y")}, nil}, Results{Checks: []Check{not("a", "y")}}, nil},
		{"never before", Results{}, Results{[]Check{not("a", "x")}, nil}, Results{Checks: []Check{not("a", "x")}}, nil},
		{"findings that no check tells of", Results{nil, []Finding{old}}, Results{[]Check{not("a", "x")}, nil}, Results{[]Check{not("a", "x")}, []Finding{old}}, nil},
		{"others stay in their place", Results{[]Check{done("x", "omt"), done("a", "was"), not("y", "z")}, []Finding{{Rule: "x"}, old, {Rule: "y"}}},
			Results{[]Check{done("a", "now"), done("b", "now")}, []Finding{fresh, {Rule: "b"}}},
			Results{[]Check{done("x", "omt"), not("y", "z"), done("a", "now"), done("b", "now")}, []Finding{{Rule: "x"}, {Rule: "y"}, fresh, {Rule: "b"}}}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, kept := Merge(c.earlier, c.now)
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(c.kept, kept); d != "" {
				t.Errorf("kept: %s", d)
			}
		})
	}
}

func TestRequiredRules(t *testing.T) {
	list := RequiredRules()
	if len(list) != 24 || list[0] != "duplicate-email" || list[23] != "path-length" {
		t.Errorf("%d: %q", len(list), list)
	}
	list[0] = "changed"
	if RequiredRules()[0] != "duplicate-email" {
		t.Error("the list can be changed")
	}
}

package manifest

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// shownSubjects is how many subjects of a rule a refusal names.
const shownSubjects = 10

// Blocked returns nil when nothing stands in the way of packing and pushing, else an error of status Refused that names
// the rules that block: those that were not completed, and those with errors that no waiver in force at now lets stand,
// with how many there are and their first subjects.
func Blocked(checks []Check, findings []Finding, list []Waiver, now time.Time) error {
	var parts []string
	for _, c := range checks {
		if c.Status != CheckDone {
			parts = append(parts, fmt.Sprintf("%s (not completed: %s)", c.Rule, c.Status))
		}
	}
	var rules []string
	count, subjects := map[string]int{}, map[string][]string{}
	for _, f := range Blocking(findings, list, now) {
		if count[f.Rule]++; count[f.Rule] == 1 {
			rules = append(rules, f.Rule)
		}
		for _, s := range f.Subjects {
			if known := subjects[f.Rule]; len(known) <= shownSubjects && !slices.Contains(known, s) {
				subjects[f.Rule] = append(subjects[f.Rule], s)
			}
		}
	}
	for _, r := range rules {
		s := subjects[r]
		if len(s) > shownSubjects {
			s = append(s[:shownSubjects:shownSubjects], "…")
		}
		if len(s) == 0 {
			parts = append(parts, fmt.Sprintf("%s (%d)", r, count[r]))
		} else {
			parts = append(parts, fmt.Sprintf("%s (%d: %s)", r, count[r], strings.Join(s, ", ")))
		}
	}
	if len(parts) == 0 {
		return nil
	}
	return Errorf(Refused, "blocked by %s", strings.Join(parts, "; ")).
		WithHint("resolve what the findings say, or let them stand: omt-assign --waive RULE[:SUBJECT]=REASON")
}

package manifest

import (
	"cmp"
	"slices"
	"time"
)

// untilForm is the form of a waiver's last day.
const untilForm = "2006-01-02"

// The statuses of a check.
const (
	CheckDone         = "done"          // the rule ran to its end
	CheckNotCompleted = "not-completed" // it did not; Reason says why
)

// Expired reports whether a waiver no longer holds at now: its last day, in the time zone of now, has passed or is no
// date. A waiver without one does not expire.
func (w Waiver) Expired(now time.Time) bool {
	if w.Until == "" {
		return false
	}
	_, err := time.Parse(untilForm, w.Until)
	return err != nil || now.Format(untilForm) > w.Until
}

// waivers are the waivers in force, by rule.
type waivers map[string][]Waiver

// inForce sorts waivers by rule. One without a subject is in force as long as its rule has no more findings than it
// covers; findings counts them.
func inForce(list []Waiver, findings map[string]int, now time.Time) waivers {
	w := waivers{}
	for _, v := range list {
		if !v.Expired(now) && (v.Subject != "" || findings[v.Rule] <= v.Covers) {
			w[v.Rule] = append(w[v.Rule], v)
		}
	}
	return w
}

// reason returns the reason of the first waiver that lets f stand.
func (w waivers) reason(f Finding) string {
	for _, v := range w[f.Rule] {
		if v.Subject == "" || slices.Contains(f.Subjects, v.Subject) {
			return cmp.Or(v.Reason, "waived")
		}
	}
	return ""
}

// Waive returns the findings with Waived set by the waivers in force at now, and cleared where none is. A waiver with a
// subject lets every finding of its rule stand that has the subject. One without covers all findings of its rule, of
// any severity, as long as there are no more of them than Covers; with more, none is covered, since nothing tells which
// are new.
func Waive(findings []Finding, list []Waiver, now time.Time) []Finding {
	count := map[string]int{}
	for _, f := range findings {
		count[f.Rule]++
	}
	w := inForce(list, count, now)
	out := slices.Clone(findings)
	for i := range out {
		out[i].Waived = w.reason(out[i])
	}
	return out
}

// Blocking returns the findings that block packing and pushing: errors that no waiver in force at now lets stand.
func Blocking(findings []Finding, list []Waiver, now time.Time) []Finding {
	return slices.DeleteFunc(Waive(findings, list, now), func(f Finding) bool {
		return f.Severity != SeverityError || f.Waived != ""
	})
}

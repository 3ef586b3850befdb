package manifest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
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

// String is what a waiver is of: RULE or RULE:SUBJECT.
func (w Waiver) String() string {
	if w.Subject == "" {
		return w.Rule
	}
	return w.Rule + ":" + w.Subject
}

// Counted reports whether a waiver covers the findings there were when it was given, and no more of them: it has no
// subject, or a pattern as subject, in which * stands for any text and ? for one character.
func (w Waiver) Counted() bool { return w.Subject == "" || strings.ContainsAny(w.Subject, "*?") }

// Matches reports whether a waiver is about a finding. None is about a final one.
func (w Waiver) Matches(f Finding) bool {
	switch {
	case f.Rule != w.Rule || f.Final:
		return false
	case w.Subject == "":
		return true
	case !w.Counted():
		return slices.Contains(f.Subjects, w.Subject)
	}
	return slices.ContainsFunc(f.Subjects, func(s string) bool { return matches(w.Subject, s) })
}

// matches reports whether text is what pattern says. It takes time in proportion to the product of their lengths.
func matches(pattern, text string) bool {
	p, t := []rune(pattern), []rune(text)
	i, j := 0, 0
	star, back := -1, 0 // the last * and where what it stands for ends at present
	for j < len(t) {
		switch {
		case i < len(p) && p[i] == '*':
			star, back = i, j
			i++
		case i < len(p) && (p[i] == '?' || p[i] == t[j]):
			i++
			j++
		case star >= 0:
			back++
			i, j = star+1, back
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}

// About counts the findings that a waiver is about, of any severity: what its Covers is when it is given.
func (w Waiver) About(findings []Finding) (n int) {
	for _, f := range findings {
		if w.Matches(f) {
			n++
		}
	}
	return n
}

// waivers are the waivers in force, by rule.
type waivers map[string][]Waiver

// inForce sorts waivers by rule. One that is Counted is in force as long as it is about no more findings than it covers;
// about counts them.
func inForce(list []Waiver, about func(Waiver) int, now time.Time) waivers {
	w := waivers{}
	for _, v := range list {
		if !v.Expired(now) && (!v.Counted() || about(v) <= v.Covers) {
			w[v.Rule] = append(w[v.Rule], v)
		}
	}
	return w
}

// reason returns the reason of the first waiver that lets f stand.
func (w waivers) reason(f Finding) string {
	for _, v := range w[f.Rule] {
		if v.Matches(f) {
			return cmp.Or(v.Reason, "waived")
		}
	}
	return ""
}

// Waive returns the findings with Waived set by the waivers in force at now, and cleared where none is. A waiver with a
// subject lets every finding of its rule stand that has the subject. One without, or with a pattern as subject, covers
// all findings of its rule, or those with a subject that the pattern fits, of any severity, as long as there are no more
// of them than Covers; with more, none is covered, since nothing tells which are new. A final finding is never covered.
func Waive(findings []Finding, list []Waiver, now time.Time) []Finding {
	w := inForce(list, func(v Waiver) int { return v.About(findings) }, now)
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

// WaiverNotes tells people which waivers have no effect at now, and why: expired, about more findings than they were
// given for, or about none.
func WaiverNotes(findings []Finding, list []Waiver, now time.Time) []string {
	var notes []string
	for _, w := range list {
		switch n := w.About(findings); {
		case w.Expired(now):
			notes = append(notes, fmt.Sprintf("the waiver of %s ended on %s", w, w.Until))
		case w.Counted() && n > w.Covers:
			notes = append(notes, fmt.Sprintf("the waiver of %s was given for %d findings; now there are %d, and none is waived", w, w.Covers, n))
		case n > 0:
		case slices.ContainsFunc(findings, func(f Finding) bool { f.Final = false; return w.Matches(f) }):
			notes = append(notes, fmt.Sprintf("the waiver of %s covers no finding: what there is cannot be waived", w))
		default:
			notes = append(notes, fmt.Sprintf("the waiver of %s covers no finding", w))
		}
	}
	return notes
}

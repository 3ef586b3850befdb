package manifest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// shownSubjects is how many subjects of a rule, or names of rules, a refusal names.
const shownSubjects = 10

// Standing is what decides whether a manifest may be packed and pushed.
type Standing struct {
	Results
	Waivers  []Waiver
	Required []string // rules that must have a check that is done, besides those that the manifest names
}

// Block is one rule that stands in the way.
type Block struct {
	Rule     string
	Errors   []Finding // errors that nothing lets stand
	Undone   *Check    // the check of a rule that did not run to its end
	NeverRun bool      // the rule has no check at all
}

// Blocks are the rules that stand in the way of packing and pushing at now: those that did not run to their end, or never
// ran although they are required or findings of theirs are there, and those with errors that no waiver in force lets stand.
// A rule that runs to no end cannot be waived.
func (s Standing) Blocks(now time.Time) []Block {
	var list []Block
	seen := map[string]bool{}
	for _, c := range s.Checks {
		if seen[c.Rule] = true; c.Status != CheckDone {
			list = append(list, Block{Rule: c.Rule, Undone: &c})
		}
	}
	at := map[string]int{}
	for _, f := range Blocking(s.Findings, s.Waivers, now) {
		i, ok := at[f.Rule]
		if !ok {
			i = len(list)
			at[f.Rule] = i
			list = append(list, Block{Rule: f.Rule})
		}
		list[i].Errors = append(list[i].Errors, f)
	}
	never := func(rule string) {
		if !seen[rule] {
			seen[rule] = true
			list = append(list, Block{Rule: rule, NeverRun: true})
		}
	}
	for _, rule := range s.Required {
		never(rule)
	}
	for _, f := range s.Findings {
		never(f.Rule)
	}
	return list
}

// Blocked returns nil when nothing stands in the way of packing and pushing at now, else the error of Refuse.
func (s Standing) Blocked(now time.Time) error { return Refuse(s.Blocks(now)) }

// Refuse makes an error of status Refused of what blocks, nil of nothing. It names the rules, with how many errors there
// are and their first subjects, and says what can be done.
func Refuse(list []Block) error {
	if len(list) == 0 {
		return nil
	}
	var parts, never []string
	for _, b := range list {
		switch {
		case b.NeverRun:
			never = append(never, b.Rule)
		case b.Undone != nil:
			parts = append(parts, fmt.Sprintf("%s (not completed: %s)", b.Rule, b.why()))
		default:
			parts = append(parts, b.counted())
		}
	}
	if len(never) > 0 {
		parts = append(parts, "rules that were never run: "+first(never))
	}
	return Errorf(Refused, "blocked by %s", strings.Join(parts, "; ")).WithHint("%s", hintOf(list))
}

// why is the reason of a check that is not done.
func (b Block) why() string { return cmp.Or(b.Undone.Reason, b.Undone.Status, "no status") }

// counted is a rule with the number of its errors and their first subjects.
func (b Block) counted() string {
	var subjects []string
	for _, f := range b.Errors {
		for _, s := range f.Subjects {
			if len(subjects) <= shownSubjects && !slices.Contains(subjects, s) {
				subjects = append(subjects, s)
			}
		}
	}
	if len(subjects) > shownSubjects {
		subjects = append(subjects[:shownSubjects], "…")
	}
	if len(subjects) == 0 {
		return fmt.Sprintf("%s (%d)", b.Rule, len(b.Errors))
	}
	return fmt.Sprintf("%s (%d: %s)", b.Rule, len(b.Errors), strings.Join(subjects, ", "))
}

// first joins names, the first ten of them, with the number of the others.
func first(names []string) string {
	if more := len(names) - shownSubjects; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:shownSubjects], ", "), more)
	}
	return strings.Join(names, ", ")
}

// hintOf says what can be done about what blocks.
func hintOf(list []Block) string {
	var run, resolve, waive bool
	for _, b := range list {
		run = run || b.NeverRun || b.Undone != nil
		resolve = resolve || len(b.Errors) > 0
		waive = waive || slices.ContainsFunc(b.Errors, func(f Finding) bool { return !f.Final })
	}
	var parts []string
	if run {
		parts = append(parts, "run omt-scan and omt-assign again where the plugins are (--plugins DIR), so that every rule runs to its end, which cannot be waived")
	}
	if resolve {
		parts = append(parts, "resolve what the findings say")
	}
	text := strings.Join(parts, "; ")
	if waive {
		text += ", or let them stand: omt-assign --waive RULE[:SUBJECT]=REASON"
	}
	return text
}

// Messages tell people what blocks in full: the first ten messages of each rule with errors, then a line for each rule that
// was not completed.
func Messages(list []Block) []string {
	var lines []string
	var undone []Block
	for _, b := range list {
		if len(b.Errors) == 0 {
			undone = append(undone, b)
			continue
		}
		for i, f := range b.Errors {
			if i == shownSubjects {
				lines = append(lines, fmt.Sprintf("%s: and %d more", b.Rule, len(b.Errors)-i))
				break
			}
			lines = append(lines, Block{Rule: b.Rule, Errors: []Finding{f}}.line())
		}
	}
	return append(lines, Lines(undone)...)
}

// Lines tell people what blocks, one line a rule; the rules that were never run share one.
func Lines(list []Block) []string {
	var lines, never []string
	for _, b := range list {
		switch {
		case b.NeverRun:
			never = append(never, b.Rule)
		case b.Undone != nil:
			lines = append(lines, fmt.Sprintf("%s (%s) was not completed, which blocks like an error: %s", b.Rule, b.Undone.Plugin, b.why()))
		default:
			lines = append(lines, b.line())
		}
	}
	if n := len(never); n == 1 {
		lines = append(lines, never[0]+" was never run over this manifest, which blocks like an error")
	} else if n > 1 {
		lines = append(lines, fmt.Sprintf("%d rules were never run over this manifest, which blocks like an error: %s", n, first(never)))
	}
	return lines
}

// line is a rule with errors on one line: the message where there is one, else the first one with the number.
func (b Block) line() string {
	text := b.Rule + ": "
	if n := len(b.Errors); n > 1 {
		text = fmt.Sprintf("%s (%d errors), first: ", b.Rule, n)
	}
	text += strings.Join(strings.Fields(b.Errors[0].Message), " ")
	if !slices.ContainsFunc(b.Errors, func(f Finding) bool { return !f.Final }) {
		text += " (cannot be waived)"
	}
	return text
}

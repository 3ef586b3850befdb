package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/openomt/omt/internal/manifest"
)

// Info is what a person may like to know: seats used and free, one line a plan.
func (s Summary) Info() []string {
	var lines []string
	for _, p := range s.Plans {
		switch title := titled(p.Plan); {
		case p.Unlimited:
			lines = append(lines, fmt.Sprintf("%s: %d used, unlimited", title, p.Used))
		case p.Used > p.Seats:
			lines = append(lines, fmt.Sprintf("%s: %d used of %d seats, %d too many", title, p.Used, p.Seats, p.Used-p.Seats))
		default:
			lines = append(lines, fmt.Sprintf("%s: %d used of %d seats, %d free", title, p.Used, p.Seats, p.Seats-p.Used))
		}
	}
	return lines
}

// titled is a plan for people.
func titled(p manifest.Plan) string {
	text := fmt.Sprintf("plan %q", p.Name)
	if p.Title != "" && p.Title != p.Name {
		text += " (" + p.Title + ")"
	}
	if p.Source != "tenant" && p.Source != "" {
		text += ", from the local licence"
	}
	return text
}

// Remarks is what a person should read: plans held on site that nothing takes the place of, who is undecided, what else
// blocks, and what was done or left that nobody asked for.
func (s Summary) Remarks() []string {
	lines := append([]string(nil), s.Notes...)
	for _, u := range s.Unmatched {
		if u.Name == "" {
			lines = append(lines, fmt.Sprintf("%s no plan on site; --map-plan =NAME gives one, --map-plan =- none",
				count(u.Users, "user has", "users have")))
			continue
		}
		lines = append(lines, fmt.Sprintf("%q, held on site by %s, has no counterpart; --map-plan '%s=NAME' gives one",
			u.Name, count(u.Users, "user", "users"), u.Name))
	}
	if n := len(s.Undecided); n > 0 {
		var who []string
		for _, u := range s.Undecided {
			who = append(who, called(u))
		}
		lines = append(lines, fmt.Sprintf("undecided: %s", enumerate(who)))
	}
	said := func(b manifest.Block) bool { return b.Rule == ruleUndecided && len(b.Errors) > 0 } // by the line above
	lines = append(lines, manifest.Messages(slices.DeleteFunc(slices.Clone(s.Blocks), said))...)
	for _, c := range s.Kept {
		lines = append(lines, fmt.Sprintf("%s (%s) was not completed, and what it found before stands: %s", c.Rule, c.Plugin, cmp.Or(c.Reason, c.Status)))
	}
	return lines
}

// count is a number with its word.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// Err is the error of status Remarks that a complete run ends with while something blocks packing, or nil.
func (s Summary) Err() error {
	var what, hints []string
	if n := len(s.Undecided); n > 0 {
		what = append(what, count(n, "user is undecided", "users are undecided"))
	}
	errs, undone := 0, 0
	for _, b := range s.Blocks {
		switch {
		case len(b.Errors) == 0:
			undone++
		case b.Rule != ruleUndecided:
			errs += len(b.Errors)
		}
	}
	if errs > 0 {
		what = append(what, count(errs, "error stands", "errors stand"))
	}
	if len(what) > 0 {
		hints = append(hints, "choose with --auto, --users or --set; what may stand can be waived with --waive RULE[:SUBJECT]=REASON")
	}
	if undone > 0 {
		what = append(what, count(undone, "rule did not run to its end", "rules did not run to their end"))
		hints = append(hints, "run omt-assign again where the plugins are (--plugins DIR)")
	}
	if len(what) == 0 {
		return nil
	}
	return manifest.Errorf(manifest.Remarks, "the output is complete, but packing will refuse it: %s", strings.Join(what, ", ")).
		WithHint("%s", strings.Join(hints, "; "))
}

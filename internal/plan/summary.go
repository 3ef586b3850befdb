package plan

import (
	"fmt"
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
	lines = append(lines, s.blocking()...)
	for _, c := range s.Undone {
		lines = append(lines, fmt.Sprintf("%s (%s) did not run to its end, which blocks like an error", c.Rule, c.Plugin))
	}
	return lines
}

// blocking lists the errors of each rule, the first ten. The undecided are named already.
func (s Summary) blocking() []string {
	var lines []string
	shown := map[string]int{}
	for _, f := range s.Blocking {
		if f.Rule == ruleUndecided {
			continue
		}
		if shown[f.Rule]++; shown[f.Rule] <= maxNamed {
			lines = append(lines, f.Rule+": "+f.Message)
		}
	}
	for _, f := range s.Blocking {
		if more := shown[f.Rule] - maxNamed; more > 0 {
			lines = append(lines, fmt.Sprintf("%s: and %d more", f.Rule, more))
			shown[f.Rule] = 0
		}
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
	var what []string
	if n := len(s.Undecided); n > 0 {
		what = append(what, count(n, "user is undecided", "users are undecided"))
	}
	stand := len(s.Undone)
	for _, f := range s.Blocking {
		if f.Rule != ruleUndecided {
			stand++
		}
	}
	if stand > 0 {
		what = append(what, count(stand, "error stands", "errors stand"))
	}
	if len(what) == 0 {
		return nil
	}
	return manifest.Errorf(manifest.Remarks, "the output is complete, but packing will refuse it: %s", strings.Join(what, ", ")).
		WithHint("choose with --auto, --users or --set; what may stand can be waived with --waive RULE=REASON")
}

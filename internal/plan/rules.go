package plan

import (
	"fmt"
	"strings"

	"github.com/openomt/omt/internal/manifest"
)

// ruleAddress is the rule that this package looks after, since it tells what becomes of the removals.
const ruleAddress = "username-address"

// ruleUndecided is of a plugin; whom it names, the summary names already.
const ruleUndecided = "undecided-user"

// plugin is under what the rule is reported.
const plugin = "omt"

// subject names a user in findings and waivers.
func subject(id int64) string { return fmt.Sprintf("user:%d", id) }

// called is a user for people, on one line: GKS (Gunn K. Schpaa).
func called(u manifest.User) string {
	name := strings.Join(strings.Fields(u.Name), " ")
	if name == "" {
		return u.Login
	}
	return u.Login + " (" + name + ")"
}

// given counts the users of each plan that was chosen.
func given(users []manifest.User) map[string]int {
	used := map[string]int{}
	for _, u := range users {
		if u.Plan != nil {
			used[*u.Plan]++
		}
	}
	return used
}

// checks are the check records of this package over its findings.
func checks(findings []manifest.Finding, tool string) []manifest.Check {
	return []manifest.Check{{Rule: ruleAddress, Plugin: plugin, Tool: tool, Status: manifest.CheckDone, Findings: len(findings)}}
}

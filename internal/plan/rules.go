package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/openomt/omt/internal/manifest"
)

// The rules that this package reports, in the order of their findings.
const (
	ruleDuplicate     = "duplicate-email"
	ruleInvalid       = "invalid-email"
	ruleMissing       = "missing-email"
	ruleUndecided     = "undecided-user"
	ruleSeats         = "plan-seats"
	ruleAdministrator = "administrator-plan"
	ruleAddress       = "username-address"
)

// Rules are the ids of the rules whose checks and findings this package writes, in their order.
func Rules() []string {
	return []string{ruleDuplicate, ruleInvalid, ruleMissing, ruleUndecided, ruleSeats, ruleAdministrator, ruleAddress}
}

// plugin is under what the rules are reported.
const plugin = "omt"

// confirmed is the value of a migrator's Admin that tells that the administrator right was named, not guessed.
const confirmed = "confirmed"

// waivable says why findings of a rule cannot be waived, or nothing.
func waivable(rule string, m manifest.Migrator) (why string) {
	switch {
	case rule == ruleDuplicate:
		return "two users cannot log in with one name"
	case rule == ruleSeats:
		return "the tenant gives no more plans than seats"
	case rule == ruleAdministrator && m.Admin == confirmed:
		return "without an administrator nobody can manage the tenant"
	}
	return ""
}

// findings applies all rules but username-address. They depend on the users and plans alone, not on how the users came to
// what they have.
func (a *assignment) findings(users []manifest.User) []manifest.Finding {
	list := slices.Clone(users)
	slices.SortStableFunc(list, func(x, y manifest.User) int { return cmp.Compare(x.ID, y.ID) })
	out := duplicates(list)
	for _, u := range list {
		if u.Plan != nil && *u.Plan != "" && u.Username != "" {
			if err := CheckUsername(strings.TrimSpace(u.Username)); err != nil {
				out = append(out, about(u, ruleInvalid, "user name '%s' is no e-mail address: %v", u.Username, err))
			}
		}
	}
	for _, u := range list {
		if u.Plan != nil && *u.Plan != "" && u.Username == "" {
			out = append(out, about(u, ruleMissing, "no user name; %s", onCard(u)))
		}
	}
	used := given(list)
	for _, u := range list {
		if u.Plan == nil {
			out = append(out, about(u, ruleUndecided, "no plan is chosen; %s", a.onSite(u, used)))
		}
	}
	out = append(out, a.seats(list)...)
	return append(out, a.administrators(list)...)
}

// about makes an error about one user.
func about(u manifest.User, rule, format string, args ...any) manifest.Finding {
	return manifest.Finding{Rule: rule, Severity: manifest.SeverityError, Subjects: []string{subject(u.ID)},
		Message: called(u) + ": " + fmt.Sprintf(format, args...)}
}

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

// onCard says which addresses there are to choose from.
func onCard(u manifest.User) string {
	if len(u.Emails) == 0 {
		return "no address on the card"
	}
	return "on the card: " + enumerate(u.Emails)
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

// onSite says what is known of the plan of an undecided user.
func (a *assignment) onSite(u manifest.User, used map[string]int) string {
	if u.Onsite == "" {
		return "on site there is none either"
	}
	name, ok := a.plans.equal(u.Onsite)
	if !ok {
		return fmt.Sprintf("%q, held on site, has no counterpart", u.Onsite)
	}
	if p := a.plans.exact[name]; !p.Unlimited && used[name] >= p.Seats {
		return fmt.Sprintf("the counterpart %q of %q, held on site, has no free seat", name, u.Onsite)
	}
	return fmt.Sprintf("%q is held on site", u.Onsite)
}

// duplicates finds user names that several users have.
func duplicates(users []manifest.User) []manifest.Finding {
	groups := sameName(users)
	var out []manifest.Finding
	for i, u := range users {
		group := groups[Key(u.Username)]
		if u.Username == "" || len(group) < 2 || group[0] != i {
			continue
		}
		f := manifest.Finding{Rule: ruleDuplicate, Severity: manifest.SeverityError, Message: alsoUsed(users, i, group)}
		for _, j := range group {
			f.Subjects = append(f.Subjects, subject(users[j].ID))
			if p := users[j].Plan; p != nil && *p == "" {
				f.Message += fmt.Sprintf("; %[1]s has no plan and can give it up (--set %[1]s:username=-)", users[j].Login)
			}
		}
		out = append(out, f)
	}
	return out
}

// effective is the plan that counts for a user: until one is chosen, the one that equals the plan held on site.
func (a *assignment) effective(u manifest.User) string {
	if u.Plan != nil {
		return *u.Plan
	}
	name, _ := a.plans.equal(u.Onsite)
	return name
}

// seats finds plans that more users have than there are seats, and plans that the tenant does not have.
func (a *assignment) seats(users []manifest.User) []manifest.Finding {
	type count struct{ users, undecided int }
	counts := map[string]*count{}
	var gone []string
	for _, u := range users {
		name := a.effective(u)
		if counts[name] == nil {
			counts[name] = &count{}
			if name != "" && a.plans.exact[name] == nil {
				gone = append(gone, name)
			}
		}
		counts[name].users++
		if u.Plan == nil {
			counts[name].undecided++
		}
	}
	var out []manifest.Finding
	add := func(name, format string, args ...any) {
		out = append(out, manifest.Finding{Rule: ruleSeats, Severity: manifest.SeverityError,
			Subjects: []string{"plan:" + name}, Message: fmt.Sprintf(format, args...)})
	}
	for _, p := range a.in.Plans {
		c := counts[p.Name]
		if c == nil || p.Unlimited || c.users <= p.Seats || a.plans.exact[p.Name].Seats != p.Seats {
			continue
		}
		text := fmt.Sprintf("plan %q: %d users for %d seats", p.Name, c.users, p.Seats)
		if c.undecided > 0 {
			text += fmt.Sprintf(" (%d of them undecided, counted by the plan they hold on site)", c.undecided)
		}
		add(p.Name, "%s", text)
	}
	slices.Sort(gone)
	for _, name := range gone {
		add(name, "plan %q is given to %d users, and the tenant has no such plan", name, counts[name].users)
	}
	return out
}

// administrators looks for one who can log in.
func (a *assignment) administrators(users []manifest.User) []manifest.Finding {
	f := manifest.Finding{Rule: ruleAdministrator, Severity: manifest.SeverityError}
	var logins []string
	for _, u := range users {
		if !u.Admin {
			continue
		}
		if a.effective(u) != "" {
			return nil
		}
		f.Subjects = append(f.Subjects, subject(u.ID))
		logins = append(logins, u.Login)
	}
	f.Message = "no administrator has a plan: " + enumerate(logins)
	if len(logins) == 0 {
		f.Message = "no user is known to be an administrator; say who is one (--set LOGIN:admin=true)"
	}
	return []manifest.Finding{f}
}

// Check applies the rules to users and plans as they are, for a stage that takes what was assigned: all rules but
// username-address, which needs the addresses of other persons. tool stands in the check records.
func Check(plans []manifest.Plan, users []manifest.User, tool string) ([]manifest.Check, []manifest.Finding) {
	a := &assignment{in: Input{Plans: plans, Users: users}, plans: newPlans(plans)}
	findings := a.findings(users)
	return slices.DeleteFunc(checks(findings, tool), func(c manifest.Check) bool { return c.Rule == ruleAddress }), findings
}

// checks are the check records of the rules over findings.
func checks(findings []manifest.Finding, tool string) []manifest.Check {
	count := map[string]int{}
	for _, f := range findings {
		count[f.Rule]++
	}
	var out []manifest.Check
	for _, rule := range Rules() {
		out = append(out, manifest.Check{Rule: rule, Plugin: plugin, Tool: tool, Status: manifest.CheckDone, Findings: count[rule]})
	}
	return out
}

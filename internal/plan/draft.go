package plan

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/plugins/sdk/email"
)

// The rules of plugins that Mark looks ahead of.
const (
	ruleDuplicate     = "duplicate-email"
	ruleInvalid       = "invalid-email"
	ruleMissing       = "missing-email"
	ruleSeats         = "plan-seats"
	ruleAdministrator = "administrator-plan"
)

// confirmed is the value of a migrator's Admin that tells that the administrator right was named, not guessed.
const confirmed = "confirmed"

// Draft is Assign for choices that are still being made: what Assign would refuse is in the result as it was chosen, and
// Mark says what is wrong with it. A choice that names no user or plan there is has no effect.
func Draft(in Input, c Choices) Result {
	a := begin(in, c)
	a.choose()
	return a.result()
}

// Marks is what is wrong with users and plans as they are.
type Marks struct {
	Findings  []manifest.Finding // one for each, under the rule that would report it
	Names     map[int64]string   // what is wrong with a user's name, by the user's id
	Used      map[string]int     // users that were given each plan; none is ""
	Undecided int                // users without a choice
}

// Mark looks for what the rules about users, names and plans would report. It says so for somebody who has the users in
// front of them: an undecided user counts for no plan, and a name that is missing or invalid is marked before its user has a plan.
func Mark(in Input, users []manifest.User) Marks {
	m := &marker{in: in, users: users, plans: newPlans(in.Plans)}
	m.Names, m.Used = map[int64]string{}, given(users)
	m.duplicates()
	for _, u := range users {
		m.name(u)
		if u.Plan == nil {
			m.Undecided++
			m.add(ruleUndecided, false, []int64{u.ID}, "%s: no plan is chosen", called(u))
		}
	}
	m.seats()
	m.administrators()
	return m.Marks
}

// marker is a run of Mark.
type marker struct {
	Marks
	in    Input
	users []manifest.User
	plans plans
}

// add puts a finding down; final says that no waiver lets it stand.
func (m *marker) add(rule string, final bool, users []int64, format string, args ...any) {
	f := manifest.Finding{Rule: rule, Severity: manifest.SeverityError, Message: fmt.Sprintf(format, args...), Final: final}
	for _, id := range users {
		f.Subjects = append(f.Subjects, subject(id))
	}
	m.Findings = append(m.Findings, f)
}

// duplicates marks every user of a name that several have; it is one finding.
func (m *marker) duplicates() {
	groups := sameName(m.users)
	for i, u := range m.users {
		group := groups[email.Key(u.Username)]
		if u.Username == "" || len(group) < 2 {
			continue
		}
		m.Names[u.ID] = alsoUsed(m.users, i, group)
		if group[0] != i {
			continue
		}
		var ids []int64
		for _, j := range group {
			ids = append(ids, m.users[j].ID)
		}
		m.add(ruleDuplicate, true, ids, "%s", m.Names[u.ID])
	}
}

// name marks a name that is missing or no address.
func (m *marker) name(u manifest.User) {
	planned := u.Plan != nil && *u.Plan != ""
	if u.Plan != nil && *u.Plan == "" {
		return
	}
	if u.Username == "" {
		m.Names[u.ID] = u.Login + ": no user name"
		if planned {
			m.add(ruleMissing, false, []int64{u.ID}, "%s: no user name", called(u))
		}
		return
	}
	err := email.Check(strings.TrimSpace(u.Username))
	if err == nil {
		return
	}
	text := fmt.Sprintf("user name '%s' is no e-mail address: %v", u.Username, err)
	if m.Names[u.ID] == "" {
		m.Names[u.ID] = u.Login + ": " + text
	}
	if planned {
		m.add(ruleInvalid, false, []int64{u.ID}, "%s: %s", called(u), text)
	}
}

// seats finds plans with more users than seats, and plans that are gone.
func (m *marker) seats() {
	over := func(name, format string, args ...any) {
		m.add(ruleSeats, true, nil, format, args...)
		m.Findings[len(m.Findings)-1].Subjects = []string{"plan:" + name}
	}
	for _, p := range m.in.Plans {
		if used := m.Used[p.Name]; !p.Unlimited && used > p.Seats && m.plans.exact[p.Name].Seats == p.Seats {
			over(p.Name, "plan %q: %d users for %d seats", p.Name, used, p.Seats)
		}
	}
	said := map[string]bool{}
	for _, u := range m.users {
		if u.Plan != nil && *u.Plan != "" && m.plans.exact[*u.Plan] == nil && !said[*u.Plan] {
			said[*u.Plan] = true
			over(*u.Plan, "plan %q is given to %d users, and the tenant has no such plan", *u.Plan, m.Used[*u.Plan])
		}
	}
}

// administrators looks for one with a plan.
func (m *marker) administrators() {
	var ids []int64
	for _, u := range m.users {
		if u.Admin && u.Plan != nil && *u.Plan != "" {
			return
		}
		if u.Admin {
			ids = append(ids, u.ID)
		}
	}
	text := "at least one administrator must have a plan"
	if len(ids) == 0 {
		text = "no user is known to be an administrator"
	}
	m.add(ruleAdministrator, m.in.Migrator.Admin == confirmed, ids, "%s", text)
}

// Weigh returns findings with what the waivers say, those of the input and those of the choices, and with Final set where
// their rule is final.
func Weigh(findings []manifest.Finding, before []manifest.Waiver, c Choices, m manifest.Migrator) []manifest.Finding {
	list, _ := waive(findings, before, c, m)
	out := manifest.Waive(findings, list, c.Now)
	for i := range out {
		if out[i].Final = out[i].Final || c.final(out[i].Rule) != ""; out[i].Final {
			out[i].Waived = ""
		}
	}
	return out
}

// Survey is what stands in a manifest beside users and plans and matters to whoever assigns.
type Survey struct {
	Header       manifest.Header
	Installation manifest.Installation
	Findings     []manifest.Finding // about users and persons alone
	Waivers      []manifest.Waiver
}

// Look reads a manifest to its end.
func Look(ctx context.Context, in *manifest.Reader) (Survey, error) {
	var s Survey
	err := each(ctx, in, func(l manifest.Line) (bool, error) {
		switch l.Kind {
		case manifest.KindManifest:
			return true, l.Decode(&s.Header)
		case manifest.KindInstallation:
			return true, l.Decode(&s.Installation)
		case manifest.KindFinding:
			var f manifest.Finding
			if err := l.Decode(&f); err != nil {
				return false, err
			}
			s.Findings = append(s.Findings, AboutPeople([]manifest.Finding{f})...)
		case manifest.KindWaiver:
			var w manifest.Waiver
			err := l.Decode(&w)
			s.Waivers = append(s.Waivers, w)
			return true, err
		}
		return true, nil
	})
	return s, err
}

// AboutPeople returns the findings about users, persons and their domains alone: those that who assigns can settle, or
// should know of. What is about a user's documents is not among them.
func AboutPeople(findings []manifest.Finding) []manifest.Finding {
	var out []manifest.Finding
	for _, f := range findings {
		other := func(s string) bool {
			kind, _, _ := strings.Cut(s, ":")
			return !slices.Contains([]string{"user", "person", "domain", "traveller"}, kind)
		}
		if len(f.Subjects) > 0 && !slices.ContainsFunc(f.Subjects, other) {
			out = append(out, f)
		}
	}
	return out
}

// PersonRemoval is a user name that is an address of a person who is no user.
type PersonRemoval struct {
	manifest.Removal
	Removed bool // false: it stays there
}

// OnPersons reads a manifest up to its removals and returns what Run would find with r's user names on cards of persons
// who are no users, by user. choice is Choices.RemoveFromPersons. It holds one for each match.
func (r Result) OnPersons(ctx context.Context, in *manifest.Reader, choice *bool) ([]PersonRemoval, error) {
	m := matches{names: r.names}
	kept := map[manifest.Removal]bool{}
	last := manifest.Rank(manifest.KindRemoval)
	err := each(ctx, in, func(l manifest.Line) (bool, error) {
		switch l.Kind {
		case manifest.KindAddress:
			var a manifest.Address
			if err := l.Decode(&a); err != nil {
				return false, err
			}
			m.see(a)
		case manifest.KindRemoval:
			var x manifest.Removal
			if err := l.Decode(&x); err != nil {
				return false, err
			}
			kept[x] = true
		}
		return manifest.Rank(l.Kind) <= last, nil
	})
	if err != nil {
		return nil, err
	}
	sortRemovals(m.found)
	var list []PersonRemoval
	for i, x := range m.found {
		if i == 0 || x != m.found[i-1] {
			list = append(list, PersonRemoval{x, isRemoved(choice, kept[x])})
		}
	}
	return list, nil
}

// each hands records to see until it says no.
func each(ctx context.Context, in *manifest.Reader, see func(manifest.Line) (more bool, err error)) error {
	for n := 0; ; n++ {
		l, err := in.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil && n%1024 == 0 {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		if more, err := see(l); err != nil || !more {
			return err
		}
	}
}

package plan

import (
	"fmt"
	"strings"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/sheet"
	"github.com/openomt/omt/plugins/sdk/email"
)

// plans finds plans by name.
type plans struct {
	all    []manifest.Plan
	exact  map[string]*manifest.Plan
	folded map[string]*manifest.Plan
	onsite map[string]*manifest.Plan // by folded on-site name
}

func newPlans(list []manifest.Plan) plans {
	p := plans{list, map[string]*manifest.Plan{}, map[string]*manifest.Plan{}, map[string]*manifest.Plan{}}
	put := func(m map[string]*manifest.Plan, key string, to *manifest.Plan) {
		if _, there := m[key]; !there && key != "" {
			m[key] = to
		}
	}
	for i := range list {
		put(p.exact, list[i].Name, &list[i])
		put(p.folded, email.Key(list[i].Name), &list[i])
		put(p.onsite, email.Key(list[i].Onsite), &list[i])
	}
	return p
}

// find finds a plan by its exact name, else without regard to case.
func (p plans) find(name string) *manifest.Plan {
	if found := p.exact[name]; found != nil {
		return found
	}
	return p.folded[email.Key(name)]
}

// unknown says that a name is no plan's, and what may have been meant.
func (p plans) unknown(name string) string {
	text := fmt.Sprintf("plan %q does not exist", name)
	if len(p.all) == 0 {
		return text + "; the manifest names no plans, give omt-scan --plans"
	}
	for _, q := range p.all {
		if strings.EqualFold(q.Title, name) || strings.EqualFold(q.Onsite, name) {
			return fmt.Sprintf("%s; did you mean %q?", text, q.Name)
		}
	}
	var list []string
	for _, q := range p.all {
		list = append(list, q.Name)
	}
	return text + "; there are " + enumerate(list)
}

// rows applies the rows of --users.
func (a *assignment) rows(list []Choice) {
	first := map[*card]sheet.Place{}
	for _, c := range list {
		u := a.find(c)
		if u == nil {
			continue
		}
		if at, twice := first[u]; twice {
			a.problems.Add(c.At, "user %q stands already in %s %d", u.Login, at.Unit, at.N)
			continue
		}
		first[u] = c.At
		a.given.users = true
		a.given.welcomeUsers = a.given.welcomeUsers || c.Welcome != ""
		a.apply(u, c)
	}
}

// sets applies the values of --set. The same may be said twice, but not two things.
func (a *assignment) sets(list []Choice) {
	type field struct {
		user   *card
		column string
	}
	said := map[field]string{}
	for _, c := range list {
		u := a.find(c)
		if u == nil {
			continue
		}
		for _, column := range [...]string{colPlan, colUsername, colAdmin, colConfidential, colWelcome} {
			text := *c.cell(column)
			if text == "" {
				continue
			}
			if before, twice := said[field{u, column}]; twice && before != text {
				a.problems.Add(c.At.In(column), "another --set says %q for the same user", before)
			}
			said[field{u, column}] = text
		}
		a.given.set = true
		a.given.welcomeSet = a.given.welcomeSet || c.Welcome != ""
		a.apply(u, c)
	}
}

// apply puts one choice on a card.
func (a *assignment) apply(u *card, c Choice) {
	if c.Username != "" {
		a.setUsername(u, c)
	}
	if c.Plan != "" {
		a.setPlan(u, c)
	}
	if v, ok := a.truth(c, colAdmin, c.Admin, "true or false"); ok {
		u.Admin = v
	}
	if v, ok := a.truth(c, colConfidential, c.Confidential, "true or false"); ok {
		u.Confidential = v
	}
	if c.Welcome == "?" {
		u.Welcome, u.welcome = nil, true
	} else if v, ok := a.truth(c, colWelcome, c.Welcome, "true, false or ?"); ok {
		u.Welcome, u.welcome = &v, true
	}
}

// truth reads a truth value; ok is false where nothing changes.
func (a *assignment) truth(c Choice, column, text, want string) (value, ok bool) {
	if text == "" {
		return false, false
	}
	if value, ok = sheet.Bool(text); !ok {
		a.problems.Add(c.At.In(column), "%q: want %s", text, want)
	}
	return value, ok
}

// setUsername gives or takes a user name.
func (a *assignment) setUsername(u *card, c Choice) {
	u.username = &c.At
	if c.Username == "-" || c.Username == "?" {
		u.Username = ""
		return
	}
	u.Username = strings.TrimSpace(c.Username)
}

// setPlan gives or takes a plan. It stands after setUsername, since who loses the right to log in gives up the name he
// had, but not one that this run gives.
func (a *assignment) setPlan(u *card, c Choice) {
	name := ""
	switch c.Plan {
	case "?":
		u.Plan, u.plan = nil, &c.At
		return
	case "-":
		if (u.Plan == nil || *u.Plan != "") && email.Key(u.Username) == email.Key(u.before.Username) {
			u.Username = ""
		}
	default:
		p := a.plans.find(c.Plan)
		if to, mapped := a.mapped(c.Plan); p == nil && c.Earlier && mapped {
			a.setPlan(u, Choice{At: c.At, Plan: to})
			return
		}
		if p == nil {
			a.problems.Add(c.At.In(colPlan), "%s", a.plans.unknown(c.Plan))
			return
		}
		name = p.Name
	}
	u.Plan, u.plan = &name, &c.At
}

// mapped returns what --map-plan says of a plan's name.
func (a *assignment) mapped(old string) (to string, ok bool) {
	for _, m := range a.choices.MapPlan {
		if email.Key(m.Old) == email.Key(old) {
			return m.New, true
		}
	}
	return "", false
}

// checkMappings judges --map-plan.
func (a *assignment) checkMappings() {
	said := map[string]string{}
	for _, m := range a.choices.MapPlan {
		at := sheet.Place{File: "--map-plan " + m.Old + "=" + m.New}
		if m.New != "-" && a.plans.find(m.New) == nil {
			a.problems.Add(at, "%s", a.plans.unknown(m.New))
		}
		if before, twice := said[email.Key(m.Old)]; twice && before != m.New {
			a.problems.Add(at, "another --map-plan says %q for the same plan", before)
		}
		said[email.Key(m.Old)] = m.New
		if !a.held(m.Old) {
			a.note("%s: nobody holds the plan %q on site", at, m.Old)
		}
	}
}

// held reports whether a user holds a plan on site, or held it in an earlier manifest.
func (a *assignment) held(onsite string) bool {
	for _, u := range a.in.Users {
		if email.Key(u.Onsite) == email.Key(onsite) {
			return true
		}
	}
	for _, c := range a.choices.Users {
		if c.Earlier && email.Key(c.Plan) == email.Key(onsite) {
			return true
		}
	}
	return false
}

// note keeps a line for people.
func (a *assignment) note(format string, args ...any) {
	a.notes = append(a.notes, fmt.Sprintf(format, args...))
}

package rules

import (
	"cmp"
	"slices"

	"github.com/openomt/omt/plugins/sdk"
	"github.com/openomt/omt/plugins/sdk/email"
)

// roster is what the rules about users look at.
type roster struct {
	users    []*sdk.User // by id
	plans    plans
	admin    string // of the migrator: "confirmed" or "guessed"
	assigned bool   // somebody has a plan chosen, or a user name
}

// read gathers users and plans.
func read(in *sdk.Input) *roster {
	r := &roster{}
	for rec := range in.Records() {
		switch rec := rec.(type) {
		case *sdk.Migrator:
			r.admin = rec.Admin
		case *sdk.Plan:
			r.plans.add(rec)
		case *sdk.User:
			r.users = append(r.users, rec)
			r.assigned = r.assigned || rec.Plan != nil || rec.Username != ""
		}
	}
	slices.SortStableFunc(r.users, func(x, y *sdk.User) int { return cmp.Compare(x.ID, y.ID) })
	return r
}

// effective is the plan that counts for a user: until one is chosen, the one that equals the plan held on site.
func (r *roster) effective(u *sdk.User) string {
	if u.Plan != nil {
		return *u.Plan
	}
	if p := r.plans.equal(u.Onsite); p != nil {
		return p.Name
	}
	return ""
}

// given counts the users of each plan that was chosen.
func (r *roster) given() map[string]int64 {
	used := map[string]int64{}
	for _, u := range r.users {
		if u.Plan != nil {
			used[*u.Plan]++
		}
	}
	return used
}

// plans finds plans by name. Of plans of one name the first counts.
type plans struct {
	list                  []*sdk.Plan
	exact, folded, onsite map[string]*sdk.Plan
}

func (p *plans) add(plan *sdk.Plan) {
	if p.exact == nil {
		p.exact, p.folded, p.onsite = map[string]*sdk.Plan{}, map[string]*sdk.Plan{}, map[string]*sdk.Plan{}
	}
	put := func(m map[string]*sdk.Plan, key string) {
		if m[key] == nil && key != "" {
			m[key] = plan
		}
	}
	put(p.exact, plan.Name)
	put(p.folded, email.Key(plan.Name))
	put(p.onsite, email.Key(plan.Onsite))
	p.list = append(p.list, plan)
}

// equal finds the plan whose on-site name, else whose name, equals the one held on site; nil where there is none.
func (p *plans) equal(onsite string) *sdk.Plan {
	if onsite == "" {
		return nil
	}
	key := email.Key(onsite)
	return cmp.Or(p.onsite[key], p.exact[onsite], p.folded[key])
}

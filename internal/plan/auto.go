package plan

import (
	"cmp"
	"slices"
	"strings"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/plugins/sdk/email"
)

// counterpart finds the plan that takes the place of one held on site; name is empty where --map-plan says none. ok is
// false where nothing tells.
func (a *assignment) counterpart(onsite string) (name string, ok bool) {
	if to, mapped := a.mapped(onsite); mapped {
		if to == "-" {
			return "", true
		}
		if p := a.plans.find(to); p != nil {
			return p.Name, true
		}
	}
	return a.plans.equal(onsite)
}

// equal finds the plan whose on-site name, else whose name, equals the one held on site.
func (p plans) equal(onsite string) (name string, ok bool) {
	if onsite == "" {
		return "", false
	}
	found := p.onsite[email.Key(onsite)]
	if found == nil {
		found = p.find(onsite)
	}
	if found == nil {
		return "", false
	}
	return found.Name, true
}

// auto fills what nobody has chosen.
func (a *assignment) auto() {
	a.autoPlans()
	no := false
	for i := range a.cards {
		c := &a.cards[i]
		if c.Username == "" && c.username == nil && (c.Plan == nil || *c.Plan != "") && len(c.Emails) > 0 {
			c.Username = strings.TrimSpace(c.Emails[0])
		}
		if c.Welcome == nil && !c.welcome {
			c.Welcome = &no
		}
	}
}

// autoPlans gives undecided users the counterparts of their plans, administrators first, as long as there are seats.
func (a *assignment) autoPlans() {
	free := map[string]int{}
	limited := map[string]bool{}
	for _, p := range a.in.Plans {
		free[p.Name], limited[p.Name] = p.Seats, !p.Unlimited
	}
	var undecided []*card
	for i := range a.cards {
		switch c := &a.cards[i]; {
		case c.Plan != nil:
			free[*c.Plan]--
		case c.plan == nil:
			undecided = append(undecided, c)
		}
	}
	slices.SortStableFunc(undecided, func(x, y *card) int {
		if x.Admin != y.Admin {
			if x.Admin {
				return -1
			}
			return 1
		}
		return cmp.Compare(x.ID, y.ID)
	})
	full := map[string][]string{}
	for _, c := range undecided {
		name, ok := a.counterpart(c.Onsite)
		switch {
		case !ok:
		case limited[name] && free[name] <= 0:
			full[name] = append(full[name], called(c.User))
		default:
			free[name]--
			c.Plan = &name
			if name == "" {
				c.Username = ""
			}
		}
	}
	for _, p := range a.in.Plans {
		if who := full[p.Name]; len(who) > 0 {
			a.note("plan %q has no seat left for %s: %s", p.Name, count(len(who), "user", "users"), enumerate(who))
			delete(full, p.Name)
		}
	}
}

// reviews writes the reviews that this run's choices make.
func (a *assignment) reviews() []manifest.Review {
	c := a.choices
	undecided := slices.ContainsFunc(a.cards, func(c card) bool { return c.Plan == nil })
	out := slices.Clone(a.in.Reviews)
	put := func(item, how string, summary *string) {
		r := manifest.Review{Item: item, By: cmp.Or(a.in.Migrator.Login, c.By), At: manifest.At(c.Now), How: how, Summary: summary}
		i := slices.IndexFunc(out, func(r manifest.Review) bool { return r.Item == item })
		if i < 0 {
			out = append(out, r)
			return
		}
		out[i] = r
	}
	drop := func(item string) {
		out = slices.DeleteFunc(out, func(r manifest.Review) bool { return r.Item == item })
	}
	for _, item := range [...]string{itemPlans, itemUsernames} {
		switch how := cmp.Or(c.How, word(c.Auto, "auto"), word(a.given.set, "set"), word(a.given.users, "users")); {
		case how == "":
		case c.Auto || c.How != "" || !undecided:
			put(item, how, nil)
		default:
			drop(item)
		}
	}
	how := cmp.Or(c.How, word(c.WelcomeEmail != "" || c.SummaryTo != nil, "flag"), word(a.given.welcomeSet, "set"),
		word(a.given.welcomeUsers, "users"), word(c.Auto, "auto"))
	if how != "" {
		put(itemNotifications, how, a.summaryTo())
	}
	return out
}

// The items of reviews.
const (
	itemPlans         = "plans"
	itemUsernames     = "usernames"
	itemNotifications = "notifications"
)

// word is text where cond holds.
func word(cond bool, text string) string {
	if cond {
		return text
	}
	return ""
}

// summaryTo is the address of the user summary: this run's, else the one there was.
func (a *assignment) summaryTo() *string {
	if to := a.choices.SummaryTo; to != nil {
		return to
	}
	none := ""
	for _, r := range a.in.Reviews {
		if r.Item == itemNotifications && r.Summary != nil {
			return r.Summary
		}
	}
	return &none
}

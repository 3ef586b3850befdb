package rules

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/openomt/omt/plugins/sdk"
)

var undecidedUser = sdk.Rule{
	ID: "undecided-user", Title: "a plan, or that there is none, was chosen for every user",
	Help: "Who has no plan cannot log in at the tenant, so leaving somebody without one has to be somebody's decision and not an " +
		"oversight. After a scan nobody has a plan yet, and one finding counts them. omt-assign resolves it: --auto gives the plans " +
		"that the tenant has too, --users and --set the others, with - for none.",
	Severity: sdk.Error,
	Reads:    []string{sdk.KindPlan, sdk.KindUser},
	Check: func(_ context.Context, in *sdk.Input, report sdk.Report) error {
		r := read(in)
		if !r.assigned && len(r.users) > 0 {
			r.allUndecided(report)
			return nil
		}
		used := r.given()
		for _, u := range r.users {
			if u.Plan == nil {
				report(about(u, "no plan is chosen; %s", r.onSite(u, used)))
			}
		}
		return nil
	},
}

// onSite says what is known of the plan of an undecided user.
func (r *roster) onSite(u *sdk.User, used map[string]int64) string {
	if u.Onsite == "" {
		return "on site there is none either"
	}
	p := r.plans.equal(u.Onsite)
	switch {
	case p == nil:
		return fmt.Sprintf("%q, held on site, has no counterpart", u.Onsite)
	case !p.Unlimited && used[p.Name] >= p.Seats:
		return fmt.Sprintf("the counterpart %q of %q, held on site, has no free seat", p.Name, u.Onsite)
	}
	return fmt.Sprintf("%q is held on site", u.Onsite)
}

// allUndecided counts users when nothing was chosen yet.
func (r *roster) allUndecided(report sdk.Report) {
	known, none := 0, 0
	gone := map[string]int{}
	for _, u := range r.users {
		switch {
		case r.effective(u) != "":
			known++
		case u.Onsite == "":
			none++
		default:
			gone[u.Onsite]++
		}
	}
	var parts []string
	if known > 0 {
		parts = append(parts, fmt.Sprintf("on site %d hold a plan that the tenant has too (--auto gives it)", known))
	}
	if len(gone) > 0 {
		var list []string
		for _, name := range slices.Sorted(maps.Keys(gone)) {
			list = append(list, fmt.Sprintf("%q %d", name, gone[name]))
		}
		parts = append(parts, "held on site without counterpart: "+enumerate(list))
	}
	if none > 0 {
		parts = append(parts, fmt.Sprintf("without a plan on site: %d", none))
	}
	report(sdk.Finding{Message: fmt.Sprintf("no plan is chosen yet for any of %s, which omt-assign does: %s",
		count(len(r.users), "user", "users"), strings.Join(parts, "; "))})
}

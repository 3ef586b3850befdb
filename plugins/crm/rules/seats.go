package rules

import (
	"context"
	"fmt"
	"slices"

	"github.com/openomt/omt/plugins/sdk"
)

var planSeats = sdk.Rule{
	ID: "plan-seats", Title: "no plan has more users than seats, and the tenant has every plan that was chosen",
	Help: "A plan goes to no more users than it has seats, and which of them are left without it should not be chance. " +
		"A user for whom no plan is chosen counts for the one that equals the plan held on site. Order seats, move users to " +
		"another plan, or choose none for those who are not to log in.",
	Severity: sdk.Error,
	Evidence: "inferred: the vendor's wizard shows seats given and available for each plan",
	Final:    "the tenant gives no more plans than seats",
	Reads:    []string{sdk.KindPlan, sdk.KindUser},
	Check: func(_ context.Context, in *sdk.Input, report sdk.Report) error {
		read(in).seats(report)
		return nil
	},
}

// seats finds plans that more users have than there are seats, and plans that the tenant does not have.
func (r *roster) seats(report sdk.Report) {
	type tally struct{ users, undecided int64 }
	counts := map[string]*tally{}
	var gone []string
	for _, u := range r.users {
		name := r.effective(u)
		if counts[name] == nil {
			counts[name] = &tally{}
			if name != "" && r.plans.exact[name] == nil {
				gone = append(gone, name)
			}
		}
		counts[name].users++
		if u.Plan == nil {
			counts[name].undecided++
		}
	}
	add := func(name, format string, args ...any) {
		report(sdk.Finding{Subjects: []string{sdk.PlanSubject(name)}, Message: fmt.Sprintf(format, args...)})
	}
	for _, p := range r.plans.list {
		c := counts[p.Name]
		if c == nil || p.Unlimited || c.users <= p.Seats || r.plans.exact[p.Name] != p {
			continue
		}
		message := fmt.Sprintf("plan %q: %d users for %d seats", p.Name, c.users, p.Seats)
		if c.undecided > 0 {
			message += fmt.Sprintf(" (%d of them undecided, counted by the plan they hold on site)", c.undecided)
		}
		add(p.Name, "%s", message)
	}
	slices.Sort(gone)
	for _, name := range gone {
		add(name, "plan %q is given to %d users, and the tenant has no such plan", name, counts[name].users)
	}
}

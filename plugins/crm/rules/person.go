package rules

import (
	"context"
	"fmt"

	"github.com/openomt/omt/plugins/sdk"
)

var sharedPerson = sdk.Rule{
	ID: "shared-person", Title: "each user is a person of its own, with one address to log in with",
	Help: "Several users of one person, and several addresses on one card, are documented sources of wrong user names: the person " +
		"expects to log in with one address and has another, or finds two accounts. Settle which user of the person goes on and " +
		"which address is the user name, and give the other user no plan. Users with several addresses are told in one finding.",
	Severity: sdk.Warning,
	Reads:    []string{sdk.KindUser},
	Check: func(_ context.Context, in *sdk.Input, report sdk.Report) error {
		r := read(in)
		groups := map[int64][]*sdk.User{}
		var several []*sdk.User
		for _, u := range r.users {
			if u.Person != 0 {
				groups[u.Person] = append(groups[u.Person], u)
			}
			if len(onCard(u)) > 1 && (u.Plan == nil || *u.Plan != "") {
				several = append(several, u)
			}
		}
		for _, u := range r.users {
			if group := groups[u.Person]; len(group) > 1 && group[0] == u {
				report(sdk.Finding{Subjects: subjects(group), Message: fmt.Sprintf("%s are one person (%d): settle who of them goes on and with which user name",
					enumerate(names(group)), u.Person)})
			}
		}
		if len(several) == 0 {
			return nil
		}
		var list []string
		for _, u := range several {
			if u.Username == "" {
				list = append(list, fmt.Sprintf("%s %d", called(u), len(onCard(u))))
			} else {
				list = append(list, called(u)+" as "+oneLine(u.Username))
			}
		}
		what := "which one is the user name has to be looked at"
		if r.assigned {
			what = "look whether the user name is the right one"
		}
		report(sdk.Finding{Subjects: subjects(several), Message: fmt.Sprintf("%s on the card; %s: %s",
			count(len(several), "user has several addresses", "users have several addresses"), what, enumerate(list))})
		return nil
	},
}

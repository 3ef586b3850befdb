package rules

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/openomt/omt/plugins/sdk"
	"github.com/openomt/omt/plugins/sdk/email"
)

var usernameDomain = sdk.Rule{
	ID: "username-domain", Title: "the domains of the user names, which may have to be registered before the migration",
	Help: "Users can log in at the tenant with their Microsoft or Google account where the domain of the user name is registered and " +
		"the name equals the account's (the UPN). Registered before the migration it spares everybody a later change of login. It is " +
		"registered at id.superoffice.com/identityprovider/register by an administrator of the Entra directory or with a Google " +
		"account of the domain, each domain and sub-domain for itself. Where nobody logs in so, there is nothing to do. Until user names are given, the first addresses are counted.",
	Severity: sdk.Info,
	Reads:    []string{sdk.KindPlan, sdk.KindUser},
	Check: func(_ context.Context, in *sdk.Input, report sdk.Report) error {
		r := read(in)
		domains := map[string][]string{}
		for _, u := range r.users {
			name := strings.TrimSpace(u.Username)
			if list := onCard(u); !r.assigned && len(list) > 0 {
				name = list[0]
			}
			if name == "" || r.effective(u) == "" || email.Check(name) != nil {
				continue
			}
			key := email.Key(name)
			domain := key[strings.LastIndexByte(key, '@')+1:]
			domains[domain] = append(domains[domain], u.Login)
		}
		for _, d := range slices.Sorted(maps.Keys(domains)) {
			what := "with user names"
			if !r.assigned {
				what = "with first addresses"
			}
			report(sdk.Finding{Subjects: []string{"domain:" + d}, Message: fmt.Sprintf("%s %s at %s (%s): register the domain before the migration if they are to log in with Microsoft or Google",
				count(len(domains[d]), "user", "users"), what, d, enumerate(domains[d]))})
		}
		return nil
	},
}

package rules

import (
	"context"

	"github.com/openomt/omt/plugins/sdk"
)

// confirmed is the value of a migrator's Admin that tells that the administrator right was named, not guessed.
const confirmed = "confirmed"

var administratorPlan = sdk.Rule{
	ID: "administrator-plan", Title: "at least one administrator has a plan",
	Help: "Without an administrator who can log in nobody can manage the tenant after the migration: no users, no plans, no " +
		"settings. Give an administrator a plan, or say who is one (--set LOGIN:admin=true). It can be waived only where the scan " +
		"had to guess who is an administrator, since no right or role was named to it.",
	Severity: sdk.Error,
	Reads:    []string{sdk.KindMigrator, sdk.KindPlan, sdk.KindUser},
	Check: func(_ context.Context, in *sdk.Input, report sdk.Report) error {
		r := read(in)
		f := sdk.Finding{Final: r.admin == confirmed}
		var logins []string
		for _, u := range r.users {
			if !u.Admin {
				continue
			}
			if r.effective(u) != "" {
				return nil
			}
			f.Subjects = append(f.Subjects, sdk.UserSubject(u.ID))
			logins = append(logins, u.Login)
		}
		f.Message = "no administrator has a plan: " + enumerate(logins)
		if len(logins) == 0 {
			f.Message = "no user is known to be an administrator; say who is one (--set LOGIN:admin=true)"
		}
		report(f)
		return nil
	},
}

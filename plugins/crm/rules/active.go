package rules

import (
	"context"
	"fmt"
	"strconv"

	"github.com/openomt/omt/plugins/sdk"
)

var activeUsers = sdk.Rule{
	ID: "active-users", Title: "nobody is logged on",
	Help: "What is written during a live migration after the database was read does not reach the tenant. The freeze keeps the Windows " +
		"client out and stops nobody who works in the web client. Have everybody log out before a live migration; for a test it " +
		"does not matter, and the finding is information alone. The list is that of the scan, and a session that was not ended stays in it.",
	Severity: sdk.Warning,
	Evidence: "inferred: a row of activeuser is a session; rows that a crash left are not told apart",
	Reads:    []string{sdk.KindHeader, sdk.KindUser},
	Facts:    []string{"activeuser"},
	Check: func(_ context.Context, in *sdk.Input, report sdk.Report) error {
		users := people{}
		f := sdk.Finding{Severity: sdk.Info}
		var list []string
		for rec := range in.Records() {
			switch rec := rec.(type) {
			case *sdk.Header:
				if rec.Migration == "live" {
					f.Severity = sdk.Warning
				}
			case *sdk.User:
				users[rec.ID] = rec
			case *sdk.Fact:
				id, err := strconv.ParseInt(rec.ID, 10, 64) // a session's id is its associate's
				if err != nil {
					return fmt.Errorf("fact activeuser has the id %q, which is no number", rec.ID)
				}
				f.Subjects = append(f.Subjects, rowSubject("activeuser", rec.ID))
				who := users.called(id) + since(rec, "lastlogin")
				if at := text(rec, "computername"); at != "" {
					who += " at " + at
				}
				list = append(list, who)
			}
		}
		if len(list) > 0 {
			f.Message = fmt.Sprintf("%s: %s", count(len(list), "session is open", "sessions are open"), enumerate(list))
			report(f)
		}
		return nil
	},
}

package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/openomt/omt/plugins/sdk"
	"github.com/openomt/omt/plugins/sdk/email"
)

// shared are the names of mailboxes that several people read as a rule.
var shared = []string{"accounting", "contact", "faktura", "info", "invoice", "mail", "office", "order", "post", "sales", "service", "support"}

var sharedAddress = sdk.Rule{
	ID:       "shared-address",
	Title:    "nobody logs in with an address that several people read",
	Severity: sdk.Warning,
	Help: "Looks at the addresses that users will log in with. Whoever reads a mailbox such as info@ or support@ can have a new " +
		"password sent to it, and is then that user. Give the user an address of their own (omt-assign --set LOGIN:username=…).",
	Reads: []string{sdk.KindUser},
	Check: func(_ context.Context, in *sdk.Input, report sdk.Report) error {
		for u := range sdk.Each[*sdk.User](in) {
			local, _, _ := strings.Cut(email.Key(u.Username), "@")
			if slices.Contains(shared, local) {
				report(sdk.Finding{
					Subjects: []string{sdk.UserSubject(u.ID)},
					Message:  fmt.Sprintf("user %q (%s) logs in with %s, which looks like a mailbox that several people read", u.Login, u.Name, u.Username),
				})
			}
		}
		return nil
	},
}

package rules

import (
	"context"
	"fmt"
	"strings"

	"github.com/openomt/omt/plugins/sdk"
	"github.com/openomt/omt/plugins/sdk/email"
)

var invalidEmail = sdk.Rule{
	ID: "invalid-email", Title: "the user name of every user with a plan is a valid e-mail address",
	Help: "Who has a user name that is no e-mail address cannot log in at the tenant and gets no welcome e-mail. Until user names are " +
		"given, the first address on the card is looked at, which is what omt-assign --auto takes. The vendor demands a valid " +
		"address and gives no grammar; what mail systems take is accepted, letters outside ASCII too. Choose another address of " +
		"the card, type one, or correct the card and scan again.",
	Severity: sdk.Error,
	Reads:    []string{sdk.KindPlan, sdk.KindUser},
	Check: func(_ context.Context, in *sdk.Input, report sdk.Report) error {
		r := read(in)
		for _, u := range r.users {
			switch {
			case !r.assigned:
				r.firstAddress(u, report)
			case u.Plan != nil && *u.Plan != "" && u.Username != "":
				if err := email.Check(strings.TrimSpace(u.Username)); err != nil {
					report(about(u, "user name '%s' is no e-mail address: %v", u.Username, err))
				}
			}
		}
		return nil
	},
}

// firstAddress judges the address that a user is going to get as a name.
func (r *roster) firstAddress(u *sdk.User, report sdk.Report) {
	list := onCard(u)
	if len(list) == 0 || r.effective(u) == "" {
		return
	}
	err := email.Check(list[0])
	if err == nil {
		return
	}
	others := "there is no other on the card"
	if len(list) > 1 {
		others = "also on the card: " + enumerate(list[1:])
	}
	report(about(u, "the first address '%s' is no e-mail address: %v; %s", list[0], err, others))
}

var missingEmail = sdk.Rule{
	ID: "missing-email", Title: "every user with a plan has a user name, or, before user names are given, an address to make one of",
	Help: "A user without a user name cannot log in at the tenant, whatever the plan. Addresses of the types chat and voip do not " +
		"count. Enter an address on the person's card and scan again, or type the user name in omt-assign; a user who is not to " +
		"log in gets no plan (-).",
	Severity: sdk.Error,
	Reads:    []string{sdk.KindPlan, sdk.KindUser},
	Check: func(_ context.Context, in *sdk.Input, report sdk.Report) error {
		r := read(in)
		for _, u := range r.users {
			list := onCard(u)
			switch {
			case !r.assigned:
				if len(list) == 0 && r.effective(u) != "" {
					report(about(u, "no e-mail address on the card: enter one in SuperOffice, or type a user name in omt-assign"))
				}
			case u.Plan != nil && *u.Plan != "" && u.Username == "":
				there := "no address on the card"
				if len(list) > 0 {
					there = "on the card: " + enumerate(list)
				}
				report(about(u, "no user name; %s", there))
			}
		}
		return nil
	},
}

// about makes a finding about one user.
func about(u *sdk.User, format string, args ...any) sdk.Finding {
	return sdk.Finding{Subjects: []string{sdk.UserSubject(u.ID)}, Message: called(u) + ": " + fmt.Sprintf(format, args...)}
}

// onCard are the addresses of a card that hold anything.
func onCard(u *sdk.User) []string {
	var list []string
	for _, e := range u.Emails {
		if e = strings.TrimSpace(e); e != "" {
			list = append(list, e)
		}
	}
	return list
}

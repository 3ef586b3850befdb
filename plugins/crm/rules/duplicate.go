package rules

import (
	"context"
	"fmt"
	"strings"

	"github.com/openomt/omt/plugins/sdk"
	"github.com/openomt/omt/plugins/sdk/email"
)

var duplicateEmail = sdk.Rule{
	ID: "duplicate-email", Title: "no two users have the same user name, or, before user names are given, an address in common",
	Help: "A user logs in at the tenant with a user name that is an e-mail address, and it can be only one user's: of two users with " +
		"one name at least one is locked out. Letter case, space around it and the Unicode form do not count. Until user names are " +
		"given, users who share an address are named, since the address can become the name of only one of them: give each a name " +
		"of its own with omt-assign, or correct the cards. Equal user names cannot be waived.",
	Severity: sdk.Error,
	Reads:    []string{sdk.KindUser},
	Check: func(_ context.Context, in *sdk.Input, report sdk.Report) error {
		if r := read(in); r.assigned {
			sameName(r.users, report)
		} else {
			sharedAddresses(r.users, report)
		}
		return nil
	},
}

// sameName finds user names that several users have.
func sameName(users []*sdk.User, report sdk.Report) {
	groups := make(map[string][]*sdk.User, len(users))
	for _, u := range users {
		if u.Username != "" {
			key := email.Key(u.Username)
			groups[key] = append(groups[key], u)
		}
	}
	for _, u := range users {
		group := groups[email.Key(u.Username)]
		if u.Username == "" || len(group) < 2 || group[0] != u {
			continue
		}
		var others []string
		f := sdk.Finding{Final: true}
		spare := ""
		for i, v := range group {
			f.Subjects = append(f.Subjects, sdk.UserSubject(v.ID))
			if i > 0 {
				others = append(others, v.Login)
			}
			if v.Plan != nil && *v.Plan == "" {
				spare += fmt.Sprintf("; %[1]s has no plan and can give it up (--set %[1]s:username=-)", v.Login)
			}
		}
		f.Message = fmt.Sprintf("%s: user name '%s' is also used by %s%s", u.Login, u.Username, enumerate(others), spare)
		report(f)
	}
}

// sharedAddresses finds users who have addresses in common: one finding for each set of users.
func sharedAddresses(users []*sdk.User, report sdk.Report) {
	type address struct {
		text  string // as the first user has it
		users []*sdk.User
	}
	byKey := map[string]*address{}
	var all []*address
	for _, u := range users {
		for _, e := range u.Emails {
			key := email.Key(e)
			a := byKey[key]
			switch {
			case a == nil:
				if email.Check(strings.TrimSpace(e)) != nil {
					continue // no address that anybody could log in with
				}
				a = &address{text: strings.TrimSpace(e)}
				byKey[key], all = a, append(all, a)
			case a.users[len(a.users)-1] == u:
				continue // twice on one card
			}
			a.users = append(a.users, u)
		}
	}
	sets := map[string][]string{}
	for _, a := range all {
		if len(a.users) > 1 {
			key := strings.Join(subjects(a.users), " ")
			sets[key] = append(sets[key], a.text)
		}
	}
	for _, a := range all {
		of := subjects(a.users)
		texts, first := sets[strings.Join(of, " ")]
		if !first {
			continue
		}
		delete(sets, strings.Join(of, " "))
		noun := "the address"
		if len(texts) > 1 {
			noun = "the addresses"
		}
		report(sdk.Finding{Subjects: of, Message: fmt.Sprintf("%s share %s %s, and only one of them can log in with it: give each a user name of its own",
			enumerate(names(a.users)), noun, enumerate(texts))})
	}
}

// subjects name users in a finding.
func subjects(users []*sdk.User) []string {
	out := make([]string, len(users))
	for i, u := range users {
		out[i] = sdk.UserSubject(u.ID)
	}
	return out
}

// names are users for people.
func names(users []*sdk.User) []string {
	out := make([]string, len(users))
	for i, u := range users {
		out[i] = called(u)
	}
	return out
}

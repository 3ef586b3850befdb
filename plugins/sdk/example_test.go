package sdk_test

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/openomt/omt/plugins/sdk"
)

// shortLogin is a rule over users.
var shortLogin = sdk.Rule{
	ID: "short-login", Title: "logins have three letters", Severity: sdk.Warning,
	Help:  "Looks at the logins of users. Directories of ours take none that is shorter; rename the user first.",
	Reads: []string{sdk.KindUser},
	Check: func(_ context.Context, in *sdk.Input, report sdk.Report) error {
		for u := range sdk.Each[*sdk.User](in) {
			if len(u.Login) < 3 {
				report(sdk.Finding{
					Subjects: []string{sdk.UserSubject(u.ID)},
					Message:  fmt.Sprintf("user %d: the login %q (%s) is short", u.ID, u.Login, u.Name),
				})
			}
		}
		return nil
	},
}

// try runs a rule over records and prints what it finds.
func try(rule sdk.Rule, records ...sdk.Record) {
	err := sdk.Run(context.Background(), rule, time.Time{}, "example", slices.Values(records), func(f sdk.Finding) {
		fmt.Println(f.Subjects, f.Message)
	})
	if err != nil {
		fmt.Println("not completed:", err)
	}
}

// A plugin is a list of rules; main serves it.
func Example() {
	plugin := sdk.Plugin{Name: "house-rules", Version: "1.0.0", Rules: []sdk.Rule{shortLogin}}
	fmt.Println(plugin.Validate())
	try(shortLogin, &sdk.User{ID: 7, Login: "bo", Name: "Bo Ek"}, &sdk.User{ID: 8, Login: "eva", Name: "Eva Dahl"})

	_ = func() { sdk.Serve(plugin) } // func main() { sdk.Serve(plugin) }
	// Output:
	// <nil>
	// [user:7] user 7: the login "bo" (Bo Ek) is short
}

// A rule that needs several kinds takes them one behind the other, in the order of the manifest.
func ExampleEach() {
	rule := sdk.Rule{
		ID: "orphan-owner", Title: "owners of documents are users", Severity: sdk.Info, Help: "…",
		Reads: []string{sdk.KindUser, sdk.KindFile},
		Check: func(_ context.Context, in *sdk.Input, report sdk.Report) error {
			users := map[string]bool{}
			for u := range sdk.Each[*sdk.User](in) {
				users[u.Login] = true
			}
			for f := range sdk.Each[*sdk.File](in) {
				if !users[f.Owner] {
					report(sdk.Finding{Subjects: []string{sdk.FileSubject(f)}, Message: "nobody is called " + f.Owner})
				}
			}
			return nil
		},
	}
	try(rule, &sdk.User{Login: "GKS"}, &sdk.File{Area: "document", ID: 1, Owner: "GKS"}, &sdk.File{Area: "document", ID: 2, Owner: "BO"})
	// Output: [file:document:2] nobody is called BO
}

// What is not in the manifest, a rule asks the database for.
func ExampleInput_Rows() {
	rule := sdk.Rule{
		ID: "open-drafts", Title: "no drafts are left", Severity: sdk.Warning, Help: "…",
		Queries: []sdk.Query{{
			Name: "drafts", SQL: "SELECT text_id, subject FROM {drafts} WHERE sent = 0",
		}},
		Check: func(_ context.Context, in *sdk.Input, report sdk.Report) error {
			for row := range in.Rows("drafts") {
				report(sdk.Finding{
					Subjects: []string{fmt.Sprint("draft:", row.Int("text_id"))},
					Message:  fmt.Sprintf("draft %d, %q, was not sent", row.Int("text_id"), row.Text("subject")),
				})
			}
			if why, absent := in.Absent("drafts"); absent {
				report(sdk.Finding{Severity: sdk.Info, Message: "there are no drafts: " + why})
			}
			return nil
		},
	}
	try(rule, // package ruletest makes these
		&sdk.Fact{Name: "open-drafts.drafts", ID: "1", Data: map[string]any{"text_id": int64(12), "subject": "Offer"}},
		&sdk.Fact{Name: "query", ID: "open-drafts.drafts", Data: map[string]any{"status": "done", "rows": int64(1)}})
	// Output: [draft:12] draft 12, "Offer", was not sent
}

// A test that calls Validate finds a mistake before a host does.
func ExamplePlugin_Validate() {
	rule := shortLogin
	rule.Title, rule.Reads = "", []string{"users"}
	fmt.Println(sdk.Plugin{Name: "house-rules", Rules: []sdk.Rule{rule}}.Validate())
	// Output:
	// rule "short-login": its title is empty
	// rule "short-login": there is no kind "users" of records that a rule can read
}

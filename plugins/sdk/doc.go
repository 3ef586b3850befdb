// Package sdk is what a preflight rule is written with. A rule is a value with a function; a plugin is a list of rules:
//
//	var short = sdk.Rule{
//		ID: "short-login", Title: "logins have three letters", Severity: sdk.Warning,
//		Help:  "…",
//		Reads: []string{sdk.KindUser},
//		Check: func(ctx context.Context, in *sdk.Input, report sdk.Report) error {
//			for u := range sdk.Each[*sdk.User](in) {
//				if len(u.Login) < 3 {
//					report(sdk.Finding{Subjects: []string{sdk.UserSubject(u.ID)}, Message: u.Login + " (" + u.Name + ") is short"})
//				}
//			}
//			return nil
//		},
//	}
//
//	func main() { sdk.Serve(sdk.Plugin{Name: "example", Version: "1.0.0", Rules: []sdk.Rule{short}}) }
//
// Package ruletest runs a rule as a table, without a process.
package sdk

package rules

import (
	"context"
	"fmt"
	"strings"

	"github.com/openomt/omt/plugins/sdk"
)

var licenceChanged = sdk.Rule{
	ID: "licence-changed", Title: "company name and serial number are those of the earlier runs",
	Help: "A migration belongs to one licence: with another company name or serial number than before the vendor's tool cannot go on " +
		"(\"Unable to resume migration session because company name or serialnumber has changed\"), and omt-push refuses the tenant. " +
		"What is compared with is an earlier manifest or the tenant's state, where the tool was given one. Scan the right database, " +
		"or have the licence put back; where it was really changed, ask whoever prepares the tenant.",
	Severity: sdk.Error,
	Reads:    []string{sdk.KindInstallation},
	Facts:    []string{"earlier"},
	Check: func(_ context.Context, in *sdk.Input, report sdk.Report) error {
		var now *sdk.Installation
		for rec := range in.Records() {
			switch rec := rec.(type) {
			case *sdk.Installation:
				now = rec
			case *sdk.Fact:
				if now != nil {
					compareLicence(now, rec, report)
				}
			}
		}
		return nil
	},
}

// compareLicence compares with what an earlier run saw, as far as that is told.
func compareLicence(now *sdk.Installation, f *sdk.Fact, report sdk.Report) {
	var changes []string
	for _, c := range []struct{ key, what, is string }{{"owner", "company name", now.Owner}, {"serial", "serial number", now.Serial}} {
		was, told := f.Data[c.key].(string)
		if told && strings.TrimSpace(was) != strings.TrimSpace(c.is) {
			changes = append(changes, fmt.Sprintf("the %s was %q and is %q", c.what, was, c.is))
		}
	}
	if len(changes) == 0 {
		return
	}
	from := ""
	if s := text(f, "from"); s != "" {
		from = " (" + s + ")"
	}
	report(sdk.Finding{Subjects: []string{"installation:licence"}, Message: fmt.Sprintf("this is not the licence of the earlier run%s: %s",
		from, strings.Join(changes, ", "))})
}

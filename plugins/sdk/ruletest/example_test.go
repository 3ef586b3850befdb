package ruletest_test

import (
	"context"
	"testing"

	"github.com/openomt/omt/plugins/sdk"
	"github.com/openomt/omt/plugins/sdk/ruletest"
)

// drafts is the rule that is tested.
var drafts = sdk.Rule{
	ID: "open-drafts", Title: "no drafts are left", Severity: sdk.Warning, Help: "…",
	Queries: []sdk.Query{{Name: "drafts", SQL: "SELECT text_id, subject FROM {drafts} WHERE sent = 0"}},
	Check: func(_ context.Context, in *sdk.Input, report sdk.Report) error {
		for row := range in.Rows("drafts") {
			report(sdk.Finding{Message: "not sent: " + row.Text("subject")})
		}
		return nil
	},
}

func TestDrafts(t *testing.T) {
	for name, c := range map[string]struct {
		answer sdk.Record
		want   int
	}{
		"two":      {ruletest.Rows(drafts, "drafts", map[string]any{"subject": "Offer"}, map[string]any{"subject": "Bill"}), 2},
		"none":     {ruletest.Rows(drafts, "drafts"), 0},
		"no table": {ruletest.Absent(drafts, "drafts"), 0},
	} {
		if got := ruletest.Run(t, drafts, c.answer); len(got) != c.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

// A rule is tested as a table.
func ExampleRun() {
	_ = TestDrafts
}

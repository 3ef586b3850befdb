package plugins

import (
	"flag"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/manifest"
	archive "github.com/openomt/omt/plugins/archive/rules"
	crm "github.com/openomt/omt/plugins/crm/rules"
	"github.com/openomt/omt/plugins/sdk"
)

var update = flag.Bool("update", false, "write the expected findings and the list of rules in README.md anew")

// ours are our plugins.
func ours() []sdk.Plugin { return []sdk.Plugin{crm.Plugin("0.1.0"), archive.Plugin("0.1.0")} }

// all are the rules of our plugins.
func all() (rules []sdk.Rule) {
	for _, p := range ours() {
		rules = append(rules, p.Rules...)
	}
	return rules
}

// Our plugins hold the rules that the tools ask for, and no other.
func TestRules(t *testing.T) {
	want := strings.Fields(`duplicate-email invalid-email missing-email undecided-user plan-seats administrator-plan shared-person
		username-domain travel satellite travel-database version licence-changed database-model sentry-addons customisations
		service-mailbox active-users document-name document-appointment document-associate document-missing file-size path-length`)
	var got []string
	for _, r := range all() {
		got = append(got, r.ID)
	}
	if d := cmp.Diff(want, manifest.RequiredRules()); d != "" {
		t.Errorf("what the tools ask for: %s", d)
	}
	slices.Sort(want)
	slices.Sort(got)
	if d := cmp.Diff(want, got); d != "" || len(got) != 24 {
		t.Error(d)
	}
	for _, p := range ours() {
		if err := p.Validate(); err != nil {
			t.Error(err)
		}
	}
}

// A help is what a migrator reads who has never heard of the rule: a few sentences, each at its end with a full stop.
func TestHelp(t *testing.T) {
	for _, r := range all() {
		if n := strings.Count(r.Help, ". ") + 1; n < 3 || n > 9 || !strings.HasSuffix(r.Help, ".") || strings.Contains(r.Help, "  ") {
			t.Errorf("%s: a help of %d sentences: %s", r.ID, n, r.Help)
		}
		if strings.HasSuffix(r.Title, ".") || len(r.Title) > 120 {
			t.Errorf("%s: the title is one short line: %s", r.ID, r.Title)
		}
	}
}

package rules

import (
	"context"
	"fmt"
	"strings"

	"github.com/openomt/omt/plugins/sdk"
)

// sentrySection is the section of preferences that names sentry plugins.
const sentrySection = "SentryAddonNames"

var sentryAddons = sdk.Rule{
	ID: "sentry-addons", Title: "no preference SentryAddonNames is left",
	Help: "Each row names a plugin that is started at every login, and a login fails where one cannot be started. The vendor wants the " +
		"section removed before the migration; left in, it may keep everybody from logging in at the tenant. Remove the rows and " +
		"scan again. What the plugin did has to be replaced by other means.",
	Severity: sdk.Error,
	Facts:    []string{"userpreference"},
	Check: func(_ context.Context, in *sdk.Input, report sdk.Report) error {
		for f := range sdk.Each[*sdk.Fact](in) {
			section, key := text(f, "prefsection"), text(f, "prefkey")
			if !strings.EqualFold(section, sentrySection) && !strings.EqualFold(key, sentrySection) {
				continue
			}
			names := key
			if value := text(f, "prefvalue"); value != key {
				names = key + " = " + value
			}
			level, _ := number(f, "deflevel")
			owner, _ := number(f, "owner_id")
			report(sdk.Finding{Subjects: []string{rowSubject("userpreference", f.ID)}, Message: fmt.Sprintf("preference %s names the plugin %q (row %s of UserPreference, level %d, owner %d): remove it",
				section, names, f.ID, level, owner)})
		}
		return nil
	},
}

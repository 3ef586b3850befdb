package rules

import "github.com/openomt/omt/plugins/sdk"

// Plugin is the plugin with all its rules.
func Plugin(version string) sdk.Plugin {
	return sdk.Plugin{Name: "crm", Version: version, Rules: []sdk.Rule{
		duplicateEmail, invalidEmail, missingEmail, undecidedUser, planSeats, administratorPlan, sharedPerson, usernameDomain,
		travel, satellite, travelDatabase, versionOf, licenceChanged, databaseModel, sentryAddons, customisations,
		serviceMailbox, activeUsers,
	}}
}

package rules

import "github.com/openomt/omt/plugins/sdk"

// Plugin is the plugin with all its rules.
func Plugin(version string) sdk.Plugin {
	return sdk.Plugin{Name: "archive", Version: version, Rules: []sdk.Rule{
		documentName, documentAppointment, documentAssociate, documentMissing, fileSize, pathLength,
	}}
}

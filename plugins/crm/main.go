// Plugin crm holds the preflight rules about users, plans, the licence, the database and what surrounds it: Travel,
// satellites, sentry plugins, customisations, the mailboxes of Service.
package main

import (
	"github.com/openomt/omt/plugins/crm/rules"
	"github.com/openomt/omt/plugins/sdk"
)

// version is set when the plugin is built.
var version = "0.1.0"

func main() { sdk.Serve(rules.Plugin(version)) }

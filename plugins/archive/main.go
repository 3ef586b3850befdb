// Plugin archive holds the preflight rules about documents and files: those that are left behind, and those that the
// tenant may not take.
package main

import (
	"github.com/openomt/omt/plugins/archive/rules"
	"github.com/openomt/omt/plugins/sdk"
)

// version is set when the plugin is built.
var version = "0.1.0"

func main() { sdk.Serve(rules.Plugin(version)) }

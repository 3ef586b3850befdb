// Command house-rules is an example of a plugin: a module of its own that imports the SDK and nothing else of OMT.
package main

import "github.com/openomt/omt/plugins/sdk"

func main() { sdk.Serve(plugin()) }

func plugin() sdk.Plugin {
	return sdk.Plugin{Name: "house-rules", Version: "1.0.0", Rules: []sdk.Rule{sharedAddress}}
}

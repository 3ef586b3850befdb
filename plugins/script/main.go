package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/openomt/omt/plugins/sdk"
)

func main() {
	exe, err := os.Executable()
	if err != nil {
		fmt.Fprintln(os.Stderr, "script: finding its own folder:", err)
		os.Exit(1)
	}
	sdk.Serve(sdk.Plugin{Name: "script", Rules: load(filepath.Join(filepath.Dir(exe), "rules"))})
}

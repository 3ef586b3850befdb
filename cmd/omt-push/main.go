package main

import (
	"os"

	"github.com/openomt/omt/internal/cli"
)

func main() { os.Exit(cli.Main("omt-push", os.Args, run)) }

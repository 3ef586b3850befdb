package main

import (
	"context"
	"io"
	"strings"

	"github.com/openomt/omt/cmd/internal/sourceflags"
	"github.com/openomt/omt/internal/cli"
	"github.com/openomt/omt/internal/install"
	"github.com/openomt/omt/internal/manifest"
)

// detect prints the configuration that was found.
func detect() *cli.Command {
	src := sourceflags.New()
	return &cli.Command{
		Name:        "detect",
		Usage:       "print what is found of an installation as a configuration file",
		Description: "The file is taken by --config. It holds no passwords. No database is opened.",
		Writes:      true,
		Flags:       src.Files(),
		Statuses:    map[manifest.Status]string{manifest.Remarks: "the file is written, and something is missing in it"},
		Action: func(_ context.Context, j *cli.Job) error {
			c, err := src.Load()
			if err == nil && len(c.Sources) == 0 {
				err = c.NoDatabase()
			}
			if err != nil {
				return err
			}
			tell(j, c)
			return j.Output(func(w io.Writer) error {
				if _, err := w.Write(c.Encode()); err != nil {
					return err
				}
				return incomplete(j, c)
			})
		},
	}
}

// incomplete is the remark on a configuration that a scan cannot do with.
func incomplete(j *cli.Job, c install.Config) error {
	var missing []string
	if c.DB == "" {
		missing = append(missing, "--db")
		err := c.NoDatabase()
		j.Remark("%v; %s", err, manifest.HintOf(err))
	}
	if len(c.Roots[manifest.Document]) == 0 {
		missing = append(missing, "--root document=DIR")
	}
	if len(missing) == 0 {
		return nil
	}
	return manifest.Errorf(manifest.Remarks, "what was found is not enough for a scan: give it %s as well", strings.Join(missing, " and "))
}

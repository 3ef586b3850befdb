package main

import (
	"context"
	"fmt"

	"github.com/openomt/omt/cmd/internal/sourceflags"
	"github.com/openomt/omt/internal/cli"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/pack"
	"github.com/openomt/omt/internal/push"
)

// forecast says on standard output what a run would send. Nothing is written, --out neither: the command line of the night
// with --dry-run is good.
func forecast(ctx context.Context, j *cli.Job, o pack.Options, src *sourceflags.Flags) error {
	in, done, err := j.OpenInput(ctx)
	if err != nil {
		return err
	}
	defer done()
	o.Required = manifest.RequiredRules()
	o.Rate = func(to string) (pack.Rate, bool, error) {
		r, ok, err := push.Measured(o.Spool, to)
		return pack.Rate(r), ok, err
	}
	f, err := pack.Ahead(ctx, options(j, o, src, in))
	if err != nil {
		return err
	}
	for _, line := range f.Lines() {
		if _, err := fmt.Fprintln(j.Env().Stdout, line); err != nil {
			return fmt.Errorf("writing the forecast: %w", err)
		}
	}
	return nil
}

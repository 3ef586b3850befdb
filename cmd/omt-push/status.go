package main

import (
	"context"
	"io"

	"github.com/openomt/omt/cmd/internal/destinations"
	"github.com/openomt/omt/internal/cli"
	"github.com/openomt/omt/internal/push"
	"github.com/openomt/omt/internal/tenant"
)

func status(env *cli.Env) *cli.Command {
	to := destinations.To(false)
	var asJSON bool
	return &cli.Command{
		Name:        "status",
		Usage:       "say what a tenant holds: its state, its migration, all revisions",
		Description: "It changes nothing.",
		Writes:      true,
		Flags:       append(to.Flags(), cli.Bool("json", "write JSON", &asJSON)),
		Validate:    func() error { return to.Validate(env) },
		Action: func(ctx context.Context, j *cli.Job) error {
			d, err := to.Open(ctx, j)
			if err != nil {
				return err
			}
			defer d.Close() //nolint:errcheck // nothing was written
			s, err := push.Look(ctx, tenant.Open(destinations.Retry(j).Wrap(d)))
			if err != nil {
				return err
			}
			return j.Output(func(w io.Writer) error {
				if asJSON {
					return s.WriteJSON(w)
				}
				return s.WriteText(w)
			})
		},
	}
}

package main

import (
	"context"
	"io"

	"github.com/openomt/omt/cmd/internal/destinations"
	"github.com/openomt/omt/internal/cli"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/push"
)

func accept(env *cli.Env) *cli.Command {
	to := destinations.To(true)
	var o push.AcceptOptions
	return &cli.Command{
		Name:        "accept",
		Usage:       "say that users work with the tenant's live migration from now on",
		Description: "From then on its database is closed; missing and changed files can still be added.",
		Writes:      true,
		Flags:       append(to.Flags(), cli.Bool("close", "close it for missing files too", &o.Close)),
		Statuses:    map[manifest.Status]string{manifest.Refused: "refused: there is no live migration, or a push has committed another revision meanwhile"},
		Validate:    func() error { return to.Validate(env) },
		Action: func(ctx context.Context, j *cli.Job) error {
			d, err := to.Open(ctx, j)
			if err != nil {
				return err
			}
			defer d.Close() //nolint:errcheck // whatever was written is durable already
			o.To, o.Retry = d, destinations.Retry(j)
			o.Tool, o.At, o.Notice = j.Tool, manifest.At(env.Now()), j.Remark
			return j.Output(func(w io.Writer) error { return push.Accept(ctx, o, w) })
		},
	}
}

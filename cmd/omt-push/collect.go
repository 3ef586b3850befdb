package main

import (
	"context"
	"io"
	"time"

	"github.com/openomt/omt/cmd/internal/destinations"
	"github.com/openomt/omt/internal/cli"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/push"
)

func collect(env *cli.Env) *cli.Command {
	to := destinations.To(false) // what it may change is found out by collecting: --dry-run changes nothing
	o := push.CollectOptions{OlderThan: 7 * 24 * time.Hour, Workers: 8}
	var asJSON bool
	return &cli.Command{
		Name:        "collect",
		Usage:       "delete the chunks at a destination that no migration refers to any more",
		Description: "Its credential must be allowed to delete, which nothing else needs.",
		Writes:      true,
		Flags: append(to.Flags(),
			cli.Age("older-than", "leave chunks that are younger than `AGE`, and what pushes refer to that began later", &o.OlderThan),
			cli.Bool("dry-run", "say how much would be deleted, and delete nothing", &o.DryRun),
			cli.Int("workers", "chunks deleted at the same time", &o.Workers, 1, push.MaxWorkers),
			cli.Bool("json", "write JSON", &asJSON)),
		Statuses: map[manifest.Status]string{manifest.Refused: "a push is at work whose chunks are not known yet; nothing was deleted"},
		Validate: func() error { return to.Validate(env) },
		Action: func(ctx context.Context, j *cli.Job) error {
			d, err := to.Open(ctx, j)
			if err != nil {
				return err
			}
			defer d.Close() //nolint:errcheck // whatever was written is durable already
			o.To, o.Retry = d, destinations.Retry(j)
			o.Tool, o.Now, o.NewID = j.Tool, env.Now, env.NewID
			o.Progress, o.Log, o.Notice = j.Progress, j.Log, j.Remark
			done, err := push.Collect(ctx, o)
			if err != nil {
				return err
			}
			return j.Output(func(w io.Writer) error {
				if asJSON {
					return done.WriteJSON(w)
				}
				return done.WriteText(w)
			})
		},
	}
}

package main

import (
	"cmp"
	"context"
	"slices"

	"github.com/openomt/omt/cmd/internal/destinations"
	"github.com/openomt/omt/cmd/internal/sourceflags"
	"github.com/openomt/omt/internal/cli"
	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/push"
	"github.com/openomt/omt/internal/tenant"
)

func run(ctx context.Context, env *cli.Env) error { return command(env).Run(ctx, env) }

func command(env *cli.Env) *cli.Command {
	o := push.Options{Spool: "omt-spool", Workers: 4}
	to := destinations.To(true).Limited()
	var how string
	from := sourceflags.New()
	return &cli.Command{
		Usage:       "send chunks to the tenant's destination and commit the migration",
		Description: "A killed run goes on where it was. What was committed already is not pushed again.",
		Reads:       true,
		Writes:      true,
		Flags: slices.Concat(to.Flags(), []*cli.Flag{
			cli.String("spool", "take chunks from `DIR`", &o.Spool),
			cli.Bool("keep", "leave the chunks in the spool after the commit", &o.Keep),
			cli.Int("workers", "chunks sent at the same time", &o.Workers, 1, push.MaxWorkers),
			cli.String("recover", "at a tenant that holds another migration: `missing|overwrite`, add missing and changed files and nothing else, or take the place of a test migration", &how),
		}, from.Again()),
		Statuses: map[manifest.Status]string{
			manifest.Remarks: "committed, but documents are missing",
			manifest.Refused: "refused: not packed, blocked, another company or migration, or another push has won",
		},
		Validate: func() error {
			switch o.Recover = tenant.Recover(how); o.Recover {
			case tenant.RecoverNone, tenant.RecoverMissing, tenant.RecoverOverwrite:
			default:
				return manifest.Errorf(manifest.Usage, "--recover %q: want %q or %q", how, tenant.RecoverMissing, tenant.RecoverOverwrite)
			}
			if _, err := from.Load(); err != nil {
				return err
			}
			if err := to.Validate(env); err != nil {
				return err
			}
			return o.Validate()
		},
		Action: func(ctx context.Context, j *cli.Job) error {
			return stillFrozen(j, o.Spool, j.Stage(ctx, func(ctx context.Context, in *cli.Input, out *manifest.Writer) error {
				d, err := to.Open(ctx, j)
				if err != nil {
					return err
				}
				o.Repack = repack(j, from)
				o.Line = func(c tenant.Recover) string { return line(j, o.Spool, d.URL(), c) }
				o.Next = func() string { return next(j, o.Spool, d.URL()) }
				return action(ctx, j, o, d, in, out)
			}))
		},
		Commands: []*cli.Command{status(env), accept(env), reports(env), collect(env)},
	}
}

func action(ctx context.Context, j *cli.Job, o push.Options, d destination.Destination, in *cli.Input, out *manifest.Writer) error {
	defer d.Close() //nolint:errcheck // whatever was written is durable already
	env := j.Env()
	o.To, o.Retry = d, destinations.Retry(j)
	o.In, o.AcceptEdits = in.Reader, j.AcceptEdits
	if in.File() {
		o.Again = in.Again
	}
	o.Required = manifest.RequiredRules()
	o.Tool, o.By = j.Tool, cmp.Or(env.Getenv("USERNAME"), env.Getenv("USER"), env.Name)
	o.Now, o.NewID = env.Now, env.NewID
	o.Progress, o.Log, o.Notice, o.Say = j.Progress, j.Log, j.Remark, j.Say
	return push.Run(ctx, o, out)
}

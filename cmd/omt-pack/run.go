package main

import (
	"cmp"
	"context"
	"runtime"
	"time"

	"github.com/openomt/omt/cmd/internal/rules"
	"github.com/openomt/omt/cmd/internal/sourceflags"
	"github.com/openomt/omt/internal/cli"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/pack"
)

func run(ctx context.Context, env *cli.Env) error { return command(env).Run(ctx, env) }

func command(env *cli.Env) *cli.Command {
	o := pack.Options{Spool: "omt-spool", Level: 1, Codec: "zstd", Settle: pack.DefaultSettle, Workers: min(runtime.NumCPU(), pack.MaxWorkers)}
	src, plugins := sourceflags.New(), rules.New()
	var only []string
	orphans := "leave"
	known, live := newKnown(), newLive()
	var dryRun bool
	return &cli.Command{
		Usage:       "turn what omt-assign decided into chunks",
		Description: "The chunks go into the spool folder, from which omt-push takes them. A killed run goes on where it was.",
		Reads:       true,
		Writes:      true,
		Flags: append(append(append(src.Flags(), known.flags()...), live.flags()...),
			cli.String("spool", "keep chunks in `DIR`", &o.Spool),
			cli.Size("spool-limit", "wait for omt-push when the spool holds more than `SIZE`", &o.SpoolLimit),
			cli.List("only", "pack only these `AREAS`: database,template,document,service,attachment (a pre-seed)", &only),
			cli.Age("older-than", "pack only files that were older than `AGE`, such as 30d, when scanned (a pre-seed)", &o.OlderThan),
			cli.Choice("orphans", "files that no row names: `leave|move`", &orphans, "leave", "move"),
			cli.Duration("settle", "without a snapshot: for how long tables that change are read again; 0: nothing is read twice (`DURATION`)", &o.Settle),
			cli.Int("level", "how hard to compress, 1 to 3", &o.Level, 1, 3),
			cli.Choice("table-codec", "how the pages of table parts are compressed: `zstd|snappy|gzip`", &o.Codec, "zstd", "snappy", "gzip"),
			cli.Int("workers", "chunks made at the same time", &o.Workers, 1, 64),
			plugins.Flag(),
			cli.Bool("dry-run", "say how much would be packed and sent now, and for about how long; nothing is changed or written", &dryRun),
		),
		Statuses: map[manifest.Status]string{manifest.Remarks: "done, but not all preflight rules were run", manifest.Refused: ""},
		Validate: func() error {
			if dryRun && known.rehash {
				return manifest.Errorf(manifest.Usage, "--rehash reads every file, and --dry-run none").
					WithHint("leave --rehash out: what is known by size and time is not counted then")
			}
			areas, err := sourceflags.Areas(only)
			if err != nil {
				return err
			}
			o.Only, o.Orphans = areas, orphans == "move"
			if err := known.validate(env); err != nil {
				return err
			}
			if err := live.validate(); err != nil {
				return err
			}
			return o.Validate()
		},
		Dry: func() bool { return dryRun },
		Action: func(ctx context.Context, j *cli.Job) error {
			if dryRun {
				known.options(j, &o)
				return forecast(ctx, j, o, src)
			}
			run, err := plugins.Start(ctx, j)
			if err != nil {
				return err
			}
			defer run.Close()
			err = j.Stage(ctx, func(ctx context.Context, in *cli.Input, out *manifest.Writer) error {
				if err := run.Begin(ctx, out); err != nil {
					return err
				}
				o.Rules, o.Required = run.Rules, manifest.RequiredRules()
				known.options(j, &o)
				live.options(j, &o, src, known.to)
				return run.Result(action(ctx, j, o, src, in, out))
			})
			return live.end(ctx, j, o.Spool, src, err)
		},
		Commands: []*cli.Command{thaw(), unpack(env), list(env), verify(env)},
	}
}

func action(ctx context.Context, j *cli.Job, o pack.Options, src *sourceflags.Flags, in *cli.Input, out *manifest.Writer) error {
	return pack.Run(ctx, options(j, o, src, in), out)
}

// options adds what a run and a forecast both need.
func options(j *cli.Job, o pack.Options, src *sourceflags.Flags, in *cli.Input) pack.Options {
	o.In = in.Reader
	if in.File() {
		o.Again = in.Again
	}
	env := j.Env()
	o.Temp, o.Tool, o.By = j.Temp, j.Tool, cmp.Or(env.Getenv("USERNAME"), env.Getenv("USER"), env.Name)
	o.Now, o.Sleep = env.Now, sleep
	o.Progress, o.Log, o.Notice, o.Remark = j.Progress, j.Log, j.Say, j.Remark
	o.Open = func(ctx context.Context, inst manifest.Installation) (pack.Source, error) {
		s, err := src.Open(ctx, j, inst)
		if err != nil {
			return pack.Source{}, err
		}
		return pack.Source{Reader: s.View, Installation: s.Installation, Close: s.Close}, nil
	}
	return o
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

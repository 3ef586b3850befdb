package main

import (
	"context"
	"io"
	"runtime"

	"github.com/openomt/omt/cmd/internal/destinations"
	"github.com/openomt/omt/cmd/internal/sourceflags"
	"github.com/openomt/omt/internal/cli"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/restore"
)

// from are the flags that every command of the tenant's side has.
type from struct {
	*destinations.Flag
	migration string
}

func newFrom() *from { return &from{Flag: destinations.From()} }

func (f *from) flags() []*cli.Flag {
	return append(f.Flags(), cli.String("migration", "take the migration with this `ID` instead of the tenant's last", &f.migration))
}

func (f *from) open(ctx context.Context, j *cli.Job, fn func(m restore.Migration) error) error {
	d, err := f.Open(ctx, j)
	if err != nil {
		return err
	}
	defer d.Close() //nolint:errcheck // it was only read
	m, err := restore.Find(ctx, destinations.Retry(j).Wrap(d), f.migration)
	if err != nil {
		return err
	}
	j.Log.Info("found a migration", "revision", m.Revision(), "at", d.URL())
	return fn(m)
}

func unpack(env *cli.Env) *cli.Command {
	f, o := newFrom(), restore.UnpackOptions{Workers: runtime.NumCPU()}
	var db string
	var only []string
	return &cli.Command{
		Name:        "unpack",
		Usage:       "make files and a database of a migration again",
		Description: "Both targets must be empty, or hold an unfinished run of the same migration, which is gone on with.",
		Flags: append(f.flags(),
			cli.String("files", "unpack files into `DIR`/<area>/<path>", &o.Files),
			cli.String("db", "fill the empty database `URL`: sqlite:PATH or sqlserver://LOGIN@HOST[:PORT][/INSTANCE]?database=NAME", &db),
			cli.String("prefix", "prefix of its tables, if not the source's", &o.Prefix),
			cli.List("only", "unpack only these `AREAS`", &only),
		),
		Statuses: map[manifest.Status]string{manifest.Refused: ""},
		Validate: func() error {
			if o.Files == "" && db == "" {
				return manifest.Errorf(manifest.Usage, "nothing to unpack into").WithHint("give --files DIR, --db sqlite:PATH, or both")
			}
			areas, err := sourceflags.Areas(only)
			o.Only = areas
			if err != nil {
				return err
			}
			return f.Validate(env)
		},
		Action: func(ctx context.Context, j *cli.Job) error {
			return f.open(ctx, j, func(m restore.Migration) error {
				o.Temp, o.Progress, o.Remark = j.Temp, j.Progress, j.Remark
				if db != "" {
					loader, err := sourceflags.OpenLoader(ctx, j, db)
					if err != nil {
						return err
					}
					defer loader.Close() //nolint:errcheck // Finish has made everything durable
					o.DB = loader
				}
				u, err := restore.Unpack(ctx, m, o)
				if err != nil {
					return err
				}
				j.Say("unpacked %s: %s tables with %s rows, %s users to provision, %s files of %s, %s addresses removed; %s files are not in the migration",
					m.Revision(), cli.FormatCount(u.Tables), cli.FormatCount(u.Rows), cli.FormatCount(u.Users), cli.FormatCount(u.Files),
					cli.FormatSize(u.Bytes), cli.FormatCount(u.Removed), cli.FormatCount(u.NotSent))
				return nil
			})
		},
	}
}

func list(env *cli.Env) *cli.Command {
	f := newFrom()
	var names bool
	return &cli.Command{
		Name:     "list",
		Usage:    "list what a migration holds",
		Flags:    append(f.flags(), cli.Bool("names", "only the tar names of stored files, for tar -T", &names)),
		Writes:   true,
		Statuses: map[manifest.Status]string{manifest.Refused: ""},
		Validate: func() error { return f.Validate(env) },
		Action: func(ctx context.Context, j *cli.Job) error {
			return f.open(ctx, j, func(m restore.Migration) error {
				return j.Output(func(w io.Writer) error { return restore.List(ctx, m, names, w) })
			})
		},
	}
}

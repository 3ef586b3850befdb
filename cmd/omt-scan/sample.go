package main

import (
	"context"
	"path/filepath"

	"github.com/openomt/omt/cmd/internal/sourceflags"
	"github.com/openomt/omt/internal/cli"
	"github.com/openomt/omt/internal/install"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/sample"
	"github.com/openomt/omt/internal/source"
)

// sampleCommand writes an installation to try things out on.
func sampleCommand() *cli.Command {
	o := sample.Options{Prefix: "crm7", Users: 8, Documents: 200, Seed: 1, Files: true}
	var db string
	var seed int64 = 1
	var rowsOnly bool
	return &cli.Command{
		Name:  "sample",
		Usage: "write a complete small installation to try things out on",
		Description: "omt-scan --install DIR reads it; DIR/plans.csv are the tenant's plans, and omt-assign --users DIR/users.csv\n" +
			"--waivers DIR/waivers.csv settles what blocks. The same seed gives the same bytes.",
		Flags: []*cli.Flag{
			cli.String("dir", "write the sample into the new folder `DIR`", &o.Dir),
			cli.String("db", "fill the empty database `URL` instead of DIR/crm.sqlite", &db),
			cli.String("prefix", "prefix of the tables' names", &o.Prefix),
			cli.Int("users", "employees besides the odd ones", &o.Users, 2, 1_000_000),
			cli.Int("documents", "documents besides the odd ones", &o.Documents, 0, 100_000_000),
			cli.Int64("seed", "another `NUMBER` gives another sample", &seed),
			cli.Bool("clean", "none of the odd cases that block or that change data at the tenant", &o.Clean),
			cli.Bool("rows-only", "no archive: the rows of the database alone", &rowsOnly),
		},
		Statuses: map[manifest.Status]string{manifest.Refused: "the folder or the database is not empty"},
		Validate: func() error { return o.Validate() },
		Action: func(ctx context.Context, j *cli.Job) error {
			o.Seed, o.Files, o.Progress = uint64(seed), !rowsOnly, j.Progress
			made, err := writeSample(ctx, j, o, db)
			if err != nil {
				return err
			}
			j.Say("wrote %s: %d associates, %s documents, %s files of %s", o.Dir, made.Users,
				cli.FormatCount(int64(made.Documents)), cli.FormatCount(int64(made.Files)), cli.FormatSize(made.Bytes))
			return nil
		},
	}
}

func writeSample(ctx context.Context, j *cli.Job, o sample.Options, db string) (sample.Made, error) {
	o.DB = "sqlite:crm.sqlite"
	if db == "" {
		db = "sqlite:" + filepath.Join(o.Dir, "crm.sqlite")
	} else {
		clean, _, err := install.SplitURL(db, ".")
		if err != nil {
			return sample.Made{}, err
		}
		o.DB = clean
	}
	return sample.Write(ctx, o, func(ctx context.Context) (source.Loader, error) { return sourceflags.OpenLoader(ctx, j, db) })
}

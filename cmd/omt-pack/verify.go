package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"github.com/openomt/omt/cmd/internal/sourceflags"
	"github.com/openomt/omt/internal/cli"
	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/restore"
	"github.com/openomt/omt/internal/source"
)

func verify(env *cli.Env) *cli.Command {
	f, o := newFrom(), restore.VerifyOptions{Sample: 1, Workers: runtime.NumCPU()}
	depth := string(restore.Content)
	var db, prefix string
	return &cli.Command{
		Name:  "verify",
		Usage: "prove that all of a migration is there and whole, and that a database holds it",
		Description: "names compares names and sizes; hash reads every chunk; content decodes every chunk and compares every file and row.\n" +
			"With --db the rows of a database are then compared with those of the migration, whatever the depth: the one that was\n" +
			"unpacked, or the source again. Parts of tables that agree are not downloaded, so --depth names --db URL is the cheap way.\n" +
			"The password is asked for, or taken from OMT_DB_PASSWORD. --db has no variable: a good proof of the database of another\n" +
			"day, named by a variable that is still set, misleads.\n" +
			"A run that is broken off is gone on with by the same command, for seven days: what was found good is kept in SoMigration\n" +
			"below --temp. --sample takes other chunks each time, so that twenty of 5% read all, and of chunks of 64 MiB and more only\n" +
			"pieces. The result is kept beside the migration, where the credential may write, and omt-push report shows it.",
		Flags: append(f.flags(),
			cli.Choice("depth", "how far to go with the chunks: `names|hash|content`", &depth, string(restore.Names), string(restore.Hash), string(restore.Content)),
			cli.Percent("sample", "read only this `SHARE` of the chunks, such as 5%; names and a database are always compared whole", &o.Sample),
			cli.String("db", "compare the database at `URL` too: sqlserver://LOGIN@HOST[:PORT][/INSTANCE]?database=NAME or sqlite:PATH", &db),
			cli.String("prefix", "prefix of its tables, if not the source's", &prefix),
		),
		Statuses: map[manifest.Status]string{manifest.Failed: "something is missing or differs", manifest.Refused: ""},
		Validate: func() error {
			if prefix != "" && db == "" {
				return manifest.Errorf(manifest.Usage, "--prefix is given without --db")
			}
			return f.Validate(env)
		},
		Action: func(ctx context.Context, j *cli.Job) error {
			o.Depth, o.Temp, o.Progress, o.Log = restore.Depth(depth), j.Temp, j.Progress, j.Log
			o.Problem = func(err error) { j.Remark("%v", err) }
			o.Remark = j.Remark
			if db != "" {
				driver, err := sourceflags.OpenDatabase(ctx, j, db)
				if err != nil {
					return err
				}
				defer driver.Close() //nolint:errcheck // it was only read
				db = driver.URL()
				o.DB = func(ctx context.Context, usual string) (*source.Database, error) {
					return source.At(ctx, driver, prefix, usual)
				}
			}
			return f.open(ctx, j, func(m restore.Migration) error { return prove(ctx, j, m, o, db) })
		},
	}
}

// prove proves a migration, says what was looked at, and keeps it.
func prove(ctx context.Context, j *cli.Job, m restore.Migration, o restore.VerifyOptions, db string) error {
	env := j.Env()
	o.Now = env.Now
	if o.Sample < 1 && o.Depth != restore.Names {
		var err error
		if o.From, err = m.NextSample(ctx, o.Depth); err != nil {
			return err
		}
	}
	state, err := j.StateDir()
	if err != nil {
		j.Log.Warn("a proof that is broken off will begin anew", "reason", err)
	}
	o.State = state
	p, err := restore.Verify(ctx, m, o)
	if line := compared(db, p.Database); line != "" {
		j.Say("%s", line)
	}
	if err == nil {
		j.Say("%s", proved(m, o, p))
	}
	if p.Finished {
		keep(ctx, j, m, o, p, db)
	}
	return err
}

// keep keeps a proof beside the migration. That it cannot be kept changes nothing of what was found.
func keep(ctx context.Context, j *cli.Job, m restore.Migration, o restore.VerifyOptions, p restore.Proof, db string) {
	kept, err := m.Keep(ctx, p, o, db, j.Tool, j.Env().Redact)
	switch {
	case errors.Is(err, destination.ErrDenied):
		j.Remark("the result is not kept beside the migration, since the credential may only read; omt-push report does not show it")
		j.Log.Info("the proof is not kept", "reason", err)
	case err != nil:
		j.Remark("the result could not be kept beside the migration, and omt-push report does not show it: %v", err)
	default:
		j.Say("kept as proof %d of %s", kept.Number, m.Revision())
	}
}

// compared says what was compared with a database.
func compared(db string, c restore.Compared) string {
	if c.Tables == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "compared %s tables with %s rows in %s: ", cli.FormatCount(int64(c.Tables)), cli.FormatCount(c.Rows), db)
	if c.Differ == 0 {
		b.WriteString("all agree")
	} else {
		b.WriteString(cli.FormatCount(int64(c.Differ)) + " differ")
	}
	fmt.Fprintf(&b, "; %s parts by their digests", cli.FormatCount(int64(c.Agreed)))
	if c.Fetched > 0 {
		fmt.Fprintf(&b, ", %s row by row", cli.FormatCount(int64(c.Fetched)))
	}
	switch gone, there := cli.FormatCount(c.Removed), cli.FormatCount(c.NotRemoved); {
	case c.Removed > 0 && c.NotRemoved > 0:
		b.WriteString("; of the addresses that unpack removes " + gone + " are removed and " + there + " are not")
	case c.Removed > 0:
		b.WriteString("; " + gone + " addresses that unpack removes are removed")
	case c.NotRemoved > 0:
		b.WriteString("; " + there + " addresses that unpack removes are not removed")
	}
	return b.String()
}

func proved(m restore.Migration, o restore.VerifyOptions, p restore.Proof) string {
	var b strings.Builder
	b.WriteString("proved " + m.Revision() + ": " + cli.FormatCount(int64(p.Chunks)) + " chunks of " + cli.FormatSize(p.Bytes) + " are there")
	if o.Depth != restore.Names {
		b.WriteString("; " + cli.FormatCount(int64(p.Read)) + " read back, " + cli.FormatSize(p.BytesRead))
		if p.InPart > 0 {
			b.WriteString(" with pieces of " + cli.FormatCount(int64(p.InPart)) + " large ones")
		}
		if p.Kept > 0 {
			b.WriteString(", of it " + cli.FormatSize(p.Kept) + " by an earlier run")
		}
	}
	if o.Depth == restore.Content {
		b.WriteString("; " + cli.FormatCount(p.Files) + " files and " + cli.FormatCount(p.Rows) + " rows compared")
	}
	return b.String()
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/openomt/omt/cmd/internal/sourceflags"
	"github.com/openomt/omt/internal/cli"
	"github.com/openomt/omt/internal/freeze"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/spool"
)

// thawing are the flags of omt-pack thaw.
type thawing struct {
	src        *sourceflags.Flags
	in, spool  string
	spoolGiven *cli.Flag
	leave      bool
}

func thaw() *cli.Command {
	t := &thawing{src: sourceflags.New(), spool: "omt-spool"}
	t.spoolGiven = cli.String("spool", "undo what the journal in the spool `DIR` tells of", &t.spool)
	return &cli.Command{
		Name:  "thaw",
		Usage: "undo the freeze of a live migration",
		Description: "Undoes exactly what was recorded, any number of times; what somebody has changed since is left alone and shown.\n" +
			"The database is the recorded one; a login for it is given as for omt-pack (--db, --config, --install).",
		Flags: append(t.src.Files(),
			cli.String("in", "undo what the manifest `FILE` tells of, where there is no spool any more", &t.in),
			t.spoolGiven,
			cli.Bool("leave-changed", "what somebody has changed since stays as it is and counts as undone", &t.leave),
		),
		Statuses: map[manifest.Status]string{manifest.Refused: "somebody has changed since what is to be undone, or an omt-pack is at work in the spool"},
		Validate: func() error {
			if t.in != "" && t.spoolGiven.Given() {
				return errTwoSources
			}
			return nil
		},
		Action: t.run,
	}
}

func (t *thawing) run(ctx context.Context, j *cli.Job) error {
	o := freeze.ThawOptions{LeaveChanged: t.leave, Now: j.Env().Now, Say: j.Say, Open: openDatabase(j, t.src)}
	if t.in != "" {
		if err := t.fromManifest(ctx, &o); err != nil {
			return err
		}
	} else {
		if _, err := os.Stat(t.spool); err != nil {
			return manifest.Errorf(manifest.Usage, "--spool %q: there is no such folder", t.spool).
				WithHint("name the spool that omt-pack froze with, or the manifest with --in FILE")
		}
		s, err := spool.Open(t.spool)
		if err != nil {
			return err
		}
		lock, err := s.LockPack(ctx)
		if errors.Is(err, spool.ErrLocked) {
			return manifest.Errorf(manifest.Refused, "an omt-pack is at work in the spool %q", s.Dir()).WithHint("stop it with Ctrl+C, and it thaws itself")
		}
		if err != nil {
			return err
		}
		defer lock.Unlock() //nolint:errcheck // the lock ends with the process
		o.Spool = s.Dir()
	}
	done, err := freeze.Thaw(ctx, o)
	if err != nil {
		return err
	}
	j.Say("thawed: %s", summary(done))
	if done.Undone > 0 {
		j.Say("users can work here again, and what they write from now on is in no migration; next, on another day: omt-pack with the same manifest freezes and packs anew")
	}
	return nil
}

// fromManifest reads the records of a manifest, which must be whole and not edited.
func (t *thawing) fromManifest(ctx context.Context, o *freeze.ThawOptions) error {
	f, err := os.Open(t.in)
	if err != nil {
		var p *fs.PathError
		if errors.As(err, &p) {
			err = p.Err
		}
		return manifest.Errorf(manifest.Usage, "--in %q: %w", t.in, err)
	}
	defer f.Close()
	r := manifest.NewReader(f, manifest.ReadOptions{})
	for {
		l, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = ctx.Err()
		}
		if err == nil {
			err = take(l, o)
		}
		if err != nil {
			return fmt.Errorf("reading %q: %w", t.in, err)
		}
	}
}

func take(l manifest.Line, o *freeze.ThawOptions) error {
	switch l.Kind {
	case manifest.KindInstallation:
		var inst manifest.Installation
		if err := l.Decode(&inst); err != nil {
			return err
		}
		o.Database, o.Prefix = inst.Database, inst.Prefix
	case manifest.KindFreeze:
		var rec manifest.Freeze
		if err := l.Decode(&rec); err != nil {
			return err
		}
		o.Records = append(o.Records, rec)
	}
	return nil
}

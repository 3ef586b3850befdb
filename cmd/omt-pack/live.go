package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/openomt/omt/cmd/internal/destinations"
	"github.com/openomt/omt/cmd/internal/sourceflags"
	"github.com/openomt/omt/internal/cli"
	"github.com/openomt/omt/internal/freeze"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/pack"
)

// live are the flags of a live migration, and whether the run has begun to freeze.
type live struct {
	what  []string
	key   string
	idle  time.Duration
	yes   bool
	begun bool
}

func newLive() *live {
	return &live{what: []string{freeze.Service, freeze.Event}, key: freeze.EventKey}
}

func (l *live) flags() []*cli.Flag {
	return []*cli.Flag{
		cli.List("freeze", "what a live migration freezes: `PARTS` of service (Customer Service's config), event (no login by the Windows client)", &l.what),
		cli.String("event-key", "`NAME` of the event that keeps the Windows client out; the vendor does not document it, the default is a guess", &l.key),
		cli.Age("wait-idle", "wait up to `TIME`, such as 30m, until nobody is logged on", &l.idle),
		cli.Bool("yes", "do not ask before freezing", &l.yes),
	}
}

func (l *live) validate() error {
	if l.key == "" {
		return manifest.Errorf(manifest.Usage, "--event-key is empty")
	}
	if err := (freeze.Options{What: l.what}).Validate(); err != nil {
		return manifest.Errorf(manifest.Usage, "--freeze: %w", err).WithHint("%s", manifest.HintOf(err))
	}
	return nil
}

// options hands the verb what it needs for a live migration; nothing of it is used for a test.
func (l *live) options(j *cli.Job, o *pack.Options, src *sourceflags.Flags, to *destinations.Flag) {
	o.Live = &pack.Live{
		Freeze: freeze.Options{What: l.what, Key: l.key},
		Open: func(ctx context.Context, inst manifest.Installation) (freeze.Database, error) {
			return src.OpenWriter(ctx, j, inst)
		},
		WaitIdle: l.idle, Yes: l.yes,
		Ask: func(ctx context.Context, prompt string) (string, error) {
			console, err := j.Console("--yes")
			if err != nil {
				return "", err
			}
			defer console.Close() //nolint:errcheck // nothing is lost with a terminal
			return console.Ask(ctx, prompt)
		},
		Probe:   func(ctx context.Context) error { return to.Probe(ctx, j) },
		Expires: to.Expires,
		Begun:   func() { l.begun = true },
	}
}

// thawTime is how long a run that was told to stop may take to thaw.
const thawTime = 2 * time.Minute

// end thaws what the run has frozen where it did not finish, and says what comes next where it did.
func (l *live) end(ctx context.Context, j *cli.Job, spool string, src *sourceflags.Flags, err error) error {
	switch {
	case !l.begun:
		if records, ferr := freeze.Frozen(spool); err != nil && ferr == nil && len(records) > 0 {
			j.Remark("the installation is still frozen by an earlier run: omt-pack thaw --spool %s", cli.Quote(spool))
		}
		return err
	case err == nil || manifest.StatusOf(err) == manifest.Remarks:
		j.Say("the installation stays frozen; next: omt-push; the way back: omt-pack thaw --spool %s", cli.Quote(spool))
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), thawTime)
	defer cancel()
	done, terr := freeze.Thaw(ctx, freeze.ThawOptions{Spool: spool, Now: j.Env().Now, Say: j.Say, Open: openDatabase(j, src)})
	if terr != nil {
		j.Remark("the installation is still frozen: %v", terr)
		j.Remark("try again: omt-pack thaw --spool %s", cli.Quote(spool))
		return err
	}
	j.Remark("thawed: %s", summary(done))
	return err
}

// openDatabase opens the database that the journal or a manifest names.
func openDatabase(j *cli.Job, src *sourceflags.Flags) func(context.Context, string) (freeze.Database, error) {
	return func(ctx context.Context, url string) (freeze.Database, error) {
		return src.OpenWriter(ctx, j, manifest.Installation{Database: url})
	}
}

func summary(t freeze.Thawed) string {
	if t == (freeze.Thawed{}) {
		return "nothing was frozen"
	}
	text := fmt.Sprintf("%d undone", t.Undone)
	if t.Before > 0 {
		text += fmt.Sprintf(", %d were not there any more", t.Before)
	}
	if t.Left > 0 {
		text += fmt.Sprintf(", %d left as they are", t.Left)
	}
	return text
}

var errTwoSources = errors.New("--in and --spool are two places; give one of them")

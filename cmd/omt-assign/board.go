package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/pkg/browser"

	"github.com/openomt/omt/cmd/internal/rules"
	"github.com/openomt/omt/internal/board"
	"github.com/openomt/omt/internal/cli"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/plan"
)

// boardFlags are the flags of --board.
type boardFlags struct {
	on, noOpen bool
	listen     string
	outcome    *board.Outcome
}

func (b *boardFlags) flags() []*cli.Flag {
	return []*cli.Flag{
		cli.Bool("board", "choose in a browser; the flags that choose are applied before", &b.on),
		cli.String("listen", "the board's `ADDRESS` on this machine, such as 127.0.0.1:8765; default is any free port", &b.listen),
		cli.Bool("no-open", "print the board's address and open no browser", &b.noOpen),
	}
}

func (b *boardFlags) validate() error {
	if !b.on && (b.noOpen || b.listen != "") {
		return manifest.Errorf(manifest.Usage, "--listen and --no-open are for --board")
	}
	var err error
	b.listen, err = board.ParseListen(b.listen)
	return err
}

// asker is what plan.Run calls to ask for further choices.
type asker func(ctx context.Context, in plan.Input, notes []string) (plan.Choices, error)

// ask returns what asks on the board; nil without --board. again gives a reader of the whole input.
func (b *boardFlags) ask(ctx context.Context, j *cli.Job, c plan.Choices, run *rules.Run, again func() (*manifest.Reader, error)) (asker, error) {
	if !b.on {
		return nil, nil
	}
	r, err := again()
	if err != nil {
		return nil, err
	}
	survey, err := plan.Look(ctx, r)
	if err != nil {
		return nil, err
	}
	o := board.Options{
		Listen: b.listen, Tell: func(format string, args ...any) { tell(j, fmt.Sprintf(format, args...)) }, Now: j.Env().Now, Survey: survey, StateDir: stateDir(j),
		Base: plan.Choices{By: c.By, Now: c.Now, Final: c.Final, Waivers: c.Waivers, RemoveFromPersons: c.RemoveFromPersons},
		Persons: func(ctx context.Context, r plan.Result, remove *bool) ([]plan.PersonRemoval, error) {
			in, err := again()
			if err != nil {
				return nil, err
			}
			return r.OnPersons(ctx, in, remove)
		},
		Findings: func(ctx context.Context, users []manifest.User, _ []manifest.Plan) ([]manifest.Finding, error) {
			return tryRules(ctx, run, again, survey.Findings, users)
		},
	}
	if !b.noOpen {
		o.Open = openBrowser
	}
	return func(ctx context.Context, in plan.Input, notes []string) (plan.Choices, error) {
		o.Notes = notes
		out, err := board.Run(ctx, in, o)
		if err != nil {
			return plan.Choices{}, err
		}
		b.outcome = out
		return out.Choices, nil
	}, nil
}

// tryRules runs the rules that look at users and what stands before tables and files over the input with other users. Of
// the other rules the findings of the input stand.
func tryRules(ctx context.Context, run *rules.Run, again func() (*manifest.Reader, error), before []manifest.Finding, users []manifest.User) ([]manifest.Finding, error) {
	in, err := again()
	if err != nil {
		return nil, err
	}
	kinds := []manifest.Kind{manifest.KindManifest, manifest.KindInstallation, manifest.KindMigrator, manifest.KindPlan,
		manifest.KindUser, manifest.KindReview, manifest.KindFact}
	byID := make(map[int64]manifest.User, len(users))
	for _, u := range users {
		byID[u.ID] = u
	}
	tried, found, err := run.Trial(ctx, kinds, func(w *manifest.Writer) error {
		for n := 0; ; n++ {
			l, err := in.Next()
			if err == nil && n%1024 == 0 {
				err = ctx.Err()
			}
			switch {
			case errors.Is(err, io.EOF), err == nil && manifest.Rank(l.Kind) > manifest.Rank(manifest.KindFact):
				return nil
			case err != nil:
				return err
			case l.Kind == manifest.KindUser:
				var u manifest.User
				if err = l.Decode(&u); err == nil {
					err = w.Write(byID[u.ID])
				}
			case slices.Contains(kinds, l.Kind):
				err = w.WriteRaw(l)
			}
			if err != nil {
				return err
			}
		}
	})
	if err != nil {
		return nil, err
	}
	stay := slices.DeleteFunc(slices.Clone(before), func(f manifest.Finding) bool { return slices.Contains(tried, f.Rule) })
	return append(stay, plan.AboutPeople(found)...), nil
}

// settle forgets the work in progress once it is written, and keeps it where that failed.
func (b *boardFlags) settle(written bool) error {
	if !written {
		return b.outcome.Close()
	}
	if err := b.outcome.Forget(); err != nil {
		return fmt.Errorf("forgetting the work in progress: %w", err)
	}
	return nil
}

// stateDir is where work in progress is kept.
func stateDir(j *cli.Job) string {
	dir, err := os.UserConfigDir()
	if err != nil {
		j.Remark("the work on the board is not kept against a crash: %v", err)
		return ""
	}
	return filepath.Join(dir, "omt")
}

// tell prints a line that may hold an address with its token, which stands on the screen alone: the log has it masked.
func tell(j *cli.Job, line string) {
	env := j.Env()
	j.Log.Info(env.Redact(line))
	fmt.Fprintf(env.Stderr, "%s: %s\n", env.Name, line)
}

// openBrowser opens the default browser, which may take until somebody closes it.
func openBrowser(address string) error {
	browser.Stdout, browser.Stderr = io.Discard, io.Discard // what a browser prints must not come between records
	return browser.OpenURL(address)
}

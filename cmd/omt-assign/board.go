package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/pkg/browser"

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

// ask returns what plan.Run calls to ask on the board; nil without --board. again gives a reader of the whole input.
func (b *boardFlags) ask(ctx context.Context, j *cli.Job, c plan.Choices, again func() (*manifest.Reader, error)) (func(context.Context, plan.Input, []string) (plan.Choices, error), error) {
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
		Listen: b.listen, Tell: j.Remark, Now: j.Env().Now, Survey: survey, StateDir: stateDir(j),
		Base: plan.Choices{By: c.By, Now: c.Now, Waivers: c.Waivers, RemoveFromPersons: c.RemoveFromPersons},
		Persons: func(ctx context.Context, r plan.Result, remove *bool) ([]plan.PersonRemoval, error) {
			in, err := again()
			if err != nil {
				return nil, err
			}
			return r.OnPersons(ctx, in, remove)
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

// openBrowser opens the default browser, which may take until somebody closes it.
func openBrowser(address string) error {
	browser.Stdout, browser.Stderr = io.Discard, io.Discard // what a browser prints must not come between records
	return browser.OpenURL(address)
}

package main

import (
	"context"
	"errors"
	"io"

	"github.com/openomt/omt/cmd/internal/rules"
	"github.com/openomt/omt/internal/cli"
	"github.com/openomt/omt/internal/manifest"
)

// ruleFlags are the flags of omt-scan rules.
type ruleFlags struct {
	plugins      *rules.Flags
	verify, lock bool
	rule, format string
	shape        *cli.Flag
}

// rulesCommand lists the preflight rules, and locks the folder of plugins.
func rulesCommand() *cli.Command {
	f := &ruleFlags{plugins: rules.New(), format: "table"}
	f.shape = cli.Choice("format", "write `table|json|markdown`", &f.format, "table", "json", "markdown")
	return &cli.Command{
		Name:  "rules",
		Usage: "list the preflight rules and where they come from, and lock the folder of plugins",
		Description: "A plugin is started only where plugins.lock in its folder names it with the digest that it has: --lock writes that file for\n" +
			"what lies there, which says that you trust it.",
		Writes: true,
		Flags: []*cli.Flag{
			f.plugins.Flag(),
			cli.Bool("verify", "compare the files with plugins.lock, and start nothing", &f.verify),
			cli.Bool("lock", "write plugins.lock anew, and say what changed", &f.lock),
			cli.String("rule", "say all about the rule `ID`", &f.rule),
			f.shape,
		},
		Statuses: map[manifest.Status]string{
			manifest.Remarks: "listed, and something cannot be run",
			manifest.Refused: "--verify: a file is not as plugins.lock says; else: the lock file cannot be used",
		},
		Validate: f.validate,
		Action:   f.action,
	}
}

func (f *ruleFlags) validate() error {
	n := 0
	for _, given := range []bool{f.verify, f.lock, f.rule != ""} {
		if given {
			n++
		}
	}
	if n > 1 {
		return errors.New("--verify, --lock and --rule are three different things; give one of them")
	}
	if (f.verify || f.lock) && f.shape.Given() {
		return errors.New("--format is for the list of rules and for --rule")
	}
	if f.rule != "" && f.format == "markdown" {
		return errors.New("--rule writes a text or, with --format json, JSON")
	}
	return nil
}

func (f *ruleFlags) action(ctx context.Context, j *cli.Job) error {
	switch {
	case f.lock:
		return j.Output(f.plugins.Lock)
	case f.verify:
		return j.Output(f.plugins.Verify)
	}
	l, err := f.plugins.List(ctx, j)
	if err != nil {
		return err
	}
	if f.rule != "" {
		r, err := l.Find(f.rule)
		if err != nil {
			return err
		}
		return j.Output(func(w io.Writer) error {
			if f.format == "json" {
				return rules.WriteJSON(w, r)
			}
			return r.WriteText(w)
		})
	}
	return j.Output(func(w io.Writer) error {
		if err := f.write(j, l, w); err != nil {
			return err
		}
		return l.Err()
	})
}

func (f *ruleFlags) write(j *cli.Job, l rules.Listing, w io.Writer) error {
	switch f.format {
	case "json":
		return rules.WriteJSON(w, l)
	case "markdown":
		return l.WriteMarkdown(w)
	}
	return l.WriteTable(w, j.Columns())
}

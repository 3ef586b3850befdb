package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/openomt/omt/internal/cli"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/plan"
	"github.com/openomt/omt/internal/sheet"
)

// export is the subcommand that writes the users as a table.
func export() *cli.Command {
	separator := "semicolon"
	return &cli.Command{
		Name:  "export",
		Usage: "write the users as a table, to edit and give back with --users",
		Description: "CSV in UTF-8 with byte order mark, which a spreadsheet opens; use --out, since a redirection in Windows PowerShell\n" +
			"spoils letters outside ASCII. What is undecided is an empty cell; no plan is -.",
		Reads: true, Writes: true,
		Flags: []*cli.Flag{
			cli.Choice("separator", "separate cells by `semicolon|comma|tab`", &separator, "semicolon", "comma", "tab"),
		},
		Action: func(ctx context.Context, j *cli.Job) error {
			sep, err := sheet.Separator(separator)
			if err != nil {
				return err
			}
			in, done, err := j.OpenInput(ctx)
			if err != nil {
				return err
			}
			users, err := users(in)
			done()
			if err != nil {
				return fmt.Errorf("reading %s: %w", in.Name, err)
			}
			return j.Output(func(w io.Writer) error { return plan.Export(w, sep, users) })
		},
	}
}

// users reads a manifest to its end and returns its users.
func users(in *cli.Input) ([]manifest.User, error) {
	var list []manifest.User
	for {
		l, err := in.Next()
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		if l.Kind == manifest.KindUser {
			var u manifest.User
			if err := l.Decode(&u); err != nil {
				return nil, err
			}
			list = append(list, u)
		}
	}
}

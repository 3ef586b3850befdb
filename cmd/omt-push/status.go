package main

import (
	"context"
	"io"
	"time"

	"github.com/openomt/omt/internal/cli"
	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/destination/dir"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/push"
	"github.com/openomt/omt/internal/tenant"
)

// tenantFlag is --to, which every command here has.
type tenantFlag struct {
	url string
	d   destination.Destination // once it was validated
}

func (f *tenantFlag) flag() *cli.Flag {
	return cli.String("to", "the tenant's folder, `URL` (file:///path) or path", &f.url)
}

// validate opens the folder, which changes nothing in it.
func (f *tenantFlag) validate(now func() time.Time) error {
	if f.url == "" {
		return manifest.Errorf(manifest.Usage, "--to is missing").WithHint("name the tenant's folder: --to file:///path, or --to @FILE that holds it")
	}
	path, err := dir.Parse(f.url)
	if err == nil {
		f.d, err = dir.Open(path, now)
	}
	if err != nil {
		return manifest.Errorf(manifest.Usage, "--to: %w", err)
	}
	return nil
}

func status(env *cli.Env) *cli.Command {
	var to tenantFlag
	var asJSON bool
	return &cli.Command{
		Name:        "status",
		Usage:       "say what a tenant holds: its state, its migration, all revisions",
		Description: "It changes nothing.",
		Writes:      true,
		Flags:       []*cli.Flag{to.flag(), cli.Bool("json", "write JSON", &asJSON)},
		Validate:    func() error { return to.validate(env.Now) },
		Action: func(ctx context.Context, j *cli.Job) error {
			defer to.d.Close() //nolint:errcheck // nothing was written
			s, err := push.Look(ctx, tenant.Open(retry(j).Wrap(to.d)))
			if err != nil {
				return err
			}
			return j.Output(func(w io.Writer) error {
				if asJSON {
					return s.WriteJSON(w)
				}
				return s.WriteText(w)
			})
		},
	}
}

// later is a subcommand of a later build, with the flags it will have.
func later(name string, flags ...string) *cli.Command {
	var to tenantFlag
	c := &cli.Command{
		Name:  name,
		Usage: "not part of this build",
		Flags: []*cli.Flag{to.flag()},
		Action: func(context.Context, *cli.Job) error {
			return manifest.Errorf(manifest.Usage, "omt-push %s is not part of this build", name)
		},
	}
	for _, f := range flags {
		c.Flags = append(c.Flags, cli.Bool(f, "not part of this build", new(bool)))
	}
	return c
}

package main

import (
	"context"
	"strings"

	"github.com/openomt/omt/cmd/internal/destinations"
	"github.com/openomt/omt/cmd/internal/rules"
	"github.com/openomt/omt/cmd/internal/sourceflags"
	"github.com/openomt/omt/internal/cli"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/scan"
	"github.com/openomt/omt/internal/tenant"
)

func run(ctx context.Context, env *cli.Env) error { return command(env).Run(ctx, env) }

// flags are the values of the flags of omt-scan.
type flags struct {
	source          *sourceflags.Flags
	rules           *rules.Flags
	scan            scan.Options
	plans, encoding string
	only            []string
	to              *destinations.Flag
	url             *cli.Flag // --to
	netserver       netserver
}

func command(env *cli.Env) *cli.Command {
	f := &flags{source: sourceflags.New(), rules: rules.New(), to: destinations.To(false)}
	o, to := &f.scan, f.to.Flags()
	f.url = to[0]
	return &cli.Command{
		Usage:       "read an installation and write it as a manifest",
		Description: "Nothing of the installation is changed.",
		Writes:      true,
		Flags: append(append(f.source.Flags(),
			cli.String("login", "`NAME` of the administrator who migrates: initials, user name or e-mail address", &o.Login),
			cli.String("migrator-name", "full `NAME` of who migrates", &o.Migrator.Name),
			cli.String("migrator-email", "`ADDRESS` of who migrates", &o.Migrator.Email),
			cli.String("migrator-phone", "phone `NUMBER` of who migrates", &o.Migrator.Phone),
			cli.String("migrator-language", "language of who migrates as a `CODE` such as en", &o.Migrator.Language),
			cli.Strings("admin-right", "internal `NAME` of a function right that makes an administrator", &o.AdminRights),
			cli.Strings("admin-role", "`NAME` of a role that makes an administrator", &o.AdminRoles),
			cli.String("plans", "read the tenant's plans from `FILE`: licence XML, CSV or JSON", &f.plans),
			cli.String("encoding", "`NAME` of the encoding of --plans, where it cannot be told", &f.encoding),
			cli.List("only", "list only these `AREAS`: database,template,document,service,attachment (a pre-seed)", &f.only),
			f.rules.Flag(),
			cli.Age("older-than", "leave files that were changed in the last `AGE`, such as 30d (a pre-seed)", &o.OlderThan),
			cli.Bool("live", "this is the live migration and no test: omt-pack will freeze the installation", &o.Live),
			to[0], to[1],
		), f.netserver.flags()...),
		Statuses: map[manifest.Status]string{
			manifest.Remarks: "finished, with findings that block packing, or rules that were not run",
			manifest.Refused: "the login may not migrate, the plugins are not those that plugins.lock names, or the tenant is another company's",
		},
		Validate: func() error { return f.validate(env) },
		Action:   f.action,
		Commands: []*cli.Command{detect(), rulesCommand(), sampleCommand()},
	}
}

// validate refuses what is not built in and reads what --only says.
func (f *flags) validate(env *cli.Env) error {
	if f.url.Given() {
		if err := f.to.Validate(env); err != nil {
			return err
		}
	}
	if err := f.netserver.validate(); err != nil {
		return err
	}
	var err error
	if f.scan.Only, err = sourceflags.Areas(f.only); err != nil {
		return err
	}
	return f.scan.Validate()
}

func (f *flags) action(ctx context.Context, j *cli.Job) error {
	run, err := f.rules.Start(ctx, j)
	if err != nil {
		return err
	}
	defer run.Close()
	return j.Stage(ctx, func(ctx context.Context, _ *cli.Input, out *manifest.Writer) error {
		c, err := f.source.Load()
		if err != nil {
			return err
		}
		tell(j, c)
		o := f.complete(j, c)
		if f.url.Given() {
			d, err := f.to.Open(ctx, j)
			if err != nil {
				return err
			}
			defer d.Close() //nolint:errcheck // it was only read
			o.Foresee = tenant.Open(destinations.Retry(j).Wrap(d)).Foresee
		}
		if o.Plans, err = f.readPlans(); err != nil {
			return err
		}
		if missing := o.Missing(); len(missing) > 0 {
			console, err := j.Console(strings.Join(missing, ", "))
			if err != nil {
				return err
			}
			defer console.Close() //nolint:errcheck // nothing is lost with a terminal
			o.Ask = console.Ask
		}
		src, err := f.source.OpenConfig(ctx, j, c, o.Only)
		if err != nil {
			return err
		}
		defer src.Close() //nolint:errcheck // it was only read
		o.Reader, o.Installation = src.View, src.Installation
		if o.Verify, err = f.netserver.verifier(j, c, f.to.CA(), src.View); err != nil {
			return err
		}
		if err := run.Begin(ctx, out); err != nil {
			return err
		}
		o.Rules, o.Required, o.Earlier = run.Rules, manifest.RequiredRules(), rules.Earlier(rules.FromScan, j.Out)
		o.Queries = src.DB.SelectFacts(ctx, run.Queries())
		return run.Result(scan.Run(ctx, o, out))
	})
}

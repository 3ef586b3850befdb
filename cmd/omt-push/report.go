package main

import (
	"context"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/openomt/omt/cmd/internal/destinations"
	"github.com/openomt/omt/internal/cli"
	"github.com/openomt/omt/internal/mail"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/report"
	"github.com/openomt/omt/internal/sheet"
	"github.com/openomt/omt/internal/tenant"
)

// reporter is what the flags of report say.
type reporter struct {
	to                       *destinations.Flag
	migration, format, comma string
	missing, users           bool
	smtp, from               string
	again                    bool
	book                     *booking

	server mail.Server
	sep    rune
}

func reports(env *cli.Env) *cli.Command {
	o := &reporter{to: destinations.To(false), comma: "semicolon", book: &booking{}}
	return &cli.Command{
		Name:  "report",
		Usage: "tell what became of a migration, for the customer: a page, CSV or JSON",
		Description: "The page needs nothing but itself and can be kept and printed. Its counts add up, or no report is written (1). It shows the\n" +
			"first 500 entries of a list; CSV and JSON have all. --missing writes the list of what did not make it alone, --users the\n" +
			"user summary. With --smtp the user summary is sent to the address that omt-assign --summary-to gave, once; the address\n" +
			"of the server is smtp://[USER@]HOST[:PORT] (STARTTLS) or smtps://…, best in a file (--smtp @FILE), and the password stands\n" +
			"in it behind USER: or in OMT_SMTP_PASSWORD. Nothing else is changed.\n" +
			"--runbook writes the migration down as steps instead, from the order to the follow-up, with the commands and the ways back\n" +
			"filled in: of the manifest at --in, what the tenant at --to holds, or both. What was not measured is called unknown.",
		Writes: true,
		Flags: slices.Concat(o.to.Flags(), o.book.flags(), []*cli.Flag{
			cli.String("migration", "tell of the migration with this `ID` instead of the tenant's", &o.migration),
			cli.Choice("format", "write `html|csv|json|markdown`, markdown for a runbook alone; without it what the name at --out ends with, else html, and csv for a list alone", &o.format, "html", "csv", "json", "markdown"),
			cli.Bool("missing", "write only the list of what did not make it", &o.missing),
			cli.Bool("users", "write only the user summary", &o.users),
			cli.Choice("separator", "separate cells of CSV by `semicolon|comma|tab`", &o.comma, "semicolon", "comma", "tab"),
			cli.String("smtp", "send the user summary by the mail server at `URL`, smtp:// or smtps://", &o.smtp),
			cli.String("mail-from", "send it from `ADDRESS` instead of the migrator's", &o.from),
			cli.Bool("send-again", "send it although the same was sent before", &o.again).NoVariable(),
		}),
		Statuses: map[manifest.Status]string{manifest.Failed: "the sums do not add up, or the summary could not be sent", manifest.BadInput: "the manifest of a runbook is cut short, edited or from a failed stage", manifest.Refused: "no such migration"},
		Validate: func() error { return o.validate(env) },
		Action:   o.action,
	}
}

func (o *reporter) validate(env *cli.Env) error {
	if o.book.wanted {
		return o.book.validate(env, o)
	}
	if err := o.book.idle(); err != nil {
		return err
	}
	if o.format == "markdown" {
		return manifest.Errorf(manifest.Usage, "a report is no markdown: a runbook alone is").WithHint("add --runbook, or give --format html, csv or json")
	}
	if o.missing && o.users {
		return manifest.Errorf(manifest.Usage, "--missing and --users are two lists: give one of them")
	}
	if o.smtp == "" && (o.from != "" || o.again) {
		return manifest.Errorf(manifest.Usage, "--mail-from and --send-again are given without --smtp")
	}
	if o.from != "" {
		if err := mail.CheckAddress(o.from); err != nil {
			return manifest.Errorf(manifest.Usage, "--mail-from: %w", err)
		}
	}
	if o.smtp != "" {
		var err error
		env.Hide(env.Getenv("OMT_SMTP_PASSWORD"))
		o.server, err = mail.Parse(o.smtp, env.Getenv)
		for _, secret := range o.server.Secrets() {
			env.Hide(secret)
		}
		if err != nil {
			return manifest.Errorf(manifest.Usage, "--smtp: %w", err)
		}
	}
	var err error
	if o.sep, err = sheet.Separator(o.comma); err != nil {
		return err
	}
	return o.to.Validate(env)
}

// part is what is written.
func (o *reporter) part() report.Part {
	switch {
	case o.missing:
		return report.Missing
	case o.users:
		return report.Names
	}
	return report.Whole
}

// formFor chooses a format where none was given.
func (o *reporter) formFor(out string) string {
	if o.format != "" {
		return o.format
	}
	if by := strings.TrimPrefix(strings.ToLower(filepath.Ext(out)), "."); by == "csv" || by == "json" || by == "html" {
		return by
	}
	if o.part() == report.Whole {
		return "html"
	}
	return "csv"
}

func (o *reporter) action(ctx context.Context, j *cli.Job) error {
	if o.book.wanted {
		return o.book.write(ctx, j, o)
	}
	format := o.formFor(j.Out)
	if !report.Can(format, o.part()) {
		return manifest.Errorf(manifest.Usage, "the user summary is no page: write it as csv or json").WithHint("give --format csv, or leave --users away")
	}
	roots, err := o.to.Roots()
	if err != nil {
		return manifest.Errorf(manifest.Usage, "--ca: %w", err)
	}
	d, err := o.to.Open(ctx, j)
	if err != nil {
		return err
	}
	defer d.Close() //nolint:errcheck // whatever was written is durable already
	env := j.Env()
	t := tenant.Open(destinations.Retry(j).Wrap(d))
	r, err := report.Gather(ctx, report.Options{Tenant: t, Migration: o.migration, Temp: j.Temp, Tool: j.Tool, Now: env.Now, Progress: j.Progress})
	if err != nil {
		return err
	}
	defer r.Close()
	if err := j.Output(func(w io.Writer) error { return r.Write(w, format, o.part(), o.sep) }); err != nil {
		return err
	}
	j.Say("%s %s", r.Answer, r.Proved)
	if o.smtp == "" {
		return nil
	}
	return r.SendSummary(ctx, report.SummaryOptions{
		Tenant: t, From: o.from, Again: o.again, Tool: j.Tool, Now: env.Now, Tell: j.Remark, Say: j.Say,
		Send: func(ctx context.Context, m mail.Message) error {
			return mail.Send(ctx, o.server, m, mail.Options{Roots: roots})
		},
	})
}

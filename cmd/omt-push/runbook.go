package main

import (
	"context"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/openomt/omt/cmd/internal/destinations"
	"github.com/openomt/omt/internal/cli"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/runbook"
	"github.com/openomt/omt/internal/tenant"
)

// startForm is how --start is written.
const startForm = "2006-01-02 15:04"

// booking are the flags of report --runbook.
type booking struct {
	wanted                    bool
	in, spool, install, start string
	asks                      bool // the tenant
	at                        time.Time
	own                       []*cli.Flag // that no other report takes
}

func (b *booking) flags() []*cli.Flag {
	b.spool = "omt-spool"
	b.own = []*cli.Flag{
		cli.String("in", "with --runbook: read sizes from the manifest `FILE`, of any stage", &b.in),
		cli.String("start", "with --runbook: the freeze begins at `TIME` ("+startForm+") of this machine's clock", &b.start),
		cli.String("spool", "with --runbook: spools in the commands are `DIR` and names that begin so", &b.spool),
		cli.String("install", "with --runbook: the installation in the commands is `DIR`, instead of the manifest's database and folders", &b.install),
	}
	return append([]*cli.Flag{cli.Bool("runbook", "write the migration down as steps, from --in, --to or both", &b.wanted)}, b.own...)
}

// idle refuses the runbook's flags where none is to be written.
func (b *booking) idle() error {
	for _, f := range b.own {
		if f.Given() {
			return manifest.Errorf(manifest.Usage, "--in, --start, --spool and --install are given without --runbook").
				WithHint("a report is of what the tenant at --to holds; add --runbook, or leave them away")
		}
	}
	return nil
}

func (b *booking) validate(env *cli.Env, o *reporter) (err error) {
	if o.missing || o.users || o.smtp != "" || o.from != "" || o.again || o.migration != "" {
		return manifest.Errorf(manifest.Usage, "--runbook writes the whole migration down, and takes none of --missing, --users, --migration, --smtp, --mail-from and --send-again")
	}
	if o.format == "csv" || o.format == "json" {
		return manifest.Errorf(manifest.Usage, "a runbook is no table: give --format html or markdown")
	}
	if b.start != "" {
		if b.at, err = time.ParseInLocation(startForm, b.start, env.Now().Location()); err != nil {
			return manifest.Errorf(manifest.Usage, "--start %q: want a time as in %q", b.start, startForm)
		}
	}
	b.asks = o.to.Given()
	if b.asks {
		return o.to.Validate(env)
	}
	if b.in == "" {
		return manifest.Errorf(manifest.Usage, "a runbook needs --in, --to or both").
			WithHint("--in FILE is a manifest of any stage; --to asks the tenant what it holds, and how fast the last push was")
	}
	return nil
}

// form is html or markdown.
func (b *booking) form(format, out string) string {
	ext := strings.ToLower(filepath.Ext(out))
	if format == "markdown" || format == "" && (ext == ".md" || ext == ".txt") {
		return "markdown"
	}
	return "html"
}

func (b *booking) write(ctx context.Context, j *cli.Job, o *reporter) error {
	opts := runbook.Options{Spool: b.spool, Install: b.install, Start: b.at, Tool: j.Tool, Now: j.Env().Now()}
	if b.asks {
		d, err := o.to.Open(ctx, j)
		if err != nil {
			return err
		}
		defer d.Close() //nolint:errcheck // nothing was written
		opts.Tenant, opts.To = tenant.Open(destinations.Retry(j).Wrap(d)), destinationWord(j, d.URL())
	}
	if b.in != "" {
		j.In = b.in
		in, done, err := j.OpenInput(ctx)
		if err != nil {
			return err
		}
		defer done()
		opts.In = in.Reader
	}
	r, err := runbook.Gather(ctx, opts)
	if err != nil {
		return err
	}
	return j.Output(func(w io.Writer) error {
		if b.form(o.format, j.Out) == "markdown" {
			return r.WriteMarkdown(w)
		}
		return r.WriteHTML(w)
	})
}

// destinationWord is the destination as it stands in a command: the @FILE that it was read from, or its URL. A URL that only
// a signature makes good is not one that could be typed, and stands as the file that is to hold it.
func destinationWord(j *cli.Job, url string) string {
	if file := j.FileOf("to"); file != "" {
		return file
	}
	if strings.HasPrefix(url, "https://") {
		return "@tenant.url"
	}
	return url
}

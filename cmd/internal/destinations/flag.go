package destinations

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/openomt/omt/internal/bandwidth"
	"github.com/openomt/omt/internal/cli"
	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/destination/azblob"
	"github.com/openomt/omt/internal/destination/dir"
	"github.com/openomt/omt/internal/destination/s3"
	"github.com/openomt/omt/internal/destination/web"
	"github.com/openomt/omt/internal/manifest"
)

// Flag is --to or --from, with --ca.
type Flag struct {
	name, usage, missing string
	write                bool

	limits bool // --bandwidth is taken too
	table  bandwidth.Timetable

	url, ca string
	open    func(j *cli.Job) (destination.Destination, error) // once it was validated
}

// To is the flag of commands that send, or with write false ask alone.
func To(write bool) *Flag {
	return &Flag{
		name: "to", usage: "the tenant's destination, `URL`: file:///path or a path, https:// with a SAS, azblob:// or s3://", write: write,
		missing: "name the tenant's destination: --to file:///path, or --to @FILE that holds it",
	}
}

// From is the flag of commands of the tenant's side.
func From() *Flag {
	return &Flag{
		name: "from", usage: "the tenant's destination, `URL`: file:///path or a path, https:// with a SAS, azblob:// or s3://",
		missing: "name the destination that omt-push sent to",
	}
}

// Limited adds --bandwidth, for a command that sends much.
func (f *Flag) Limited() *Flag {
	f.limits = true
	return f
}

// Flags are the flags to add to a command.
func (f *Flag) Flags() []*cli.Flag {
	flags := []*cli.Flag{
		cli.String(f.name, f.usage, &f.url),
		cli.String("ca", "trust the certificates in `FILE` (PEM) too, for a destination, a proxy or a NetServer with a company's own authority", &f.ca),
	}
	if f.limits {
		flags = append(flags, cli.Parsed("bandwidth", "send no faster than `RATE`: 20Mbit, 2.5MB/s, or by the time of day 08:00-17:00=20Mbit,100Mbit",
			bandwidth.Want, func(v string) (err error) {
				f.table, err = bandwidth.Parse(v)
				return err
			}))
	}
	return flags
}

// limiter holds all connections to --bandwidth; nil where nothing does.
func (f *Flag) limiter(env *cli.Env) destination.Limiter {
	if !f.table.Limits() {
		return nil
	}
	return bandwidth.New(bandwidth.Options{Table: f.table, Now: env.Now})
}

// Given reports whether a destination was named.
func (f *Flag) Given() bool { return f.url != "" }

// CA is the file that --ca names; empty: none.
func (f *Flag) CA() string { return f.ca }

// Validate understands the flag. It asks no service; a folder to write to must have a parent.
func (f *Flag) Validate(env *cli.Env) error {
	if f.url == "" {
		return manifest.Errorf(manifest.Usage, "--%s is missing", f.name).WithHint("%s", f.missing)
	}
	err := f.understand(env)
	if err != nil {
		return manifest.Errorf(manifest.Usage, "--%s: %w", f.name, err)
	}
	return nil
}

func (f *Flag) understand(env *cli.Env) error {
	switch {
	case azblob.Is(f.url):
		p, err := azblob.Parse(f.url, env.Getenv)
		hide(env, f.url, p.Secrets())
		if err != nil {
			return err
		}
		client, err := f.client(env)
		f.open = func(j *cli.Job) (destination.Destination, error) {
			again := func() (string, bool, error) {
				value, ok, err := j.Again(f.name)
				hide(env, value, nil)
				return value, ok, err
			}
			return azblob.Open(p, azblob.Options{Client: client, Getenv: env.Getenv, Now: env.Now, Again: again})
		}
		return err
	case s3.Is(f.url):
		p, err := s3.Parse(f.url, env.Getenv)
		hide(env, f.url, p.Secrets())
		if err != nil {
			return err
		}
		client, err := f.client(env)
		f.open = func(*cli.Job) (destination.Destination, error) {
			return s3.Open(p, s3.Options{Client: client, Now: env.Now})
		}
		return err
	}
	return f.folder(env)
}

func (f *Flag) folder(env *cli.Env) error {
	path, err := dir.Parse(f.url)
	if err != nil {
		return err
	}
	now := env.Now
	if !f.write {
		now = nil // nothing is removed as stale
	}
	f.open = func(*cli.Job) (destination.Destination, error) {
		d, err := dir.Open(path, now)
		if l := f.limiter(env); err == nil && l != nil {
			return destination.Limit(d, l), nil
		}
		return d, err
	}
	if f.name == "to" {
		_, err = dir.Open(path, now)
	}
	return err
}

func (f *Flag) client(env *cli.Env) (*http.Client, error) {
	for _, s := range web.ProxySecrets(env.Getenv) {
		env.Hide(s)
	}
	return web.Client(web.Options{Getenv: env.Getenv, Now: env.Now, CA: f.ca, Limit: f.limiter(env)})
}

// hide keeps secrets out of all that is printed or logged, and with them the signature as it stands in a URL.
func hide(env *cli.Env, url string, secrets []string) {
	for _, s := range secrets {
		env.Hide(s)
	}
	if _, after, ok := strings.Cut(url, "sig="); ok {
		sig, _, _ := strings.Cut(after, "&")
		env.Hide(sig)
	}
}

// prober is a destination that can find out what is missing before anything is sent.
type prober interface {
	Probe(ctx context.Context, write bool) error
}

// Open opens what Validate understood, and asks a service whether it can do what is going to be asked of it.
func (f *Flag) Open(ctx context.Context, j *cli.Job) (destination.Destination, error) {
	d, err := f.open(j)
	if err != nil {
		return nil, err
	}
	if f.table.Limits() {
		j.Limit(f.table.At)
	}
	p, ok := d.(prober)
	if !ok {
		return d, nil
	}
	r := Retry(j)
	r.Attempts = 4
	if err := r.Do(ctx, d.URL(), func() (bool, error) { return false, p.Probe(ctx, f.write) }); err != nil {
		d.Close() //nolint:errcheck // nothing was done
		return nil, explain(err, f.write)
	}
	return d, nil
}

// Probe asks whether what Validate understood can be written to.
func (f *Flag) Probe(ctx context.Context, j *cli.Job) error {
	g := *f
	g.write = true
	d, err := g.Open(ctx, j)
	if err != nil {
		return err
	}
	return d.Close()
}

// Expires says until when the signature in the URL is good; false where there is none, or it does not say.
func (f *Flag) Expires() (time.Time, bool) {
	u, err := url.Parse(f.url)
	if err != nil || !azblob.Is(f.url) || u.Query().Get("sig") == "" {
		return time.Time{}, false
	}
	for _, form := range []string{time.RFC3339, "2006-01-02T15:04Z", "2006-01-02"} {
		if t, err := time.Parse(form, u.Query().Get("se")); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

func explain(err error, write bool) error {
	hint := "see Destinations in the README for what it needs"
	switch {
	case errors.Is(err, destination.ErrDenied) && write:
		hint = "ask whoever runs the tenant for a credential that may read, create, write and list (sp=rcwl of a SAS); nothing was sent"
	case errors.Is(err, destination.ErrDenied):
		hint = "ask whoever runs the tenant for a credential that may read and list (sp=rl of a SAS)"
	case errors.Is(err, destination.ErrBlocked):
		hint = "HTTPS_PROXY, NO_PROXY and --ca say how it is reached (see Destinations in the README); nothing was sent"
	case errors.Is(err, destination.ErrTransient):
		hint = "check the address, the network and, behind a proxy, HTTPS_PROXY; then run the same command again"
	}
	return manifest.Errorf(manifest.Failed, "%w", err).WithHint("%s", hint)
}

// Retry repeats what fails for a while, and logs it.
func Retry(j *cli.Job) destination.Retry {
	return destination.Retry{Notice: func(name string, err error, wait time.Duration) {
		j.Log.Info("trying again", "name", name, "after", err, "wait", wait)
	}}
}

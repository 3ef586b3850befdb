package sourceflags

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/openomt/omt/internal/cli"
	"github.com/openomt/omt/internal/freeze"
	"github.com/openomt/omt/internal/install"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
	"github.com/openomt/omt/internal/source/mssql"
	"github.com/openomt/omt/internal/source/sqlite"
)

// Source is an installation that is open.
type Source struct {
	DB           *source.Database
	View         *source.View
	Installation manifest.Installation
	Close        func() error
}

// OpenConfig opens the installation that c describes, without owner, serial number and version in its record. only are
// the areas whose folders are needed, all when empty.
func (f *Flags) OpenConfig(ctx context.Context, j *cli.Job, c install.Config, only []manifest.Area) (*Source, error) {
	driver, err := f.openDriver(ctx, j, c)
	if err != nil {
		return nil, err
	}
	db, view, err := begin(ctx, driver, c.Prefix)
	if err != nil {
		return nil, errors.Join(err, driver.Close())
	}
	s := &Source{DB: db, View: view, Close: func() error { return errors.Join(view.Close(), driver.Close()) }}
	print, err := driver.Fingerprint(ctx)
	var site install.Site
	if err == nil {
		site, err = lookAround(ctx, view)
	}
	var folders install.Folders
	if err == nil {
		folders, err = c.Folders(site, only)
	}
	if err != nil {
		s.Close() //nolint:errcheck // the first error is the one to tell
		return nil, err
	}
	s.Installation = manifest.Installation{
		Engine: driver.Engine(), Database: driver.URL(), Prefix: db.Prefix(), Fingerprint: print,
		Areas: folders.Areas, Roots: folders.Roots, Map: c.Map, Folders: f.Folders,
	}
	return s, nil
}

func begin(ctx context.Context, d source.Driver, prefix string) (*source.Database, *source.View, error) {
	db, err := source.New(ctx, d, prefix)
	if err != nil {
		return nil, nil, err
	}
	view, err := db.Begin(ctx)
	return db, view, err
}

// Open opens the installation that a manifest names, with the flags over it. Areas that the record does not name stay
// out, unless a flag gives them a folder.
func (f *Flags) Open(ctx context.Context, j *cli.Job, inst manifest.Installation) (*Source, error) {
	c, err := f.Load()
	if err != nil {
		return nil, err
	}
	areas := slices.Clone(inst.Areas)
	for a, dirs := range c.Roots {
		if len(dirs) > 0 && c.From("roots."+string(a)) == "--root" && !slices.Contains(areas, a) {
			areas = append(areas, a)
		}
	}
	c.Fill(recorded(inst))
	for _, l := range inst.Folders {
		if !slices.Contains(f.Folders, l) {
			f.Folders = append(f.Folders, l)
		}
	}
	s, err := f.OpenConfig(ctx, j, c, areas)
	if err != nil {
		return nil, err
	}
	s.Installation.Areas = slices.DeleteFunc(s.Installation.Areas, func(a manifest.Area) bool { return !slices.Contains(areas, a) })
	s.Installation.Owner, s.Installation.Serial, s.Installation.Version = inst.Owner, inst.Serial, inst.Version
	return s, nil
}

const theManifest = "the manifest"

// recorded is what an installation record says, as a configuration.
func recorded(inst manifest.Installation) install.Config {
	c := install.Config{DB: inst.Database, Prefix: inst.Prefix, Map: slices.Clone(inst.Map)}
	c.Say("db", theManifest)
	c.Say("prefix", theManifest)
	for _, a := range manifest.Areas[1:] {
		c.Give(a, inst.Roots[string(a)], theManifest)
	}
	return c
}

// lookAround reads what the database says of folders.
func lookAround(ctx context.Context, v *source.View) (install.Site, error) {
	var s install.Site
	var err error
	if s.Service, err = v.ServiceConfig(ctx); err != nil {
		return s, fmt.Errorf("reading Service's folders: %w", err)
	}
	if s.Locations, err = v.Locations(ctx); err != nil {
		return s, fmt.Errorf("reading the locations of attachments: %w", err)
	}
	if _, ok := source.FindTable(v.Tables(), "attachment"); ok {
		n, err := v.Count(ctx, "attachment")
		if err != nil {
			return s, fmt.Errorf("counting attachments: %w", err)
		}
		s.Attachments = n > 0
	}
	return s, nil
}

// openDriver opens the database that c names, and remembers the password that was typed for it.
func (f *Flags) openDriver(ctx context.Context, j *cli.Job, c install.Config) (source.Driver, error) {
	c, err := f.remember(ctx, j, c)
	if err != nil {
		return nil, err
	}
	return openDriver(ctx, j, c)
}

// remember completes the credentials of c, so that a person is asked once for the password of a database that is opened
// several times.
func (f *Flags) remember(ctx context.Context, j *cli.Job, c install.Config) (install.Config, error) {
	if c.DB == "" || strings.HasPrefix(c.DB, sqlite.Scheme) {
		return c, nil
	}
	user, _ := c.Credentials.Reveal()
	key := user + "@" + c.DB
	if secret, ok := f.secrets[key]; ok {
		c.Credentials = secret
		return c, nil
	}
	_, password, err := login(ctx, j, c.DB, c.Credentials)
	if err != nil {
		return c, err
	}
	c.Credentials = install.NewSecret(user, password)
	if f.secrets == nil {
		f.secrets = map[string]install.Secret{}
	}
	f.secrets[key] = c.Credentials
	return c, nil
}

// OpenWriter opens the database of an installation that a manifest names, with the flags over it, to change the few rows
// that a freeze needs.
func (f *Flags) OpenWriter(ctx context.Context, j *cli.Job, inst manifest.Installation) (freeze.Database, error) {
	c, err := f.Load()
	if err != nil {
		return nil, err
	}
	c.Fill(recorded(inst))
	if strings.HasPrefix(c.DB, sqlite.Scheme) {
		return sqlite.OpenWriter(c.DB)
	}
	if c.DB == "" {
		return nil, c.NoDatabase()
	}
	if c, err = f.remember(ctx, j, c); err != nil {
		return nil, err
	}
	u, password, err := login(ctx, j, c.DB, c.Credentials)
	if err != nil {
		return nil, err
	}
	return mssql.OpenWriter(u, password, prompt(j))
}

// openDriver opens the database that c names.
func openDriver(ctx context.Context, j *cli.Job, c install.Config) (source.Driver, error) {
	switch {
	case c.DB == "":
		return nil, c.NoDatabase()
	case strings.HasPrefix(c.DB, sqlite.Scheme):
		return sqlite.Open(c.DB)
	}
	u, password, err := login(ctx, j, c.DB, c.Credentials)
	if err != nil {
		return nil, err
	}
	return mssql.Open(u, password, prompt(j))
}

// prompt tells a person what to do to log in on standard error.
func prompt(j *cli.Job) mssql.Option {
	return mssql.Prompt(func(text string) { j.Remark("%s", text) })
}

// OpenDatabase opens a database to be read, at a URL as --db takes it.
func OpenDatabase(ctx context.Context, j *cli.Job, rawURL string) (source.Driver, error) {
	clean, secret, err := split(rawURL)
	if err != nil {
		return nil, err
	}
	return openDriver(ctx, j, install.Config{DB: clean, Credentials: secret})
}

// split takes the credentials out of a URL that --db gave.
func split(rawURL string) (clean string, secret install.Secret, err error) {
	here, err := filepath.Abs(".")
	if err != nil {
		return "", secret, fmt.Errorf("looking for the working directory: %w", err)
	}
	if clean, secret, err = install.SplitURL(rawURL, here); err != nil {
		return "", secret, manifest.Errorf(manifest.Usage, "--db: %w", err).WithHint("%s", manifest.HintOf(err))
	}
	return clean, secret, nil
}

// OpenLoader opens a database to be filled, at a URL as --db takes it.
func OpenLoader(ctx context.Context, j *cli.Job, rawURL string) (source.Loader, error) {
	clean, secret, err := split(rawURL)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(clean, sqlite.Scheme) {
		return sqlite.OpenLoader(clean)
	}
	u, password, err := login(ctx, j, clean, secret)
	if err != nil {
		return nil, err
	}
	return mssql.OpenLoader(u, password, prompt(j))
}

// login completes a URL with the login, and finds the password. The password is hidden from everything that the run
// prints from now on.
func login(ctx context.Context, j *cli.Job, db string, secret install.Secret) (rawURL, password string, err error) {
	user, password := secret.Reveal()
	j.Env().Hide(password)
	if p := j.Env().Getenv("OMT_DB_PASSWORD"); p != "" {
		password = p
	}
	u, err := url.Parse(db)
	if err != nil {
		return "", "", manifest.Errorf(manifest.Usage, "the database's URL is not understood")
	}
	if user == "" {
		return db, password, nil
	}
	if u.User = url.User(user); password == "" && mssql.NeedsPassword(u.String()) {
		if password, err = askPassword(ctx, j, db, user); err != nil {
			return "", "", err
		}
	}
	return u.String(), password, nil
}

func askPassword(ctx context.Context, j *cli.Job, db, user string) (string, error) {
	console, err := j.Console("the password in OMT_DB_PASSWORD")
	if err != nil {
		return "", err
	}
	defer console.Close() //nolint:errcheck // nothing is lost with a terminal
	password, err := console.AskHidden(ctx, fmt.Sprintf("password of %s at %s: ", user, db))
	if errors.Is(err, io.EOF) {
		return "", manifest.Errorf(manifest.Usage, "the password of %s was asked for and not given", user).
			WithHint("give the password in OMT_DB_PASSWORD")
	}
	if err != nil {
		return "", fmt.Errorf("asking for the password: %w", err)
	}
	j.Env().Hide(password)
	return password, nil
}

package scan

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"time"

	"github.com/openomt/omt/internal/archive"
	"github.com/openomt/omt/internal/inventory"
	"github.com/openomt/omt/internal/login"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/progress"
	"github.com/openomt/omt/internal/source"
)

// Options are the choices of a run.
type Options struct {
	Reader       source.Reader
	Installation manifest.Installation // engine, database, prefix, areas, roots, map and folders; the rest is read

	Login       string // of who migrates
	Migrator    Person
	Live        bool     // the migration is the live one and no test
	AdminRights []string // function rights that make an administrator
	AdminRoles  []string // roles that do
	Plans       []manifest.Plan
	Only        []manifest.Area
	OlderThan   time.Duration // files changed later are left; 0: none are

	// Queries are what the queries of preflight rules gave, each query's rows with what came of it
	// (source.Database.SelectFacts); nil: there are none. An error ends the run.
	Queries iter.Seq2[source.Fact, error]
	Earlier *manifest.Fact // the manifest that this one will replace, or nil
	// Rules ends the run of the preflight rules over all records before the checks, which they have seen as they were
	// written, and returns what they say; nil: none are run.
	Rules    func(ctx context.Context) ([]manifest.Check, []manifest.Finding, error)
	Required []string // rules without whose check that is done nothing will be packed

	// Verify proves that who runs this is the associate that the login names; nil: the database's login alone is a proof.
	Verify func(ctx context.Context, login string, a source.Account) (login.Proof, error)
	// Foresee asks the tenant what mode the migration with this id will have, and refuses one of another company name or
	// serial number; nil: no tenant was named, and the manifest has no mode.
	Foresee func(ctx context.Context, company, serial, id string) (mode string, err error)

	// Ask prints a prompt and reads a line, for what Missing names; nil where nobody can be asked.
	Ask func(ctx context.Context, prompt string) (string, error)

	Tool     string // "omt-scan 0.1.0"
	Temp     string
	Now      func() time.Time
	NewID    func() string
	Progress progress.Reporter
	Log      *slog.Logger
	Say      func(format string, args ...any) // a line for who watches
	Remark   func(format string, args ...any) // a line that a person should read in any case
}

// Person is who migrates.
type Person struct{ Name, Email, Phone, Language string }

// Validate reports options that cannot be meant.
func (o Options) Validate() error {
	if o.OlderThan < 0 {
		return manifest.Errorf(manifest.Usage, "an age below zero")
	}
	for _, a := range o.Only {
		if a.Rank() < 0 {
			return manifest.Errorf(manifest.Usage, "area %q is not known", a).WithHint("the areas are %s", names(manifest.Areas[:]))
		}
	}
	return o.Migrator.validate()
}

func names(areas []manifest.Area) string {
	s := ""
	for i, a := range areas {
		if i > 0 {
			s += ", "
		}
		s += string(a)
	}
	return s
}

// run is a run under way.
type run struct {
	o        Options
	now      time.Time
	out      *manifest.Writer
	accounts []source.Account
	judge    judge
	said     manifest.Results
	told     summary

	notUnicode bool // the database model says so
}

// Run reads the installation and writes all records but the end. It returns an error of status Remarks when all is
// written and a finding blocks.
func Run(ctx context.Context, o Options, out *manifest.Writer) error {
	if err := o.Validate(); err != nil {
		return err
	}
	r := &run{o: o, now: o.Now(), out: out, told: summary{files: map[manifest.Area]*tally{}}}
	for _, a := range o.Only {
		if !slices.Contains(o.Installation.Areas, a) {
			return manifest.Errorf(manifest.Usage, "the installation has no area %s", a).
				WithHint("its areas are %s; a folder is given with --root %s=DIR", names(o.Installation.Areas), a)
		}
	}
	head, err := r.prepare(ctx)
	if err != nil {
		return err
	}
	if !o.Reader.Consistent() {
		o.Say("the database gives no snapshot: what changes while it is read may be listed in part")
	}
	for _, step := range []func(context.Context) error{
		func(context.Context) error { return r.write(head) }, r.plans, r.users, r.addresses, r.facts, r.queries, r.content, r.results,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	r.told.say(o.Say, o.Installation.Areas)
	return r.remarks()
}

func (r *run) preseed() bool { return len(r.o.Only) > 0 || r.o.OlderThan > 0 }

func (r *run) wanted(a manifest.Area) bool { return len(r.o.Only) == 0 || slices.Contains(r.o.Only, a) }

// prepare settles everything that can stop the run early, and returns the first records.
func (r *run) prepare(ctx context.Context) ([]manifest.Record, error) {
	o := &r.o
	if err := r.openRoots(); err != nil {
		return nil, err
	}
	if err := source.CheckRequired(o.Reader); err != nil {
		return nil, err
	}
	id, err := o.Reader.Identity(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading who owns the installation: %w", err)
	}
	newID := o.NewID()
	mode, err := r.foresee(ctx, id, newID)
	if err != nil {
		return nil, err
	}
	if r.accounts, err = o.Reader.Accounts(ctx); err != nil {
		return nil, fmt.Errorf("reading the associates: %w", err)
	}
	if r.judge, err = newJudge(ctx, o, r.accounts); err != nil {
		return nil, err
	}
	migrator, err := r.migrator(ctx)
	if err != nil {
		return nil, err
	}
	o.Say("%s, serial number %s, version %s (%s)", known(id.Owner), known(id.Serial), known(id.Version), known(id.VersionFrom))
	o.Log.Info("installation", "owner", id.Owner, "serial", id.Serial, "version", id.Version, "from", id.VersionFrom,
		"database", o.Installation.Database, "prefix", o.Installation.Prefix)
	inst := o.Installation
	inst.Owner, inst.Serial, inst.Version = id.Owner, id.Serial, id.Version
	phase := "full"
	if r.preseed() {
		phase = "preseed"
		inst.Areas = slices.DeleteFunc(slices.Clone(inst.Areas), func(a manifest.Area) bool { return !r.wanted(a) })
	}
	return []manifest.Record{
		manifest.Header{
			Format: manifest.Format, ID: newID, Tool: o.Tool, Created: manifest.At(r.now), Migration: o.migration(), Mode: mode, Phase: phase,
			Before: manifest.At(r.cutoff()),
		}, inst, migrator,
	}, nil
}

func (o Options) migration() string {
	if o.Live {
		return "live"
	}
	return "test"
}

// foresee asks the tenant, where one was named. A part that goes ahead has no mode.
func (r *run) foresee(ctx context.Context, of source.Identity, id string) (mode string, err error) {
	if r.o.Foresee == nil {
		return "", nil
	}
	if mode, err = r.o.Foresee(ctx, of.Owner, of.Serial, id); err != nil || r.preseed() {
		return "", err
	}
	r.o.Say("the tenant was asked: this will be a migration of mode %q", mode)
	return mode, nil
}

func known(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}

// openRoots opens the folders of the areas that will be listed, so that a share that is not there stops the run at once
// and not after hours. A folder of attachments may be empty, and so may Service's template and text folders.
func (r *run) openRoots() error {
	for _, a := range r.o.Installation.Areas {
		if !r.wanted(a) {
			continue
		}
		for i, root := range r.o.Installation.Roots[string(a)] {
			if root == "" {
				continue
			}
			if err := openRoot(root, a != manifest.Attachment && (a != manifest.Service || i == 0)); err != nil {
				return fmt.Errorf("area %s: %w", a, err)
			}
		}
	}
	return nil
}

func openRoot(path string, filled bool) error {
	root, err := archive.Open(path)
	if err != nil {
		return err
	}
	defer root.Close() //nolint:errcheck // it was only read
	if filled {
		return root.Check()
	}
	return nil
}

func (r *run) write(records []manifest.Record) error {
	for _, rec := range records {
		if err := r.out.Write(rec); err != nil {
			return err
		}
	}
	return nil
}

// plans writes the plans that were handed in, else those of the local licence.
func (r *run) plans(ctx context.Context) error {
	held, err := r.o.Reader.Plans(ctx)
	if err != nil {
		return fmt.Errorf("reading the plans of the local licence: %w", err)
	}
	plans := r.o.Plans
	if len(plans) == 0 {
		for _, p := range held {
			plans = append(plans, manifest.Plan{
				Name: p.Name, Title: p.Title, Onsite: p.Name, Seats: p.Seats, Unlimited: p.Unlimited, Source: "licence",
			})
		}
		r.o.Say("plans: %d of the local licence, a hint only; the tenant's are given with --plans", len(plans))
	} else {
		r.o.Say("plans: %d of the tenant", len(plans))
	}
	for _, p := range plans {
		if err := r.out.Write(p); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) users(ctx context.Context) error {
	users, err := r.o.Reader.Users(ctx)
	if err != nil {
		return fmt.Errorf("reading the users: %w", err)
	}
	for _, u := range users {
		rec := manifest.User{
			ID: u.ID, Login: u.Login, Person: u.Person, Name: u.Name, Company: u.Company, Group: u.Group, Role: u.Role,
			Position: u.Position, Admin: r.judge.admin(u.Rights, u.Role), Confidential: u.Confidential,
			Emails: append([]string{}, u.Emails...), Onsite: u.Onsite,
		}
		if rec.Admin {
			r.told.admins++
		}
		if err := r.out.Write(rec); err != nil {
			return err
		}
	}
	r.told.users = len(users)
	return nil
}

func (r *run) facts(ctx context.Context) error {
	for f, err := range r.o.Reader.Facts(ctx) {
		if err != nil {
			return fmt.Errorf("reading facts: %w", err)
		}
		if f.Name == modelFact && f.Data["isdatabaseunicode"] == int64(0) {
			r.notUnicode = true
		}
		if err := r.out.Write(manifest.Fact(f)); err != nil {
			return err
		}
	}
	return nil
}

// queries writes what the queries of rules gave, then which manifest this one will replace.
func (r *run) queries(context.Context) error {
	if r.o.Queries != nil {
		for f, err := range r.o.Queries {
			if err == nil {
				err = r.out.Write(manifest.Fact(f))
			}
			if err != nil {
				return fmt.Errorf("asking the queries of the rules: %w", err)
			}
		}
	}
	if r.o.Earlier != nil {
		return r.out.Write(*r.o.Earlier)
	}
	return nil
}

// content writes tables and files, area by area.
func (r *run) content(ctx context.Context) error {
	inv := inventory.New(inventory.Options{
		Reader: r.o.Reader, Installation: r.o.Installation, Temp: r.o.Temp, OlderThan: r.cutoff(), Tool: r.o.Tool,
		Progress: r.o.Progress, Log: r.o.Log,
	})
	if err := inv.Missing(ctx); err != nil {
		return err
	}
	for _, a := range r.o.Installation.Areas {
		var err error
		switch {
		case a == manifest.Database && r.wanted(a):
			err = r.tables(ctx, inv)
		case a == manifest.Database:
		case r.wanted(a):
			err = inv.Files(ctx, a, r.file)
		default:
			err = r.left(ctx, a)
		}
		if err != nil {
			return fmt.Errorf("listing area %s: %w", a, err)
		}
	}
	checks, findings := inv.Results()
	r.say(checks, findings)
	return nil
}

func (r *run) cutoff() time.Time {
	if r.o.OlderThan == 0 {
		return time.Time{}
	}
	return r.now.Add(-r.o.OlderThan)
}

func (r *run) tables(ctx context.Context, inv *inventory.Inventory) error {
	tables, err := inv.Tables(ctx)
	if err != nil {
		return err
	}
	for _, t := range tables {
		r.told.tables++
		r.told.rows += t.Rows
		if err := r.out.Write(t); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) file(f manifest.File) error {
	r.told.count(f)
	return r.out.Write(f)
}

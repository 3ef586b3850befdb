package freeze

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/openomt/omt/internal/manifest"
)

// The two things that are frozen.
const (
	Service = "service" // Customer Service's config
	Event   = "event"   // the event that keeps the Windows client out
)

// Options are the choices of a freeze.
type Options struct {
	Spool        string // where the journal lies
	Manifest     string // id of the manifest, for the journal
	Installation manifest.Installation
	What         []string // Service, Event or both
	Key          string   // event key; EventKey where it is empty
	Associate    int64    // who migrates, as the row's registered_associate_id; 0: not known

	// Open opens the database for writing; it is asked for Event alone.
	Open func(ctx context.Context) (Database, error)
	Now  func() time.Time

	replace func(tmp, path string) error // of tests; nil: the system's
	at      func(point string)           // of tests: told what has just been done
}

// reached tells a test where the run is.
func (o Options) reached(point string) {
	if o.at != nil {
		o.at(point)
	}
}

// Validate reports options that cannot be meant.
func (o Options) Validate() error {
	if len(o.What) == 0 {
		return manifest.Errorf(manifest.Usage, "nothing is to be frozen").WithHint("give --freeze service,event or one of them")
	}
	for _, w := range o.What {
		if w != Service && w != Event {
			return manifest.Errorf(manifest.Usage, "%q cannot be frozen", w).WithHint("what can be is %s and %s", Service, Event)
		}
	}
	return nil
}

func (o Options) eventKey() string { return cmp.Or(o.Key, EventKey) }

// base is Customer Service's base folder; "" where the installation has none.
func (o Options) base() string {
	if roots := o.Installation.Roots[string(manifest.Service)]; len(roots) > 0 {
		return roots[0]
	}
	return ""
}

// Check looks, without changing anything, whether all that Options ask for can be frozen.
func Check(ctx context.Context, o Options) error {
	if err := o.Validate(); err != nil {
		return err
	}
	if slices.Contains(o.What, Service) && o.base() != "" {
		path, err := FindConfig(o.base())
		if err == nil {
			_, _, err = planFile(path)
		}
		if err != nil {
			return err
		}
	}
	if !slices.Contains(o.What, Event) {
		return nil
	}
	db, err := o.Open(ctx)
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // nothing was written
	_, err = findTables(ctx, db, o.Installation.Prefix)
	return err
}

// Run freezes what is not frozen yet and returns the records of all of it. It goes on with a freeze that the journal tells
// of. An installation without Customer Service has no config to freeze, which is no error.
func Run(ctx context.Context, o Options) ([]manifest.Freeze, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	j, err := openJournal(o.Spool, true, o.Now)
	if err != nil {
		return nil, err
	}
	defer j.close()
	if err := j.own(o); err != nil {
		return nil, err
	}
	if err := j.write(entry{Step: stepBegin, Manifest: o.Manifest, Database: o.Installation.Database, Prefix: o.Installation.Prefix}); err != nil {
		return nil, err
	}
	o.reached("the freeze is begun")
	if slices.Contains(o.What, Service) && o.base() != "" {
		if err := j.freezeFile(o); err != nil {
			return nil, err
		}
		o.reached("Service is frozen")
	}
	if slices.Contains(o.What, Event) {
		if err := j.freezeEvent(ctx, o); err != nil {
			return nil, err
		}
		o.reached("the event is noted")
	}
	return slices.Clone(j.state.records), j.write(entry{Step: stepFrozen})
}

// own refuses a journal that tells of another installation: one spool undoes one freeze.
func (j *journal) own(o Options) error {
	s := j.state
	if !s.begun || strings.EqualFold(s.database, o.Installation.Database) && s.prefix == o.Installation.Prefix {
		return nil
	}
	return manifest.Errorf(manifest.Refused, "the spool holds the freeze of another installation, %s under the prefix %s", s.database, s.prefix).
		WithHint("thaw that first (omt-pack thaw --spool %s), or give this run a spool of its own", o.Spool)
}

func (j *journal) freezeFile(o Options) error {
	path, err := FindConfig(o.base())
	if err != nil {
		return err
	}
	if rec, ok := j.state.record(serviceConfig); ok && !rec.Already {
		if rec.Path != path {
			return manifest.Errorf(manifest.Refused, "the spool holds the freeze of %q, and Customer Service's config is %q", rec.Path, path).
				WithHint("thaw that first: omt-pack thaw --spool %s", o.Spool)
		}
		if state, _, err := look(rec); err != nil || state == fileAfter {
			return err
		}
	}
	rec, after, err := planFile(path)
	if err == nil {
		err = j.write(entry{Step: stepIntend, Record: &rec})
	}
	if err != nil || rec.Already {
		return err
	}
	o.reached("the config is to be written")
	replace := func(tmp, path string) error {
		o.reached("the new config is written")
		if o.replace != nil {
			return o.replace(tmp, path)
		}
		return replaceFile(tmp, path)
	}
	if err := writeConfig(path, after, rec.BeforeSHA256, replace); err != nil {
		return manifest.Errorf(manifest.Failed, "freezing Customer Service by %q: %w", path, heldOpen(err))
	}
	o.reached("the config is replaced")
	return j.write(entry{Step: stepMade, What: serviceConfig})
}

func (j *journal) freezeEvent(ctx context.Context, o Options) error {
	db, err := o.Open(ctx)
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // a commit has told
	t, err := findTables(ctx, db, o.Installation.Prefix)
	if err != nil {
		return err
	}
	if rec, ok := j.state.record(systemEvent); ok && !rec.Already {
		var there bool
		err = db.Change(ctx, o.Installation.Prefix, func(tx Tx) error {
			there, err = t.eventState(ctx, tx, rec)
			return err
		})
		if err != nil || there {
			return err
		}
	}
	err = t.make(ctx, db, o, func(rec manifest.Freeze) error {
		o.reached("the row is put in")
		err := j.write(entry{Step: stepIntend, Record: &rec})
		o.reached("the row is to be committed")
		return err
	})
	if err != nil {
		return err
	}
	o.reached("the row is committed")
	return j.write(entry{Step: stepMade, What: systemEvent})
}

// Describe says in a few words what a record changed, for people.
func Describe(rec manifest.Freeze) string {
	switch {
	case rec.What == serviceConfig && rec.Already:
		return fmt.Sprintf("%q says frozen already in line %d, which is left as it is", rec.Path, rec.Line)
	case rec.What == serviceConfig:
		return fmt.Sprintf("%q says frozen in line %d", rec.Path, rec.Line)
	case rec.Already:
		return fmt.Sprintf("%s has such an event already, row %d, which is left as it is", rec.Table, rec.ID)
	}
	key := ""
	for name, value := range rec.Row {
		if strings.EqualFold(name, "eventkey") {
			key = value
		}
	}
	return fmt.Sprintf("%s has the event %s, row %d", rec.Table, key, rec.ID)
}

package freeze

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/openomt/omt/internal/manifest"
)

// ThawOptions are the choices of a thaw.
type ThawOptions struct {
	Spool string // whose journal is undone; empty: none
	// Records, Database and Prefix are those of a manifest, for where there is no journal.
	Records          []manifest.Freeze
	Database, Prefix string
	LeaveChanged     bool // what somebody has changed since stays as it is and counts as undone

	// Open opens the database of that URL for writing.
	Open func(ctx context.Context, url string) (Database, error)
	Now  func() time.Time
	Say  func(format string, args ...any) // a line for each thing that is undone

	replace func(tmp, path string) error
}

// Thawed is what a thaw did.
type Thawed struct {
	Undone int // changes that were undone now
	Before int // that had been undone before, or had not been made
	Left   int // that are left: frozen by others before, or changed since and left with LeaveChanged
}

// Frozen reports what the journal of a spool says was changed and not undone; nil where there is nothing.
func Frozen(spool string) ([]manifest.Freeze, error) {
	j, err := openJournal(spool, false, nil)
	if err != nil || j == nil {
		return nil, err
	}
	defer j.close()
	return j.state.records, nil
}

// Thaw undoes what the journal tells of, or the records. Each change is tried, whatever becomes of the others.
func Thaw(ctx context.Context, o ThawOptions) (Thawed, error) {
	var done Thawed
	var j *journal
	if o.Spool != "" {
		var err error
		if j, err = openJournal(o.Spool, false, o.Now); err != nil {
			return done, err
		}
		defer j.close()
		if j != nil && j.state.begun {
			o.Records, o.Database, o.Prefix = j.state.records, j.state.database, j.state.prefix
		}
	}
	var failed error
	for i := len(o.Records) - 1; i >= 0; i-- {
		rec := o.Records[i]
		err := o.thaw(ctx, rec, &done)
		if err == nil && j != nil && j.state.begun {
			err = j.write(entry{Step: stepUndone, What: rec.What})
		}
		failed = join(failed, err)
	}
	if failed == nil && j != nil && j.state.begun {
		failed = j.write(entry{Step: stepThawed})
	}
	return done, failed
}

// join keeps the status and the hint of the first error, and the text of both.
func join(a, b error) error {
	if a == nil || b == nil {
		return errors.Join(a, b)
	}
	return manifest.Errorf(manifest.StatusOf(a), "%w; %w", a, b).WithHint("%s", manifest.HintOf(a))
}

func (o ThawOptions) thaw(ctx context.Context, rec manifest.Freeze, done *Thawed) error {
	if rec.Already {
		done.Left++
		o.Say("%s", Describe(rec))
		return nil
	}
	undone, err := o.undo(ctx, rec)
	switch {
	case err != nil && o.LeaveChanged && manifest.StatusOf(err) == manifest.Refused:
		done.Left++
		o.Say("%v; it is left as it is", err)
		return nil
	case err != nil:
		return err
	case undone:
		done.Undone++
		o.Say("undone: %s", Describe(rec))
	default:
		done.Before++
		o.Say("nothing to undo any more: %s", thing(rec))
	}
	return nil
}

func thing(rec manifest.Freeze) string {
	if rec.What == serviceConfig {
		return fmt.Sprintf("%q", rec.Path)
	}
	return fmt.Sprintf("row %d of %s", rec.ID, rec.Table)
}

func (o ThawOptions) undo(ctx context.Context, rec manifest.Freeze) (bool, error) {
	switch rec.What {
	case serviceConfig:
		replace := replaceFile
		if o.replace != nil {
			replace = o.replace
		}
		return thawFile(rec, replace)
	case systemEvent:
		db, err := o.Open(ctx, o.Database)
		if err != nil {
			return false, err
		}
		defer db.Close() //nolint:errcheck // a commit has told
		undone, err := thawEvent(ctx, db, o.Prefix, rec)
		if err != nil {
			return false, fmt.Errorf("letting the Windows client in again: %w", err)
		}
		return undone, nil
	}
	return false, manifest.Errorf(manifest.Failed, "the record says that %q was frozen, which this version does not know", rec.What).
		WithHint("thaw with the version that froze it")
}

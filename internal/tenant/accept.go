package tenant

import (
	"context"
	"errors"
	"fmt"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/manifest"
)

// Accept makes the tenant's live migration the one that users work with: its database is closed from then on, and files
// alone are added; with shut not even these. changed is false where that was so already. What is accepted is the revision
// that is found at the beginning: when a push commits another one meanwhile, nothing is accepted.
func (t *Tenant) Accept(ctx context.Context, tool string, at manifest.Time, shut bool) (now State, changed bool, err error) {
	var seen *Commit
	for ctx.Err() == nil {
		s, err := t.rested(ctx)
		if err != nil {
			return State{}, false, err
		}
		if err := t.acceptable(s, seen); err != nil {
			return State{}, false, err
		}
		seen = s.Migration
		if s.resting() == Running && (s.Closed || !shut) {
			return s, false, nil
		}
		next := s.next(tool, at)
		next.Closed = shut
		next.enter(Running)
		err = t.record(ctx, next)
		if err == nil {
			return next, true, t.copyState(ctx, next)
		}
		if !errors.Is(err, destination.ErrExists) {
			return State{}, false, fmt.Errorf("accepting: %w", err)
		}
	}
	return State{}, false, ctx.Err()
}

// acceptable refuses a state that cannot be accepted; seen is the migration that it was begun with, if it was.
func (t *Tenant) acceptable(s State, seen *Commit) error {
	now := s.Migration
	switch {
	case now == nil:
		return refuse("push a live migration first; omt-push status says what is there", "the tenant at %s holds no migration that could be accepted", t.d.URL())
	case now.Migration != liveMigration:
		return refuse("when it has been looked at, push a live migration with --recover overwrite, and accept that",
			"the tenant at %s holds migration %s, which is a test: a test is never accepted", t.d.URL(), now.ID)
	case seen != nil && !seen.same(*now):
		return refuse("look at it, and run the same command again to accept it", "a push has committed revision %d of migration %s to %s meanwhile; nothing was accepted",
			now.Revision, now.ID, t.d.URL())
	}
	return nil
}

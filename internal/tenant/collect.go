package tenant

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/manifest"
)

// Removal is the right to remove chunks: the tenant's highest state record says so, and whoever commits waits for it. It
// is safe for concurrent use.
type Removal struct {
	// Clock is when it began, by the far side's clock.
	Clock time.Time

	t   *Tenant
	now func() time.Time
	mu  sync.Mutex
	s   State
	was time.Time // before the record was created
}

// Rested is the tenant's state with nothing on its way. What a commit that was stopped behind the gate has left is
// finished first, and a collect at work is waited for.
func (t *Tenant) Rested(ctx context.Context) (State, error) { return t.rested(ctx) }

// Kept lists the manifests whose chunks stay in state s: the tenant's migration, what passed the gate and, until a
// migration was accepted, all that went ahead. One may be listed twice.
func (t *Tenant) Kept(ctx context.Context, s State) ([]Commit, error) {
	var kept []Commit
	if s.Migration != nil {
		kept = append(kept, *s.Migration)
	}
	if c := s.onItsWay(); c != nil {
		kept = append(kept, *c)
	}
	if s.resting() == Running {
		return kept, nil
	}
	revisions, err := t.Revisions(ctx, Preseed, "")
	if err != nil {
		return nil, err
	}
	for _, r := range revisions {
		if !r.Finished {
			continue
		}
		c, err := t.CommitOf(ctx, r)
		if err != nil {
			return nil, err
		}
		kept = append(kept, c)
	}
	return kept, nil
}

// Unfinished lists the revisions that were claimed after an instant of the far side's clock and are not committed.
func (t *Tenant) Unfinished(ctx context.Context, after time.Time) ([]Revision, error) {
	var list []Revision
	for _, p := range []Phase{Full, Preseed} {
		revisions, err := t.Revisions(ctx, p, "")
		if err != nil {
			return nil, err
		}
		for _, r := range revisions {
			if r.Claimed && !r.Finished && r.Opened.After(after) {
				list = append(list, r)
			}
		}
	}
	return list, nil
}

// Remove begins a removal of chunks on top of the state s, which Rested gave; run tells it from all others.
// destination.ErrExists says that the state has changed, and all must be looked at anew.
func (t *Tenant) Remove(ctx context.Context, s State, run, tool string, now func() time.Time) (*Removal, error) {
	r := &Removal{t: t, now: now, s: s}
	r.s.Tool, r.s.Collecting = tool, &Collecting{Run: run}
	if err := r.renew(ctx); err != nil {
		return nil, err
	}
	info, err := t.d.Stat(ctx, stateName(r.s.Number))
	r.Clock = info.Modified
	return r, err
}

// renew writes the next record of the removal.
func (r *Removal) renew(ctx context.Context) error {
	was := r.now()
	next := r.s.next(r.s.Tool, manifest.At(was))
	next.Collecting = r.s.Collecting
	if err := r.t.record(ctx, next); err != nil {
		return err
	}
	r.s, r.was = next, was
	return nil
}

// left is how long chunks may still be removed under the highest record. A clock that was set back and a machine that
// slept are both noticed.
func (r *Removal) left() time.Duration {
	now := r.now()
	return removing - max(now.Sub(r.was), now.Round(0).Sub(r.was.Round(0)))
}

// hold renews the record in time, and says how long it lasts.
func (r *Removal) hold(ctx context.Context) (time.Duration, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		left := r.left()
		if left > removing/2 && left <= removing {
			return left, nil
		}
		if err := r.renew(ctx); err != nil {
			return 0, err
		}
	}
}

// Chunk removes a chunk. destination.ErrExists says that nobody waits for this removal any more, since it stood still for
// too long: all must be looked at anew.
func (r *Removal) Chunk(ctx context.Context, d manifest.Digest, typ string) error {
	left, err := r.hold(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	if err := r.t.d.Remove(ctx, ChunkName(d, typ)); err != nil {
		return fmt.Errorf("removing chunk %s: %w", d, err)
	}
	return nil
}

// End ends the removal: whoever waits may go on.
func (r *Removal) End(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	next := r.s.next(r.s.Tool, manifest.At(r.now()))
	err := r.t.record(ctx, next)
	if errors.Is(err, destination.ErrExists) { // others did not wait any longer
		return nil
	}
	if err != nil {
		return err
	}
	return r.t.copyState(ctx, next)
}

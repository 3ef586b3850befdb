package tenant

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/manifest"
)

const (
	removing = 2 * time.Minute // how long chunks may be removed under one record, by the clocks of who removes
	patience = 5 * time.Minute // how long others leave such a record the highest, by their own clocks
	glance   = 5 * time.Second // between two looks
)

// Waits sets how it is waited for a collect that is at work, and who hears of it. Without it, it is waited by the real
// clock and in silence. Nil leaves what is set.
func (t *Tenant) Waits(sleep func(ctx context.Context, d time.Duration) error, notice func(format string, args ...any)) *Tenant {
	if sleep != nil {
		t.sleep = sleep
	}
	if notice != nil {
		t.notice = notice
	}
	return t
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// quiet waits while chunks are being removed under the record s, until a record follows it. Without one for as long as
// nobody removes anything under it any more, s is left the highest, and may be followed. Nobody writes a state record
// without it: a record that follows too early would hide that chunks are being removed.
func (t *Tenant) quiet(ctx context.Context, s State) (followed bool, err error) {
	if s.Collecting == nil {
		return false, nil
	}
	t.notice("waiting for an omt-push collect that is at work at %s", t.d.URL())
	for waited := time.Duration(0); waited < patience; waited += glance {
		_, err := t.d.Stat(ctx, stateName(s.Number+1))
		if !errors.Is(err, destination.ErrNotExist) {
			return err == nil, err
		}
		if err := t.sleep(ctx, glance); err != nil {
			return false, err
		}
	}
	return false, nil
}

// rested is the state with nothing on its way: what passed the gate is finished, and no chunk is being removed. Whoever
// is told ErrExists when he writes the record that follows it asks again.
func (t *Tenant) rested(ctx context.Context) (State, error) {
	for {
		if err := t.settle(ctx); err != nil {
			return State{}, err
		}
		s, err := t.State(ctx)
		if err != nil {
			return State{}, err
		}
		if s.onItsWay() != nil {
			continue
		}
		followed, err := t.quiet(ctx, s)
		if err != nil || !followed {
			return s, err
		}
	}
}

// Commit commits the claimed revision, whose manifest and chunks are at the destination. It returns the commit that
// stands: c or, where another push has committed a revision of the same input meanwhile, that one. When something else
// was committed meanwhile, the error has status Refused, and nothing of c is or will be visible. confirm makes sure that
// all chunks are there; it is called unless the state is the one that was judged before they were (Claim.Judged).
func (t *Tenant) Commit(ctx context.Context, claim Claim, c Commit, confirm func(context.Context) error) (Commit, error) {
	if c.ID != claim.ID || c.Revision != claim.Revision || c.Phase != claim.Phase || c.Manifest != claim.Manifest {
		return Commit{}, fmt.Errorf("committing revision %d of %s: it is not the one that was claimed", c.Revision, c.ID)
	}
	c.Format = manifest.Format
	confirmed := claim.Judged
	for ctx.Err() == nil {
		stands, err := t.pass(ctx, claim, c, func(s State) error {
			if s.Number == confirmed && s.Collecting == nil {
				return nil
			}
			err := confirm(ctx)
			confirmed = s.Number
			return err
		})
		if stands != nil || err != nil && !errors.Is(err, destination.ErrExists) {
			return *cmp.Or(stands, &Commit{}), err
		}
	}
	return Commit{}, ctx.Err()
}

// pass tries the gate once. It returns the commit that stands; nil and destination.ErrExists when somebody else has
// moved on and all must be judged anew.
func (t *Tenant) pass(ctx context.Context, claim Claim, c Commit, confirm func(State) error) (*Commit, error) {
	s, err := t.State(ctx)
	if err != nil {
		return nil, err
	}
	if p := s.onItsWay(); p != nil {
		if err := t.finish(ctx, s); err != nil || !p.same(c) {
			return nil, cmp.Or(err, destination.ErrExists)
		}
		return p, nil
	}
	now := s.Migration
	if now != nil && now.serves(claim, c) {
		return now, t.finish(ctx, s)
	}
	if err := t.lost(s, claim, now); err != nil {
		return nil, err
	}
	if followed, err := t.quiet(ctx, s); err != nil || followed {
		return nil, cmp.Or(err, destination.ErrExists)
	}
	if err := confirm(s); err != nil {
		return nil, err
	}
	return t.enter(ctx, s, c)
}

// serves reports whether a commit stands for c: it is the same one, or a whole one of the same input.
func (c Commit) serves(claim Claim, o Commit) bool {
	return o.Phase == Full && (c.same(o) || claim.Base == 0 && c.ID == o.ID && c.Input == o.Input)
}

// enter takes the gate on top of the state s, and the steps behind it.
func (t *Tenant) enter(ctx context.Context, s State, c Commit) (*Commit, error) {
	gate := s.next(c.Tool, c.At)
	gate.Company, gate.Serial = c.Company, c.Serial
	if c.Phase == Full {
		gate.State, gate.Pending = MigrationPending, &c
	} else {
		gate.Seeding = &c
	}
	if err := t.record(ctx, gate); err != nil {
		return nil, err
	}
	return &c, t.finish(ctx, gate)
}

// lost says that another push has won, where the state s, whose migration is now, means that.
func (t *Tenant) lost(s State, claim Claim, now *Commit) error {
	if claim.Phase == Full && now != nil && now.ID == claim.ID && now.Revision > claim.Revision {
		return manifest.Errorf(manifest.Refused, "another push has committed revision %d of this migration to %s meanwhile; revision %d was not committed",
			now.Revision, t.d.URL(), claim.Revision).WithHint("if yours is the newer one, run the same command again")
	}
	if err := t.stands(s, claim); err != nil {
		return manifest.Errorf(manifest.Refused, "another push has won: %w", err).WithHint("%s", manifest.HintOf(err))
	}
	return nil
}

// finish takes the steps after the gate: commit.json, the state that follows s, and the convenience copy; of a state with
// nothing on its way only the last. Everything it writes is made of s alone, so it does not matter how many do it.
func (t *Tenant) finish(ctx context.Context, s State) error {
	c := s.onItsWay()
	if c == nil {
		return t.copyState(ctx, s)
	}
	if err := t.publish(ctx, *c); err != nil {
		return err
	}
	next := s.next(c.Tool, c.At)
	if s.Pending != nil {
		next.Migration = c
		if next.State != Running { // one that was accepted stays so: files were added
			next.State = OfflineMaintenance
		}
		next.enter(next.State)
	}
	err := t.record(ctx, next)
	if errors.Is(err, destination.ErrExists) {
		// Who took the number has written the same, since nobody passes such a record without it; more may have followed.
		next, err = t.State(ctx)
	}
	if err != nil {
		return err
	}
	return t.copyState(ctx, next)
}

// settle finishes a commit that passed the gate and whose push was stopped behind it.
func (t *Tenant) settle(ctx context.Context) error {
	s, err := t.State(ctx)
	if err != nil || s.Number == 0 {
		return err
	}
	return t.finish(ctx, s)
}

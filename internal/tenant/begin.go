package tenant

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/manifest"
)

// Committed finds a committed revision of the manifest's id that was made of the same input, or that is the input.
// superseded tells that a later revision of it is committed too. A commit that passed the gate is finished first.
// Without one, c is nil; so it is for a migration that another one has replaced since.
func (t *Tenant) Committed(ctx context.Context, p Phase, id string, input manifest.Digest) (c *Commit, superseded bool, err error) {
	if !validID(id) {
		return nil, false, manifest.Errorf(manifest.BadInput, "manifest id %q: want a UUID in lower case", id)
	}
	if err := t.settle(ctx); err != nil {
		return nil, false, err
	}
	if p == Full {
		s, err := t.State(ctx)
		if now := s.current(); err != nil || now == nil || now.ID != id {
			return nil, false, err
		}
	}
	revisions, err := t.Revisions(ctx, p, id)
	if err != nil {
		return nil, false, err
	}
	for _, r := range revisions {
		if !r.Finished {
			continue
		}
		found, err := t.CommitOf(ctx, r)
		if err != nil {
			return nil, false, err
		}
		superseded = c != nil
		if found.Input == input || found.End == input {
			c, superseded = &found, false
		}
	}
	return c, superseded, nil
}

// Begin claims a revision for a push whose manifest is known to its last byte: the one that the same spool had claimed
// for the same manifest and did not finish, else the next number. All of c but Revision must be set; it is judged
// again, by its Recover and its Base.
func (t *Tenant) Begin(ctx context.Context, c Claim) (Claim, error) {
	if err := t.settle(ctx); err != nil {
		return Claim{}, err
	}
	s, err := t.State(ctx)
	if err != nil {
		return Claim{}, err
	}
	if err := t.stands(s, c); err != nil {
		return Claim{}, err
	}
	revisions, err := t.Revisions(ctx, c.Phase, c.ID)
	if err != nil {
		return Claim{}, err
	}
	if old := t.unfinished(ctx, c, revisions); old != nil {
		return *old, nil
	}
	next := 1
	if n := len(revisions); n > 0 {
		next = revisions[n-1].Number + 1
	}
	return t.claim(ctx, c, next)
}

// unfinished finds the claim of the same push behind the last committed revision. One that cannot be read is not
// recognised: its number is used up.
func (t *Tenant) unfinished(ctx context.Context, c Claim, revisions []Revision) *Claim {
	for _, r := range slices.Backward(revisions) {
		if r.Finished {
			return nil
		}
		old, err := t.ClaimOf(ctx, r)
		if err == nil && old.Spool == c.Spool && old.Input == c.Input && old.Manifest == c.Manifest && old.Base == c.Base && old.revision() == c.at(r.Number) {
			return &old
		}
	}
	return nil
}

// claim creates open.json under the first number from next on that is free.
func (t *Tenant) claim(ctx context.Context, c Claim, next int) (Claim, error) {
	for ; next <= maxRevision; next++ {
		c.Format, c.Revision = manifest.Format, next
		data, err := seal(c)
		if err != nil {
			return Claim{}, fmt.Errorf("claiming revision %d: %w", next, err)
		}
		err = t.d.Create(ctx, c.revision().name(openName), data)
		if err == nil {
			return c, nil
		}
		if !errors.Is(err, destination.ErrExists) {
			return Claim{}, fmt.Errorf("claiming revision %d: %w", next, err)
		}
	}
	return Claim{}, fmt.Errorf("claiming a revision of %s: all %d are used up", c.ID, maxRevision)
}

func (c Claim) revision() Revision { return c.at(c.Revision) }

func (c Claim) at(number int) Revision { return Revision{Phase: c.Phase, ID: c.ID, Number: number} }

// ManifestName is the object's name of the claimed revision's manifest, for the upload.
func (c Claim) ManifestName() string { return c.revision().name(manifestName) }

// ClaimOf reads the claim of a revision. One that is not there is destination.ErrNotExist.
func (t *Tenant) ClaimOf(ctx context.Context, r Revision) (Claim, error) {
	var c Claim
	err := t.load(ctx, r.name(openName), &c)
	return c, err
}

package tenant

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/openomt/omt/internal/destination"
)

// Foresee says, before hours are spent, what mode a migration will have at this tenant, and refuses one of another company
// name or serial number than the tenant's. Whether the migration may be pushed is judged by the push.
func (t *Tenant) Foresee(ctx context.Context, company, serial, id string) (mode string, err error) {
	s, err := t.State(ctx)
	if err == nil {
		err = t.ours(s, "installation", company, serial)
	}
	if err != nil {
		return "", err
	}
	return s.modeOf(id), nil
}

// Known are the commits whose content a manifest with this id may refer to, the oldest first: the tenant's migration, all
// committed revisions of the id, and all preseeds. What the chunks of older ones are, and whether they are still there, only
// the destination's listing tells.
func (t *Tenant) Known(ctx context.Context, id string) ([]Commit, error) {
	var list []Commit
	add := func(c Commit) {
		if !slices.ContainsFunc(list, c.same) {
			list = append(list, c)
		}
	}
	for _, phase := range []Phase{Preseed, Full} {
		of := id
		if phase == Preseed {
			of = ""
		}
		revisions, err := t.Revisions(ctx, phase, of)
		if err != nil {
			return nil, err
		}
		for _, r := range revisions {
			if !r.Finished {
				continue
			}
			c, err := t.CommitOf(ctx, r)
			if errors.Is(err, destination.ErrNotExist) {
				continue // it was removed meanwhile
			}
			if err != nil {
				return nil, err
			}
			add(c)
		}
	}
	now, err := t.LastCommitted(ctx)
	if err != nil {
		return nil, err
	}
	if now != nil {
		add(*now)
	}
	slices.SortStableFunc(list, func(a, b Commit) int {
		return cmp.Or(a.At.Compare(b.At.Time), cmp.Compare(a.Revision, b.Revision))
	})
	return list, nil
}

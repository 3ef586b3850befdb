package tenant

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/manifest"
)

// Foresee says, before hours are spent, what mode a migration will have at this tenant, and refuses one of another company
// name or serial number than the tenant's. Whether the migration may be pushed is judged by the push.
func (t *Tenant) Foresee(ctx context.Context, company, serial, id string) (mode string, err error) {
	now, err := t.LastCommitted(ctx)
	if err != nil {
		return "", err
	}
	whose := now
	if whose == nil {
		if whose, err = t.anyPreseed(ctx); err != nil {
			return "", err
		}
	}
	if whose != nil && (whose.Company != company || whose.Serial != serial) {
		return "", manifest.Errorf(manifest.Refused,
			"the tenant at %s is of company %q, serial number %q; the installation is of %q, %q", t.d.URL(), whose.Company, whose.Serial, company, serial).
			WithHint("company name and serial number must not change between runs; check --to, and which installation this is")
	}
	switch {
	case now == nil:
		return "initial", nil
	case now.ID == id:
		return cmp.Or(now.Mode, "initial"), nil
	}
	return "recovery", nil
}

func (t *Tenant) anyPreseed(ctx context.Context) (*Commit, error) {
	revisions, err := t.Revisions(ctx, Preseed, "")
	if err != nil {
		return nil, err
	}
	for _, r := range revisions {
		if r.Finished {
			c, err := t.CommitOf(ctx, r)
			return &c, err
		}
	}
	return nil, nil
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

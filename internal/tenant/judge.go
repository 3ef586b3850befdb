package tenant

import (
	"context"

	"github.com/openomt/omt/internal/manifest"
)

// Judge refuses a manifest that must not be pushed to this tenant, as far as can be told before its end is known: a
// company name or serial number that is not the tenant's, a migration with another id than the one that is committed, a
// live migration. Everything in c that names the manifest must be set.
func (t *Tenant) Judge(ctx context.Context, c Claim) error {
	s, err := t.State(ctx)
	if err != nil {
		return err
	}
	return t.judge(ctx, s, c)
}

func (t *Tenant) judge(ctx context.Context, s State, c Claim) error {
	if !validID(c.ID) {
		return manifest.Errorf(manifest.BadInput, "manifest id %q: want a UUID in lower case", c.ID)
	}
	if c.Phase != Full && c.Phase != Preseed {
		return manifest.Errorf(manifest.BadInput, "manifest phase %q: want %q or %q", c.Phase, Full, Preseed)
	}
	if c.Migration != "test" {
		return manifest.Errorf(manifest.Refused, "the manifest is of a %q migration: this build moves test migrations only", c.Migration)
	}
	company, serial, known, err := t.identity(ctx, s)
	if err != nil {
		return err
	}
	if known && (company != c.Company || serial != c.Serial) {
		return manifest.Errorf(manifest.Refused,
			"the tenant at %s is of company %q, serial number %q; the manifest is of %q, %q", t.d.URL(), company, serial, c.Company, c.Serial).
			WithHint("company name and serial number must not change between runs; check --to, and which installation was scanned")
	}
	if now := s.current(); now != nil && c.Phase == Full && now.ID != c.ID {
		return manifest.Errorf(manifest.Refused, "the tenant at %s holds migration %s, committed %s; replacing it or adding to it is not part of this build",
			t.d.URL(), now.ID, now.At.UTC().Format("2006-01-02 15:04 MST")).
			WithHint("push to another, empty destination; omt-push status says what is there")
	}
	return nil
}

// identity is whose tenant it is: the state says it or, before there is one, any preseed that was committed.
func (t *Tenant) identity(ctx context.Context, s State) (company, serial string, known bool, err error) {
	if s.Number > 0 {
		return s.Company, s.Serial, true, nil
	}
	revisions, err := t.Revisions(ctx, Preseed, "")
	if err != nil {
		return "", "", false, err
	}
	for _, r := range revisions {
		if r.Finished {
			c, err := t.CommitOf(ctx, r)
			return c.Company, c.Serial, err == nil, err
		}
	}
	return "", "", false, nil
}

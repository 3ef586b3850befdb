package tenant

import (
	"cmp"
	"context"

	"github.com/openomt/omt/internal/manifest"
)

// Judge says how a manifest may be pushed to this tenant, or refuses it, as far as can be told before its end is known.
// Without the input's digest it cannot be told that the input is what the tenant holds, for which nothing is to be done.
// Refused is a company name or serial number that is not the tenant's, and what the package comment says under What may
// come. Everything in c that names the manifest must be set. It changes nothing.
func (t *Tenant) Judge(ctx context.Context, c Claim, r Recover) (Verdict, error) {
	s, err := t.State(ctx)
	if err != nil {
		return Verdict{}, err
	}
	c.Recover = r
	return t.judge(s, c)
}

func (t *Tenant) judge(s State, c Claim) (Verdict, error) {
	if err := c.check(); err != nil {
		return Verdict{}, err
	}
	if err := t.ours(s, "manifest", c.Company, c.Serial); err != nil {
		return Verdict{}, err
	}
	v := Verdict{Mode: s.modeOf(c.ID), Current: s.current(), State: s.Number}
	if c.Phase == Preseed {
		v.Mode = ModeInitial
		return v, t.seedable(s, c)
	}
	if v.Current == nil {
		return v, t.first(c)
	}
	if c.Recover != RecoverAgain && v.Current.made(c) {
		return v, nil // it is committed already
	}
	var err error
	v.FilesOnly, err = meet(t.d.URL(), s, *v.Current, c)
	return v, err
}

// ours refuses another company name or serial number than the tenant's. what names what has them.
func (t *Tenant) ours(s State, what, company, serial string) error {
	named := s.current() != nil || s.Company != "" || s.Serial != ""
	if !named || s.Company == company && s.Serial == serial {
		return nil
	}
	return manifest.Errorf(manifest.Refused,
		"the tenant at %s is of company %q, serial number %q; the %s is of %q, %q", t.d.URL(), s.Company, s.Serial, what, company, serial).
		WithHint("company name and serial number must not change between runs, the vendor's tool refuses it too (\"Unable to resume " +
			"migration session because company name or serialnumber has changed\"); check --to, and which installation this is")
}

// modeOf is the mode of the migration with an id at a tenant in this state.
func (s State) modeOf(id string) string {
	switch now := s.current(); {
	case now == nil:
		return ModeInitial
	case now.ID != id:
		return ModeRecovery
	default:
		return cmp.Or(now.Mode, ModeInitial)
	}
}

// check refuses a claim that names no migration.
func (c Claim) check() error {
	if !validID(c.ID) {
		return manifest.Errorf(manifest.BadInput, "manifest id %q: want a UUID in lower case", c.ID)
	}
	if c.Phase != Full && c.Phase != Preseed {
		return manifest.Errorf(manifest.BadInput, "manifest phase %q: want %q or %q", c.Phase, Full, Preseed)
	}
	if c.Migration != testMigration && c.Migration != liveMigration {
		return manifest.Errorf(manifest.BadInput, "manifest migration %q: want %q or %q", c.Migration, testMigration, liveMigration)
	}
	switch c.Recover {
	case RecoverNone, RecoverMissing, RecoverOverwrite, RecoverAgain:
		return nil
	}
	return manifest.Errorf(manifest.Usage, "--recover %q: want %q or %q", c.Recover, RecoverMissing, RecoverOverwrite)
}

// seedable refuses a part that goes ahead of nothing.
func (t *Tenant) seedable(s State, c Claim) error {
	if c.Recover == RecoverMissing || c.Recover == RecoverOverwrite {
		return refuse("leave out --recover", "the manifest is of a part that goes ahead (phase %q), which replaces nothing", c.Phase)
	}
	if s.resting() == Running {
		return refuse("pack everything (without --only and --older-than) and add --recover missing to the push",
			"the tenant at %s was accepted: no migration comes after it that a part could go ahead of", t.d.URL())
	}
	return nil
}

// first refuses what is made for a tenant that holds something.
func (t *Tenant) first(c Claim) error {
	switch c.Recover {
	case RecoverMissing:
		return refuse("leave out --recover missing, or check --to; omt-push status says what is there",
			"the tenant at %s holds no migration that files could be added to", t.d.URL())
	case RecoverAgain:
		return refuse("check --to; to move everything to this tenant, push what omt-pack wrote",
			"the tenant at %s holds no migration; the manifest was written by omt-push for one that does", t.d.URL())
	}
	return nil
}

// stands judges a claim again before it counts: what was allowed when its push began may have been overtaken.
func (t *Tenant) stands(s State, c Claim) error {
	v, err := t.judge(s, c)
	if err != nil {
		return err
	}
	now := v.Current
	const again = "run the same command again, which begins with what is there now"
	switch {
	case c.Phase == Preseed || now == nil && c.Base == 0:
		return nil
	case c.Base == 0 && now != nil && now.ID != c.ID && now.ID != c.Over:
		return refuse(again+", and may refuse it", "migration %s was committed to %s meanwhile", now.ID, t.d.URL())
	case now == nil || c.Base > 0 && now.ID != c.ID:
		return refuse(again, "migration %s is no longer the one at %s", c.ID, t.d.URL())
	case c.Base > 0 && now.Revision != c.Base:
		return refuse(again, "another push has committed revision %d of this migration to %s meanwhile, and this one adds files to revision %d",
			now.Revision, t.d.URL(), c.Base)
	case c.Base == 0 && v.FilesOnly:
		return refuse(again, "the tenant at %s takes files alone by now", t.d.URL())
	}
	return nil
}

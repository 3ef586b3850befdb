package tenant

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/manifest"
)

// PutManifest stores the claimed revision's manifest. open gives its bytes from the start. One that an earlier run has
// stored is read back and compared.
func (t *Tenant) PutManifest(ctx context.Context, r destination.Retry, c Claim, open func() (io.ReadCloser, error), moved func(int64)) error {
	name := c.ManifestName()
	stored, err := r.Put(ctx, t.d, destination.Object{Name: name, Size: c.Manifest.Bytes, Sum: c.Manifest.SHA256}, open, moved)
	if err != nil {
		return fmt.Errorf("storing the manifest: %w", err)
	}
	if stored {
		return nil
	}
	rc, err := t.d.Open(ctx, name, 0, -1)
	if err != nil {
		return fmt.Errorf("reading back the manifest: %w", err)
	}
	defer rc.Close()
	h := sha256.New()
	if _, err := io.Copy(h, rc); err != nil {
		return fmt.Errorf("reading back the manifest: %w", err)
	}
	if manifest.Digest(h.Sum(nil)) != c.Manifest.SHA256 {
		return manifest.Errorf(manifest.Failed, "%q at %s is not the manifest that this push had stored", name, t.d.URL()).
			WithHint("the object was changed or is damaged; remove it and run again")
	}
	return nil
}

// Commit commits the claimed revision, whose manifest and chunks are at the destination. It returns the commit that
// stands: c or, where another push has committed a revision of the same input meanwhile, that one. When something else
// was committed meanwhile, the error has status Refused, and nothing of c is or will be visible. confirm makes sure that
// all chunks are there; it is called when others have changed the state since they were last confirmed.
func (t *Tenant) Commit(ctx context.Context, claim Claim, c Commit, confirm func(context.Context) error) (Commit, error) {
	if c.ID != claim.ID || c.Revision != claim.Revision || c.Phase != claim.Phase || c.Manifest != claim.Manifest {
		return Commit{}, fmt.Errorf("committing revision %d of %s: it is not the one that was claimed", c.Revision, c.ID)
	}
	c.Format = manifest.Format
	if c.Phase == Preseed {
		return c, t.publish(ctx, c)
	}
	for ctx.Err() == nil {
		stands, err := t.pass(ctx, claim, c)
		if stands != nil || err != nil && !errors.Is(err, destination.ErrExists) {
			return *cmp.Or(stands, &Commit{}), err
		}
	}
	return Commit{}, ctx.Err()
}

// pass tries the gate once. It returns the commit that stands; nil and destination.ErrExists when somebody else has
// moved on and all must be judged anew.
func (t *Tenant) pass(ctx context.Context, claim Claim, c Commit) (*Commit, error) {
	s, err := t.State(ctx)
	if err != nil {
		return nil, err
	}
	now := s.current()
	switch {
	case now != nil && now.same(c):
		return now, t.finish(ctx, s)
	case s.Pending != nil:
		if err := t.finish(ctx, s); err != nil {
			return nil, err
		}
		return nil, destination.ErrExists
	case now != nil && now.ID == c.ID && now.Input == c.Input && claim.Base == 0:
		return now, nil
	}
	if err := t.lost(ctx, s, claim, now); err != nil {
		return nil, err
	}
	gate := s.then(MigrationPending, c)
	gate.Pending = &c
	if err := t.record(ctx, gate); err != nil {
		return nil, err
	}
	return &c, t.finish(ctx, gate)
}

// lost says that another push has won, where the state s, whose migration is now, means that.
func (t *Tenant) lost(ctx context.Context, s State, claim Claim, now *Commit) error {
	if now != nil && now.ID == claim.ID && now.Revision > claim.Revision {
		return manifest.Errorf(manifest.Refused, "another push has committed revision %d of this migration to %s meanwhile; revision %d was not committed",
			now.Revision, t.d.URL(), claim.Revision).WithHint("if yours is the newer one, run the same command again")
	}
	if err := t.stands(ctx, s, claim); err != nil {
		return manifest.Errorf(manifest.Refused, "another push has won: %w", err).WithHint("%s", manifest.HintOf(err))
	}
	return nil
}

// then is the record that follows s, without a pending commit.
func (s State) then(name StateName, c Commit) State {
	return State{
		Format: manifest.Format, Number: s.Number + 1, Company: c.Company, Serial: c.Serial, State: name, Closed: s.Closed,
		Migration: s.Migration, History: slices.Clone(s.History), Tool: c.Tool, At: c.At,
	}
}

// finish takes the steps after the gate: commit.json, the state that follows s, and the convenience copy; of a state that
// is not pending only the last. Everything it writes is made of s alone, so it does not matter how many do it.
func (t *Tenant) finish(ctx context.Context, s State) error {
	if s.Pending == nil {
		return t.copyState(ctx, s)
	}
	c := *s.Pending
	if err := t.publish(ctx, c); err != nil {
		return err
	}
	name := OfflineMaintenance
	if s.resting() == Running {
		name = Running // files were added
	}
	next := s.then(name, c)
	next.Migration = &c
	next.History = append(next.History, Past{Number: next.Number, State: next.State, ID: c.ID, Revision: c.Revision, At: c.At})
	err := t.record(ctx, next)
	if errors.Is(err, destination.ErrExists) {
		// Who took the number has written the same, since nobody passes a pending record without it; more may have followed.
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

// publish creates commit.json.
func (t *Tenant) publish(ctx context.Context, c Commit) error {
	data, err := seal(c)
	if err != nil {
		return fmt.Errorf("committing: %w", err)
	}
	name := Revision{Phase: c.Phase, ID: c.ID, Number: c.Revision}.name(commitName)
	err = t.d.Create(ctx, name, data)
	if errors.Is(err, destination.ErrExists) {
		var there []byte
		if there, err = t.bytes(ctx, name); err == nil && !bytes.Equal(there, data) {
			err = manifest.Errorf(manifest.Failed, "%q at %s is another commit than the one that passed", name, t.d.URL()).
				WithHint("the object was changed or is damaged; use another destination")
		}
	}
	if err != nil {
		return fmt.Errorf("committing: %w", err)
	}
	return nil
}

// record creates a state record. destination.ErrExists says that another has taken the number.
func (t *Tenant) record(ctx context.Context, s State) error {
	data, err := seal(s)
	if err == nil {
		err = t.d.Create(ctx, stateName(s.Number), data)
	}
	if err != nil {
		return fmt.Errorf("recording the tenant's state: %w", err)
	}
	return nil
}

// copyState renews the convenience copy unless it is up to date.
func (t *Tenant) copyState(ctx context.Context, s State) error {
	data, err := seal(s)
	if err == nil {
		var there []byte
		if there, err = t.bytes(ctx, copyName); err != nil && !errors.Is(err, destination.ErrNotExist) || bytes.Equal(there, data) {
			return err
		}
		err = t.d.Replace(ctx, copyName, data)
	}
	if err != nil {
		return fmt.Errorf("renewing %s: %w", copyName, err)
	}
	return nil
}

package tenant

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

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

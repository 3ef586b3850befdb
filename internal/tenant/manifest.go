package tenant

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/openomt/omt/internal/manifest"
)

// window bounds the memory that reading a stored manifest takes, to about twice as much.
const window = 4 << 20

// NewManifestWriter compresses a manifest as it is stored. The same lines give the same bytes. Close ends it and does
// not close w.
func NewManifestWriter(w io.Writer) (io.WriteCloser, error) {
	return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(window))
}

// OpenManifest reads the lines of a committed manifest. A stored manifest that is not the one that was committed is an
// error, at its end at the latest; nothing irreversible is done before that, as with any manifest.
func (t *Tenant) OpenManifest(ctx context.Context, c Commit) (io.ReadCloser, error) {
	name := Revision{Phase: c.Phase, ID: c.ID, Number: c.Revision}.name(manifestName)
	rc, err := t.d.Open(ctx, name, 0, -1)
	if err != nil {
		return nil, fmt.Errorf("opening the manifest of revision %d: %w", c.Revision, err)
	}
	m := &stored{name: name, url: t.d.URL(), want: c.Manifest, rc: rc, hash: sha256.New()}
	m.zstd, err = zstd.NewReader(m.raw(), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(2*window))
	if err != nil {
		rc.Close()
		return nil, fmt.Errorf("opening the manifest of revision %d: %w", c.Revision, err)
	}
	return m, nil
}

// EachLine hands every record of a committed manifest but end to fn, and returns end. Damaged bytes may make nonsense of
// records before their digest tells; the error is then that the manifest is damaged. No error is of status BadInput.
func (t *Tenant) EachLine(ctx context.Context, c Commit, fn func(manifest.Line) error) (manifest.End, error) {
	rc, err := t.OpenManifest(ctx, c)
	if err != nil {
		return manifest.End{}, err
	}
	defer rc.Close()
	lines := manifest.NewReader(rc, manifest.ReadOptions{})
	for err == nil {
		var l manifest.Line
		if l, err = lines.Next(); err == nil {
			err = ctx.Err()
		}
		if err == nil {
			err = fn(l)
		}
	}
	if errors.Is(err, io.EOF) {
		return lines.End(), nil
	}
	if manifest.StatusOf(err) != manifest.BadInput {
		return manifest.End{}, err
	}
	if _, rerr := io.Copy(io.Discard, rc); rerr != nil {
		return manifest.End{}, rerr
	}
	return manifest.End{}, manifest.Errorf(manifest.Failed, "the stored manifest of revision %d at %s: %w", c.Revision, t.d.URL(), err)
}

// stored is a stored manifest on its way through the decoder.
type stored struct {
	name string
	url  string
	want Stored
	rc   io.ReadCloser
	hash hash.Hash
	n    int64
	err  error // of reading the object
	zstd *zstd.Decoder
}

// Read implements io.Reader.
func (m *stored) Read(p []byte) (int, error) {
	n, err := m.zstd.Read(p)
	if err == nil {
		return n, nil
	}
	if m.err != nil {
		return n, fmt.Errorf("reading %q: %w", m.name, m.err)
	}
	if errors.Is(err, io.EOF) {
		if _, rerr := io.Copy(io.Discard, m.raw()); rerr != nil {
			return n, fmt.Errorf("reading %q: %w", m.name, rerr)
		}
		if m.n == m.want.Bytes && manifest.Digest(m.hash.Sum(nil)) == m.want.SHA256 {
			return n, io.EOF
		}
	}
	return n, manifest.Errorf(manifest.Failed, "the stored manifest %q at %s is damaged", m.name, m.url).
		WithHint("restore the object from a copy, or push again to another destination")
}

// raw is the object as it is stored, counted and hashed.
func (m *stored) raw() io.Reader { return readerFunc(m.readRaw) }

type readerFunc func([]byte) (int, error)

// Read implements io.Reader.
func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func (m *stored) readRaw(p []byte) (int, error) {
	n, err := m.rc.Read(p)
	m.hash.Write(p[:n])
	m.n += int64(n)
	if err != nil && err != io.EOF {
		m.err = err
	}
	return n, err
}

// Close implements io.Closer.
func (m *stored) Close() error {
	m.zstd.Close()
	return m.rc.Close()
}

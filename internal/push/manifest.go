package push

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/tenant"
)

// made is the manifest of this run as a file of the spool.
type made struct {
	name   string
	stored tenant.Stored
	end    manifest.End
}

func (m made) open() (io.ReadCloser, error) { return os.Open(m.name) }

// makeManifest writes the input with mode, receipts and, where it was edited, an edit record. The same input with the
// same receipts gives the same bytes, so that a run after a kill finds its own manifest again.
func (r *run) makeManifest(ctx context.Context) (made, error) {
	m := made{name: filepath.Join(r.temp, "manifest.jsonl.zst")}
	f, err := os.OpenFile(m.name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return made{}, fmt.Errorf("making the manifest: %w", err)
	}
	defer f.Close()
	w := &counted{w: f, hash: sha256.New()}
	z, err := tenant.NewManifestWriter(w)
	if err != nil {
		return made{}, fmt.Errorf("making the manifest: %w", err)
	}
	if m.end, err = r.writeManifest(ctx, z); err != nil {
		return made{}, err
	}
	if err = z.Close(); err == nil {
		err = f.Close()
	}
	if err != nil {
		return made{}, fmt.Errorf("making the manifest: %w", err)
	}
	m.stored = tenant.Stored{SHA256: manifest.Digest(w.hash.Sum(nil)), Bytes: w.n}
	return m, nil
}

// counted hashes and counts what is written.
type counted struct {
	w    io.Writer
	hash hash.Hash
	n    int64
}

// Write implements io.Writer.
func (c *counted) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.hash.Write(p[:n])
	c.n += int64(n)
	return n, err
}

func (r *run) writeManifest(ctx context.Context, w io.Writer) (manifest.End, error) {
	lines, done, err := r.again()
	if err != nil {
		return manifest.End{}, err
	}
	defer done()
	out := manifest.NewWriter(&lineWriter{ctx, w, r.page.finishing(0)}, r.o.Tool)
	err = manifest.Splice(out, lines,
		manifest.Section{Kind: manifest.KindManifest, Each: func(l manifest.Line) (bool, error) { return r.header(out, l) }},
		manifest.Section{Kind: manifest.KindEdit, After: func() error { return r.edit(out) }},
		manifest.Section{
			Kind:  manifest.KindReceipt,
			Each:  func(manifest.Line) (bool, error) { return false, nil },
			After: func() error { return r.receipts(out) },
		})
	if err != nil {
		return manifest.End{}, err
	}
	was, edited := lines.Edited()
	if edited != r.in.edited || was != r.in.was || lines.End().SHA256 != r.in.end.SHA256 {
		return manifest.End{}, manifest.Errorf(manifest.BadInput, "the input changed while it was read").WithHint("run the same command again")
	}
	return out.End()
}

// mode is that of the commit.
func (r *run) mode() string { return cmp.Or(r.verdict.Mode, tenant.ModeInitial) }

// header sets the mode and leaves the rest of the record as it is, fields of later versions included.
func (r *run) header(out *manifest.Writer, l manifest.Line) (keep bool, err error) {
	var fields map[string]any
	if err := l.Decode(&fields); err != nil {
		return false, err
	}
	mode, there := fields["mode"]
	switch {
	case mode == r.mode():
		return true, nil
	case there: // what an earlier stage expected
		h := r.in.header
		h.Mode = r.mode()
		return false, out.Write(h)
	}
	open := bytes.TrimSuffix(bytes.TrimRight(l.Raw, " \t"), []byte{'}'})
	l.Raw = fmt.Appendf(nil, `%s,"mode":%q}`, open, r.mode())
	return false, out.WriteRaw(l)
}

func (r *run) edit(out *manifest.Writer) error {
	if !r.in.edited {
		return nil
	}
	return out.Write(manifest.Edit{By: r.o.By, At: manifest.At(r.o.Now()), Tool: r.o.Tool, Was: r.in.was})
}

func (r *run) receipts(out *manifest.Writer) error {
	for _, it := range r.in.chunks {
		if err := out.Write(it.receipt); err != nil {
			return err
		}
	}
	return nil
}

// passOn writes the committed manifest to the output, as the destination has it.
func (r *run) passOn(ctx context.Context, c tenant.Commit, out *manifest.Writer) error {
	meter := r.page.finishing(total(c.Counts))
	end, err := r.tenant.EachLine(ctx, c, func(l manifest.Line) error {
		meter.Add(1)
		return out.WriteRaw(l)
	})
	if err != nil {
		return fmt.Errorf("the push is committed; passing it on: %w", err)
	}
	if end.SHA256 != c.End {
		return manifest.Errorf(manifest.Failed, "the push is committed, but its manifest at %s is not the one that its commit names", r.o.To.URL())
	}
	return nil
}

func total(counts map[string]int64) (n int64) {
	for _, c := range counts {
		n += c
	}
	return n
}

package push

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/tenant"
)

// BenchmarkPush pushes a manifest of many files in few chunks: it measures what a file record costs, with all passes.
func BenchmarkPush(b *testing.B) {
	const files = 200_000
	p := small()
	chunk := manifest.Digest(sha256.Sum256(p.chunk(1)))
	for i := range files {
		p.more = append(p.more, manifest.File{
			Area: manifest.Document, ID: int64(i + 1), Path: fmt.Sprintf("carm/2002.2/%09d myfile.docx", i), Size: 20_000, Owner: "bob",
			Title: "Offer", State: manifest.Present, SHA256: sha256.Sum256([]byte{byte(i)}), Chunk: chunk, Offset: int64(i) * 512,
		})
	}
	p.missing = 0
	data := withFiles(b, p)
	for name, mode := range modes {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				at := newPlace(b, small())
				if _, err := run1(b.Context(), mode(at.options(b, data), data)); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(files)*float64(b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

// withFiles is the manifest with p.more before its check.
func withFiles(b *testing.B, p packed) []byte {
	var out bytes.Buffer
	w := manifest.NewWriter(&out, p.tool)
	files := p.more
	p.more = nil
	for _, rec := range p.records() {
		if rec.RecordKind() == manifest.KindCheck {
			for _, f := range files {
				check(b, w.Write(f))
			}
		}
		check(b, w.Write(rec))
	}
	_, err := w.End()
	check(b, err)
	return out.Bytes()
}

// crowded is a destination that says that it holds very many chunks.
type crowded struct {
	destination.Destination
	chunks  int
	removed atomic.Int64
}

func crowd(i int) (d manifest.Digest) {
	binary.BigEndian.PutUint64(d[:], uint64(i)*0x9e3779b97f4a7c15)
	binary.BigEndian.PutUint64(d[8:], uint64(i))
	return d
}

func (d *crowded) List(ctx context.Context, prefix string, fn func(destination.Info) error) error {
	if prefix != "chunks/" {
		return d.Destination.List(ctx, prefix, fn)
	}
	for i := range d.chunks {
		if err := fn(destination.Info{Name: tenant.ChunkName(crowd(i), manifest.ChunkTar), Size: 1000, Modified: long}); err != nil {
			return err
		}
	}
	return nil
}

func (d *crowded) Remove(context.Context, string) error {
	d.removed.Add(1)
	return nil
}

// BenchmarkCollect collects at a destination with a million chunks that a manifest names, and a million that none does:
// it measures what a chunk costs. Run it with -benchtime 1x, in a process of its own.
func BenchmarkCollect(b *testing.B) {
	for _, n := range []int{100_000, 1_000_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			at := newPlace(b, small())
			at.commitCrowd(b, n)
			for b.Loop() {
				d := &crowded{Destination: at.destination(b), chunks: 2 * n}
				o := at.collectAt(b, time.Hour)
				o.To = d
				done, err := Collect(b.Context(), o)
				check(b, err)
				if done.Kept.Chunks != int64(n) || d.removed.Load() != int64(n)+1 {
					b.Errorf("collected %+v", done)
				}
			}
			b.ReportMetric(float64(2*n)*float64(b.N)/b.Elapsed().Seconds(), "chunks/s")
			if status, err := os.ReadFile("/proc/self/status"); err == nil {
				if _, rest, ok := strings.Cut(string(status), "VmHWM:"); ok {
					kb, _ := strconv.Atoi(strings.Fields(rest)[0])
					b.ReportMetric(float64(kb)/1024, "MiB-peak")
				}
			}
		})
	}
}

// commitCrowd commits a manifest that names n chunks.
func (at place) commitCrowd(b *testing.B, n int) {
	b.Helper()
	name := filepath.Join(b.TempDir(), "manifest")
	f, err := os.Create(name)
	check(b, err)
	defer f.Close()
	sum := &counted{w: f, hash: sha256.New()}
	z, err := tenant.NewManifestWriter(sum)
	check(b, err)
	w := manifest.NewWriter(z, "omt-push 0.1.0")
	check(b, w.Write(manifest.Header{Format: manifest.Format, ID: idA, Tool: "omt-scan 0.1.0", Migration: "test", Phase: "full"}))
	for i := range n {
		check(b, w.Write(manifest.Chunk{SHA256: crowd(i), Type: manifest.ChunkTar, Area: manifest.Document, Role: manifest.RoleContent, Bytes: 1000, Items: 1}))
	}
	end, err := w.End()
	check(b, err)
	check(b, z.Close())
	tn := tenant.Open(at.destination(b))
	stored := tenant.Stored{SHA256: manifest.Digest(sum.hash.Sum(nil)), Bytes: sum.n}
	claim, err := tn.Begin(b.Context(), tenant.Claim{ID: idA, Phase: tenant.Full, Migration: "test", Company: "K", Serial: "1", Input: end.SHA256, Manifest: stored, Spool: "s"})
	check(b, err)
	check(b, tn.PutManifest(b.Context(), destination.Retry{}, claim, func() (io.ReadCloser, error) { return os.Open(name) }, nil))
	_, err = tn.Commit(b.Context(), claim, tenant.Commit{ID: idA, Revision: 1, Phase: tenant.Full, Migration: "test", Company: "K", Serial: "1", Manifest: stored, End: end.SHA256, Input: end.SHA256}, nil)
	check(b, err)
}

package push

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"testing"

	"github.com/openomt/omt/internal/manifest"
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

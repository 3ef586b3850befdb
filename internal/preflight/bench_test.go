//go:build !windows

package preflight

import (
	"bytes"
	"fmt"
	"io"
	"syscall"
	"testing"
	"time"

	"github.com/openomt/omt/internal/manifest"
)

// BenchmarkSession feeds ten rules in a process of their own with a manifest that is nearly all files, as copied lines and
// as records.
func BenchmarkSession(b *testing.B) {
	at := manifest.At(time.Date(2020, 3, 4, 5, 6, 7, 0, time.UTC))
	file := func(i int) manifest.File {
		return manifest.File{Area: manifest.Document, ID: int64(i), Path: fmt.Sprintf("bob/2002.2/a letter to somebody %d.docx", i),
			Size: 48213, MTime: at, Owner: "bob", Title: "Offer", State: manifest.Present, SHA256: manifest.Digest{1, byte(i)},
			Chunk: manifest.Digest{2, byte(i)}, Offset: int64(i) * 48213}
	}
	b.Run("lines", func(b *testing.B) {
		feedBench(b, func(s *Session, n int) error {
			var lines [][]byte
			for i := range 4096 {
				f := file(i)
				line, err := f.AppendJSON(nil)
				if err != nil {
					return err
				}
				lines = append(lines, line)
			}
			b.ResetTimer()
			for i := range n {
				if err := s.Observe(manifest.Line{Kind: manifest.KindFile, Raw: lines[i%len(lines)]}, nil); err != nil {
					return err
				}
			}
			return nil
		})
	})
	b.Run("writer", func(b *testing.B) {
		feedBench(b, func(s *Session, n int) error {
			w := manifest.NewWriter(io.Discard, "bench 1")
			w.Observe(s.Observe)
			if err := w.Write(header()); err != nil {
				return err
			}
			for i := range n {
				f := file(i)
				f.Path = fmt.Sprintf("bob/%09d/a letter to somebody.docx", i)
				f.Chunk = manifest.Digest{}
				if err := w.Write(f); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

func feedBench(b *testing.B, feed func(s *Session, n int) error) {
	h := open(b, options(folder(b, "bench")))
	s, err := h.Begin(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	before := cpu(b, syscall.RUSAGE_SELF)
	if err := feed(s, b.N); err != nil {
		b.Fatal(err)
	}
	checks, findings, err := s.Finish(b.Context())
	if err != nil || len(findings) > 0 {
		b.Fatal(err, findings)
	}
	for _, c := range checks {
		if c.Status != manifest.CheckDone {
			b.Fatal(said(checks, nil))
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(float64(cpu(b, syscall.RUSAGE_SELF)-before)/float64(b.N), "host-cpu-ns/op")
	before = cpu(b, syscall.RUSAGE_CHILDREN)
	h.Close()
	b.ReportMetric(float64(cpu(b, syscall.RUSAGE_CHILDREN)-before)/float64(b.N), "plugin-cpu-ns/op")
}

// BenchmarkSkipped is what a record costs that no rule reads.
func BenchmarkSkipped(b *testing.B) {
	h := open(b, options(folder(b, "final")))
	s, err := h.Begin(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	l := manifest.Line{Kind: manifest.KindFile, Raw: bytes.Repeat([]byte("x"), 300)}
	for b.Loop() {
		if err := s.Observe(l, nil); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOpen is the start and end of three plugins.
func BenchmarkOpen(b *testing.B) {
	dir := folder(b, "honest", "final", "bench")
	for b.Loop() {
		h, err := Open(b.Context(), options(dir))
		if err != nil {
			b.Fatal(err)
		}
		h.Close()
	}
}

// cpu is the time that this process or its children were given: on a busy machine it says more than the clock.
func cpu(b *testing.B, who int) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(who, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

package manifest

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"
)

// benchFile is a file record of some 250 bytes, as most of a large manifest are.
func benchFile(i int) File {
	f := File{
		Area: Document, ID: int64(i + 1), Path: fmt.Sprintf("bob/2002.2/%08d offer.txt", i), Size: int64(1000 + i),
		MTime: At(time.Date(2002, 9, 1, 10, 0, i%60, 0, time.UTC)), Owner: "bob", Title: "Offer", State: Present,
	}
	binary.BigEndian.PutUint64(f.SHA256[:], uint64(i))
	return f
}

func benchManifest(tb testing.TB, n int) []byte {
	tb.Helper()
	var out bytes.Buffer
	w := NewWriter(&out, "omt-scan 0.1.0")
	if err := w.Write(Header{Format: Format, ID: "0", Tool: "omt-scan 0.1.0"}); err != nil {
		tb.Fatal(err)
	}
	for i := range n {
		if err := w.Write(benchFile(i)); err != nil {
			tb.Fatal(err)
		}
	}
	if _, err := w.End(); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

func perSecond(b *testing.B, records int) {
	b.ReportMetric(float64(records)*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

// BenchmarkPassThrough reads, checks, orders, digests and writes again, as a tool does with records it does not touch.
func BenchmarkPassThrough(b *testing.B) {
	const n = 100_000
	in := benchManifest(b, n)
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		w := NewWriter(io.Discard, "omt-assign 0.1.0")
		r := NewReader(bytes.NewReader(in), ReadOptions{})
		for {
			l, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				b.Fatal(err)
			}
			if err := w.WriteRaw(l); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := w.End(); err != nil {
			b.Fatal(err)
		}
	}
	perSecond(b, n)
}

// BenchmarkWriteFile compares the own encoder with encoding/json and the ASCII pass that it would need.
func BenchmarkWriteFile(b *testing.B) {
	f := benchFile(7)
	var buf []byte
	b.Run("own", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			buf, _ = f.AppendJSON(buf[:0])
		}
		perSecond(b, 1)
	})
	b.Run("encoding-json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			raw, _ := json.Marshal(f)
			buf = appendASCII(buf[:0], raw)
		}
		perSecond(b, 1)
	})
}

// BenchmarkDecodeFile compares the own decoder with encoding/json.
func BenchmarkDecodeFile(b *testing.B) {
	f := benchFile(7)
	raw, err := f.AppendJSON(nil)
	if err != nil {
		b.Fatal(err)
	}
	l := Line{Kind: KindFile, Raw: raw}
	b.Run("own", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := l.File(); err != nil {
				b.Fatal(err)
			}
		}
		perSecond(b, 1)
	})
	b.Run("encoding-json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var f File
			if err := json.Unmarshal(raw, &f); err != nil {
				b.Fatal(err)
			}
		}
		perSecond(b, 1)
	})
}

func BenchmarkSorter(b *testing.B) {
	const n = 1_000_000
	var key, value [40]byte
	b.ReportAllocs()
	for b.Loop() {
		s := NewSorter(b.TempDir(), 16<<20)
		x := uint64(1)
		for range n {
			x = x*6364136223846793005 + 1442695040888963407
			binary.BigEndian.PutUint64(key[:], x)
			if err := s.Add(key[:], value[:]); err != nil {
				b.Fatal(err)
			}
		}
		c, err := s.Sort(context.Background())
		if err != nil {
			b.Fatal(err)
		}
		got := 0
		for {
			if _, _, err := c.Next(); err != nil {
				break
			}
			got++
		}
		if err := s.Close(); err != nil || got != n {
			b.Fatal(got, err)
		}
	}
	perSecond(b, n)
}

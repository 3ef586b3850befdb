package chunk

import (
	"bufio"
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/snappy"
)

func BenchmarkSnappy(b *testing.B) {
	for name, content := range map[string][]byte{"text": text(1, maxPage), "noise": noise(1, maxPage), "small": text(1, 2000)} {
		var t snappyTable
		enc := t.encode(nil, content)
		dst := make([]byte, len(content))
		b.Run(name+"/encode", func(b *testing.B) {
			b.SetBytes(int64(len(content)))
			for b.Loop() {
				enc = t.encode(enc[:0], content)
			}
			b.ReportMetric(float64(len(enc))/float64(len(content)), "ratio")
		})
		b.Run(name+"/encode,library", func(b *testing.B) {
			b.SetBytes(int64(len(content)))
			var out []byte
			for b.Loop() {
				out = s2.EncodeSnappy(out[:cap(out)], content)
			}
			b.ReportMetric(float64(len(out))/float64(len(content)), "ratio")
		})
		b.Run(name+"/decode", func(b *testing.B) {
			b.SetBytes(int64(len(content)))
			r := bufio.NewReader(nil)
			for b.Loop() {
				r.Reset(bytes.NewReader(enc))
				if err := unsnappy(dst, r); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/decode,library", func(b *testing.B) {
			b.SetBytes(int64(len(content)))
			for b.Loop() {
				if _, err := snappy.DecodeStrict(dst, enc); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// blocks are contents that try every kind of element.
func snappyContents() [][]byte {
	r := rand.New(rand.NewPCG(4, 4))
	all := [][]byte{nil, {1}, []byte("abcd"), bytes.Repeat([]byte("a"), 15), bytes.Repeat([]byte("ab"), 40_000), make([]byte, 3*snappyPiece+7)}
	for _, n := range []int{16, 17, 59, 60, 61, 255, 256, 257, 2000, snappyPiece - 1, snappyPiece, snappyPiece + 1, 200_000} {
		all = append(all, text(uint64(n), n), noise(uint64(n), n))
	}
	for range 300 {
		b := noise(r.Uint64(), 1+r.IntN(300))
		for range r.IntN(30) {
			at := r.IntN(len(b))
			b = append(b, b[at:at+min(len(b)-at, 1+r.IntN(1<<r.IntN(13)))]...)
			b = append(b, noise(r.Uint64(), r.IntN(70))...)
		}
		all = append(all, b)
	}
	return all
}

// Other programs read what is written here, and what they write is read here.
func TestSnappyAgreesWithOthers(t *testing.T) {
	var table snappyTable
	for _, content := range snappyContents() {
		enc := table.encode(nil, content)
		if len(enc) > 10+len(content)+len(content)/1000 {
			t.Errorf("%d bytes become %d", len(content), len(enc))
		}
		if got, err := snappy.DecodeStrict(nil, enc); err != nil || !bytes.Equal(got, content) {
			t.Fatalf("%d bytes: the library reads %d: %v", len(content), len(got), err)
		}
		var fresh snappyTable
		if !bytes.Equal(fresh.encode(nil, content), enc) {
			t.Errorf("%d bytes: what was encoded before changes the result", len(content))
		}
		pieces := [][]byte{enc}
		if len(content) <= snappyPiece {
			pieces = append(pieces, s2.EncodeSnappy(nil, content), s2.EncodeSnappyBest(nil, content))
		}
		for _, enc := range pieces {
			got := make([]byte, len(content))
			r := bufio.NewReader(bytes.NewReader(append(bytes.Clone(enc), 'x')))
			if err := unsnappy(got, r); err != nil || !bytes.Equal(got, content) {
				t.Fatalf("%d bytes come back as others: %v", len(content), err)
			}
			if b, _ := r.ReadByte(); b != 'x' {
				t.Error("it reads beyond its end")
			}
		}
	}
}

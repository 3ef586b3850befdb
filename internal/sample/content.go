package sample

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/klauspost/compress/flate"
)

// largeFile is the size of the one file that is larger than the tenant takes. It is a hole: made at once, and stored as
// nearly nothing.
const largeFile = 95_000_000

// Content makes n bytes as a document with that extension has them, as far as size and compressibility go: office and
// PDF files of deflated parts with parts that many share, pictures of noise, mails and texts of words that follow
// Zipf's law, old binary documents of UTF-16 between zeros.
func Content(r *rand.Rand, ext string, n int) []byte {
	switch ext {
	case "pdf":
		return pdf(r, n)
	case "docx", "xlsx", "pptx":
		return zipped(r, n)
	case "jpg", "png", "zip":
		return noise(r, n)
	case "doc", "msg", "xls":
		return binaryDoc(r, n)
	default:
		return words(r, n)
	}
}

func noise(r *rand.Rand, n int) []byte {
	b := make([]byte, n+8)
	for i := 0; i < n; i += 8 {
		binary.LittleEndian.PutUint64(b[i:], r.Uint64())
	}
	return b[:n]
}

var vocabulary = makeVocabulary()

func makeVocabulary() []string {
	r := rand.New(rand.NewPCG(7, 7))
	w := make([]string, 20_000)
	for i := range w {
		var b strings.Builder
		for range 2 + r.IntN(9) {
			b.WriteByte("etaoinshrdlucmfwypvbgkjqxz"[min(r.IntN(26), r.IntN(26))])
		}
		w[i] = b.String()
	}
	return w
}

func words(r *rand.Rand, n int) []byte {
	z := rand.NewZipf(r, 1.1, 3, uint64(len(vocabulary)-1))
	b := make([]byte, 0, n+32)
	for len(b) < n {
		b = append(b, vocabulary[z.Uint64()]...)
		if b = append(b, ' '); r.IntN(14) == 0 {
			b = append(b, "\r\n"...)
		}
	}
	return b[:n]
}

// pdf is framing, a font block that many share, and deflated streams.
func pdf(r *rand.Rand, n int) []byte {
	font := noise(rand.New(rand.NewPCG(11, uint64(r.IntN(12)))), min(n/4, 9000))
	b := append([]byte("%PDF-1.4\n1 0 obj <</Type /Font>> stream\n"), font...)
	for len(b) < n {
		b = append(b, fmt.Sprintf("\nendstream endobj\n%d 0 obj <</Filter /FlateDecode /Length %d>> stream\n", len(b), n)...)
		b = append(b, deflated(words(r, 3*max(20, min(n-len(b)+1, 60_000))))...)
	}
	return b[:n]
}

// zipped is framing, a theme part that all share, and deflated text.
func zipped(r *rand.Rand, n int) []byte {
	theme := deflated(words(rand.New(rand.NewPCG(13, 13)), 12_000))
	b := append([]byte("PK\x03\x04\x14\x00\x06\x00[Content_Types].xml word/theme/theme1.xml"), theme...)
	for len(b) < n {
		b = append(b, "PK\x03\x04\x14\x00\x06\x00word/document.xml"...)
		b = append(b, deflated(words(r, 3*max(20, min(n-len(b)+1, 60_000))))...)
	}
	return b[:n]
}

// binaryDoc is UTF-16 text with runs of zeros between.
func binaryDoc(r *rand.Rand, n int) []byte {
	b := make([]byte, 0, n+1024)
	for len(b) < n {
		for _, c := range words(r, 400) {
			b = append(b, c, 0)
		}
		b = append(b, make([]byte, 64+r.IntN(512))...)
		b = append(b, noise(r, 200)...)
	}
	return b[:n]
}

func deflated(b []byte) []byte {
	var out strings.Builder
	w, err := flate.NewWriter(&out, 1)
	if err == nil {
		_, err = w.Write(b)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic(err) // a level that exists, and memory to write to
	}
	return []byte(out.String())
}

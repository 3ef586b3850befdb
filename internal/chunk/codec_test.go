package chunk

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	stdgzip "compress/gzip"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/format"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

var codecs = []Codec{Zstd, Snappy, Gzip}

func TestCodecsRefused(t *testing.T) {
	for _, c := range append(codecs, "") {
		if err := c.Check(); err != nil {
			t.Error(err)
		}
	}
	const want = `codec "lz4": want "zstd", "snappy" or "gzip"`
	table := manifest.Table{Name: "t", Columns: []manifest.Column{{Name: "id", Type: "int"}}}
	if _, err := NewPartWriter(io.Discard, table, PartOptions{Codec: "lz4"}); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// Every codec compresses, as a level says, in one piece and in many.
func TestCodecsCompress(t *testing.T) {
	content := append(text(1, 300_000), make([]byte, 100_000)...)
	pool := new(Pool)
	for _, c := range codecs {
		var sizes []int
		for level := minLevel; level <= maxLevel; level++ {
			e, err := pool.encoder(level)
			if err != nil {
				t.Fatal(err)
			}
			out, err := e.compress(c, content)
			if err != nil {
				t.Fatal(err)
			}
			sizes = append(sizes, len(out))
			out = bytes.Clone(out)
			for range 2 { // again, with what the first time left behind
				var p pieces
				if err := e.stream(c, &p, int64(len(content)), content[:4], content[4:300_000], content[300_000:]); err != nil {
					t.Fatal(err)
				}
				for _, b := range [][]byte{out, bytes.Join(p.list, nil)} {
					d, err := pool.decoder()
					if err != nil {
						t.Fatal(err)
					}
					got, err := d.unpack(c, b, nil, len(content))
					if err != nil || !bytes.Equal(got, content) {
						t.Errorf("%s, level %d: %d bytes come back as %d: %v", c, level, len(content), len(got), err)
					}
					again := make([]byte, len(content))
					if err := d.inflate(c, bytes.NewReader(b), again); err != nil || !bytes.Equal(again, content) {
						t.Errorf("%s, level %d: other bytes come back from a stream: %v", c, level, err)
					}
					pool.putDecoder(d)
				}
			}
			pool.putEncoder(e)
		}
		if sizes[0] > len(content)*2/5 || (c != Snappy) != (sizes[2] < sizes[0]) {
			t.Errorf("%s: %d bytes become %d", c, len(content), sizes)
		}
	}
}

// Other programs' decompressors read what is written, and refuse none of it.
func TestGzipIsReadByOthers(t *testing.T) {
	e, err := new(Pool).encoder(2)
	if err != nil {
		t.Fatal(err)
	}
	content := text(5, 500_000)
	out, err := e.compress(Gzip, content)
	if err != nil {
		t.Fatal(err)
	}
	z, err := stdgzip.NewReader(bytes.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(z); err != nil || !bytes.Equal(got, content) || z.Name != "" || !z.ModTime.IsZero() {
		t.Errorf("%d bytes of %d, %v, header %+v", len(got), len(content), err, z.Header)
	}
}

// packed compresses with other programs than ours.
func packed(t *testing.T, c Codec, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	switch c {
	case Snappy:
		return s2.EncodeSnappy(nil, content)
	case Gzip:
		z := stdgzip.NewWriter(&b)
		z.Write(content)
		z.Close()
	default:
		z, err := zstd.NewWriter(nil)
		if err != nil {
			t.Fatal(err)
		}
		return z.EncodeAll(content, nil)
	}
	return b.Bytes()
}

// Bodies that unpack to more or less than the page says, or that something follows, are refused, whatever the codec, and
// no room is made for what they claim.
func TestBodiesRefused(t *testing.T) {
	content := text(1, 5000)
	for _, c := range codecs {
		good := packed(t, c, content)
		named, other := bytes.Clone(good), bytes.Clone(good)
		switch c {
		case Gzip:
			named = slices.Insert(named, 10, 'a', 0) // behind the header
			named[3] = 8
			other[len(other)-5] ^= 1 // before the length
		case Zstd:
			other[len(other)-1] ^= 1
		}
		for _, bad := range []struct {
			name string
			body []byte
			raw  int
			ok   bool
		}{
			{"as it is", good, 5000, true},
			{"more than the page says", good, 4999, false},
			{"less than the page says", good, 5001, false},
			{"much less than the page says", good, maxBody, false},
			{"cut", good[:len(good)-1], 5000, false},
			{"cut in its head", good[:3], 5000, false},
			{"nothing", nil, 5000, false},
			{"a byte more", append(bytes.Clone(good), 0), 5000, false},
			{"twice", append(bytes.Clone(good), good...), 5000, false},
			{"twice, and the page says so", append(bytes.Clone(good), good...), 10_000, false},
			{"another codec", packed(t, map[Codec]Codec{Zstd: Gzip, Gzip: Snappy, Snappy: Zstd}[c], content), 5000, false},
			{"other fields in its head", named, 5000, c != Gzip},
			{"another checksum", other, 5000, c == Snappy},
		} {
			d, err := new(Pool).decoder()
			if err != nil {
				t.Fatal(err)
			}
			var got []byte
			n := allocated(func() { got, err = d.unpack(c, bad.body, nil, bad.raw) })
			if (err == nil) != bad.ok || bad.ok && !bytes.Equal(got, content) {
				t.Errorf("%s, %s: %v", c, bad.name, err)
			}
			if n > 16<<20 {
				t.Errorf("%s, %s: takes %d KiB", c, bad.name, n>>10)
			}
			got = make([]byte, bad.raw)
			if err := d.inflate(c, bytes.NewReader(bad.body), got); (err == nil) != bad.ok || bad.ok && !bytes.Equal(got, content) {
				t.Errorf("%s, %s: as a stream: %v", c, bad.name, err)
			}
		}
	}
}

func TestSnappyRefused(t *testing.T) {
	far := append([]byte{0xFF, 0xFF, 0x7F}, make([]byte, 0)...) // 2 MiB - 1
	var table snappyTable
	far = append(far[:3], table.piece(nil, noise(1, snappyPiece))...)
	far = append(far, table.piece(nil, noise(2, snappyPiece))...)
	for _, c := range []struct {
		name  string
		block []byte
		raw   int
		want  string
	}{
		{"a literal", []byte{3, 2 << 2, 'a', 'b', 'c'}, 3, ""},
		{"a copy that overlaps", []byte{9, 0, 'a', 4<<2 | 1, 1}, 9, ""},
		{"an empty one", []byte{0}, 0, ""},
		{"a copy of what is not there", []byte{5, 0, 'a', 0 | 1, 2}, 5, "copies from where nothing is"},
		{"a copy from where it stands", []byte{5, 0, 'a', 0 | 1, 0}, 5, "copies from where nothing is"},
		{"a copy from far", append(bytes.Clone(far), 3<<2|3, 1, 0, 1, 0), 1<<21 - 1, "copies from where nothing is"},
		{"a copy that is too long", []byte{5, 0, 'a', 1<<2 | 1, 1}, 5, "more than it says"},
		{"a literal that is too long", []byte{2, 2 << 2, 'a', 'b', 'c'}, 2, "more than it says"},
		{"a literal of 4 GiB", []byte{2, 63 << 2, 0xFF, 0xFF, 0xFF, 0xFF, 'a', 'b'}, 2, "more than it says"},
		{"a literal that is cut", []byte{3, 2 << 2, 'a', 'b'}, 3, "reading 1 bytes"},
		{"a literal's length that is cut", []byte{100, 60 << 2}, 100, "unexpected EOF"},
		{"a copy that is cut", []byte{5, 0, 'a', 0 | 1}, 5, "unexpected EOF"},
		{"too little", []byte{3, 0, 'a'}, 3, "it unpacks to 1 bytes, not 3"},
		{"another length", []byte{3, 2 << 2, 'a', 'b', 'c'}, 4, "it unpacks to 3 bytes, not 4"},
		{"a length that is cut", []byte{0x80}, 4, "reading its length"},
		{"a length without end", bytes.Repeat([]byte{0x80}, 12), 4, "reading its length"},
	} {
		err := unsnappy(make([]byte, c.raw), bufio.NewReaderSize(bytes.NewReader(c.block), 16))
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// Damage is found in parts of every codec, as in those of zstd.
func TestFlippedBytesOfEveryCodec(t *testing.T) {
	table, rows := halfTable()
	rows = rows[100:200]
	for _, c := range codecs {
		b, rec := writePart(t, table, PartOptions{Codec: c}, rows)
		pool := new(Pool)
		for i := 3; i < len(b); i += len(b) / 300 {
			bad := bytes.Clone(b)
			bad[i] ^= 1 << (i % 8)
			got, err := pool.readPart(bytes.NewReader(bad), int64(len(bad)), table)
			if err == nil {
				err = got.Check(rec)
			}
			if err != nil && !errors.Is(err, ErrDamaged) {
				t.Errorf("%s: byte %d flipped: not told as damage: %v", c, i, err)
			}
			if err := pool.VerifyPart(bytes.NewReader(bad), int64(len(bad)), rec, table); !errors.Is(err, ErrDamaged) {
				t.Errorf("%s: byte %d flipped: VerifyPart says %v", c, i, err)
			}
		}
	}
}

// One part has one codec.
func TestCodecsAreNotMixed(t *testing.T) {
	table := manifest.Table{Name: "t", Columns: []manifest.Column{{Name: "id", Type: "int"}, {Name: "s", Type: "varchar(max)"}}}
	b, _ := writePart(t, table, PartOptions{Codec: Gzip}, []source.Row{{int64(1), strings.Repeat("x", 500)}})
	for _, c := range []struct {
		codecs []Codec
		want   string
	}{
		{[]Codec{Gzip, Gzip}, ""},
		{[]Codec{Gzip, Snappy}, `"s" is described wrongly`},
		{[]Codec{Snappy, Gzip}, `"s" is described wrongly`},
		{[]Codec{Snappy, Snappy}, `column "s": decompressing a page`},
		{[]Codec{Zstd, Zstd}, `column "s": decompressing a page`},
	} {
		_, err := readPart(recoded(b, c.codecs), table)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%v: %v, want %q", c.codecs, err, c.want)
		}
	}
}

// A page header may not say more than the footer, which has a checksum, says of all of them.
func TestPagesSayNoMoreThanTheFooter(t *testing.T) {
	table := manifest.Table{Name: "t", Columns: []manifest.Column{{Name: "b", Type: "varbinary(max)"}}}
	for _, c := range codecs {
		b, _ := writePart(t, table, PartOptions{Codec: c}, []source.Row{{make([]byte, 3*bigValue)}})
		for _, by := range []int64{-1, 1} {
			_, err := readPart(resized(b, by), table)
			if err == nil || !strings.Contains(err.Error(), map[int64]string{-1: "says more than the footer does", 1: "bytes follow the last value"}[by]) {
				t.Errorf("%s: a footer that differs by %d: %v", c, by, err)
			}
		}
	}
}

// A page that says that it has a value of another length than it has is refused.
func TestLengthsOfLargeValues(t *testing.T) {
	for _, c := range codecs {
		for _, says := range []uint32{bigValue - 1, bigValue, bigValue + 1, math.MaxUint32} {
			raw := binary.LittleEndian.AppendUint32(nil, says)
			raw = append(raw, text(1, bigValue)...)
			e, err := new(Pool).encoder(1)
			if err != nil {
				t.Fatal(err)
			}
			body, err := e.compress(c, raw)
			if err != nil {
				t.Fatal(err)
			}
			p := &pageReader{codec: c}
			d, err := new(Pool).decoder()
			if err != nil {
				t.Fatal(err)
			}
			crc := &crcReader{r: bytes.NewReader(body)}
			if _, err := io.Copy(io.Discard, crc); err != nil {
				t.Fatal(err)
			}
			err = p.large(d, bytes.NewReader(body), len(raw), true, 0, crc.sum)
			if (err == nil) != (says == bigValue) {
				t.Errorf("%s: a value that says it has %d bytes: %v", c, says, err)
			}
			if err := p.large(d, bytes.NewReader(body), len(raw), true, 0, crc.sum+1); err == nil {
				t.Errorf("%s: another checksum is accepted", c)
			}
		}
	}
}

// A page that is cut, with a checksum that agrees, is damage, and not where the part ends.
func TestCutPagesAreNotTheEnd(t *testing.T) {
	table := manifest.Table{Name: "t", Columns: []manifest.Column{{Name: "b", Type: "varbinary(max)"}}}
	for _, c := range codecs {
		for _, large := range []bool{false, true} {
			content, enc := append([]byte{0x80, 1, 4, 1, 0xD0, 0x0F}, text(1, 1000)...), format.DeltaLengthByteArray
			if large {
				content, enc = append([]byte{0, 0, 0x10, 0}, text(1, bigValue)...), format.Plain
			}
			e, err := new(Pool).encoder(1)
			if err != nil {
				t.Fatal(err)
			}
			body, err := e.compress(c, content)
			if err != nil {
				t.Fatal(err)
			}
			for n := len(body); n > len(content)/maxBlock*4; n = n*9/10 - 1 {
				b := forged(t, table, c, func(w *PartWriter) {
					w.columns[0].values = 1
					w.columns[0].large = large
					if err := w.pager.add(w.columns[0], enc, len(content), [][]byte{body[:n]}, true); err != nil {
						t.Fatal(err)
					}
					w.columns[0].reset()
					w.group.rows, w.content.rows = 1, 1
				})
				rows, err := readPart(b, table)
				if n == len(body) {
					if err != nil || len(rows) != 1 {
						t.Fatalf("%s: %d rows, %v", c, len(rows), err)
					}
				} else if !errors.Is(err, ErrDamaged) || errors.Is(err, io.EOF) || len(rows) > 0 {
					t.Errorf("%s, cut to %d of %d bytes: %d rows, %v", c, n, len(body), len(rows), err)
				}
			}
		}
	}
}

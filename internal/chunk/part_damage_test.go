package chunk

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

func TestEveryFlippedByteOfAPartIsDetected(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	for _, make := range []func() (manifest.Table, []source.Row){edgeTable, largeTable} {
		table, rows := make()
		b, rec := writePart(t, table, PartOptions{}, rows)
		pool := new(Pool)
		flips := 150
		if len(b) > 1<<20 {
			flips = 12
		}
		for i := range flips {
			at := r.IntN(len(b))
			if i < flips/3 {
				at = len(b) - 1 - i
			}
			bad := bytes.Clone(b)
			bad[at] ^= 1 << r.IntN(8)
			if err := pool.VerifyPart(bytes.NewReader(bad), int64(len(bad)), rec, table); !errors.Is(err, ErrDamaged) {
				t.Errorf("byte %d of %d flipped: VerifyPart says %v", at, len(b), err)
			}
			// Without the digest of the bytes, checksums and the digest of the rows find what matters.
			got, err := pool.readPart(bytes.NewReader(bad), int64(len(bad)), table)
			if err == nil {
				err = got.Check(rec)
			} else if !errors.Is(err, ErrDamaged) {
				t.Errorf("byte %d of %d flipped: not told as damage: %v", at, len(b), err)
			}
			if at < 4 && err == nil {
				t.Errorf("byte %d flipped is not detected", at)
			}
		}
		for _, n := range []int{0, 3, 4, 11, 12, 20, len(b) / 2, len(b) - 1, len(b) - 4, len(b) - 8, len(b) - 9} {
			if _, err := readPart(b[:n], table); !errors.Is(err, ErrDamaged) {
				t.Errorf("cut to %d bytes: %v", n, err)
			}
			if err := VerifyPart(bytes.NewReader(b[:n]), int64(n), rec, table); !errors.Is(err, ErrDamaged) {
				t.Errorf("cut to %d bytes: VerifyPart says %v", n, err)
			}
		}
	}
}

// reseal gives a part another footer, with the checksum that belongs to it.
func reseal(b []byte, change func(m *format.FileMetaData)) []byte {
	n := int(binary.LittleEndian.Uint32(b[len(b)-8:]))
	start := len(b) - 8 - n
	m, err := decodeFooter(b[start : start+n])
	if err != nil {
		panic(err)
	}
	change(m)
	footer, err := thrift.Marshal(new(thrift.CompactProtocol), m)
	if err != nil {
		panic(err)
	}
	out := bytes.Clone(b[:start-8])
	out = binary.LittleEndian.AppendUint64(out, xxhash.Sum64(footer))
	out = append(out, footer...)
	return append(binary.LittleEndian.AppendUint32(out, uint32(len(footer))), parquetMagic...)
}

// recoded says other codecs in a part's footer.
func recoded(b []byte, codecs []Codec) []byte {
	return reseal(b, func(m *format.FileMetaData) {
		for i, c := range codecs {
			m.RowGroups[0].Columns[i].MetaData.Codec = c.parquet()
		}
	})
}

// resized says that pages have so many bytes more before compression.
func resized(b []byte, by int64) []byte {
	return reseal(b, func(m *format.FileMetaData) { m.RowGroups[0].Columns[0].MetaData.TotalUncompressedSize += by })
}

func TestFootersRefused(t *testing.T) {
	table := manifest.Table{Name: "t", Key: []string{"id"}, Columns: []manifest.Column{{Name: "id", Type: "int"}, {Name: "s", Type: "nvarchar(9)", Null: true}}}
	b, _ := writePart(t, table, PartOptions{}, []source.Row{{int64(1), "x"}, {int64(2), nil}})
	if _, err := readPart(reseal(b, func(*format.FileMetaData) {}), table); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		want   string
		change func(m *format.FileMetaData)
	}{
		{"which table it is a part of", func(m *format.FileMetaData) { m.KeyValueMetadata = nil }},
		{"part of another table", func(m *format.FileMetaData) { m.KeyValueMetadata[0].Value = "{}" }},
		{"its columns are not those", func(m *format.FileMetaData) { m.Schema[1].Name = "ID" }},
		{"its columns are not those", func(m *format.FileMetaData) { m.Schema[1].RepetitionType = thrift.New(format.Optional) }},
		{"row group 0: 0 rows", func(m *format.FileMetaData) { m.RowGroups[0].NumRows = 0 }},
		{"row group 0: 9000000 rows", func(m *format.FileMetaData) { m.RowGroups[0].NumRows = 9_000_000 }},
		{"in 1 columns", func(m *format.FileMetaData) { m.RowGroups[0].Columns = m.RowGroups[0].Columns[:1] }},
		{`"id" is described wrongly`, func(m *format.FileMetaData) { m.RowGroups[0].Columns[0].MetaData.DataPageOffset++ }},
		{`"s" is described wrongly`, func(m *format.FileMetaData) { m.RowGroups[0].Columns[1].MetaData.TotalCompressedSize = 1 << 40 }},
		{`"s" is described wrongly`, func(m *format.FileMetaData) { m.RowGroups[0].Columns[1].MetaData.Codec = format.Gzip }},
		{`"s" is described wrongly`, func(m *format.FileMetaData) { m.RowGroups[0].Columns[1].MetaData.NumValues++ }},
		{"its row groups hold 2 rows", func(m *format.FileMetaData) { m.NumRows = 3 }},
		{"its row groups hold 0 rows", func(m *format.FileMetaData) { m.RowGroups, m.NumRows = nil, 0 }},
		{"row 3: chunk is damaged: column \"id\": values are missing", func(m *format.FileMetaData) {
			m.NumRows, m.RowGroups[0].NumRows = 3, 3
			for i := range m.RowGroups[0].Columns {
				m.RowGroups[0].Columns[i].MetaData.NumValues = 3
			}
		}},
		{"row 1: chunk is damaged: column \"id\": a page header says what no part has", func(m *format.FileMetaData) {
			m.NumRows, m.RowGroups[0].NumRows = 1, 1
			for i := range m.RowGroups[0].Columns {
				m.RowGroups[0].Columns[i].MetaData.NumValues = 1
			}
		}},
	} {
		_, err := readPart(reseal(b, c.change), table)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
	other := table
	other.Columns = append([]manifest.Column{}, table.Columns...)
	other.Columns[1].Null = false
	if _, err := readPart(b, other); err == nil || !strings.Contains(err.Error(), "part of another table or of another version of it") {
		t.Errorf("opened as another table: %v", err)
	}
}

func TestPagesRefused(t *testing.T) {
	table := manifest.Table{Name: "t", Columns: []manifest.Column{{Name: "b", Type: "varbinary(max)"}}}
	// Bodies that are stored as they are: only checksums know that they changed.
	for _, size := range []int{1000, bigValue} {
		b, _ := writePart(t, table, PartOptions{}, []source.Row{{noise(1, size)}})
		b[500] ^= 1
		if _, err := readPart(b, table); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "does not agree with its checksum") {
			t.Errorf("a changed value of %d bytes: %v", size, err)
		}
	}
	// A page more than there are rows.
	b, _ := writePart(t, table, PartOptions{}, []source.Row{{noise(1, bigValue)}, {noise(2, bigValue)}})
	b = reseal(b, func(m *format.FileMetaData) {
		m.NumRows, m.RowGroups[0].NumRows, m.RowGroups[0].Columns[0].MetaData.NumValues = 1, 1, 1
	})
	if rows, err := readPart(b, table); len(rows) != 1 || err == nil || !strings.Contains(err.Error(), "bytes follow the last value of a row group") {
		t.Errorf("a page too many: %d rows, %v", len(rows), err)
	}
	// A count that is none of the page's, for which a decoder would make room.
	p := &pageReader{leaf: leaf{typ: format.Int64}, body: binary.AppendUvarint([]byte{0x80, 0x01, 0x04}, 1<<30)}
	if err := p.decode(5); err == nil || !strings.Contains(err.Error(), "does not begin with a block of 5 values") {
		t.Errorf("a block of another length: %v", err)
	}
}

func TestPageHeadersRefused(t *testing.T) {
	required := &pageReader{leaf: leaf{typ: format.ByteArray}, left: 10}
	optional := &pageReader{leaf: leaf{typ: format.Int32, optional: true}, left: 10}
	page := func(enc format.Encoding, values, nulls, levels, stored, raw int32, compressed bool) *format.PageHeader {
		return &format.PageHeader{
			UncompressedPageSize: raw, CompressedPageSize: stored,
			DataPageHeaderV2: thrift.New(format.DataPageHeaderV2{
				NumValues: values, NumNulls: nulls, NumRows: values, Encoding: enc,
				DefinitionLevelsByteLength: levels, IsCompressed: thrift.New(compressed),
			}),
		}
	}
	const array, ints, plain = format.DeltaLengthByteArray, format.DeltaBinaryPacked, format.Plain
	for _, c := range []struct {
		name string
		p    *pageReader
		h    *format.PageHeader
		ok   bool
	}{
		{"texts", required, page(array, 10, 0, 0, 50, 90, true), true},
		{"a large text", required, page(plain, 1, 0, 0, 50, 1_500_000, true), true},
		{"a large text that is not large", required, page(plain, 1, 0, 0, 50, bigValue+3, true), false},
		{"more than any zstd unpacks to", required, page(plain, 1, 0, 0, 50, 50<<15+1, true), false},
		{"more than any deflate unpacks to", &pageReader{leaf: required.leaf, left: 10, codec: Gzip}, page(array, 10, 0, 0, 50, 50*1032+1, true), false},
		{"as much as a deflate unpacks to", &pageReader{leaf: required.leaf, left: 10, codec: Gzip}, page(array, 10, 0, 0, 50, 50*1032, true), true},
		{"more than any Snappy unpacks to", &pageReader{leaf: required.leaf, left: 10, codec: Snappy}, page(array, 10, 0, 0, 60, 60*64/3+1, true), false},
		{"compressed and longer", required, page(array, 10, 0, 0, 90, 50, true), false},
		{"compressed for nothing", required, page(array, 10, 0, 0, 50, 50, true), false},
		{"integers", optional, page(ints, 10, 3, 2, 50, 90, true), true},
		{"more values than rows", required, page(array, 11, 0, 0, 50, 90, true), false},
		{"no values", required, page(array, 0, 0, 0, 50, 90, true), false},
		{"more NULLs than values", optional, page(ints, 3, 4, 2, 50, 90, true), false},
		{"negative NULLs", optional, page(ints, 3, -1, 2, 50, 90, true), false},
		{"two large texts", required, page(plain, 2, 0, 0, 50, 1_500_000, true), false},
		{"a large NULL", required, page(plain, 1, 1, 0, 50, 1_500_000, true), false},
		{"a page as large as no other", required, page(array, 2, 0, 0, 50, maxBody+1, true), false},
		{"another encoding", optional, page(plain, 3, 0, 2, 50, 90, true), false},
		{"levels where there are none", required, page(array, 3, 0, 2, 50, 90, true), false},
		{"no levels where there are some", optional, page(ints, 3, 0, 0, 50, 90, true), false},
		{"negative levels", optional, page(ints, 3, 0, -2, 50, 90, true), false},
		{"levels longer than the page", optional, page(ints, 3, 0, 60, 50, 90, true), false},
		{"negative size", required, page(array, 3, 0, 0, 50, -1, true), false},
		{"longer than the row group", required, page(array, 3, 0, 0, 101, 110, true), false},
		{"as it is but not as long", required, page(array, 3, 0, 0, 50, 51, false), false},
	} {
		v := &c.h.DataPageHeaderV2.V
		if got := c.p.countsFit(v) && c.p.sizesFit(c.h, 100); got != c.ok {
			t.Errorf("%s: accepted is %v", c.name, got)
		}
	}
}

// Bodies that a decoder would take, with other values than they have bytes for, are refused.
func TestValuesOfPagesRefused(t *testing.T) {
	// head begins a body of integers: blocks of 128 in 4 parts, how many, and the first one.
	head := func(count, first int, more ...byte) []byte {
		b := binary.AppendUvarint([]byte{0x80, 0x01, 0x04}, uint64(count))
		return append(binary.AppendVarint(b, int64(first)), more...)
	}
	bits := make([]byte, 4*200)
	for _, c := range []struct {
		name, sql string
		count     int
		body      []byte
		want      string
	}{
		{"one integer", "int", 1, head(1, 7), ""},
		{"none", "int", 0, head(0, 0), ""},
		{"equal ones", "int", 129, head(129, 7, 0, 0, 0, 0, 0), ""},
		{"a byte more", "int", 1, head(1, 7, 0), "its values have 5 bytes, not 6"},
		{"no block", "int", 2, head(2, 7), "integers are cut"},
		{"a block without widths", "int", 2, head(2, 7, 0), "integers are cut"},
		{"a block that is cut", "int", 33, head(33, 7, 0, 8, 0, 0, 0, 1, 2, 3), "integers are cut"},
		{"wider than they are", "int", 33, append(head(33, 7, 0, 33, 0, 0, 0), bits[:132]...), "integers of 33 bits"},
		{"as wide as they are", "bigint", 33, append(head(33, 7, 0, 64, 0, 0, 0), bits[:256]...), ""},
		{"wider than any", "bigint", 33, append(head(33, 7, 0, 65, 0, 0, 0), bits[:260]...), "integers of 65 bits"},
		{"bits for nothing", "int", 2, append(head(2, 7, 0, 0, 8, 0, 0), bits[:32]...), "integers of 8 bits"},
		{"more than there are", "int", 5, head(4, 7, 0, 0, 0, 0, 0), "does not begin with a block of 5 values"},
		{"a first one without end", "int", 1, append(head(1, 7)[:4], bytes.Repeat([]byte{0x80}, 12)...), "integers are cut"},
		{"a text", "varchar(9)", 1, head(1, 3, 'a', 'b', 'c'), ""},
		{"a text and a byte more", "varchar(9)", 1, head(1, 3, 'a', 'b', 'c', 'd'), "its values have 8 bytes, not 9"},
		{"a text that is cut", "varchar(9)", 1, head(1, 3, 'a', 'b'), "decoding a page"},
		// Three lengths, 2³¹-1, 2³¹-1 and 3, whose sum is 1 in 32 bits, and that one byte.
		{"lengths beyond 32 bits", "varbinary(9)", 3, append(head(3, 1<<31-1, append(binary.AppendVarint(nil, 4-1<<31), 31, 0, 0, 0, 0xFC, 0xFF, 0xFF, 0x7F)...),
			make([]byte, 31*32/8-4+1)...), "lengths that add up to more than there is"},
		{"a negative length", "varchar(9)", 1, head(1, -1, 'a'), "decoding a page"},
		{"booleans", "bit", 9, []byte{0xFF, 1}, ""},
		{"more booleans", "bit", 9, []byte{0xFF, 3}, "are not 9 values"},
		{"booleans that are cut", "bit", 9, []byte{0xFF}, "are not 9 values"},
		{"a byte of booleans more", "bit", 8, []byte{0xFF, 0}, "are not 8 values"},
		{"numbers", "float", 2, make([]byte, 16), ""},
		{"numbers that are cut", "float", 2, make([]byte, 15), "are not 2 values"},
		{"a byte more than numbers", "decimal(38,0)", 2, make([]byte, 33), "are not 2 values"},
	} {
		p := &pageReader{leaf: fuzzLeaf(c.sql), body: c.body}
		err := p.decode(c.count)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestLevelsRefused(t *testing.T) {
	for _, c := range []struct {
		name          string
		values, nulls int
		levels        []byte
		ok            bool
	}{
		{"a run", 9, 0, []byte{16, 1, 2, 1}, true},
		{"packed", 16, 8, []byte{5, 0x0F, 0xF0}, true},
		{"all NULL", 9, 9, []byte{16, 0, 2, 0}, true},
		{"all NULL, otherwise", 9, 9, []byte{18, 0}, true},
		{"few NULLs", 3, 3, []byte{6, 0}, true},
		{"fewer than values", 9, 0, []byte{16, 1}, false},
		{"more than values", 9, 0, []byte{20, 1}, false},
		{"more behind the last", 8, 0, []byte{16, 1, 2, 1}, false},
		{"packed ones more", 9, 1, []byte{5, 0xFF, 0}, false},
		{"packed ones that are cut", 16, 8, []byte{5, 0x0F}, false},
		{"another number of NULLs", 9, 1, []byte{16, 1, 2, 1}, false},
		{"NULLs that are none", 9, 9, []byte{16, 0, 2, 1}, false},
		{"no level", 9, 9, []byte{18, 2}, false},
		{"a level that is no level", 9, 0, []byte{18, 2}, false},
		{"a run without end", 9, 9, []byte{0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1}, false},
		{"a run of very many", 9, 9, append(binary.AppendUvarint(nil, 1<<62), 0), false},
		{"a head alone", 9, 9, []byte{18}, false},
	} {
		p := &pageReader{leaf: leaf{optional: true}, values: c.values}
		if err := p.setLevels(c.levels, c.nulls); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// A page holds numbers that the column's type does not.
func TestValuesBeyondTheirTypesRefused(t *testing.T) {
	const day = ticksPerDay / ticksPerMicro
	for _, c := range []struct {
		sql   string
		value int64
		ok    bool
	}{
		{"tinyint", 255, true}, {"tinyint", 256, false}, {"tinyint", -1, false}, {"smallint", 32767, true}, {"smallint", 32768, false},
		{"decimal(4,2)", -9999, true}, {"decimal(4,2)", 10000, false}, {"decimal(4,2)", -10000, false}, {"decimal(18,0)", 1e18, false},
		{"date", lastSecond / secondsPerDay, true}, {"date", lastSecond/secondsPerDay + 1, false},
		{"date", firstSecond / secondsPerDay, true}, {"date", firstSecond/secondsPerDay - 1, false},
		{"time(6)", day - 1, true}, {"time(6)", day, false}, {"time(6)", 0, true}, {"time(6)", -1, false},
		{"datetime2(6)", lastSecond*1e6 + 999_999, true}, {"datetime2(6)", (lastSecond + 1) * 1e6, false},
		{"datetime2(6)", firstSecond * 1e6, true}, {"datetime2(6)", firstSecond*1e6 - 1, false},
	} {
		table := manifest.Table{Name: "t", Columns: []manifest.Column{{Name: "c", Type: c.sql}}}
		b := forged(t, table, Zstd, func(w *PartWriter) {
			w.columns[0].int(c.value)
			w.group.rows, w.content.rows = 1, 1
		})
		if _, err := readPart(b, table); (err == nil) != c.ok || err != nil && !strings.Contains(err.Error(), "row 1: ") || strings.Contains(errText(err), "skimming") {
			t.Errorf("%s %d: %v", c.sql, c.value, err)
		}
	}
	table := manifest.Table{Name: "t", Columns: []manifest.Column{{Name: "c", Type: "datetimeoffset(7)"}}}
	for _, c := range []struct {
		ticks, minutes int64
		want           string
	}{{9, 840, ""}, {0, -840, ""}, {10, 0, "a time that no type has"}, {-1, 0, "a time that no type has"}, {0, 841, "datetimeoffset"}, {0, -841, "datetimeoffset"}} {
		b := forged(t, table, Zstd, func(w *PartWriter) {
			for i, v := range []int64{0, c.ticks, c.minutes} {
				w.columns[i].int(v)
			}
			w.group.rows, w.content.rows = 1, 1
		})
		_, err := readPart(b, table)
		if c.want == "" && err != nil || !strings.Contains(errText(err), c.want) || strings.Contains(errText(err), "skimming") {
			t.Errorf("%d steps, %d minutes: %v, want %q", c.ticks, c.minutes, err, c.want)
		}
	}
}

// No real is a signalling NaN: one in a page would become another value.
func TestSignallingNaNsRefused(t *testing.T) {
	table := manifest.Table{Name: "t", Columns: []manifest.Column{{Name: "r", Type: "real"}}}
	for bits, want := range map[uint32]string{0x7FC00001: "", 0x7FA00000: "a signalling NaN", 0xFF800001: "a signalling NaN"} {
		b := forged(t, table, Zstd, func(w *PartWriter) {
			w.columns[0].fixed(binary.LittleEndian.AppendUint32(nil, bits))
			w.group.rows, w.content.rows = 1, 1
		})
		_, err := readPart(b, table)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%08x: %v, want %q", bits, err, want)
		}
	}
}

func TestVerifyPartComparesWithTheRecord(t *testing.T) {
	table, rows := edgeTable()
	b, rec := writePart(t, table, PartOptions{}, rows)
	zero := manifest.Digest{}
	for _, c := range []struct {
		want   string
		change func(c *manifest.Chunk)
	}{
		{"its bytes have the SHA-256", func(c *manifest.Chunk) { c.SHA256[3] ^= 1 }},
		{"bytes, not", func(c *manifest.Chunk) { c.Bytes++ }},
		{"it has more than", func(c *manifest.Chunk) { c.Bytes-- }},
		{"its schema has", func(c *manifest.Chunk) { c.Schema = &zero }},
		{"its rows have the SHA-256", func(c *manifest.Chunk) { c.Content = &zero }},
		{"rows, not", func(c *manifest.Chunk) { c.Rows++ }},
		{"rows, not", func(c *manifest.Chunk) { c.Items++ }},
		{"its rows have", func(c *manifest.Chunk) { c.Raw++ }},
		{`its keys are "0" to`, func(c *manifest.Chunk) { c.First = "1" }},
		{`its keys are "0" to`, func(c *manifest.Chunk) { c.Last = "1" }},
		{"is not the record of a table part", func(c *manifest.Chunk) { c.Content = nil }},
		{"is not the record of a table part", func(c *manifest.Chunk) { c.Type = manifest.ChunkTar }},
	} {
		want := rec
		c.change(&want)
		err := VerifyPart(bytes.NewReader(b), int64(len(b)), want, table)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
}

// failing is a ReaderAt that works n times.
type failing struct {
	io.ReaderAt
	n   int
	err error
}

func (f *failing) ReadAt(p []byte, off int64) (int, error) {
	if f.n--; f.n < 0 {
		return 0, f.err
	}
	return f.ReaderAt.ReadAt(p, off)
}

func TestReadErrorsAreNotDamage(t *testing.T) {
	table, rows := largeTable()
	b, _ := writePart(t, table, PartOptions{}, rows[:8])
	broken := errors.New("network is down")
	pool := new(Pool)
	for n := 0; ; n++ {
		f := &failing{bytes.NewReader(b), n, broken}
		_, err := pool.readPart(f, int64(len(b)), table)
		if err == nil {
			if n < 20 {
				t.Errorf("only %d reads", n)
			}
			return
		}
		if !errors.Is(err, broken) || errors.Is(err, ErrDamaged) {
			t.Fatalf("read %d fails: got %v", n, err)
		}
	}
}

func TestPartIsOnlyKnownAtItsEnd(t *testing.T) {
	table, rows := edgeTable()
	b, _ := writePart(t, table, PartOptions{}, rows)
	r, err := NewPartReader(bytes.NewReader(b), int64(len(b)), table)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Read(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Part(); err == nil {
		t.Error("Part is known before the end")
	}
	r.Close()
	if _, err := r.Read(); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("Read after Close: %v", err)
	}
}

// Damage behind every checksum gives an error or other rows, never a panic: page bodies are changed and their checksums
// made to agree.
func TestDamageBehindChecksums(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 1))
	for range 300 {
		table, rows := randomTable(r, 1+r.IntN(300))
		s, err := newPartSchema(table)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range s.fields {
			p := newPartField(f)
			for i := range rows {
				if v := rows[i][0]; f.col.Name == "c0" && (v != nil || f.col.Null) && len(bytesOf(v)) < bigValue {
					p.put(v)
				}
			}
			enc, err := new(Pool).encoder(1)
			if err != nil {
				t.Fatal(err)
			}
			pg := pager{enc: enc}
			body, err := pg.encode(p.value)
			if err != nil {
				t.Fatal(err)
			}
			count := p.value.values - p.value.nulls
			pr := &pageReader{leaf: p.value.leaf}
			for range 5 {
				pr.body = bytes.Clone(body)
				if len(pr.body) > 0 {
					pr.body[r.IntN(len(pr.body))] ^= byte(1 + r.IntN(255))
				}
				if r.IntN(3) == 0 {
					pr.body = pr.body[:r.IntN(len(pr.body)+1)]
				}
				if err := pr.decode(count); err != nil && !strings.HasPrefix(err.Error(), "decoding a page: ") {
					t.Fatalf("%s: %v", f.col.Type.SQL, err)
				}
			}
			break
		}
	}
}

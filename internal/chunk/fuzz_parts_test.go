package chunk

import (
	"bufio"
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/snappy"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

// fuzzTable has columns of every physical type, with texts that are no Unicode, in a part of a few thousand bytes.
func fuzzTable() (manifest.Table, []source.Row) {
	table := manifest.Table{Name: "fuzz", Key: []string{"id"}, Columns: []manifest.Column{
		{Name: "id", Type: "int"}, {Name: "bit", Type: "bit", Null: true}, {Name: "big", Type: "bigint", Null: true},
		{Name: "float", Type: "float"}, {Name: "real", Type: "real", Null: true}, {Name: "dec", Type: "decimal(38,19)", Null: true},
		{Name: "text", Type: "nvarchar(max)", Null: true}, {Name: "plain", Type: "varchar(max)"}, {Name: "blob", Type: "varbinary(max)", Null: true},
		{Name: "when", Type: "datetimeoffset(7)", Null: true}, {Name: "guid", Type: "uniqueidentifier"},
	}}
	r := rand.New(rand.NewPCG(2, 2))
	var rows []source.Row
	for i := range 200 {
		row := source.Row{int64(i), i%3 == 0, r.Int64(), r.Float64(), float64(r.Float32()), "-1." + strings.Repeat("4", 19),
			string(text(r.Uint64(), r.IntN(20))), string(text(r.Uint64(), r.IntN(20))), text(r.Uint64(), r.IntN(20)),
			moment(2000, 1, 1, 0, 0, i, 100*i).In(source.Zone(i)), [16]byte{0: byte(i), 7: byte(r.Uint32())}}
		if i%20 == 7 {
			row[6] = firstHalf + row[6].(string)
		}
		for k := range row {
			if table.Columns[k].Null && r.IntN(4) == 0 {
				row[k] = nil
			}
		}
		rows = append(rows, row)
	}
	return table, rows
}

// fuzzRoom is more than reading one of these parts may take.
const fuzzRoom = 24 << 20

// A part whose bytes were changed gives the rows that were written, or an error, with any codec; and takes little memory.
func FuzzPartReader(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 9))
	table, rows := fuzzTable()
	pool := new(Pool)
	parts, records := make([][]byte, len(codecs)), make([]manifest.Chunk, len(codecs))
	for i, c := range codecs {
		parts[i], records[i] = writePart(f, table, PartOptions{Codec: c, Pool: pool}, rows)
		for kind := range byte(3) {
			for range 10 {
				f.Add(byte(i), kind, uint32(r.IntN(len(parts[i]))), noise(r.Uint64(), r.IntN(10)))
			}
		}
	}
	f.Fuzz(func(t *testing.T, codec, kind byte, at uint32, patch []byte) {
		whole, rec := parts[int(codec)%len(parts)], records[int(codec)%len(parts)]
		b := bytes.Clone(whole)
		i := int(at) % len(b)
		end := min(len(b), i+len(patch))
		switch kind % 3 {
		case 0:
			copy(b[i:], patch)
		case 1:
			b = slices.Delete(b, i, end)
		default:
			b = slices.Insert(b, i, patch...)
		}
		if n := allocated(func() {
			got, err := pool.readPart(bytes.NewReader(b), int64(len(b)), table)
			if err == nil {
				err = got.Check(rec)
			}
			if err == nil && kind%3 > 0 && len(patch) > 0 && !bytes.Equal(b, whole) {
				t.Errorf("bytes more or less are accepted")
			}
			if err != nil && !errors.Is(err, ErrDamaged) && !strings.Contains(err.Error(), "part of another table") {
				t.Errorf("not told as damage: %v", err)
			}
			// What is read without an error is what was written, even without the record.
			if strings.HasPrefix(errText(err), ErrDamaged.Error()+": its ") {
				t.Errorf("other rows were read: %v", err)
			}
		}); n > fuzzRoom {
			t.Errorf("reading %d bytes takes %d MiB", len(b), n>>20)
		}
		if err := pool.VerifyPart(bytes.NewReader(b), int64(len(b)), rec, table); (err == nil) != bytes.Equal(b, whole) {
			t.Errorf("VerifyPart says %v", err)
		}
	})
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// Pages of any bytes behind checksums that agree give rows that a writer takes, or an error, and take little memory.
func FuzzPages(f *testing.F) {
	table, rows := fuzzTable()
	pool := new(Pool)
	whole := make([][]*column, len(codecs))
	for i, c := range codecs {
		var at []*column
		forged(f, table, c, func(w *PartWriter) {
			for _, row := range rows[:40] {
				if err := w.write(row); err != nil {
					f.Fatal(err)
				}
			}
			for _, c := range w.columns {
				if c.sparse {
					w.pager.fill(c, 40)
				}
				d := *c
				d.levels, d.i32, d.i64 = slices.Clone(c.levels), slices.Clone(c.i32), slices.Clone(c.i64)
				d.data, d.offsets = slices.Clone(c.data), slices.Clone(c.offsets)
				at = append(at, &d)
			}
		})
		whole[i] = at
		for k := range at {
			f.Add(byte(i), byte(k), false, uint16(k), []byte{1}, int32(0))
			f.Add(byte(i), byte(k), true, uint16(k), []byte{0xFF, 0xFF}, int32(-1))
		}
	}
	f.Fuzz(func(t *testing.T, codec, leaf byte, packed bool, at uint16, patch []byte, more int32) {
		c := codecs[int(codec)%len(codecs)]
		cols := whole[int(codec)%len(codecs)]
		b := forged(t, table, c, func(w *PartWriter) {
			for k, from := range cols {
				patched := k == int(leaf)%len(cols)
				if err := forgePage(w, w.columns[k], from, patched, packed, int(at), patch, more); err != nil {
					t.Fatal(err)
				}
			}
			w.group.rows, w.content.rows = 40, 40
		})
		if n := allocated(func() { readRows(b, table) }); n > fuzzRoom {
			t.Errorf("reading %d bytes takes %d MiB", len(b), n>>20)
		}
		got, err := readPart(b, table)
		if err != nil {
			if !errors.Is(err, ErrDamaged) {
				t.Errorf("not told as damage: %v", err)
			}
			return
		}
		again, _ := writePart(t, table, PartOptions{Codec: c, Pool: pool}, got)
		back, err := readPart(again, table)
		if d := cmp.Diff(got, back, sameValues); d != "" || err != nil {
			t.Errorf("what was read comes back as another: %v\n%s", err, d)
		}
	})
}

// forgePage adds a page as it was written, or with bytes changed in its body before or after compression, and another
// length said.
func forgePage(w *PartWriter, c, from *column, patched, packed bool, at int, patch []byte, more int32) error {
	c.values, c.nulls, c.levels = from.values, from.nulls, from.levels
	body, err := w.pager.encode(from)
	if err != nil {
		return err
	}
	body = bytes.Clone(body)
	overwrite := func(b []byte) []byte {
		if !patched || len(b) == 0 {
			return b
		}
		copy(b[at%len(b):], patch)
		return b
	}
	if !packed {
		body = overwrite(body)
	}
	out, err := w.pager.enc.compress(w.pager.codec, body)
	if err != nil {
		return err
	}
	stored := body
	if len(out) < len(body) {
		stored = bytes.Clone(out)
	}
	if packed {
		stored = overwrite(stored)
	}
	raw := len(body)
	if patched {
		raw += int(more)
	}
	err = w.pager.add(c, c.encoding(), raw, [][]byte{stored}, true)
	c.values = 0
	return err
}

// Bytes as the body and the levels of a page of every type give as many values as it says, which can all be read, or an
// error.
func FuzzPage(f *testing.F) {
	types := fuzzTypes()
	table, rows := fuzzTable()
	for i, e := range typeEdges() {
		p := newPartField(field{col: columns(e.sql)[0], value: fuzzLeaf(e.sql)})
		for _, v := range e.values[:min(5, len(e.values))] {
			p.put(v)
		}
		enc, err := new(Pool).encoder(1)
		if err != nil {
			f.Fatal(err)
		}
		body, err := (&pager{enc: enc}).encode(p.value)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(byte(i), uint16(p.value.values), uint16(0), body[:min(len(body), 500)], []byte{2 * 5, 1})
	}
	f.Add(byte(0), uint16(40), uint16(3), []byte(table.Name), []byte{byte(len(rows)), 0, 5, 0xFF, 0x0F})
	f.Fuzz(func(t *testing.T, kind byte, count, nulls uint16, body, levels []byte) {
		typ := types[int(kind)%len(types)]
		p := &pageReader{leaf: fuzzLeaf(typ), body: body, values: int(count) + int(nulls)}
		var err error
		if n := allocated(func() { err = p.decode(int(count)) }); n > 4<<20+uint64(8*len(body))+16*uint64(count) {
			t.Errorf("%s: decoding %d bytes takes %d", typ, len(body), n)
		}
		if err == nil {
			r := fieldReader{Column: columns(typ)[0], value: p}
			for at := range int(count) {
				if _, err := r.get(at, int64(body[0]), 0); err != nil && r.Type.Kind < source.Date && r.Type.Kind != source.Real {
					t.Fatalf("%s: %v", typ, err)
				}
			}
		}
		p.optional = true
		if err := p.setLevels(levels, int(nulls)); err != nil || p.blank {
			return
		}
		if n := bytes.Count(p.levels, []byte{1}); len(p.levels) != p.values || n != int(count) {
			t.Errorf("%d levels with %d values, want %d and %d", len(p.levels), n, p.values, count)
		}
	})
}

func fuzzLeaf(sql string) leaf {
	l, _ := valueLeaf(source.ParseType(sql))
	return l
}

// Bytes unpack to exactly what is asked for, or not at all, whatever the codec. What is Snappy here is Snappy elsewhere.
func FuzzUnpack(f *testing.F) {
	e, err := new(Pool).encoder(1)
	if err != nil {
		f.Fatal(err)
	}
	for i, c := range codecs {
		for _, content := range [][]byte{nil, []byte("a"), text(1, 300), bytes.Repeat([]byte("ab"), 5000), make([]byte, 100_000)} {
			out, err := e.compress(c, content)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(byte(i), uint32(len(content)), bytes.Clone(out))
		}
	}
	pool := new(Pool)
	f.Fuzz(func(t *testing.T, codec byte, size uint32, b []byte) {
		c, raw := codecs[int(codec)%len(codecs)], int(size%(maxBody+1))
		d, err := pool.decoder()
		if err != nil {
			t.Fatal(err)
		}
		defer pool.putDecoder(d)
		var got []byte
		if n := allocated(func() { got, err = d.unpack(c, b, nil, raw) }); n > 16<<20+uint64(raw) {
			t.Errorf("%s: unpacking %d bytes to %d takes %d", c, len(b), raw, n)
		}
		stream := make([]byte, raw)
		if other := d.inflate(c, bytes.NewReader(b), stream); (err == nil) != (other == nil) || err == nil && !bytes.Equal(got, stream) {
			t.Errorf("%s: at once %v, as a stream %v", c, err, other)
		}
		if err != nil {
			return
		}
		if len(got) != raw || int64(raw) > c.most(int64(len(b))) {
			t.Errorf("%s: %d bytes unpack to %d, not %d", c, len(b), len(got), raw)
		}
		if c == Snappy {
			if other, err := snappy.DecodeStrict(nil, b); err != nil || !bytes.Equal(got, other) {
				t.Errorf("the library unpacks to %d bytes, not %d: %v", len(other), len(got), err)
			}
		}
	})
}

// Any content comes back from every codec, and other readers of Snappy give the same.
func FuzzPack(f *testing.F) {
	for _, content := range snappyContents()[:40] {
		f.Add(content[:min(len(content), 3000)], uint16(3))
	}
	pool := new(Pool)
	f.Fuzz(func(t *testing.T, seed []byte, times uint16) {
		content := bytes.Repeat(seed, 1+int(times)%50)
		e, err := pool.encoder(1 + int(times)%3)
		if err != nil {
			t.Fatal(err)
		}
		defer pool.putEncoder(e)
		d, err := pool.decoder()
		if err != nil {
			t.Fatal(err)
		}
		defer pool.putDecoder(d)
		for _, c := range codecs[1:] {
			out, err := e.compress(c, content)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := d.unpack(c, out, nil, len(content)); err != nil || !bytes.Equal(got, content) {
				t.Errorf("%s: %d bytes come back as %d: %v", c, len(content), len(got), err)
			}
			if int64(len(content)) > c.most(int64(len(out))) {
				t.Errorf("%s: %d bytes become %d, which is less than is thought possible", c, len(content), len(out))
			}
		}
		out := e.snappy.encode(nil, content)
		if got, err := snappy.Decode(nil, out); err != nil || !bytes.Equal(got, content) {
			t.Errorf("the library unpacks %d bytes to %d: %v", len(content), len(got), err)
		}
		got := make([]byte, len(content))
		if err := unsnappy(got, bufio.NewReaderSize(bytes.NewReader(out), 16)); err != nil || !bytes.Equal(got, content) {
			t.Errorf("through a small buffer: %v", err)
		}
	})
}

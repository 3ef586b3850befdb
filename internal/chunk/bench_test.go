package chunk

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

// officeFiles are files as an archive has them: text, images, and documents that share parts with each other.
func officeFiles(total int) []member {
	r := rand.New(rand.NewPCG(1, 1))
	theme := noise(1, 7<<10)
	var members []member
	for sum := 0; sum < total; {
		n := 4<<10 + int(r.ExpFloat64()*50_000)
		var content []byte
		switch k := r.IntN(10); {
		case k < 3:
			content = text(r.Uint64(), n)
		case k < 5:
			content = noise(r.Uint64(), n)
		default:
			content = append(noise(r.Uint64(), n), theme...)
			content = append(content, text(r.Uint64(), n/10)...)
		}
		members = append(members, file(fmt.Sprintf("document/bob/2002.2/letter %d.doc", len(members)), content))
		sum += len(content)
	}
	return members
}

// BenchmarkWriter packs files into a chunk. "floor" is the work that cannot be left out: reading every byte once,
// SHA-256 of every file and of the chunk, and EncodeAll of pieces of 1 MiB.
func BenchmarkWriter(b *testing.B) {
	members := officeFiles(30 << 20)
	size := 0
	for _, m := range members {
		size += len(m.content)
	}
	pool := new(Pool)
	for level := minLevel; level <= maxLevel; level++ {
		b.Run(fmt.Sprintf("level=%d", level), func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			stored := int64(0)
			for b.Loop() {
				w := NewWriter(io.Discard, Options{Level: level, Pool: pool})
				for _, m := range members {
					if _, _, err := w.Add(m.Entry, bytes.NewReader(m.content)); err != nil {
						b.Fatal(err)
					}
				}
				s, err := w.Close()
				if err != nil {
					b.Fatal(err)
				}
				stored = s.Bytes
			}
			b.ReportMetric(float64(stored)/float64(size), "ratio")
		})
		b.Run(fmt.Sprintf("floor,level=%d", level), func(b *testing.B) {
			e, err := pool.encoder(level)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(size))
			for b.Loop() {
				whole := sha256.New()
				e.raw = e.raw[:0]
				for i, m := range members {
					sha256.Sum256(m.content)
					e.raw = append(e.raw, m.content...)
					if len(e.raw) >= frameSize || i == len(members)-1 {
						e.out = e.zstd.EncodeAll(e.raw, e.out[:0])
						whole.Write(e.out)
						e.raw = e.raw[:0]
					}
				}
			}
		})
	}
}

func BenchmarkVerify(b *testing.B) {
	chunk, rec, _ := pack(b, 2, officeFiles(30<<20)...)
	pool := new(Pool)
	b.SetBytes(rec.Raw)
	for b.Loop() {
		if err := pool.Verify(bytes.NewReader(chunk), rec); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkEntrySize is what the planner costs for every file.
func BenchmarkEntrySize(b *testing.B) {
	for name, path := range map[string]string{"plain": longNames[0], "pax": "document/Bjørn/2002.2/tilbud æøå.doc"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				EntrySize(path, 12345)
			}
		})
	}
}

// officeTable is like a table of appointments, of 10 columns.
func officeTable(n int) (manifest.Table, []source.Row) {
	table := manifest.Table{Name: "appointment", Key: []string{"appointment_id"}, Columns: []manifest.Column{
		{Name: "appointment_id", Type: "int"}, {Name: "contact_id", Type: "int"}, {Name: "associate_id", Type: "int", Null: true},
		{Name: "do_by", Type: "datetime"}, {Name: "registered", Type: "datetime", Null: true}, {Name: "type", Type: "smallint"},
		{Name: "header", Type: "nvarchar(239)", Null: true}, {Name: "location", Type: "nvarchar(239)", Null: true},
		{Name: "value", Type: "decimal(19,4)"}, {Name: "text", Type: "nvarchar(max)", Null: true},
	}}
	r := rand.New(rand.NewPCG(1, 1))
	rows := make([]source.Row, n)
	base := time.Date(2015, 1, 1, 8, 0, 0, 0, time.UTC)
	for i := range rows {
		at := base.Add(time.Duration(i) * 17 * time.Minute)
		var location any
		if r.IntN(3) == 0 {
			location = fmt.Sprintf("room %d", r.IntN(40))
		}
		rows[i] = source.Row{
			int64(i), int64(r.IntN(20_000)), int64(r.IntN(200)), at.Truncate(time.Hour), at, int64(r.IntN(6)),
			string(text(r.Uint64(), 10+r.IntN(30))), location,
			fmt.Sprintf("%d.%04d", r.IntN(100_000), r.IntN(100)*100), string(text(r.Uint64(), 20+r.IntN(100))),
		}
	}
	return table, rows
}

func BenchmarkPartWriter(b *testing.B) {
	table, rows := officeTable(groupRows)
	pool := new(Pool)
	for _, codec := range codecs {
		for level := minLevel; level <= maxLevel; level++ {
			name := fmt.Sprintf("level=%d", level)
			if codec != Zstd {
				name = string(codec) + "," + name
			}
			b.Run(name, func(b *testing.B) {
				b.ReportAllocs()
				var p Part
				for b.Loop() {
					w, err := NewPartWriter(io.Discard, table, PartOptions{Codec: codec, Level: level, Pool: pool})
					if err != nil {
						b.Fatal(err)
					}
					for _, row := range rows {
						if err := w.Write(row); err != nil {
							b.Fatal(err)
						}
					}
					if p, err = w.Close(); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(len(rows)*b.N)/b.Elapsed().Seconds(), "rows/s")
				b.ReportMetric(float64(p.Bytes)/float64(len(rows)), "bytes/row")
			})
			if codec == Snappy {
				break // it has no levels
			}
		}
	}
}

func BenchmarkPartReader(b *testing.B) {
	table, rows := officeTable(groupRows)
	pool := new(Pool)
	for _, codec := range codecs {
		part, _ := writePart(b, table, PartOptions{Codec: codec}, rows)
		b.Run(string(codec), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := pool.readPart(bytes.NewReader(part), int64(len(part)), table); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(rows)*b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

func BenchmarkAppendRow(b *testing.B) {
	table, rows := officeTable(groupRows)
	cols := source.FromRecord(table).Columns
	var buf []byte
	i := 0
	for b.Loop() {
		var err error
		if buf, err = AppendRow(buf[:0], cols, rows[i%len(rows)]); err != nil {
			b.Fatal(err)
		}
		i++
	}
}

// BenchmarkEncodeAll is the bare encoder on a compressible and an incompressible frame, to judge what sampling saves.
func BenchmarkEncodeAll(b *testing.B) {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(window), zstd.WithLowerEncoderMem(true))
	if err != nil {
		b.Fatal(err)
	}
	for name, content := range map[string][]byte{"text": text(1, frameSize), "noise": noise(1, frameSize)} {
		b.Run(name, func(b *testing.B) {
			var out []byte
			b.SetBytes(frameSize)
			for b.Loop() {
				out = e.EncodeAll(content, out[:0])
			}
		})
	}
}

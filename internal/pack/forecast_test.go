package pack

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
	"github.com/openomt/omt/internal/spool"
)

var schemaA, schemaB = manifest.Digest{1}, manifest.Digest{2}

// pastOf is a table of parts of 100,000 bytes and 1,000 rows each, 100 bytes a row.
func pastOf(parts int, change func(*tablePast)) *tablePast {
	t := &tablePast{rows: int64(1000 * parts)}
	for i := range parts {
		t.parts = append(t.parts, &knownPart{
			records: []manifest.Chunk{{SHA256: manifest.Digest{byte(i)}, Rows: 1000, Bytes: 100_000, Schema: &schemaA, Content: &schemaB}},
			chunks:  []*knownChunk{{receipt: true}},
		})
	}
	if change != nil {
		change(t)
	}
	return t
}

// What a table may come to, by its rows now and what the manifests say.
func TestForecastOfATable(t *testing.T) {
	twice := func(sent, more int64) func(*tablePast) {
		return func(p *tablePast) { p.twice, p.sent, p.more = true, sent, more }
	}
	all := func(manifest.Chunk) bool { return true }
	none := func(manifest.Chunk) bool { return false }
	cases := map[string]struct {
		past    *tablePast
		rows    int64
		schema  manifest.Digest
		digests func(manifest.Chunk) bool
		want    guess
	}{
		"sent once, and as many rows":   {pastOf(10, nil), 10_000, schemaA, all, guess{likely: 0, most: 1_000_000 + smallPart, blind: true}},
		"sent once, and rows came":      {pastOf(10, nil), 10_100, schemaA, all, guess{likely: 10_000 + smallPart, most: 1_010_000 + smallPart, blind: true}},
		"the last delta":                {pastOf(10, twice(30_000, 0)), 10_000, schemaA, all, guess{likely: 30_000, most: 1_000_000 + smallPart}},
		"the last delta had new rows":   {pastOf(10, twice(30_000, 200)), 10_000, schemaA, all, guess{likely: 10_000, most: 1_000_000 + smallPart}},
		"new rows were most of it":      {pastOf(10, twice(30_000, 500)), 10_000, schemaA, all, guess{likely: 0, most: 1_000_000 + smallPart}},
		"the last delta, and rows came": {pastOf(10, twice(30_000, 0)), 10_100, schemaA, all, guess{likely: 40_000 + smallPart, most: 1_010_000 + smallPart}},
		"the last delta, and rows went": {pastOf(10, twice(30_000, 0)), 9_900, schemaA, all, guess{likely: 30_000 + 800 + smallPart, most: 990_000 + smallPart}},
		"nothing changed the last time": {pastOf(10, twice(0, 0)), 10_000, schemaA, all, guess{likely: 0, most: 1_000_000 + smallPart}},
		"more than everything":          {pastOf(1, twice(900_000, 0)), 500, schemaA, all, guess{likely: 900_000, most: 900_000}},
		"a column more":                 {pastOf(10, twice(30_000, 0)), 10_000, schemaB, all, guess{likely: 1_000_000 + smallPart, most: 1_000_000 + smallPart, whole: true}},
		"without row digests":           {pastOf(10, twice(30_000, 0)), 10_001, schemaA, none, guess{likely: 100_000, most: 1_000_100 + smallPart, lacking: 10}},
		"without them, nothing came":    {pastOf(10, twice(30_000, 0)), 10_000, schemaA, none, guess{likely: 30_000, most: 1_000_000 + smallPart, lacking: 10}},
		"without a key":                 {pastOf(10, twice(30_000, 0)), 10_001, schemaA, nil, guess{likely: 100_000, most: 1_000_100 + smallPart}},
		"a part is gone there": {pastOf(10, func(p *tablePast) { twice(0, 0)(p); p.parts[3].chunks[0].receipt = false }), 10_000, schemaA, all,
			guess{likely: 100_000, most: 1_000_000 + smallPart}},
		"empty now": {pastOf(1, nil), 0, schemaA, all, guess{likely: smallPart, most: smallPart}},
	}
	for name, c := range cases {
		if got := c.past.ahead(c.rows, c.schema, c.digests); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
	if got := fresh(1000, 100); got != (guess{likely: 100_000 + smallPart, most: 100_000 + smallPart, whole: true}) {
		t.Errorf("a table that nobody knows: %+v", got)
	}
	if got := fresh(0, 100); got != (guess{}) {
		t.Errorf("an empty one that nobody knows: %+v", got)
	}
}

// What is remembered of a table is what the last manifest with something new says of it.
func TestRememberedOfATable(t *testing.T) {
	c := newCutover(t, "id")
	r := rand.New(rand.NewPCG(3, 1))
	rows := func(n int) (list []source.Row) {
		for i := range n {
			list = append(list, source.Row{int64(i), fmt.Sprint(r.Uint64()), "v"})
		}
		return list
	}
	all := rows(20_000)
	c.run(all)
	once := know(t, c.pushed...).last["t"]
	if once == nil || once.rows != 20_000 || once.twice || once.sent != c.bytes || once.more != 0 {
		t.Fatalf("after one push: %+v", once)
	}
	for i := range 100 {
		all[200*i] = source.Row{int64(200 * i), fmt.Sprint(r.Uint64()), "w"}
	}
	c.run(append(all, source.Row{int64(20_000), "new", "v"}))
	for name, manifests := range map[string][][]byte{"two": c.pushed, "one of them twice": {c.pushed[0], c.pushed[1], c.pushed[0], c.pushed[1]}} {
		k := know(t, manifests...)
		p := k.last["t"]
		if p == nil || p.rows != 20_001 || !p.twice || p.sent != c.bytes || p.more != 1 || c.bytes == 0 {
			t.Errorf("%s: %+v, and %d bytes were sent", name, p, c.bytes)
		}
		schema := *p.parts[0].records[0].Schema
		has := digests(c.spool, c.table)
		if g := p.ahead(20_001, schema, has); g.lacking != 0 || g.blind || g.whole || g.likely < c.bytes/2 || g.likely > c.bytes {
			t.Errorf("%s: %+v", name, g)
		}
		if row := k.aRow(); row < 1 || row > 100 {
			t.Errorf("a row takes %f bytes", row)
		}
	}
	if err := os.RemoveAll(c.spool.Path("rows")); err != nil {
		t.Fatal(err)
	}
	p := know(t, c.pushed...).last["t"]
	if g := p.ahead(20_001, *p.parts[0].records[0].Schema, digests(c.spool, c.table)); g.lacking != int64(len(p.parts)) {
		t.Errorf("without row digests: %+v", g)
	}
	if digests(c.spool, tableOf()) != nil {
		t.Error("a table without a key has row digests")
	}
}

// How far files compress is what chunks of their area did.
func TestShareOfAnArea(t *testing.T) {
	k := &known{chunks: []*knownChunk{
		{Chunk: manifest.Chunk{Area: manifest.Document, Raw: 1000, Bytes: 100}}, {Chunk: manifest.Chunk{Area: manifest.Document, Raw: 1000, Bytes: 500}},
		{Chunk: manifest.Chunk{Area: manifest.Service, Raw: 1000, Bytes: 900}},
	}}
	for area, want := range map[manifest.Area]float64{manifest.Document: 0.3, manifest.Service: 0.9, manifest.Template: 1} {
		if got, ok := k.compresses(area); got != want || ok != (want < 1) {
			t.Errorf("%s: %v, %v", area, got, ok)
		}
	}
	if _, ok := (*known)(nil).compresses(manifest.Document); ok {
		t.Error("where nothing is known a share is")
	}
}

// The time for the tables comes from the last pack, and is not known where that told nothing.
func TestReadingTime(t *testing.T) {
	cases := map[string]struct {
		rows int64
		took time.Duration
		note string // instead
		want time.Duration
	}{
		"measured":         {rows: 1000, took: 10 * time.Second, want: 50 * time.Second},
		"too short":        {rows: 1000, took: time.Second / 2},
		"no rows":          {took: 10 * time.Second},
		"clock set back":   {rows: 1000, took: -time.Hour},
		"damaged":          {note: `{"rows":1000,"sec`},
		"of another build": {note: `{"rows":-1,"seconds":9}`},
	}
	for name, c := range cases {
		s, err := spool.Open(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		if err := noteReading(s, c.rows, c.took); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(s.Path("reading.json")); (err == nil) != (c.rows > 0 && c.took > 0) {
			t.Errorf("%s: noted: %v", name, err)
		}
		if c.note != "" {
			if err := os.WriteFile(s.Path("reading.json"), []byte(c.note), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got, ok := readingTime(s, 5000); got != c.want || ok != (c.want > 0) {
			t.Errorf("%s: %s, %v", name, got, ok)
		}
	}
}

func TestForecastIsSaid(t *testing.T) {
	f := &Forecast{
		Known: true, To: "file:///tenant", Reading: 3 * time.Minute, ReadKnown: true, Left: 1234,
		Rate:   &Rate{To: "file:///tenant", At: time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC), Bytes: 500_000_000, Time: 100 * time.Second},
		Areas:  []AreaForecast{{Area: manifest.Document, Files: 1000, Bytes: 2_000_000_000, Packed: 1_200_000_000, There: 49_000}},
		Tables: &TableForecast{Tables: 210, Rows: 5_000_000, Likely: 300_000_000, Most: 4_000_000_000, Lacking: 3},
	}
	want := `cut-over now would send 1.5 GB, about 5 minutes at the measured rate (5.0 MB/s to file:///tenant, 2026-11-22T04:00:00Z)
document: 1,000 files, 2.0 GB on disk, about 1.2 GB packed; 49,000 are at the destination
database: 5,000,000 rows in 210 tables, about 300 MB, at most 4.0 GB
database: parts without row digests in this spool: 3; each is sent whole if a row of it changed, unless --spool is that of the last pack
reading and packing the tables: about 3 minutes at the rate of the last pack in this spool
files that stay for their age: 1,234
this is a forecast: files are counted, their size in chunks and the tables are estimated; if no file compressed and every row had changed, it would be 6.0 GB`
	if diff := cmp.Diff(want, strings.Join(f.Lines(), "\n")); diff != "" {
		t.Error(diff)
	}
	f.Rate, f.Tables.Blind, f.Ahead = nil, 2, true
	want = "this part, packed now, would send 1.5 GB and what was changed in rows of 2 tables; how long that takes is not known: " +
		"this spool tells of no push to file:///tenant that was long enough to measure"
	if got := f.Lines()[0]; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "a second", 1499 * time.Millisecond: "a second", 90 * time.Second: "90 seconds", 150 * time.Second: "3 minutes",
		119 * time.Minute: "119 minutes", 150 * time.Minute: "2.5 hours",
	} {
		if got := span(d); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
}

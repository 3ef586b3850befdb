package pack

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/chunk"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/parts"
	"github.com/openomt/omt/internal/source"
)

// cutover is a table that is packed again and again, each time with what the runs before have pushed.
type cutover struct {
	*exporter
	t      *testing.T
	table  manifest.Table
	source *reader
	pushed [][]byte // manifests
	list   []manifest.Chunk
	bytes  int64 // of chunks that the last run made
}

func newCutover(t *testing.T, key ...string) *cutover {
	r := &reader{consistent: true}
	c := &cutover{exporter: newExporter(t, r), t: t, table: tableOf(key...), source: r}
	c.begin()
	return c
}

func (c *cutover) begin() {
	var err error
	if c.sketches, err = openSketches(c.spool); err != nil {
		c.t.Fatal(err)
	}
}

// run packs rows.
func (c *cutover) run(rows []source.Row) {
	c.t.Helper()
	c.begin()
	known := know(c.t, c.pushed...)
	c.known, c.source.rows = known, rows
	list, n, err := c.export2(known)
	if err != nil || n != int64(len(rows)) {
		c.t.Fatalf("%d rows of %d: %v", n, len(rows), err)
	}
	if err := c.sketches.clean(known); err != nil {
		c.t.Fatal(err)
	}
	c.list, c.bytes = list, 0
	records := []manifest.Record{c.table}
	for _, k := range list {
		if !known.is(k.SHA256) {
			c.bytes += k.Bytes
		}
		records = append(records, k)
	}
	c.pushed = append(c.pushed, pushed(c.t, result{records: records}, nil))
}

func (c *cutover) export2(known *known) (list []manifest.Chunk, rows int64, err error) {
	rows, err = c.export(c.t.Context(), c.table, new(skips), func(k manifest.Chunk) error {
		if _, err := os.Stat(c.spool.ChunkPath(k.SHA256, k.Type)); err != nil && !known.is(k.SHA256) {
			c.t.Errorf("a chunk was reported before it was there: %v", err)
		}
		list = append(list, k)
		return nil
	})
	if left, _ := os.ReadDir(c.temp); len(left) > 0 {
		c.t.Errorf("left in the folder for unfinished work: %v", left)
	}
	return list, rows, err
}

// read reads the table as its chunks say, in the order of its parts.
func (c *cutover) read() (rows []source.Row) {
	c.t.Helper()
	for from := 0; from < len(c.list); {
		to := from + 1
		for to < len(c.list) && c.list[to].Op != "" {
			to++
		}
		var links []chunk.Link
		for _, k := range c.list[from:to] {
			f, err := os.Open(c.spool.ChunkPath(k.SHA256, k.Type))
			if err != nil {
				c.t.Fatal(err)
			}
			defer f.Close()
			links = append(links, chunk.Link{File: f, Chunk: k})
		}
		r, err := c.pool.NewChainReader(c.table, links)
		if err != nil {
			c.t.Fatal(err)
		}
		for {
			row, err := r.Read()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				c.t.Fatal(err)
			}
			rows = append(rows, row)
		}
		r.Close()
		from = to
	}
	return rows
}

func (c *cutover) want(rows []source.Row) {
	c.t.Helper()
	s, err := parts.Ordered(c.t.Context(), source.FromRecord(c.table), (&reader{rows: rows}).Rows(c.t.Context(), source.Table{}), c.t.TempDir())
	if err != nil {
		c.t.Fatal(err)
	}
	defer s.Close()
	var want []source.Row
	for row, err := range s.Rows() {
		if err != nil {
			c.t.Fatal(err)
		}
		want = append(want, row)
	}
	if d := cmp.Diff(want, c.read()); d != "" {
		c.t.Fatal(d)
	}
}

func (c *cutover) ops() string {
	var b strings.Builder
	for _, k := range c.list {
		switch k.Op {
		case "":
			b.WriteByte('b')
		case manifest.OpDelta:
			b.WriteByte('d')
		default:
			b.WriteByte('x')
		}
	}
	return b.String()
}

func byID(rows map[int64]source.Row) (list []source.Row) {
	for _, id := range slices.Sorted(maps.Keys(rows)) {
		list = append(list, rows[id])
	}
	return list
}

// What a cut-over packs of a table is what changed in it, whatever that is, run after run.
func TestChangesOfTables(t *testing.T) {
	for _, key := range [][]string{{"id"}, {"code", "id"}} {
		rnd := rand.New(rand.NewPCG(3, uint64(len(key))))
		c := newCutover(t, key...)
		now := map[int64]source.Row{}
		for i := range int64(3000) {
			id := i * 40
			now[id] = source.Row{id, fmt.Sprint("code ", id), fmt.Sprint("value ", rnd.Uint64())}
		}
		c.run(byID(now))
		whole := c.bytes
		small := 0
		for range 6 {
			for range rnd.IntN(30) {
				id := rnd.Int64N(3200) * 40
				if _, there := now[id]; there && rnd.IntN(3) == 0 {
					delete(now, id)
				} else {
					now[id] = source.Row{id, fmt.Sprint("code ", id), fmt.Sprint("other ", rnd.Uint64())}
				}
			}
			c.run(byID(now))
			c.want(byID(now))
			if c.bytes < whole/5 {
				small++
			}
		}
		if small < 4 || !strings.Contains(c.ops(), "d") || !strings.Contains(c.ops(), "x") {
			t.Errorf("key %q: %s, %d small runs of 6 (whole: %d bytes)", key, c.ops(), small, whole)
		}
		// Nothing changed: nothing is packed, and the records are the same.
		before := c.list
		c.run(byID(now))
		if d := cmp.Diff(before, c.list); d != "" || c.bytes != 0 {
			t.Errorf("%d bytes were packed though nothing changed: %s", c.bytes, d)
		}
	}
}

// A chain that is long, or as good as a new part, is written anew; so is a part without row digests, or with damaged ones.
func TestPartsWrittenAnew(t *testing.T) {
	rows := func(changed int) (list []source.Row) {
		rnd := rand.New(rand.NewPCG(1, 1))
		for id := range int64(500) {
			list = append(list, source.Row{id, "c", fmt.Sprint(rnd.Uint64(), rnd.Uint64())})
		}
		for i := range changed {
			list[i] = source.Row{list[i][0], "c", fmt.Sprint(i, changed, rnd.Uint64(), rnd.Uint64())}
		}
		return list
	}
	for name, tt := range map[string]struct {
		between func(c *cutover)
		changed int
		want    string
	}{
		"as ever":    {func(*cutover) {}, 3, "bd"},
		"nearly all": {func(*cutover) {}, 450, "b"},
		"no digests": {func(c *cutover) { os.RemoveAll(c.sketches.dir); os.Mkdir(c.sketches.dir, 0o700) }, 3, "b"},
		"damaged digests": {func(c *cutover) {
			names, _ := filepath.Glob(filepath.Join(c.sketches.dir, "*"))
			for _, name := range names {
				b, _ := os.ReadFile(name)
				b[len(b)/2] ^= 1
				os.WriteFile(name, b, 0o600)
			}
		}, 3, "b"},
		"another schema": {func(c *cutover) { c.table.Columns[2].Type = "nvarchar(88)" }, 3, "b"},
	} {
		c := newCutover(t, "id")
		c.run(rows(0))
		tt.between(c)
		c.run(rows(tt.changed))
		if c.want(rows(tt.changed)); c.ops() != tt.want {
			t.Errorf("%s: %s, want %s", name, c.ops(), tt.want)
		}
	}
	c := newCutover(t, "id")
	longest := 0
	for n := range 20 {
		list := rows(0)
		list[7] = source.Row{int64(7), "c", fmt.Sprint(n)}
		c.run(list)
		c.want(list)
		longest = max(longest, len(c.list))
	}
	if longest < 5 || longest > chunk.MaxChain+1 || len(c.list) == longest {
		t.Errorf("the longest chain has %d chunks, the last one %d", longest, len(c.list))
	}
}

// Row digests of parts that no manifest and no run has any more do not stay.
func TestRowDigestsGo(t *testing.T) {
	c := newCutover(t, "id")
	c.run(tableRows(1, 2, 70_000))
	c.run(tableRows(1, 3, 70_000))
	c.pushed = c.pushed[1:]
	c.run(tableRows(1, 4, 70_000))
	names, err := os.ReadDir(c.sketches.dir)
	if err != nil || len(names) != 3 {
		t.Errorf("%d files of row digests, want those of two parts, and of one as the last push has it: %v", len(names), err)
	}
}

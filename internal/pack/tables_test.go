package pack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/chunk"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
	"github.com/openomt/omt/internal/spool"
)

// reader is a database with one table.
type reader struct {
	source.Reader
	rows       []source.Row
	err        error // behind the rows
	consistent bool
}

func (r *reader) Consistent() bool { return r.consistent }

func (r *reader) Rows(context.Context, source.Table) iter.Seq2[source.Row, error] {
	return func(yield func(source.Row, error) bool) {
		for _, row := range r.rows {
			if !yield(row, nil) {
				return
			}
		}
		if r.err != nil {
			yield(nil, r.err)
		}
	}
}

func tableOf(key ...string) manifest.Table {
	return manifest.Table{Name: "t", Key: key, Columns: []manifest.Column{
		{Name: "id", Type: "int"}, {Name: "code", Type: "nvarchar(20)"}, {Name: "v", Type: "nvarchar(99)", Null: true},
	}}
}

func tableRows(ids ...int64) (list []source.Row) {
	for _, id := range ids {
		list = append(list, source.Row{id, fmt.Sprintf("code %d", id%1000), strings.Repeat("v", int(id&7))})
	}
	return list
}

func newExporter(t *testing.T, r source.Reader) *exporter {
	t.Helper()
	sp := openSpool(t, filepath.Join(t.TempDir(), "spool"))
	temp, err := sp.ClearTemp("pack")
	if err != nil {
		t.Fatal(err)
	}
	return &exporter{spool: sp, temp: temp, reader: r, level: 1, pool: new(chunk.Pool), room: &room{spool: sp}}
}

func (x *exporter) all(t *testing.T, table manifest.Table) (list []manifest.Chunk, rows int64, err error) {
	t.Helper()
	rows, err = x.export(t.Context(), table, new(skips), func(c manifest.Chunk) error {
		if _, err := os.Stat(x.spool.ChunkPath(c.SHA256, c.Type)); err != nil {
			t.Errorf("a part was reported before it was there: %v", err)
		}
		list = append(list, c)
		return nil
	})
	if left, _ := os.ReadDir(x.temp); len(left) > 0 {
		t.Errorf("left in the folder for unfinished work: %v", left)
	}
	return list, rows, err
}

// Parts of an integer key are fixed multiples of it, and ranges without rows have none.
func TestPartsOfAnIntegerKey(t *testing.T) {
	r := &reader{rows: tableRows(-1, 0, 7, 65_535, 65_536, 400_000, 400_001)}
	list, rows, err := newExporter(t, r).all(t, tableOf("id"))
	if err != nil || rows != 7 {
		t.Fatalf("%d rows: %v", rows, err)
	}
	var got []string
	for _, c := range list {
		got = append(got, fmt.Sprintf("%s..%s %d", c.First, c.Last, c.Rows))
	}
	if want := []string{"-1..-1 1", "0..65535 3", "65536..65536 1", "400000..400001 2"}; !slices.Equal(got, want) {
		t.Errorf("parts %q, want %q", got, want)
	}
	// Rows that come elsewhere change no other part.
	r.rows = slices.Insert(r.rows, 2, tableRows(6)...)
	again, _, err := newExporter(t, r).all(t, tableOf("id"))
	if err != nil || len(again) != 4 {
		t.Fatalf("%d parts: %v", len(again), err)
	}
	for i := range list {
		if same := again[i].SHA256 == list[i].SHA256; same != (i != 1) {
			t.Errorf("part %d is the same: %v", i, same)
		}
	}
}

func TestEmptyTableHasNoParts(t *testing.T) {
	for _, key := range [][]string{{"id"}, {"code"}, nil} {
		if list, rows, err := newExporter(t, &reader{}).all(t, tableOf(key...)); err != nil || rows != 0 || len(list) != 0 {
			t.Errorf("key %v: %d parts, %d rows, %v", key, len(list), rows, err)
		}
	}
}

// The order in which a server gives rows that have no integer key does not matter, and rows may repeat.
func TestOrderDoesNotMatter(t *testing.T) {
	ids := make([]int64, 0, 3000)
	for i := range int64(3000) {
		ids = append(ids, i, i)
	}
	for _, key := range [][]string{{"code", "id"}, nil} {
		rows := tableRows(ids...)
		if key != nil {
			rows = slices.CompactFunc(rows, func(a, b source.Row) bool { return a[0] == b[0] })
		}
		one, n, err := newExporter(t, &reader{rows: rows}).all(t, tableOf(key...))
		if err != nil || n != int64(len(rows)) {
			t.Fatalf("key %v: %d rows, want %d: %v", key, n, len(rows), err)
		}
		slices.Reverse(rows)
		two, _, err := newExporter(t, &reader{rows: rows}).all(t, tableOf(key...))
		if d := cmp.Diff(one, two); d != "" || err != nil {
			t.Errorf("key %v: %v %s", key, err, d)
		}
	}
}

// A codec changes the bytes of parts, and nothing that is said of their rows.
func TestCodecsOfParts(t *testing.T) {
	rows := tableRows(1, 2, 70_000, 70_001)
	rows[1][2] = "a\xED\xA0\xBD" // half a surrogate pair
	seen := map[manifest.Digest]bool{}
	var first []manifest.Chunk
	for _, codec := range []chunk.Codec{"", chunk.Zstd, chunk.Snappy, chunk.Gzip} {
		x := newExporter(t, &reader{rows: rows})
		x.codec = codec
		list, n, err := x.all(t, tableOf("id"))
		if err != nil || n != 4 || len(list) != 2 {
			t.Fatalf("codec %q: %d parts, %d rows: %v", codec, len(list), n, err)
		}
		if seen[list[0].SHA256] != (codec == chunk.Zstd) {
			t.Errorf("codec %q: its bytes are those of another codec, or zstd's are not the default", codec)
		}
		seen[list[0].SHA256] = true
		for i := range list {
			list[i].SHA256, list[i].Bytes = manifest.Digest{}, 0
		}
		if first == nil {
			first = list
		}
		if d := cmp.Diff(first, list); d != "" {
			t.Errorf("codec %q (-zstd +it):\n%s", codec, d)
		}
	}
}

func TestOptionsSayWhatCodec(t *testing.T) {
	for codec, want := range map[string]string{"": "", "zstd": "", "snappy": "", "gzip": "", "lz4": `codec "lz4": want "zstd", "snappy" or "gzip"`} {
		got := ""
		if err := (Options{Level: 1, Workers: 1, Codec: codec}).Validate(); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("codec %q: %q, want %q", codec, got, want)
		}
	}
}

// A table that cannot be read to its end leaves nothing that looks like its last part.
func TestTableThatBreaksOff(t *testing.T) {
	broken := errors.New("connection lost")
	for _, key := range [][]string{{"id"}, nil} {
		x := newExporter(t, &reader{rows: tableRows(1, 2, 70_000), err: broken})
		list, _, err := x.all(t, tableOf(key...))
		if !errors.Is(err, broken) || !strings.Contains(err.Error(), `reading table "t"`) {
			t.Errorf("got %v", err)
		}
		if key == nil && len(list) > 0 || len(list) > 1 {
			t.Errorf("key %v: reported %d parts", key, len(list))
		}
	}
	x := newExporter(t, &reader{rows: tableRows(1, 2)})
	stop := errors.New("stop")
	if _, err := x.export(t.Context(), tableOf("id"), new(skips), func(manifest.Chunk) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := x.export(ctx, tableOf("id"), new(skips), func(manifest.Chunk) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// openPart waits a moment for a part that is being written.
func (x *exporter) openPart(patience time.Duration) bool {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if open, _ := os.ReadDir(x.temp); len(open) > 0 {
			return true
		}
	}
	return false
}

// While a part is settled the next one is written, unless a large row is in one of the two: it would be in memory twice.
func TestPartsAreSettledBesideTheNext(t *testing.T) {
	wide := func(id int64) source.Row { return source.Row{id, "code", strings.Repeat("v", largeRow)} }
	for name, c := range map[string]struct {
		rows   []source.Row
		beside bool
	}{
		"small rows":             {tableRows(1, 65_536), true},
		"a large one, and small": {[]source.Row{wide(1), tableRows(65_536)[0]}, false},
		"small, and a large one": {[]source.Row{tableRows(1)[0], wide(65_536)}, false},
	} {
		x := newExporter(t, &reader{rows: c.rows})
		seen := 0
		_, err := x.export(t.Context(), tableOf("id"), new(skips), func(part manifest.Chunk) error {
			if seen++; seen > 1 {
				return nil
			}
			patience := 10 * time.Second
			if !c.beside {
				patience = 50 * time.Millisecond
			}
			if open := x.openPart(patience); open != c.beside {
				t.Errorf("%s: another part is being written: %v", name, open)
			}
			return nil
		})
		if err != nil || seen != 2 {
			t.Errorf("%s: %d parts: %v", name, seen, err)
		}
	}
}

// What goes wrong while a part is settled ends the table, and no part behind it is handed on.
func TestPartThatCannotBeSettled(t *testing.T) {
	x := newExporter(t, &reader{rows: tableRows(1, 70_000, 140_000, 210_000)})
	stop, seen := errors.New("stop"), 0
	_, err := x.export(t.Context(), tableOf("id"), new(skips), func(manifest.Chunk) error {
		if seen++; seen == 2 {
			return stop
		}
		return nil
	})
	if !errors.Is(err, stop) || seen != 2 {
		t.Errorf("%d parts were handed on, and then %v", seen, err)
	}
	if left, _ := os.ReadDir(x.temp); len(left) > 0 {
		t.Errorf("left in the folder for unfinished work: %v", left)
	}
	x = newExporter(t, &reader{rows: tableRows(1, 70_000)})
	chunks := x.spool.Path("chunks")
	if err := errors.Join(os.Remove(chunks), os.WriteFile(chunks, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if list, _, err := x.all(t, tableOf("id")); err == nil || !strings.Contains(err.Error(), "putting chunk") || len(list) != 0 {
		t.Errorf("%d parts were handed on, and then %v", len(list), err)
	}
}

// tableRun is a run that packs one table and writes what it writes.
func tableRun(t *testing.T, r *reader, limit int64, sleep func(context.Context, time.Duration) error) (*run, *exporter, *bytes.Buffer) {
	t.Helper()
	x := newExporter(t, r)
	x.room.limit, x.room.sleep, x.room.wait = limit, sleep, time.Second
	var out bytes.Buffer
	w := manifest.NewWriter(&out, "omt-pack 0.1.0")
	if err := w.Write(manifest.Header{ID: "1"}); err != nil {
		t.Fatal(err)
	}
	return &run{out: w, src: Source{Reader: r}, packer: &packer{findings: &fileFindings{}}}, x, &out
}

// In a snapshot each part is handed on before the room for the next one is asked for, or a push behind a pipe would wait
// for records and this run for the push.
func TestTableUnderALimit(t *testing.T) {
	var out *bytes.Buffer
	var s *spool.Spool
	waits := 0
	r, x, out := tableRun(t, &reader{rows: tableRows(1, 70_000, 140_000), consistent: true}, 10, func(context.Context, time.Duration) error {
		waits++
		seen := bytes.Count(out.Bytes(), []byte(`{"kind":"chunk"`))
		list, err := filepath.Glob(s.Path("chunks", "*", "*"))
		if err != nil || seen != waits || len(list) != 1 {
			return fmt.Errorf("waiting for the time %d, %d parts were handed on and %d lie in the spool", waits, seen, len(list))
		}
		return os.Remove(list[0])
	})
	s = x.spool
	table := tableOf("id")
	table.Rows = 3
	if err := r.table(t.Context(), x, table, new(skips)); err != nil {
		t.Fatal(err)
	}
	if waits != 2 || x.room.reserved != 0 {
		t.Errorf("waited %d times; %d bytes are still reserved", waits, x.room.reserved)
	}
	if table.Rows = 4; r.table(t.Context(), x, table, new(skips)) == nil {
		t.Error("a row was lost in a snapshot, and nobody says so")
	}
}

// Without a snapshot the record says how many rows were read, and a finding that there were others. No part waits for
// room, since none is handed on before the table ends.
func TestTableThatChanges(t *testing.T) {
	r, x, out := tableRun(t, &reader{rows: tableRows(1, 70_000, 140_000)}, 10, func(context.Context, time.Duration) error {
		return errors.New("it waits for a push that knows nothing yet")
	})
	table := tableOf("id")
	table.Rows = 2
	if err := r.changingTable(t.Context(), x, table, new(skips)); err != nil {
		t.Fatal(err)
	}
	if err := r.out.Flush(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), `"name":"t","rows":3,`) || strings.Count(out.String(), `"kind":"chunk"`) != 3 {
		t.Errorf("it wrote %s", out)
	}
	if _, findings := r.packer.findings.records("x"); len(findings) != 1 || findings[0].Rule != ruleTable || findings[0].Subjects[0] != "table:t" {
		t.Errorf("findings: %+v", findings)
	}
}

// A part whose rows are at the destination is not kept, whatever its bytes; one that differs in anything but them is.
func TestKnownParts(t *testing.T) {
	rows := tableRows(1, 2, 70_000, 70_001, 140_000)
	old := newExporter(t, &reader{rows: rows})
	old.codec = chunk.Gzip
	was, _, err := old.all(t, tableOf("id"))
	if err != nil || len(was) != 3 {
		t.Fatalf("%d parts: %v", len(was), err)
	}
	var lines bytes.Buffer
	w := manifest.NewWriter(&lines, "omt-push 0.1.0")
	for _, r := range []manifest.Record{manifest.Header{ID: "1"}, kalles, tableOf("id"), was[0], was[1], was[2],
		manifest.Receipt{Chunk: was[0].SHA256, Bytes: was[0].Bytes}, manifest.Receipt{Chunk: was[1].SHA256, Bytes: was[1].Bytes}} {
		if err := w.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.End(); err != nil {
		t.Fatal(err)
	}
	x := newExporter(t, &reader{rows: append(tableRows(1, 2, 70_000), tableRows(70_002, 140_000)...)})
	x.known = know(t, lines.Bytes())
	var got []manifest.Chunk
	if _, err := x.export(t.Context(), tableOf("id"), new(skips), func(c manifest.Chunk) error {
		got = append(got, c)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(was[0], got[0]); d != "" {
		t.Errorf("the known part became (-was +is):\n%s", d)
	}
	// The second has another row, and the third no receipt.
	for i, c := range got {
		_, err := os.Stat(x.spool.ChunkPath(c.SHA256, c.Type))
		if made := err == nil; made != (i > 0) || x.known.is(c.SHA256) == made {
			t.Errorf("part %d: made %v", i, made)
		}
	}
	if left, _ := os.ReadDir(x.temp); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	// Another schema makes another part.
	other := tableOf("id")
	other.Columns[1].Type = "nvarchar(21)"
	list, _, err := x.all(t, other)
	if err != nil || x.known.is(list[0].SHA256) {
		t.Errorf("a part of another schema is taken for a known one: %v", err)
	}
}

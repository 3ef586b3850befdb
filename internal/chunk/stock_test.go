package chunk

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

// stock finds a program that the formats promise to work with, or skips the test and says so.
func stock(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("%s is not installed: the formats are not tried with it", name)
		}
	}
}

func run(t *testing.T, dir, name string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v: %s", name, strings.Join(args, " "), err, stderr.String())
	}
	return out
}

func TestStockZstd(t *testing.T) {
	stock(t, "zstd")
	for name, members := range goldenSets() {
		for level := minLevel; level <= maxLevel; level++ {
			b, rec, _ := pack(t, level, members...)
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "c.tar.zst"), b, 0o644); err != nil {
				t.Fatal(err)
			}
			run(t, dir, "zstd", "-q", "-t", "c.tar.zst")
			run(t, dir, "zstd", "-q", "-d", "c.tar.zst", "-o", "c.tar")
			if info, err := os.Stat(filepath.Join(dir, "c.tar")); err != nil || info.Size() != rec.Raw {
				t.Errorf("%s, level %d: zstd unpacks %d bytes (%v), want %d", name, level, info.Size(), err, rec.Raw)
			}
		}
	}
}

// Stock tar restores every name, content, time and mode from chunks of content, and links from those of links.
func TestStockTar(t *testing.T) {
	stock(t, "tar", "zstd")
	if runtime.GOOS == "windows" {
		t.Skip("tar of Windows does not restore every name: not tried with it")
	}
	dir, want := t.TempDir(), map[string]string{}
	extract := func(n int, members []member) {
		b, _, _ := pack(t, 2, members...)
		name := fmt.Sprintf("%d.tar.zst", n)
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
		list := run(t, dir, "tar", "--zstd", "--quoting-style=literal", "-tf", name)
		if got := bytes.Count(list, []byte{'\n'}); got < len(members) {
			t.Errorf("tar lists %d lines of %d entries", got, len(members))
		}
		run(t, dir, "tar", "--zstd", "-xf", name, "-C", dir)
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	var files, links []member
	for i, name := range longNames {
		if strings.HasSuffix(name, strings.Repeat("é", 2000)) || longestPart(name) > 255 {
			continue // no file system here takes such a name
		}
		content := text(uint64(i), 1000*i)
		files = append(files, file(name, content))
		want[name] = string(content)
		link := "document/links/" + strings.TrimPrefix(name, "document/")
		links = append(links, member{Entry: Entry{Name: link, Link: name, MTime: someTime}})
		want[link] = string(content)
	}
	extract(1, files)
	extract(2, links)
	got := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if !info.ModTime().Equal(someTime) || info.Mode() != 0o644 {
			t.Errorf("%q is restored with time %v and mode %v", path, info.ModTime(), info.Mode())
		}
		content, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		got[filepath.ToSlash(rel)] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("tar restores (-want +got):\n%.2000s", d)
	}
}

func longestPart(name string) int {
	n := 0
	for part := range strings.SplitSeq(name, "/") {
		n = max(n, len(part))
	}
	return n
}

// duckExpression makes DuckDB print a value as duckText does.
func duckExpression(c source.Column) string {
	name := quoted(c.Name)
	switch c.Type.Kind {
	case source.Bool:
		return "CAST(" + name + " AS INT)"
	case source.Text:
		return "hex(encode(" + name + "))"
	case source.Bytes:
		return "hex(" + name + ")"
	case source.Date:
		return name + " - DATE '1970-01-01'"
	case source.Clock:
		return "extract(hour FROM " + name + ")*3600000000 + extract(minute FROM " + name + ")*60000000 + extract(microsecond FROM " + name + ")"
	case source.DateTime, source.Offset:
		return "epoch_us(" + name + ")"
	}
	return "CAST(" + name + " AS VARCHAR)"
}

func duckText(t source.Type, v any) string {
	switch v := v.(type) {
	case string:
		if t.Kind == source.Text {
			return strings.ToUpper(witnessText(v)[""])
		}
		if t.Precision == t.Scale { // DuckDB leaves out the zero before the point
			return strings.Replace(v, "0.", ".", 1)
		}
	case []byte:
		return strings.ToUpper(hex.EncodeToString(v))
	case time.Time:
		if t.Kind == source.Date {
			days, _ := daysOf(v)
			return strconv.Itoa(int(days))
		}
		ticks, _ := ticksOf(&t, v)
		return strconv.FormatInt(floorDiv(ticks, ticksPerMicro), 10)
	}
	return valueText(&t, v, false)
}

// DuckDB reads parts of every codec as the values they are, under the names they have: of every type, with NULLs, over
// several row groups, large values that do compress and that do not, and texts that are no Unicode.
func TestStockDuckDB(t *testing.T) {
	modules := os.Getenv("OMT_TEST_DUCKDB")
	if _, err := os.Stat(filepath.Join(modules, "node_modules", "@duckdb", "node-api")); modules == "" || err != nil {
		t.Skip("OMT_TEST_DUCKDB does not name a folder with @duckdb/node-api: parts are not read with DuckDB")
	}
	stock(t, "node")
	for _, make := range []func() (manifest.Table, []source.Row){edgeTable, largeTable, typeTable, halfTable} {
		table, rows := make()
		for _, codec := range codecs {
			if codec != Zstd && table.Name == "edge.table" {
				continue // it is about names
			}
			path := filepath.Join(t.TempDir(), "part.parquet")
			b, _ := writePart(t, table, PartOptions{Codec: codec}, rows)
			if err := os.WriteFile(path, b, 0o644); err != nil {
				t.Fatal(err)
			}
			duckReads(t, modules, path, table, rows)
			if t.Failed() {
				t.Fatalf("table %q with %s", table.Name, codec)
			}
		}
	}
}

// duckReads compares what DuckDB reads from a part with its rows.
func duckReads(t *testing.T, modules, path string, table manifest.Table, rows []source.Row) {
	t.Helper()
	stored := source.FromRecord(table).Stored()
	var expressions []string
	for _, col := range stored {
		expressions = append(expressions, duckExpression(col))
		if col.Type.UTF16() {
			expressions = append(expressions, "hex("+quoted(col.Name+"$utf16")+")")
		}
	}
	query := "SELECT " + strings.Join(expressions, ", ") + " FROM '" + path + "' ORDER BY id"
	lines := strings.Split(strings.TrimSpace(string(run(t, ".", "node", "testdata/duckdb.mjs", modules, query))), "\n")
	if len(lines) != len(rows) {
		t.Fatalf("DuckDB reads %d rows of %d", len(lines), len(rows))
	}
	for i, line := range lines {
		var got []*string
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatal(err)
		}
		at := 0
		for k, v := range rows[i] {
			typ := stored[k].Type
			if !duckEqual(typ, v, got[at]) {
				t.Errorf("row %d, %s: DuckDB reads %.100q, want %.100v", i, typ.SQL, *got[at], v)
			}
			if at++; !typ.UTF16() {
				continue
			}
			s, _ := v.(string)
			want, ok := witnessText(s)["$utf16"]
			if ok != (got[at] != nil) || ok && *got[at] != strings.ToUpper(want) {
				t.Errorf("row %d, %s: DuckDB reads other UTF-16 than %.100s", i, typ.SQL, want)
			}
			at++
		}
	}
}

func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func duckEqual(t source.Type, v any, got *string) bool {
	if v == nil || got == nil {
		return v == nil && got == nil
	}
	f, ok := v.(float64)
	if !ok {
		return *got == duckText(t, v)
	}
	bits := 64
	if t.Kind == source.Real {
		bits = 32
	}
	g, err := strconv.ParseFloat(*got, bits)
	if math.IsNaN(f) {
		return strings.HasSuffix(*got, "nan")
	}
	return err == nil && g == f && math.Signbit(g) == math.Signbit(f)
}

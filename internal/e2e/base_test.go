package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// documents of the sample: enough for every state, few enough for a test.
const documents = "220"

// world is an installation that was moved, step by step on files:
//
//	inst, scan.jsonl, assigned.jsonl, packed.jsonl, spool, dest, done.jsonl, out, out.sqlite
//
// The spool still holds its chunks. Nothing in it may be changed.
type world struct{ *site }

var baseOnce struct {
	sync.Once
	made bool
}

// base gives the world that all tests read.
func base(t testing.TB) world {
	t.Helper()
	dir := filepath.Join(shared.dir, "base")
	baseOnce.Do(func() {
		w := world{siteAt(t, dir)}
		w.want(0, "omt-scan", "sample", "--dir", "inst", "--documents", documents)
		w.move()
		w.noLitter()
		w.hunt()
		baseOnce.made = true
	})
	if !baseOnce.made {
		t.Fatal("the installation that all tests share could not be moved")
	}
	return world{siteAt(t, dir)}
}

// tables is how many tables were moved.
func (w world) tables() string { return fmt.Sprint(len(records(w.t, w.read("done.jsonl"), "table"))) }

// Arguments of the four steps on files.
var (
	scanStep   = []string{"omt-scan", "--install", "inst", "--plans", "inst/plans.csv", "--out", "scan.jsonl"}
	assignStep = []string{"omt-assign", "--in", "scan.jsonl", "--users", "inst/users.csv", "--waivers", "inst/waivers.csv",
		"--remove-from-persons", "--out", "assigned.jsonl"}
	packStep   = []string{"omt-pack", "--in", "assigned.jsonl", "--spool", "spool", "--out", "packed.jsonl"}
	pushStep   = []string{"omt-push", "--in", "packed.jsonl", "--spool", "spool", "--to", "dest", "--out", "done.jsonl"}
	unpackStep = []string{"omt-pack", "unpack", "--from", "dest", "--files", "out", "--db", "sqlite:out.sqlite"}
)

// move takes the installation through all steps.
func (w world) move() {
	w.t.Helper()
	w.want(3, scanStep...)
	w.want(0, assignStep...)
	w.want(0, packStep...)
	w.want(3, append(pushStep, "--keep")...)
	w.want(0, "omt-pack", "verify", "--from", "dest", "--depth", "content")
	w.want(0, unpackStep...)
}

// without gives a step's arguments without one flag and its value.
func without(step []string, flag string) []string {
	var out []string
	for i := 0; i < len(step); i++ {
		if step[i] == flag {
			i++
			continue
		}
		out = append(out, step[i])
	}
	return out
}

// with gives a step's arguments with another value for a flag.
func with(step []string, flag, value string) []string {
	return append(without(step, flag), flag, value)
}

// lines are the records of a manifest.
func lines(manifest []byte) [][]byte {
	return bytes.Split(bytes.TrimSuffix(manifest, []byte("\n")), []byte("\n"))
}

// record decodes one line.
func record(t testing.TB, line []byte) map[string]any {
	t.Helper()
	var m map[string]any
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	if err := d.Decode(&m); err != nil {
		t.Fatalf("%v: %.200s", err, line)
	}
	return m
}

// records decodes all lines of a kind.
func records(t testing.TB, manifest []byte, kind string) []map[string]any {
	t.Helper()
	var list []map[string]any
	for _, l := range lines(manifest) {
		if bytes.HasPrefix(l, []byte(`{"kind":"`+kind+`"`)) {
			list = append(list, record(t, l))
		}
	}
	return list
}

// normal gives a manifest's records in a form in which two runs may be compared: without ids, times and digests of
// lines, which differ, with DIR for the folders that they worked in, and each with its fields in one order. A receipt
// may or may not say that the chunk was sent by the run that wrote it.
func normal(t testing.TB, manifest []byte, dirs ...string) []string {
	t.Helper()
	var out []string
	for _, l := range lines(manifest) {
		m := record(t, l)
		switch m["kind"] {
		case "manifest":
			delete(m, "id")
			delete(m, "created")
		case "end":
			delete(m, "sha256")
		case "receipt":
			delete(m, "sent")
		}
		delete(m, "at")
		b, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		line := string(b)
		for _, dir := range dirs {
			line = strings.ReplaceAll(line, dir, "DIR")
		}
		out = append(out, line)
	}
	return out
}

// same fails at the first record in which two normalised manifests differ.
func same(t testing.TB, what string, want, got []string) {
	t.Helper()
	for i := range max(len(want), len(got)) {
		w, g := "(nothing)", "(nothing)"
		if i < len(want) {
			w = want[i]
		}
		if i < len(got) {
			g = got[i]
		}
		if w != g {
			t.Fatalf("%s: record %d differs:\nwant %.600s\ngot  %.600s", what, i+1, w, g)
		}
	}
}

// chunkNames are the names of the chunks that a manifest refers to, in its order.
func chunkNames(t testing.TB, manifest []byte) []string {
	t.Helper()
	var list []string
	for _, c := range records(t, manifest, "chunk") {
		list = append(list, fmt.Sprintf("%s.%s", c["sha256"], c["type"]))
	}
	return list
}

// chunkFile is where a chunk lies below a spool or a destination.
func chunkFile(dir, name string) string { return filepath.Join(dir, "chunks", name[:2], name) }

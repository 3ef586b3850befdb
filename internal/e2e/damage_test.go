package e2e

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// flip changes one bit of a file and returns what undoes that.
func (s *site) flip(r *rand.Rand, name string) (where string, undo func()) {
	s.t.Helper()
	whole, err := os.ReadFile(name)
	if err != nil || len(whole) == 0 {
		s.t.Fatalf("%s has %d bytes: %v", name, len(whole), err)
	}
	at, bit := r.IntN(len(whole)), byte(1)<<r.IntN(8)
	bad := bytes.Clone(whole)
	bad[at] ^= bit
	put := func(b []byte) {
		if err := os.WriteFile(name, b, 0o644); err != nil {
			s.t.Fatal(err)
		}
	}
	put(bad)
	return fmt.Sprintf("%s, byte %d of %d, bit %#x", filepath.Base(name), at, len(whole), bit), func() { put(whole) }
}

// some gives one of the files that a pattern matches.
func some(t testing.TB, r *rand.Rand, pattern string) string {
	t.Helper()
	list, err := filepath.Glob(pattern)
	if err != nil || len(list) == 0 {
		t.Fatalf("nothing is called %s: %v", pattern, err)
	}
	return list[r.IntN(len(list))]
}

// flips is how many bytes a test of one kind of file flips.
func flips(t *testing.T, share int) int { return max(1, number(t, "OMT_TEST_FLIPS", 60)*share/60) }

// Every bit of what lies at a destination, but for what nothing depends on, is one that verify, list and unpack miss.
func TestFlipsAtTheDestination(t *testing.T) {
	t.Parallel()
	r := random(t)
	b, w := base(t), newSite(t)
	copyTree(t, b.path("dest"), w.path("dest"))
	verify := []string{"omt-pack", "verify", "--from", "dest"}
	cases := []struct {
		pattern  string
		share    int
		commands [][]string // each must end with 1
	}{
		{"chunks/*/*", 12, [][]string{append(verify, "--depth", "content")}},
		{"chunks/*/*", 4, [][]string{append(verify, "--depth", "hash")}},
		{"migrations/*/*/manifest.jsonl.zst", 6, [][]string{append(verify, "--depth", "names"), {"omt-pack", "list", "--from", "dest"}, unpackStep}},
		{"migrations/*/*/commit.json", 3, [][]string{
			{"omt-pack", "verify", "--from", "dest", "--migration", fmt.Sprint(records(t, b.read("done.jsonl"), "manifest")[0]["id"])},
		}},
		{"state/00000002.json", 6, [][]string{append(verify, "--depth", "names"), {"omt-push", "status", "--to", "dest"}}},
	}
	for _, c := range cases {
		for range flips(t, c.share) {
			where, undo := w.flip(r, some(t, r, w.path("dest", c.pattern)))
			for _, args := range c.commands {
				if got := w.run(args...); got.status != 1 || !strings.HasPrefix(got.err, args[0]+": ") {
					t.Errorf("%s: want status 1: %s", where, got)
				}
			}
			undo()
		}
	}
	if w.has("out") && len(tree(t, w.path("out"))) > 2 {
		t.Errorf("unpack wrote files: %d", len(tree(t, w.path("out"))))
	}
	// Nothing depends on these.
	for _, pattern := range []string{"omt-tenant.json", "state/00000001.json", "migrations/*/*/open.json"} {
		where, undo := w.flip(r, some(t, r, w.path("dest", pattern)))
		if got := w.run(append(verify, "--depth", "content")...); got.status != 0 {
			t.Errorf("%s: want status 0: %s", where, got)
		}
		undo()
	}
	w.want(0, append(verify, "--depth", "content")...)
}

// What is missing at the destination, or has another size, is found by its name alone.
func TestChunksThatAreNotThere(t *testing.T) {
	t.Parallel()
	b, w := base(t), newSite(t)
	copyTree(t, b.path("dest"), w.path("dest"))
	r := random(t)
	gone, short := some(t, r, w.path("dest/chunks/*/*.parquet")), some(t, r, w.path("dest/chunks/*/*.zst"))
	if err := os.Remove(gone); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(short, 20); err != nil {
		t.Fatal(err)
	}
	got := w.want(1, "omt-pack", "verify", "--from", "dest", "--depth", "names")
	for _, want := range []string{"2 chunks", strings.TrimSuffix(filepath.Base(gone), ".parquet") + " (database) is not there",
		strings.TrimSuffix(filepath.Base(short), ".tar.zst"), "has 20 bytes"} {
		if !strings.Contains(got.err, want) {
			t.Errorf("it does not say %q: %s", want, got)
		}
	}
}

// Unpack says which chunk is damaged, not that it was interrupted, and goes on once the chunk is whole again.
func TestUnpackFromADamagedDestination(t *testing.T) {
	t.Parallel()
	b, r := base(t), random(t)
	for _, c := range records(t, b.read("done.jsonl"), "chunk") {
		if c["area"] != "document" && c["table"] != "associate" || c["role"] == "links" {
			continue // unpack makes independent files of copies, and reads no links
		}
		w := newSite(t)
		copyTree(t, b.path("dest"), w.path("dest"))
		name := chunkFile(w.path("dest"), fmt.Sprintf("%s.%s", c["sha256"], c["type"]))
		where, undo := w.flip(r, name)
		got := w.run(unpackStep...)
		digest, _, _ := strings.Cut(filepath.Base(name), ".")
		if got.status != 1 || !strings.Contains(got.err, digest) || strings.Contains(got.err, "cancel") {
			t.Errorf("%s: want status 1 and the chunk's name: %s", where, got)
		}
		undo()
		w.want(0, unpackStep...)
		if d := differing(tree(t, b.path("out")), tree(t, w.path("out"))); d != "" {
			t.Errorf("%s: after that %s differs", where, d)
		}
	}
}

// differing names a file in which two trees differ.
func differing(want, got map[string]string) string {
	for name, content := range want {
		if there, ok := got[name]; !ok || there != content {
			return name
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			return name
		}
	}
	return ""
}

// A chunk that is damaged in the spool is never sent; what the hint says helps.
func TestFlipsInTheSpool(t *testing.T) {
	t.Parallel()
	r := random(t)
	b, w := base(t), newSite(t)
	copyTree(t, b.path("spool"), w.path("spool"))
	w.write(b.read("packed.jsonl"), "packed.jsonl")
	w.write(b.read("assigned.jsonl"), "assigned.jsonl")
	for range flips(t, 5) {
		name := some(t, r, w.path("spool/chunks/*/*"))
		where, undo := w.flip(r, name)
		got := w.run(pushStep...)
		digest := strings.SplitN(filepath.Base(name), ".", 2)[0]
		if got.status != 1 || !strings.Contains(got.err, digest) || !strings.Contains(got.err, "hint: remove ") {
			t.Errorf("%s: want status 1, its name and what to do: %s", where, got)
		}
		if _, err := os.Stat(chunkFile(w.path("dest"), filepath.Base(name))); err == nil {
			t.Errorf("%s: it was sent", where)
		}
		if w.has("done.jsonl") || w.has("dest", "migrations") || w.has("dest", "state") {
			t.Errorf("%s: it was committed", where)
		}
		undo()
		os.RemoveAll(w.path("dest"))
		os.Remove(w.path("spool", "receipts.jsonl"))
	}
	name := some(t, r, w.path("spool/chunks/*/*.zst"))
	w.flip(r, name)
	w.want(1, pushStep...)
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	w.want(0, packStep...)
	w.want(3, pushStep...)
	w.want(0, "omt-pack", "verify", "--from", "dest")
	same(t, "done.jsonl", normal(t, b.read("done.jsonl"), b.dir), normal(t, w.read("done.jsonl"), b.dir))
}

// Whatever happens to the receipts journal, what is committed is there.
func TestFlipsInTheReceipts(t *testing.T) {
	t.Parallel()
	r := random(t)
	b, w := base(t), newSite(t)
	copyTree(t, b.path("spool"), w.path("spool"))
	w.write(b.read("packed.jsonl"), "packed.jsonl")
	push := append(pushStep, "--keep")
	w.want(3, push...)
	receipts := w.read("spool", "receipts.jsonl")
	for range flips(t, 6) {
		for _, dir := range []string{"migrations", "state"} {
			os.RemoveAll(w.path("dest", dir))
		}
		w.write(receipts, "spool", "receipts.jsonl")
		where, _ := w.flip(r, w.path("spool", "receipts.jsonl"))
		if r.IntN(2) == 0 {
			name := some(t, r, w.path("dest/chunks/*/*"))
			where += ", and " + filepath.Base(name) + " lost"
			os.Remove(name)
		}
		if got := w.run(push...); got.status != 3 {
			t.Fatalf("%s: want status 3: %s", where, got)
		}
		if got := w.run("omt-pack", "verify", "--from", "dest"); got.status != 0 {
			t.Errorf("%s: %s", where, got)
		}
		same(t, where, normal(t, b.read("done.jsonl"), b.dir), normal(t, w.read("done.jsonl"), b.dir))
	}
}

// Whatever happens to the journal of packed groups, what is packed is the same.
func TestFlipsInThePackJournal(t *testing.T) {
	t.Parallel()
	r := random(t)
	b, w := base(t), newSite(t)
	copyTree(t, b.path("spool"), w.path("spool"))
	w.write(b.read("assigned.jsonl"), "assigned.jsonl")
	journal := w.read("spool", "pack.journal")
	for range flips(t, 4) {
		w.write(journal, "spool", "pack.journal")
		where, _ := w.flip(r, w.path("spool", "pack.journal"))
		if got := w.run(packStep...); got.status != 0 {
			t.Fatalf("%s: want status 0: %s", where, got)
		}
		same(t, where, normal(t, b.read("packed.jsonl")), normal(t, w.read("packed.jsonl")))
	}
}

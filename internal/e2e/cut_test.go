package e2e

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// reader is a stage that reads a manifest.
type reader struct {
	in, out string
	status  int // of a good run
	step    []string
}

var readers = []reader{
	{"scan.jsonl", "assigned.jsonl", 0, assignStep},
	{"assigned.jsonl", "packed.jsonl", 0, packStep},
	{"packed.jsonl", "done.jsonl", 3, pushStep},
}

// ready is a site where a stage can run. Push has a spool of its own, whose chunks have not been sent.
func ready(t *testing.T, s reader) (world, world) {
	t.Helper()
	b, w := fresh(t)
	if s.step[0] == "omt-push" {
		w.loadSpool(b)
	}
	return b, w
}

func (w world) loadSpool(b world) {
	w.t.Helper()
	copyTree(w.t, b.path("spool"), w.path("spool"))
	if err := os.Remove(w.path("spool", "receipts.jsonl")); err != nil {
		w.t.Fatal(err)
	}
}

// cuts are where a manifest is cut: sampled places, line ends, and all of the end record (every seventh byte of it,
// unless there is time).
func cuts(t *testing.T, m []byte) []int {
	t.Helper()
	r := random(t)
	last := bytes.LastIndexByte(m[:len(m)-1], '\n') + 1
	step := 23
	if os.Getenv("OMT_TEST_LONG") != "" {
		step = 1
	}
	list := []int{0, 1, last - 1, last, last + 1, len(m) - 2}
	for n := last; n < len(m)-1; n += step {
		list = append(list, n)
	}
	for range 5 {
		list = append(list, r.IntN(last))
	}
	return list
}

// A manifest that is cut anywhere is refused with 4 by every stage, from a file and from a pipe, and nothing is done.
func TestCut(t *testing.T) {
	t.Parallel()
	for _, s := range readers {
		t.Run(s.step[0], func(t *testing.T) {
			t.Parallel()
			b, w := ready(t, s)
			whole := b.read(s.in)
			for _, n := range cuts(t, whole) {
				w.refuses(s, fmt.Sprintf("cut at byte %d of %d", n, len(whole)), whole[:n], "omt-")
			}
			// An earlier result does not stay where a script would take it for this run's.
			w.write(whole[:len(whole)-9], s.in)
			w.write([]byte("of an earlier run\n"), s.out)
			w.want(4, s.step...)
			if w.has(s.out) || string(w.read(s.out+".old")) != "of an earlier run\n" {
				t.Errorf("the old %s is where it was: %v, and %s.old says %q", s.out, w.has(s.out), s.out, w.read(s.out+".old"))
			}
		})
	}
}

// refuses gives a bad manifest to a stage, as a file and through a pipe.
func (w world) refuses(s reader, what string, bad []byte, say string) {
	w.t.Helper()
	w.write(bad, s.in)
	got := w.run(s.step...)
	if got.status != 4 || !strings.Contains(got.err, say) {
		w.t.Errorf("%s, from a file: want status 4 and %q: %s", what, say, got)
	}
	w.nothingDone(s, what+", from a file")
	if w.has("dest", "chunks") {
		w.t.Errorf("%s, from a file: chunks were sent", what)
	}
	got = w.feed(bytes.NewReader(bad), without(without(s.step, "--in"), "--out")...)
	if got.status != 4 || !strings.Contains(got.err, say) {
		w.t.Errorf("%s, from a pipe: want status 4 and %q: %s", what, say, got)
	}
	if all := lines(got.out); !bytes.HasPrefix(all[len(all)-1], []byte(`{"kind":"abort","tool":"`+s.step[0])) ||
		!bytes.Contains(all[len(all)-1], []byte(`"status":4,`)) {
		w.t.Errorf("%s, from a pipe: standard output ends with %.200q", what, all[len(all)-1])
	}
	w.nothingDone(s, what+", from a pipe")
	os.RemoveAll(w.path("dest")) // chunks that were sent ahead of the end harm nobody
	os.Remove(w.path("spool", "receipts.jsonl"))
}

// nothingDone fails where a stage has left more than what harms nobody.
func (w world) nothingDone(s reader, what string) {
	w.t.Helper()
	if w.has(s.out) {
		w.t.Errorf("%s: there is %s", what, s.out)
	}
	for _, dir := range []string{"dest/migrations", "dest/preseeds", "dest/state", "dest/omt-tenant.json"} {
		if w.has(dir) {
			w.t.Errorf("%s: there is %s", what, dir)
		}
	}
	if got := chunksIn(w.t, w.path("spool")); len(got) > 0 && s.step[0] != "omt-push" {
		w.t.Errorf("%s: %d chunks were made", what, len(got))
	}
}

// edits are what somebody may do to a manifest by hand.
var edits = map[string]func(t *testing.T, m [][]byte) [][]byte{
	"a letter changed": func(t *testing.T, m [][]byte) [][]byte {
		i := slices.IndexFunc(m, func(l []byte) bool { return bytes.Contains(l, []byte(`"login":"BOB"`)) })
		if i < 0 {
			t.Fatal("nobody is called BOB")
		}
		m[i] = bytes.Replace(m[i], []byte(`"name":"B`), []byte(`"name":"D`), 1)
		return m
	},
	"a line removed": func(_ *testing.T, m [][]byte) [][]byte {
		i := slices.IndexFunc(m, func(l []byte) bool { return bytes.HasPrefix(l, []byte(`{"kind":"fact"`)) })
		return slices.Delete(m, i, i+1)
	},
	"a line added": func(_ *testing.T, m [][]byte) [][]byte {
		i := slices.IndexFunc(m, func(l []byte) bool { return bytes.HasPrefix(l, []byte(`{"kind":"address"`)) })
		return slices.Insert(m, i, m[i])
	},
}

// A manifest that was edited is refused with a hint, and taken with --accept-edits, which leaves a record of it.
func TestEdited(t *testing.T) {
	t.Parallel()
	for _, s := range readers {
		t.Run(s.step[0], func(t *testing.T) {
			t.Parallel()
			for what, edit := range edits {
				b, w := ready(t, s)
				whole := b.read(s.in)
				bad := append(bytes.Join(edit(t, lines(whole)), []byte("\n")), '\n')
				w.refuses(s, what, bad, "--accept-edits")
				w.write(bad, s.in)
				w.env = []string{"USER=karl", "USERNAME=karl"}
				w.want(s.status, append(s.step, "--accept-edits")...)
				w.edited(what, w.read(s.out), whole)
				if what == "a letter changed" {
					w = world{newSite(t)}
					w.env = []string{"USER=karl", "USERNAME=karl"}
					w.loadSpool(b)
					if err := os.Symlink(b.path("inst"), w.path("inst")); err != nil {
						t.Fatal(err)
					}
					got := w.feed(bytes.NewReader(bad), append(without(without(s.step, "--in"), "--out"), "--accept-edits")...)
					w.wantAll([]result{got}, s.status)
					w.edited(what+", from a pipe", got.out, whole)
				}
			}
		})
	}
}

// edited looks for the record of an edit.
func (w world) edited(what string, out, whole []byte) {
	w.t.Helper()
	list := records(w.t, out, "edit")
	want := records(w.t, whole, "end")[0]["sha256"]
	if len(list) != 1 || list[0]["was"] != want || list[0]["by"] != "karl" || list[0]["tool"] == "" || list[0]["at"] == "" {
		w.t.Errorf("%s: edit records are %v, want one that was %v", what, list, want)
	}
}

// A stage that fails ends the pipe, whatever stands behind it; the last one's status tells what the first one meant.
func TestFailedStageEndsThePipe(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		more     []string // arguments of scan
		statuses []int
	}{
		"refused":   {[]string{"--login", "NOBODY"}, []int{5, 5, 5, 5}},
		"not there": {[]string{"--prefix", "crm5"}, []int{2, 4, 4, 4}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, w := fresh(t)
			stages := piped()
			stages[0] = append(stages[0], c.more...)
			for i, r := range w.pipe(nil, stages...) {
				if r.status != c.statuses[i] || r.err == "" {
					t.Errorf("want status %d: %s", c.statuses[i], r)
				}
			}
			if w.has("dest", "migrations") || len(chunksIn(t, w.path("spool"))) > 0 {
				t.Error("something was done")
			}
		})
	}
}

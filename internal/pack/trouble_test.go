package pack

import (
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/semaphore"

	"github.com/openomt/omt/internal/chunk"
	"github.com/openomt/omt/internal/manifest"
)

// A spool that cannot be written to stops the run: it is not taken for a file that cannot be read.
func TestSpoolTroubleIsNotTheFiles(t *testing.T) {
	for name, size := range map[string]int{"small": 100, "large": chunk.MaxRaw} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.put("bob/2002.1/1.doc", make([]byte, size))
			s.tune = func(p *packer) { p.temp = filepath.Join(p.temp, "gone") }
			res, err := s.try(1, s.list())
			if !errors.Is(err, fs.ErrNotExist) || len(res.files()) != 0 {
				t.Fatalf("got %v and %+v", err, res.files())
			}
			if _, findings := res.packer.findings.records("t"); len(findings) != 0 {
				t.Errorf("findings: %+v", findings)
			}
		})
	}
}

// A group that failed is never taken for one that is done: its records have no outcome to be written.
func TestFailedGroupIsNotDone(t *testing.T) {
	p := &packer{inst: manifest.Installation{Roots: map[string][]string{"document": {filepath.Join(t.TempDir(), "gone")}}},
		journal: &journal{places: map[groupPrint]place{}}, findings: &fileFindings{}}
	g := &group{files: []manifest.File{{Area: manifest.Document, Path: "a", Size: 1, State: manifest.Present}}, packed: []int{0},
		done: make(chan struct{})}
	buffers := make(chan []byte, 1)
	if err := p.work(t.Context(), g, nil, buffers, semaphore.NewWeighted(1)); err == nil {
		t.Fatal("the root is not there, and nothing failed")
	}
	select {
	case <-g.done:
		t.Error("it counts as done")
	default:
	}
	if len(buffers) != 1 {
		t.Error("its buffer is gone")
	}
}

// Only a file that ends too soon or goes on has changed; any other failure to read is told as it is.
func TestWhatCountsAsChanged(t *testing.T) {
	broken := &fs.PathError{Op: "read", Path: "x", Err: syscall.EIO}
	cases := map[string]struct {
		r       io.Reader
		changed bool
	}{
		"whole":     {strings.NewReader("12345"), false},
		"shrank":    {strings.NewReader("1234"), true},
		"emptied":   {strings.NewReader(""), true},
		"grew":      {strings.NewReader("123456"), true},
		"read fail": {io.MultiReader(strings.NewReader("12"), iotest.ErrReader(broken)), false},
	}
	for name, c := range cases {
		g := &group{content: make([]byte, 0, 100)}
		err := g.readSmall(0, c.r, 5)
		if errors.Is(err, errChanged) != c.changed || (name == "whole") != (err == nil) || (name == "read fail") != errors.Is(err, syscall.EIO) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A file that has other bytes than the journal says, under the same size and time, is found when its group is read
// again; the run after that reads it anew.
func TestJournalThatIsWrongIsForgotten(t *testing.T) {
	s := newSite(t)
	s.put("bob/1.doc", []byte("the same"))
	s.put("bob/2.doc", []byte("other 01"))
	s.pack(1)
	s.put("bob/2.doc", []byte("other 02")) // nobody sees that
	s.put("aaa/0.doc", []byte("the same")) // a group of the same name has another outcome
	files := s.list()
	s.tune = func(p *packer) { // the journal knows the new group, with the old content of the one file
		g := &group{files: files, packed: []int{0, 1, 2}}
		err := p.journal.put(g.fingerprint(p.level, p.inst.Roots), outcome{Files: []fileOutcome{
			{SHA256: sum("the same")}, {SHA256: sum("the same")}, {SHA256: sum("other 01")},
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := s.try(1, files)
	if manifest.StatusOf(err) != manifest.Failed || !strings.Contains(err.Error(), `"document/bob/2.doc"`) || !strings.Contains(manifest.HintOf(err), "again") {
		t.Fatalf("got %v (%q)", err, manifest.HintOf(err))
	}
	s.tune = nil
	got := s.pack(1)
	s.spool = t.TempDir()
	if d := cmp.Diff(s.pack(1).records, got.records); d != "" {
		t.Errorf("the run after it differs from a fresh one: %s", d)
	}
}

func sum(s string) manifest.Digest { return sha256.Sum256([]byte(s)) }

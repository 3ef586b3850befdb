package restore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/chunk"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/progress"
)

// job gives the records of a chunk by their offsets.
func (d *draft) job(k manifest.Chunk) job {
	j := job{chunk: k}
	for _, r := range d.areas[k.Area] {
		if f, ok := r.(manifest.File); ok && f.Chunk == k.SHA256 {
			j.files = append(j.files, f)
		}
	}
	slices.SortStableFunc(j.files, func(a, b manifest.File) int { return int(a.Offset - b.Offset) })
	return j
}

// walked walks a job and gives what was seen: the contents by path.
func walked(ctx context.Context, m Migration, j job) (map[string]string, error) {
	got := map[string]string{}
	err := m.walk(ctx, new(chunk.Pool), j, func(files []manifest.File, e chunk.Entry, r io.Reader) error {
		var b strings.Builder
		if err := content(files, e, r, &b); err != nil {
			return err
		}
		for _, f := range files {
			got[f.Path] = b.String()
		}
		return nil
	})
	return got, err
}

// four are files with two that share a content and one that is empty.
func four(t testing.TB) (*store, *draft, job) {
	s := newStore(t)
	d := s.draft()
	k := d.pack(manifest.Document, item{path: "a", content: "first"}, item{path: "b", content: strings.Repeat("second ", 200)},
		item{path: "c"}, item{path: "d", same: "b"})
	return s, d, d.job(k)
}

func TestWalk(t *testing.T) {
	_, d, j := four(t)
	m := d.commit()
	got, err := walked(t.Context(), m, j)
	check(t, err)
	want := map[string]string{"a": "first", "b": strings.Repeat("second ", 200), "c": "", "d": strings.Repeat("second ", 200)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	some := job{chunk: j.chunk, files: j.files[1:2]} // what no record refers to is passed over
	if got, err = walked(t.Context(), m, some); err != nil || len(got) != 1 {
		t.Errorf("%v, %v", got, err)
	}
	if got, err = walked(t.Context(), m, job{chunk: j.chunk}); err != nil || len(got) != 0 {
		t.Errorf("without records: %v, %v", got, err)
	}
}

// Whatever is wrong with a chunk or with what records say of it is an error.
func TestWalkFindsWhatIsWrong(t *testing.T) {
	s, d, whole := four(t)
	m := d.commit()
	good, err := os.ReadFile(s.file(whole.chunk))
	check(t, err)
	for i := range good {
		b := slices.Clone(good)
		b[i] ^= 1 << (i % 8)
		s.put(whole.chunk, b)
		if _, err := walked(t.Context(), m, whole); err == nil || !strings.Contains(err.Error(), whole.chunk.SHA256.String()) {
			t.Errorf("byte %d: %v", i, err)
		}
		if _, err := walked(t.Context(), m, job{chunk: whole.chunk}); err == nil {
			t.Errorf("byte %d: without records nothing is found", i)
		}
	}
	for n := range good {
		s.put(whole.chunk, good[:n])
		if _, err := walked(t.Context(), m, whole); err == nil {
			t.Errorf("cut at %d: nothing is found", n)
		}
	}
	s.put(whole.chunk, append(slices.Clone(good), good...))
	if _, err := walked(t.Context(), m, whole); err == nil {
		t.Error("twice the chunk: nothing is found")
	}
	s.put(whole.chunk, good)
	lies := map[string]func(j *job){
		"offset before":   func(j *job) { j.files[0].Offset-- },
		"offset behind":   func(j *job) { j.files[3].Offset++ },
		"offset far away": func(j *job) { j.files[3].Offset = 1 << 40 },
		"size":            func(j *job) { j.files[1].Size++ },
		"digest":          func(j *job) { j.files[2].SHA256[5] ^= 1 },
		"digest of copy": func(j *job) {
			j.files[slices.IndexFunc(j.files, func(f manifest.File) bool { return f.Path == "d" })].SHA256[5] ^= 1
		},
		"size of chunk": func(j *job) { j.chunk.Bytes++ },
		"smaller chunk": func(j *job) { j.chunk.Bytes -= 5 },
	}
	for what, lie := range lies {
		j := job{chunk: whole.chunk, files: slices.Clone(whole.files)}
		lie(&j)
		if _, err := walked(t.Context(), m, j); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", what, err)
		}
	}
	check(t, os.Remove(s.file(whole.chunk)))
	if _, err := walked(t.Context(), m, whole); !errors.Is(err, os.ErrNotExist) && err == nil {
		t.Errorf("no chunk: %v", err)
	}
}

func TestWalkStops(t *testing.T) {
	_, d, j := four(t)
	m := d.commit()
	broken := errors.New("broken")
	err := m.walk(t.Context(), new(chunk.Pool), j, func([]manifest.File, chunk.Entry, io.Reader) error { return broken })
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := walked(ctx, m, j); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// A chunk that very many records refer to becomes several jobs, but those of one content stay together, since its name
// is that of one of them.
func TestJobs(t *testing.T) {
	s := newStore(t)
	d := s.draft()
	var items []item
	for i := range 3 {
		name := fmt.Sprintf("x%d", i)
		items = append(items, item{path: name, content: name})
		for n := range 19 {
			items = append(items, item{path: fmt.Sprintf("%s.d/%02d", name, n), same: name})
		}
	}
	k := d.pack(manifest.Document, items...)
	other := d.pack(manifest.Service, item{path: "one", content: "one"})
	m := d.commit()
	c, err := m.read(t.Context(), t.TempDir(), func(manifest.File) bool { return true })
	check(t, err)
	defer c.sorter.Close()
	c.perJob = 25
	var got []string
	check(t, c.jobs(t.Context(), func(j job) error {
		got = append(got, fmt.Sprintf("%d %d %v", c.place[j.chunk.SHA256], len(j.files), j.more))
		_, err := walked(t.Context(), m, j)
		return err
	}))
	if want := []string{fmt.Sprintf("%d 40 true", c.place[k.SHA256]), fmt.Sprintf("%d 20 false", c.place[k.SHA256]), fmt.Sprintf("%d 1 false", c.place[other.SHA256])}; !slices.Equal(got, want) {
		t.Errorf("jobs %q, want %q", got, want)
	}
	v := &verifier{m: m, c: c, pool: new(chunk.Pool), wrong: map[manifest.Digest]bool{}, done: map[manifest.Digest]bool{},
		o: VerifyOptions{Depth: Content, Workers: 2, Progress: progress.None{}, Problem: func(err error) { t.Error(err) }}}
	check(t, v.read(t.Context()))
	links := d.areas[manifest.Document][len(d.areas[manifest.Document])-1].(manifest.Chunk)
	if v.proof.Read != 3 || v.proof.Files != 61 || v.proof.BytesRead != k.Bytes+links.Bytes+other.Bytes {
		t.Errorf("proved %+v", v.proof)
	}
	dir := t.TempDir()
	f, err := openFolder(dir, mark{Revision: "x/1"})
	check(t, err)
	defer f.close()
	none := progress.None{}.Meter("", 0, progress.Bytes)
	check(t, f.unpack(t.Context(), m, c, 1, map[manifest.Area]progress.Meter{"document": none, "service": none}))
	if n := len(tree(t, dir)); n != 61+2 { // with the mark and the list of what is done
		t.Errorf("%d files were unpacked", n)
	}
}

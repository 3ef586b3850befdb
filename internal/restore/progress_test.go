package restore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/progress"
)

// counting counts the chunks that are opened, and calls event before the n-th.
type counting struct {
	destination.Destination
	mu    sync.Mutex
	n     int
	at    int
	event func()
	fail  error // of the at-th, after event
}

func (d *counting) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	if strings.HasPrefix(name, "chunks/") {
		d.mu.Lock()
		d.n++
		due := d.n == d.at
		d.mu.Unlock()
		if due {
			if d.event != nil {
				d.event()
			}
			if d.fail != nil {
				return nil, d.fail
			}
		}
	}
	return d.Destination.Open(ctx, name, off, n)
}

// proving is a proof whose progress is kept in a folder, at a moment.
func proving(t *testing.T, state string, depth Depth, when time.Time) VerifyOptions {
	return VerifyOptions{Depth: depth, Workers: 1, Temp: t.TempDir(), State: state, Progress: progress.None{}, Log: slog.New(slog.DiscardHandler),
		Now: func() time.Time { return when }, Problem: func(err error) { t.Errorf("problem: %v", err) }}
}

// brokenOff proves until the n-th chunk is opened, and is broken off there.
func brokenOff(t *testing.T, m Migration, o VerifyOptions, n int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	d := &counting{Destination: m.Dest, at: n, event: cancel}
	if p, err := Verify(ctx, m.over(d), o); !errors.Is(err, context.Canceled) || p.Finished {
		t.Fatalf("got %v, %+v", err, p)
	}
}

// A proof that was broken off anywhere reads the rest alone, and says the same as one at a stroke, but that it took two runs.
func TestGoOn(t *testing.T) {
	_, d := sample(t)
	m := d.commit()
	for _, depth := range []Depth{Hash, Content} {
		whole, _ := verify(t, m, VerifyOptions{Depth: depth})
		for n := 1; n <= whole.Chunks; n++ {
			state := t.TempDir()
			brokenOff(t, m, proving(t, state, depth, at), n)
			c := &counting{Destination: m.Dest}
			got, err := Verify(t.Context(), m.over(c), proving(t, state, depth, at.Add(time.Hour)))
			check(t, err)
			if want := whole.Chunks - (n - 1); c.n != want {
				t.Errorf("%s, broken off at chunk %d: %d were read, want %d", depth, n, c.n, want)
			}
			if diff := cmp.Diff(whole, got, cmpopts.IgnoreFields(Proof{}, "Begun", "Runs", "Kept")); diff != "" || got.Runs != 2 || !got.Begun.Equal(at) || (got.Kept > 0) != (n > 1) {
				t.Errorf("%s, broken off at chunk %d: %+v\n%s", depth, n, got, diff)
			}
			if left, _ := os.ReadDir(state); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		}
	}
}

// What is kept counts for the same proof alone, for a week.
func TestGoOnWithWhat(t *testing.T) {
	_, d := sample(t)
	m := d.commit()
	whole, _ := verify(t, m, VerifyOptions{Depth: Hash})
	state := t.TempDir()
	brokenOff(t, m, proving(t, state, Hash, at), 4)
	kept := filepath.Join(state, one(t, state))
	good, err := os.ReadFile(kept)
	check(t, err)
	again := func(what string, m Migration, o VerifyOptions, want int) {
		t.Helper()
		check(t, os.WriteFile(kept, good, 0o600))
		c := &counting{Destination: m.Dest}
		if _, err := Verify(t.Context(), m.over(c), o); err != nil || c.n != want {
			t.Errorf("%s: %d chunks were read, want %d, error %v", what, c.n, want, err)
		}
	}
	again("the same", m, proving(t, state, Hash, at.Add(staleAfter)), whole.Chunks-3)
	again("a week later", m, proving(t, state, Hash, at.Add(staleAfter+1)), whole.Chunks)
	again("before it began", m, proving(t, state, Hash, at.Add(-1)), whole.Chunks)
	again("another depth", m, proving(t, state, Content, at), whole.Chunks)
	other := m
	other.Commit.End = manifest.Digest{9}
	again("another manifest", other, proving(t, state, Hash, at), whole.Chunks)
	for cut := range good {
		lines := strings.Count(string(good[:cut]), "\n")
		good := good
		check(t, os.WriteFile(kept, good[:cut], 0o600))
		c := &counting{Destination: m.Dest}
		want := whole.Chunks - max(0, lines-2) // behind the head and the run's own line
		if _, err := Verify(t.Context(), m.over(c), proving(t, state, Hash, at)); err != nil || c.n != want {
			t.Fatalf("cut at byte %d: %d chunks were read, want %d, error %v", cut, c.n, want, err)
		}
	}
	check(t, os.WriteFile(kept, []byte("nonsense\n"), 0o600))
	c := &counting{Destination: m.Dest}
	if _, err := Verify(t.Context(), m.over(c), proving(t, state, Hash, at)); err != nil || c.n != whole.Chunks {
		t.Errorf("nonsense: %d chunks were read, error %v", c.n, err)
	}
	// Two at once: the second keeps nothing, and proves all the same.
	l, err := openProofLog(state, proofHead{Destination: m.Dest.URL(), Revision: string(m.Commit.Phase) + " " + m.Revision(), Depth: Hash, Begun: manifest.At(at)})
	check(t, err)
	defer l.close(true)
	c = &counting{Destination: m.Dest}
	if p, err := Verify(t.Context(), m.over(c), proving(t, state, Hash, at)); err != nil || c.n != whole.Chunks || p.Runs != 1 {
		t.Errorf("beside another: %+v, %d were read, error %v", p, c.n, err)
	}
}

func one(t *testing.T, dir string) string {
	t.Helper()
	list, err := os.ReadDir(dir)
	check(t, err)
	if len(list) != 1 {
		t.Fatalf("in %q: %v", dir, list)
	}
	return list[0].Name()
}

// What was found wrong is looked at again by the run that goes on; what was found good is not.
func TestGoOnAfterProblem(t *testing.T) {
	s, d := sample(t)
	m := d.commit()
	var bad manifest.Chunk
	for _, r := range d.tables {
		if k, ok := r.(manifest.Chunk); ok && bad.SHA256.IsZero() {
			bad = k
		}
	}
	good, err := os.ReadFile(s.file(bad))
	check(t, err)
	flipMiddle(t, s.file(bad))
	state := t.TempDir()
	problems := 0
	o := proving(t, state, Content, at)
	o.Problem = func(error) { problems++ }
	brokenOff(t, m, o, 3)
	check(t, os.WriteFile(s.file(bad), good, 0o644))
	c := &counting{Destination: m.Dest}
	p, err := Verify(t.Context(), m.over(c), o)
	if err != nil || problems != 1 || p.Problems != 0 || c.n != p.Chunks-1 {
		t.Errorf("%v: %d problems, %d chunks were read, %+v", err, problems, c.n, p)
	}
}

// A line that is down, and a credential that has ended, say nothing of chunks: the run ends, and is gone on with.
func TestWhatIsNoProblem(t *testing.T) {
	_, d := sample(t)
	m := d.commit()
	for _, class := range []error{destination.ErrTransient, destination.ErrDenied, destination.ErrBlocked} {
		state := t.TempDir()
		c := &counting{Destination: m.Dest, at: 4, fail: fmt.Errorf("reading: %w", class)}
		if p, err := Verify(t.Context(), m.over(c), proving(t, state, Content, at)); !errors.Is(err, class) || p.Problems > 0 || p.Finished {
			t.Errorf("%v: %+v, error %v", class, p, err)
		}
		c = &counting{Destination: m.Dest}
		if p, err := Verify(t.Context(), m.over(c), proving(t, state, Content, at)); err != nil || c.n != p.Chunks-3 {
			t.Errorf("%v: %d of %d chunks were read, error %v", class, c.n, p.Chunks, err)
		}
	}
}

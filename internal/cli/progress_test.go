package cli

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vbauerster/mpb/v8"

	"github.com/openomt/omt/internal/progress"
)

// clock is a time that a test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func newTestMeters(m mode) (*meters, *clock, *lockedBuffer) {
	c := &clock{now: time.Unix(1_700_000_000, 0)}
	out := &lockedBuffer{}
	env := &Env{Name: "omt-x", Now: c.Now, Stderr: out, Stdout: &bytes.Buffer{}, IsTerminal: func(any) bool { return m == bars }, Getenv: func(string) string { return "" }}
	env.prepare()
	ms := newMeters(env, m, slog.New(slog.DiscardHandler))
	ms.options = []mpb.ContainerOption{mpb.WithAutoRefresh(), mpb.WithWidth(120), mpb.WithRefreshRate(5 * time.Millisecond)}
	return ms, c, out
}

func TestPlainProgress(t *testing.T) {
	m, c, out := newTestMeters(plain)
	files := m.Meter("document", 1000, progress.Items)
	data := m.Meter("database", 0, progress.Bytes)
	files.Add(300)
	files.Skip(100)
	data.Add(5_000_000)
	c.add(30 * time.Second)
	m.print()
	files.SetTotal(2000)
	files.Done()
	files.Done()
	c.add(30 * time.Second)
	m.print()
	m.stop()
	want := `omt-x: Database: 5.0 MB, 167 kB/s
omt-x: Documents: 300 and 100 skipped of 1,000 items, 10 items/s, 1m left
omt-x: Documents: 300 items and 100 skipped in 30s, 10 items/s
omt-x: Database: 5.0 MB, 8.3 kB/s
`
	if got := out.String(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestSilentProgress(t *testing.T) {
	m, c, out := newTestMeters(silent)
	meter := m.Meter("document", 10, progress.Items)
	meter.Add(10)
	c.add(time.Hour)
	meter.Done()
	m.stop()
	if out.String() != "" {
		t.Errorf("printed %q", out.String())
	}
}

func TestMeterMode(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	for _, tt := range []struct {
		progress        string
		quiet, terminal bool
		want            mode
	}{
		{"auto", false, true, bars}, {"auto", false, false, silent}, {"plain", false, true, plain}, {"plain", false, false, plain},
		{"none", false, true, silent}, {"auto", true, true, silent}, {"plain", true, false, silent},
	} {
		j := &Job{Common: Common{Progress: tt.progress, Quiet: tt.quiet}, env: &Env{screen: newScreen(nil, tt.terminal)}}
		if got := meterMode(j); got != tt.want {
			t.Errorf("%+v: %d", tt, got)
		}
		// In a pipe with other stages nothing is drawn, unless the records go to a file.
		j.env.Stdout = &stdout{w: w}
		want := tt.want
		if want == bars {
			want = plain
		}
		if got := meterMode(j); got != want {
			t.Errorf("%+v in a pipe: %d", tt, got)
		}
		j.Out = "done.jsonl"
		if got := meterMode(j); got != tt.want {
			t.Errorf("%+v in a pipe with --out: %d", tt, got)
		}
	}
}

// Bars and lines share the screen: every line comes out whole, above the bars, even one written just before the end.
func TestBars(t *testing.T) {
	m, c, out := newTestMeters(bars)
	first := m.Meter("document", 1000, progress.Items)
	second := m.Meter("database", 0, progress.Bytes)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 50 {
				first.Add(5)
				second.Add(1000)
				m.env.tell("line %d of %d", i, g)
			}
		})
	}
	wg.Wait()
	c.add(10 * time.Second)
	first.Done()
	m.env.tell("the last line")
	m.stop()
	m.env.tell("after the bars")
	got := out.String()
	for g := range 4 {
		for i := range 50 {
			if line := fmt.Sprintf("omt-x: line %d of %d\n", i, g); strings.Count(got, line) != 1 {
				t.Fatalf("%q is there %d times", line, strings.Count(got, line))
			}
		}
	}
	for _, want := range []string{"Documents", "1,000 items in 10s", "Database", "200 kB", "omt-x: the last line\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in %q", want, got[max(0, len(got)-600):])
		}
	}
	if !strings.HasSuffix(got, "omt-x: after the bars\n") {
		t.Errorf("end %q", got[len(got)-100:])
	}
}

// All bars may have ended long before a line is written and the screen is given back.
func TestLineAfterLastBar(t *testing.T) {
	for range 20 {
		m, _, out := newTestMeters(bars)
		meter := m.Meter("document", 10, progress.Items)
		meter.Add(20) // more than was expected does not end the bar
		meter.Add(5)
		meter.Done()
		time.Sleep(20 * time.Millisecond)
		m.env.tell("late")
		m.stop()
		m.stop()
		if got := out.String(); strings.Count(got, "omt-x: late\n") != 1 || !strings.Contains(got, "25 items in") {
			t.Fatalf("got %q", got)
		}
	}
}

// Meters that are opened after the end, by a goroutine that is late, do nothing.
func TestMeterAfterStop(t *testing.T) {
	for _, mode := range []mode{plain, bars} {
		m, _, out := newTestMeters(mode)
		m.stop()
		meter := m.Meter("late", 1, progress.Items)
		meter.Add(1)
		m.stop()
		if out.String() != "" {
			t.Errorf("mode %d: %q", mode, out.String())
		}
	}
}

func TestRate(t *testing.T) {
	at := time.Unix(0, 0)
	r := rate{at: at}
	if got := r.sample(at.Add(500*time.Millisecond), 100); got != 0 {
		t.Errorf("before a second: %v", got)
	}
	if got := r.sample(at.Add(2*time.Second), 200); got != 100 {
		t.Errorf("first: %v", got)
	}
	if got := r.sample(at.Add(2500*time.Millisecond), 9999); got != 100 {
		t.Errorf("too early: %v", got)
	}
	var got float64
	for i := range 100 { // then nothing: the average falls, and never below zero
		next := r.sample(at.Add(time.Duration(3+i)*time.Second), 200)
		if i > 0 && (next >= got || next < 0) {
			t.Fatalf("after %d s: %v, was %v", i, next, got)
		}
		got = next
	}
	if got > 0.1 {
		t.Errorf("after 100 s of nothing: %v", got)
	}
}

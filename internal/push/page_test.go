package push

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/destination/destinationtest"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/progress"
)

// recorder keeps what lines are told.
type recorder struct {
	mu    sync.Mutex
	lines []*recorded
}

type recorded struct {
	r                    *recorder
	name                 string
	totals               []int64
	count, skipped, done int64
}

func (r *recorder) Meter(name string, total int64, _ progress.Unit) progress.Meter {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := &recorded{r: r, name: name, totals: []int64{total}}
	r.lines = append(r.lines, m)
	return m
}

func (m *recorded) with(f func()) {
	m.r.mu.Lock()
	defer m.r.mu.Unlock()
	f()
}

func (m *recorded) Add(n int64)      { m.with(func() { m.count += n }) }
func (m *recorded) Skip(n int64)     { m.with(func() { m.skipped += n }) }
func (m *recorded) SetTotal(n int64) { m.with(func() { m.totals = append(m.totals, n) }) }
func (m *recorded) Done()            { m.with(func() { m.done++ }) }

func (r *recorder) names() (names []string) {
	for _, m := range r.lines {
		names = append(names, m.name)
	}
	return names
}

func (r *recorder) line(t *testing.T, name string) *recorded {
	t.Helper()
	for _, m := range r.lines {
		if m.name == name {
			return m
		}
	}
	t.Fatalf("no line %q in %q", name, r.names())
	return nil
}

// recordedRun pushes with a recorder; d may be nil.
func recordedRun(t *testing.T, at place, mode func(Options, []byte) Options, data []byte, d destination.Destination) *recorder {
	t.Helper()
	r := &recorder{}
	o := at.options(t, data)
	o.Progress = r
	if d != nil {
		o.To = d
	}
	if _, err := run1(t.Context(), mode(o, data)); manifest.StatusOf(err) != manifest.Remarks {
		t.Fatal(err)
	}
	for _, m := range r.lines {
		if m.done == 0 {
			t.Errorf("line %q was not ended", m.name)
		}
	}
	return r
}

// The lines are those of the upload page. From a file an area's total is known at once, of a stream at its end.
func TestPage(t *testing.T) {
	p := small()
	data := p.bytes(t)
	bytesOf := func(from, to int) (n int64) {
		for i := from; i < to; i++ {
			n += int64(len(p.chunk(i)))
		}
		return n
	}
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			at := newPlace(t, p)
			r := recordedRun(t, at, mode, data, nil)
			if want := []string{"starting", "database", "document", "finishing"}; !slices.Equal(r.names(), want) {
				t.Errorf("lines are %q, want %q", r.names(), want)
			}
			for area, want := range map[string]int64{"database": bytesOf(0, 1), "document": bytesOf(1, p.chunks)} {
				m := r.line(t, area)
				first := want
				if name == "stream" {
					first = 0
				}
				if m.count != want || m.skipped != 0 || m.totals[0] != first || m.totals[len(m.totals)-1] != want {
					t.Errorf("%s: %d sent, %d skipped, totals %v, want %d", area, m.count, m.skipped, m.totals, want)
				}
			}
			if m := r.line(t, "finishing"); m.count != m.totals[len(m.totals)-1] || m.count < 2*int64(bytes.Count(data, []byte("\n"))) {
				t.Errorf("finishing: %d of %v records", m.count, m.totals)
			}
			// Pushed again, it is committed already: there is nothing to send.
			r = recordedRun(t, at, mode, data, nil)
			if name != "stream" && !slices.Equal(r.names(), []string{"starting", "finishing"}) {
				t.Errorf("again: lines are %q", r.names())
			}
			for _, m := range r.lines {
				if m.name == "document" && (m.count != 0 || m.skipped != m.totals[len(m.totals)-1]) {
					t.Errorf("again: %d sent, %d skipped of %v", m.count, m.skipped, m.totals)
				}
			}
		})
	}
}

// A chunk that an earlier run had begun counts as skipped as far as it had come; one that breaks off, or whose answer is
// lost, leaves the sum right.
func TestPageOfResumedRun(t *testing.T) {
	p := small()
	data := p.bytes(t)
	for name, mode := range modes {
		at := newPlace(t, p)
		u, err := at.destination(t).Upload(t.Context(), p.names()[1], int64(len(p.chunk(1))), sha256.Sum256(p.chunk(1)))
		check(t, err)
		_, err = u.Send(t.Context(), 0, bytes.NewReader(p.chunk(1)[:700]))
		check(t, err)
		check(t, u.Close())
		d := destinationtest.NewFaulty(t, at.destination(t), destinationtest.Fault{Op: destinationtest.OpSend, Call: 2, Short: 100},
			destinationtest.Fault{Op: destinationtest.OpCommit, Call: 1, Late: true})
		r := recordedRun(t, at, mode, data, d)
		sent, skipped, total := int64(0), int64(0), int64(0)
		for _, m := range r.lines[1 : len(r.lines)-1] {
			sent, skipped, total = sent+m.count, skipped+m.skipped, total+m.totals[len(m.totals)-1]
		}
		if sent+skipped != total || skipped != 700 {
			t.Errorf("%s: %d bytes sent and %d skipped of %d", name, sent, skipped, total)
		}
	}
}

// An area's line ends with its last chunk, while others go on.
func TestAreaEndsOnItsOwn(t *testing.T) {
	r := &recorder{}
	p := newPage(r)
	a, b, c := &item{area: manifest.Document, bytes: 10}, &item{area: manifest.Document, bytes: 5}, &item{area: manifest.Database, bytes: 1}
	p.starting()
	for _, it := range []*item{a, b, c} {
		p.offer(it)
	}
	if r.line(t, "starting").done != 1 {
		t.Error("Starting goes on")
	}
	p.done(a)
	p.done(b)
	if r.line(t, "document").done != 0 {
		t.Error("documents have ended although more may come")
	}
	p.seal()
	if got := fmt.Sprint(r.line(t, "document").done, r.line(t, "database").done, r.line(t, "document").totals); got != "1 0 [0 15]" {
		t.Errorf("after the end of the stream: %s", got)
	}
	p.done(c)
	p.end()
	p.close()
	if got := r.line(t, "database").done; got != 1 {
		t.Errorf("the database has ended %d times", got)
	}
	if strings.Join(r.names(), " ") != "starting document database" {
		t.Errorf("lines are %q", r.names())
	}
}

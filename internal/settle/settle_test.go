package settle

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/source"
)

// Nothing changes: everything is read once and looked at once.
func TestQuiet(t *testing.T) {
	w := newWorld(t, "t1", "x1")
	s := w.settle(time.Minute)
	if len(s.Changes) > 0 || s.Rounds != 0 || len(w.slept) > 0 {
		t.Errorf("%+v after %v", s.Changes, w.slept)
	}
	if d := cmp.Diff([]string{"t1", "x1", "t1?", "x1?"}, w.read); d != "" {
		t.Error(d)
	}
	w.read = nil
	if s = w.settle(0); len(s.Changes) > 0 || !slices.Equal(w.read, []string{"t1", "x1"}) {
		t.Errorf("without time: %+v, read %q", s.Changes, w.read)
	}
}

// What happens once, in the middle of the reading of a table with six rows, is seen, whatever it leaves alike.
func TestTornWithinATable(t *testing.T) {
	const middle = 5 // a mark is the first moment of a table, its third row the fourth
	for _, c := range []struct {
		name   string
		what   func(w *world, table string)
		unseen string // tables in which marks alone do not show it
	}{
		{"one goes and one comes", func(w *world, table string) { w.delete(table, 1, 7); w.insert(table, 7) }, ""},
		{"updates", func(w *world, table string) { w.update(table, 6, 7); w.update(table, 1, 7) }, "x1"},
		{"updates, the clock set back", func(w *world, table string) { w.clock = 0; w.update(table, 6, 1); w.update(table, 1, 1) }, "x1"},
		{"rows exchange their texts, by hand", func(w *world, table string) {
			a, b := w.tables[table][1], w.tables[table][6]
			a.text, b.text = b.text, a.text
			w.tables[table][1], w.tables[table][6] = a, b
		}, "t1 x1"},
	} {
		for _, table := range []string{"t1", "x1"} {
			run := func(blind bool) (*world, *Settled) {
				w := newWorld(t, table)
				w.blind = blind
				w.happens = once(middle, func(w *world) { c.what(w, table) })
				return w, w.settle(time.Minute)
			}
			w, s := run(false)
			if len(s.Changes) > 0 || w.torn(s) != nil || s.Rounds != 1 {
				t.Errorf("%s in %s: %d rounds, named %+v, read %q", c.name, table, s.Rounds, s.Changes, w.read)
			}
			// Where marks do not show it and nothing is read twice, what was read is of no moment, and nobody says so.
			w, s = run(true)
			if unseen := strings.Contains(c.unseen, table); unseen != (w.torn(s) != nil) {
				t.Errorf("%s in %s: without second readings %d rounds, torn %v", c.name, table, s.Rounds, w.torn(s))
			}
		}
	}
}

// A table that agreed once and is telling is believed by its mark; others are read again at each look.
func TestLaterLooks(t *testing.T) {
	w := newWorld(t, "t1", "t2", "x1")
	w.happens = once(10, func(w *world) { w.update("t2", 1, 9) })
	s := w.settle(time.Minute)
	if d := cmp.Diff([]string{"t1", "t2", "x1", "t1?", "x1?", "t2", "t2?", "x1?"}, w.read); d != "" || len(s.Changes) > 0 {
		t.Errorf("%s %+v", d, s.Changes)
	}
	// The log, or a key that was drawn, brings a second reading and no more.
	for name, hint := range map[string]func(w *world){
		"log": func(w *world) { w.logged["t1"][5]++ }, "key": func(w *world) { w.next["t1"]++ },
	} {
		w := newWorld(t, "t1", "t2")
		reads := 0
		w.happens = func(w *world) {
			if n := len(w.read); n != reads && n == 4 { // the last of the first look
				hint(w)
			}
			reads = len(w.read)
			if len(w.moments) == 12 {
				w.update("t2", 1, 9)
			}
		}
		s := w.settle(time.Minute)
		if d := cmp.Diff([]string{"t1", "t2", "t1?", "t2", "t1?", "t2?"}, w.read); d != "" || len(s.Changes) > 0 {
			t.Errorf("%s: %s %+v", name, d, s.Changes)
		}
	}
}

// Who goes on working is named, with their tables and no other, when the time is over.
func TestTimeIsOver(t *testing.T) {
	w := newWorld(t, "t1", "t2", "x1", "x2")
	n := 0
	w.happens = func(w *world) {
		if n++; n%3 == 0 {
			w.update("t2", 1, 5)
			w.update("t2", 2, 6)
			w.delete("x2", int64(n/3), 8)
			w.insert("x2", 8)
		}
	}
	s := w.settle(20 * time.Second)
	want := []Change{{Table: "t2", Who: []int64{5, 6}, Times: 1 + s.Rounds}, {Table: "x2", Who: []int64{8}, Times: 1 + s.Rounds}}
	if d := cmp.Diff(want, s.Changes); d != "" || s.Rounds < 2 || w.torn(s) != nil {
		t.Errorf("%d rounds, torn %v\n%s", s.Rounds, w.torn(s), d)
	}
	if len(w.again) != s.Rounds || w.again[0] != "t2 x2" {
		t.Errorf("it said %q in %d rounds", w.again, s.Rounds)
	}
	if d := cmp.Diff([]time.Duration{time.Second, 2 * time.Second, 4 * time.Second}, w.slept[:min(3, len(w.slept))]); d != "" {
		t.Error(d)
	}
	w.read = nil
	if s := w.settle(0); !slices.Equal(w.read, []string{"t1", "t2", "x1", "x2"}) || len(s.Changes) != 2 || s.Rounds != 0 {
		t.Errorf("without time: read %q, named %+v", w.read, s.Changes)
	}
}

// What changes after it was settled is told of the tables that were.
func TestSince(t *testing.T) {
	w := newWorld(t, "t1", "t2", "t3")
	n := 0
	w.happens = func(w *world) {
		if n++; n%2 == 0 {
			w.update("t3", 1, 4)
		}
	}
	s := w.settle(time.Second)
	w.happens = nil
	w.update("t1", 3, 5)
	w.logged["t2"][6]++
	got, err := s.Since(t.Context(), []string{"t1", "t2", "t3", "absent"})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]Change{{Table: "t1", Who: []int64{5}, Times: 1}, {Table: "t2", Who: []int64{6}, Times: 1}}, got); d != "" {
		t.Error(d)
	}
}

// What goes wrong ends it, wherever.
func TestErrors(t *testing.T) {
	broken := errors.New("connection lost")
	for calls := range 6 {
		for _, busy := range []bool{false, true} {
			w := newWorld(t, "t1")
			if busy {
				w.happens = func(w *world) { w.update("t1", 1, 1) }
			}
			n, o := 0, w.options(time.Second*5)
			fail := func() error {
				if n++; n > calls {
					return broken
				}
				return nil
			}
			mark, read, agrees, sleep := o.Mark, o.Read, o.Agrees, o.Sleep
			o.Mark = func(ctx context.Context, t string) (source.Mark, error) {
				m, err := mark(ctx, t)
				return m, errors.Join(err, fail())
			}
			o.Read = func(ctx context.Context, t string) error { return errors.Join(read(ctx, t), fail()) }
			o.Agrees = func(ctx context.Context, t string) (bool, error) {
				ok, err := agrees(ctx, t)
				return ok, errors.Join(err, fail())
			}
			o.Sleep = func(ctx context.Context, d time.Duration) error { return errors.Join(sleep(ctx, d), fail()) }
			s, err := Tables(t.Context(), []string{"t1"}, o)
			if done := !busy && calls >= 4; done != (err == nil) || !done && !errors.Is(err, broken) {
				t.Errorf("after %d calls, busy %v: %v, %v", calls, busy, s, err)
			}
		}
	}
	w := newWorld(t, "t1")
	s := w.settle(0)
	s.mark = func(context.Context, string) (source.Mark, error) { return source.Mark{}, broken }
	if _, err := s.Since(t.Context(), []string{"t1"}); !errors.Is(err, broken) {
		t.Error(err)
	}
}

// A question that the server breaks off in favour of others is asked again, a few times.
func TestVictims(t *testing.T) {
	victim := fmt.Errorf("reading: %w", source.ErrVictim)
	for _, c := range []struct {
		at, times int // from which call on, and how often
		ok        bool
	}{{1, 1, true}, {2, victims, true}, {4, 2, true}, {2, victims + 1, false}, {3, 1000, false}} {
		w := newWorld(t, "t1")
		n, o := 0, w.options(time.Minute)
		fail := func() error {
			if n++; n >= c.at && n < c.at+c.times {
				return victim
			}
			return nil
		}
		mark, read, agrees := o.Mark, o.Read, o.Agrees
		o.Mark = func(ctx context.Context, t string) (source.Mark, error) {
			m, err := mark(ctx, t)
			return m, errors.Join(err, fail())
		}
		o.Read = func(ctx context.Context, t string) error { return errors.Join(read(ctx, t), fail()) }
		o.Agrees = func(ctx context.Context, t string) (bool, error) {
			ok, err := agrees(ctx, t)
			return ok, errors.Join(err, fail())
		}
		s, err := Tables(t.Context(), []string{"t1"}, o)
		if c.ok && (err != nil || len(s.Changes) > 0 || n != 4+c.times) || !c.ok && !errors.Is(err, source.ErrVictim) {
			t.Errorf("%+v: %d calls, %v, %v", c, n, s, err)
		}
	}
}

// chance makes writers that do anything at any moment, until they stop.
func chance(r *rand.Rand, names []string) func(w *world) {
	left, rate := r.IntN(400), 1+r.IntN(40)
	return func(w *world) {
		if left--; left < 0 || r.IntN(rate) > 0 {
			return
		}
		if r.IntN(20) == 0 {
			w.clock = int64(r.IntN(5000)) // somebody sets the clock
		}
		n, who := names[r.IntN(len(names))], int64(1+r.IntN(5))
		switch key := 1 + r.Int64N(w.next[n]); r.IntN(4) {
		case 0:
			w.insert(n, who)
		case 1:
			w.delete(n, key, who)
		case 2: // across tables, in one transaction
			for _, n := range names {
				w.update(n, 1+r.Int64N(w.next[n]), who)
			}
		default:
			w.update(n, key, who)
		}
	}
}

// Whatever happens and whenever: what was read of all tables that are not named is what the database held at one moment.
// Without second readings that is not so.
func TestOneMoment(t *testing.T) {
	names := []string{"t1", "t2", "x1", "x2"}
	run := func(seed uint64, settle time.Duration, blind bool) (*world, *Settled) {
		r := rand.New(rand.NewPCG(seed, 1))
		w := newWorld(t, names...)
		w.blind = blind
		w.happens = chance(r, names[r.IntN(len(names)):])
		return w, w.settle(settle)
	}
	settled, named, blindly, atOnce := 0, 0, 0, 0
	for seed := range uint64(400) {
		w, s := run(seed, 30*time.Second, false)
		if torn := w.torn(s); torn != nil {
			t.Fatalf("seed %d: %d rounds, named %+v, and there was no moment at which %q were as they were read", seed, s.Rounds, s.Changes, torn)
		}
		if s.Rounds > 0 {
			settled++
		}
		named += len(s.Changes)
		if w, s := run(seed, 30*time.Second, true); w.torn(s) != nil {
			blindly++
		}
		if w, s := run(seed, 0, false); w.torn(s) != nil {
			atOnce++
		}
	}
	t.Logf("of 400 runs %d were settled after a first look that found something; %d tables were named; torn without second readings %d, without time %d", settled, named, blindly, atOnce)
	if settled < 100 || named < 10 || blindly < 50 || atOnce < 10 {
		t.Error("this proves too little")
	}
}

package settle

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/openomt/omt/internal/source"
)

// row is a row of a table in a test.
type row struct {
	who, updated, count int64
	text                string
}

// content is the rows of a table by key.
type content map[int64]row

// telling are tables with updated and updatedCount; others have neither, and nobody who updated them.
func telling(table string) bool { return table[0] == 't' }

// world is a database that gives no snapshot. At every row that is read, and at every other moment, something may happen in
// it; what it held is kept from moment to moment.
type world struct {
	t       *testing.T
	tables  map[string]content
	next    map[string]int64
	logged  map[string]map[int64]int64
	clock   int64 // as it is set; it may be wrong
	now     time.Time
	happens func(w *world) // at every moment
	moments []map[string]content
	got     map[string]content // by the last reading
	read    []string           // what was read, in order: "t1", a second reading as "t1?"
	blind   bool               // second readings agree with anything
	slept   []time.Duration
	again   []string // what was said to be read again
}

func newWorld(t *testing.T, names ...string) *world {
	w := &world{t: t, tables: map[string]content{}, next: map[string]int64{}, logged: map[string]map[int64]int64{}, clock: 1000,
		now: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC), got: map[string]content{}}
	for _, n := range names {
		w.tables[n], w.next[n], w.logged[n] = content{}, 1, map[int64]int64{}
		for range 6 {
			w.insert(n, 1)
		}
	}
	w.keep()
	return w
}

func (w *world) insert(table string, who int64) {
	w.clock++
	w.tables[table][w.next[table]] = row{who: who, updated: w.clock, text: fmt.Sprint("made at ", w.clock)}
	w.next[table]++
}

func (w *world) update(table string, key, who int64) {
	w.clock++
	r, ok := w.tables[table][key]
	if !ok {
		return
	}
	r.text = fmt.Sprint("changed at ", w.clock, " to ", len(w.moments))
	if telling(table) {
		r.who, r.updated, r.count = who, w.clock, r.count+1
	}
	w.tables[table][key] = r
}

func (w *world) delete(table string, key, who int64) {
	if _, ok := w.tables[table][key]; ok {
		delete(w.tables[table], key)
		w.logged[table][who]++
	}
}

func (w *world) keep() {
	m := map[string]content{}
	for n, c := range w.tables {
		m[n] = maps.Clone(c)
	}
	w.moments = append(w.moments, m)
}

// moment lets happen what happens.
func (w *world) moment() {
	w.now = w.now.Add(100 * time.Millisecond)
	if w.happens != nil {
		w.happens(w)
		w.keep()
	}
}

// rows reads a table row by row, as a server without row versions does.
func (w *world) rows(table string) content {
	c := content{}
	for last := int64(0); ; {
		w.moment()
		keys := slices.Sorted(maps.Keys(w.tables[table]))
		at, _ := slices.BinarySearch(keys, last+1)
		if at == len(keys) {
			return c
		}
		last = keys[at]
		c[last] = w.tables[table][last]
	}
}

func (w *world) mark(_ context.Context, table string) (source.Mark, error) {
	w.moment()
	m := source.Mark{By: map[int64]source.Share{}, Logged: maps.Clone(w.logged[table]), Next: w.next[table], Telling: telling(table)}
	for k, r := range w.tables[table] {
		who := r.who
		if !telling(table) {
			who = 0
		}
		s := m.By[who]
		s.Rows++
		s.Keys += k
		s.Last = max(s.Last, k)
		if telling(table) {
			s.Updates += r.count
			s.Updated = max(s.Updated, fmt.Sprintf("%020d", r.updated))
		}
		m.By[who] = s
	}
	return m, nil
}

func (w *world) options(settle time.Duration) Options {
	return Options{
		Mark: w.mark,
		Read: func(_ context.Context, table string) error {
			w.read = append(w.read, table)
			w.got[table] = w.rows(table)
			return nil
		},
		Agrees: func(_ context.Context, table string) (bool, error) {
			w.read = append(w.read, table+"?")
			return maps.Equal(w.rows(table), w.got[table]) || w.blind, nil
		},
		For: settle, Now: func() time.Time { return w.now }, Again: func(tables []string) { w.again = append(w.again, strings.Join(tables, " ")) },
		Sleep: func(ctx context.Context, d time.Duration) error {
			w.slept = append(w.slept, d)
			for end := w.now.Add(d); w.now.Before(end); w.moment() {
				continue
			}
			return ctx.Err()
		},
	}
}

func (w *world) settle(d time.Duration) *Settled {
	w.t.Helper()
	s, err := Tables(w.t.Context(), slices.Sorted(maps.Keys(w.tables)), w.options(d))
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// torn lists the tables that are not named although what was read of them is of no moment that all that are not named
// share; nil where there is such a moment.
func (w *world) torn(s *Settled) []string {
	var quiet []string
	for n := range w.tables {
		if !slices.ContainsFunc(s.Changes, func(c Change) bool { return c.Table == n }) {
			quiet = append(quiet, n)
		}
	}
	for _, m := range w.moments {
		if !slices.ContainsFunc(quiet, func(n string) bool { return !maps.Equal(m[n], w.got[n]) }) {
			return nil
		}
	}
	return quiet
}

// once makes something that happens at the moment n alone.
func once(n int, what func(w *world)) func(w *world) {
	return func(w *world) {
		if n--; n == 0 {
			what(w)
		}
	}
}

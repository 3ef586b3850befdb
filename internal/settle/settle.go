package settle

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/openomt/omt/internal/source"
)

// Options say what is read, and for how long it is tried.
type Options struct {
	// Mark takes the mark of a table now.
	Mark func(ctx context.Context, table string) (source.Mark, error)
	// Read reads a table anew, in place of what it was before.
	Read func(ctx context.Context, table string) error
	// Agrees reads a table a second time and reports whether it is what Read had of it.
	Agrees func(ctx context.Context, table string) (bool, error)

	For   time.Duration // for how long tables are read again, from the end of the first look; a round that has begun is ended
	Now   func() time.Time
	Sleep func(ctx context.Context, d time.Duration) error
	// Again is told which tables are read again, before the pause.
	Again func(tables []string)
}

// Change is a table that did not stand still.
type Change struct {
	Table string
	Who   []int64 // associates whose changes show
	Times int     // how often it was read
}

// The pause before tables are read again, so that what is under way can end: doubled from round to round.
const (
	firstPause = time.Second
	lastPause  = 15 * time.Second
)

// Settled is what Tables has come to.
type Settled struct {
	Changes []Change // the tables that are not of the moment, in the order that was given
	Rounds  int      // how often tables were read again
	marks   map[string]source.Mark
	mark    func(ctx context.Context, table string) (source.Mark, error)
}

// table is a table under way.
type table struct {
	name   string
	mark   source.Mark // from before its last reading, or where it has agreed since
	first  source.Mark // from before its first reading
	latest source.Mark
	agreed bool // a second reading has agreed with the last
	times  int
}

// victims is how often a question is asked again that the server breaks off in favour of others.
const victims = 5

// patient makes options that ask such a question again.
func (o Options) patient() Options {
	mark, read, agrees := o.Mark, o.Read, o.Agrees
	o.Mark = func(ctx context.Context, t string) (source.Mark, error) { return again(ctx, t, mark) }
	o.Agrees = func(ctx context.Context, t string) (bool, error) { return again(ctx, t, agrees) }
	o.Read = func(ctx context.Context, t string) error {
		_, err := again(ctx, t, func(ctx context.Context, t string) (struct{}, error) { return struct{}{}, read(ctx, t) })
		return err
	}
	return o
}

func again[T any](ctx context.Context, t string, ask func(ctx context.Context, t string) (T, error)) (T, error) {
	for n := 0; ; n++ {
		v, err := ask(ctx, t)
		if n == victims || !errors.Is(err, source.ErrVictim) {
			return v, err
		}
	}
}

// Tables reads the tables, and those that change again, until all are of one moment or the time is over.
func Tables(ctx context.Context, names []string, o Options) (*Settled, error) {
	o = o.patient()
	tables := make([]*table, len(names))
	for i, name := range names {
		tables[i] = &table{name: name}
		if err := o.read(ctx, tables[i]); err != nil {
			return nil, err
		}
		tables[i].first = tables[i].mark
	}
	var end time.Time
	pause := firstPause
	for round := 0; ; round++ {
		moved, err := o.look(ctx, tables)
		if err != nil {
			return nil, err
		}
		if round == 0 {
			end = o.Now().Add(o.For)
		}
		if len(moved) == 0 || o.Now().Add(pause).After(end) {
			return o.settled(tables, moved, round), nil
		}
		o.Again(namesOf(moved))
		if err := o.Sleep(ctx, pause); err != nil {
			return nil, err
		}
		pause = min(2*pause, lastPause)
		for _, t := range moved {
			if err := o.read(ctx, t); err != nil {
				return nil, err
			}
		}
	}
}

// read reads a table.
func (o Options) read(ctx context.Context, t *table) error {
	var err error
	if t.mark, err = o.Mark(ctx, t.name); err != nil {
		return err
	}
	t.agreed, t.times = false, t.times+1
	return o.Read(ctx, t.name)
}

// look looks at all tables, and returns those that are not what was read of them.
func (o Options) look(ctx context.Context, tables []*table) (moved []*table, err error) {
	for _, t := range tables {
		ok, err := o.stands(ctx, t)
		if err != nil {
			return nil, err
		}
		if !ok {
			moved = append(moved, t)
		}
	}
	return moved, nil
}

// stands reports whether a table is what was read of it.
func (o Options) stands(ctx context.Context, t *table) (bool, error) {
	m, err := o.Mark(ctx, t.name)
	if err != nil {
		return false, err
	}
	t.latest = m
	quiet := t.mark.SameLog(m)
	switch {
	case !t.mark.Same(m):
		return false, nil
	case o.For == 0:
		return quiet, nil
	case t.agreed && m.Telling && quiet && t.mark.Next == m.Next:
		return true, nil
	}
	ok, err := o.Agrees(ctx, t.name)
	if err != nil {
		return false, err
	}
	if ok {
		t.mark, t.agreed = m, true
		return true, nil
	}
	t.latest, err = o.Mark(ctx, t.name)
	return false, err
}

// settled is what was come to.
func (o Options) settled(tables, moved []*table, rounds int) *Settled {
	s := &Settled{Rounds: rounds, marks: map[string]source.Mark{}, mark: o.Mark}
	for _, t := range tables {
		s.marks[t.name] = t.mark
		if slices.Contains(moved, t) {
			s.Changes = append(s.Changes, Change{Table: t.name, Who: t.first.Who(t.latest), Times: t.times})
			delete(s.marks, t.name)
		}
	}
	return s
}

// Since lists those of the tables named that were settled and have changed since, as far as marks and log show it: what was
// listed of them later is of a later moment. Tables that are not there are passed over.
func (s *Settled) Since(ctx context.Context, names []string) ([]Change, error) {
	var list []Change
	for _, name := range names {
		was, ok := s.marks[name]
		if !ok {
			continue
		}
		m, err := s.mark(ctx, name)
		if err != nil {
			return nil, err
		}
		if !was.Same(m) || !was.SameLog(m) {
			list = append(list, Change{Table: name, Who: was.Who(m), Times: 1})
		}
	}
	return list, nil
}

func namesOf(tables []*table) []string {
	names := make([]string, len(tables))
	for i, t := range tables {
		names[i] = t.name
	}
	return names
}

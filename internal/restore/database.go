package restore

import (
	"context"
	"iter"
	"log/slog"
	"os"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/parts"
	"github.com/openomt/omt/internal/progress"
	"github.com/openomt/omt/internal/source"
)

// Compared is what comparing a migration with a database found; all zero where it was not done to the end.
type Compared struct {
	Tables  int   // of the migration
	Rows    int64 // that were read in the database
	Agreed  int   // parts whose digests agree
	Fetched int   // parts that were downloaded, since the rows in their place differ
	Differ  int   // tables that differ
	// E-mail rows that unpack removes: those that are gone, and those that are still there.
	Removed, NotRemoved int64
}

// live is a database that is read.
type live interface {
	Tables() []source.Table
	Rows(ctx context.Context, t source.Table) iter.Seq2[source.Row, error]
	Consistent() bool
}

// comparer compares the tables of a migration with those of a database, one after another.
type comparer struct {
	m      Migration
	c      *contents
	db     live
	temp   string
	say    func(format string, args ...any)
	log    *slog.Logger
	rows   progress.Meter
	bytes  func() progress.Meter // of parts that are downloaded
	result *Compared
	kept   []source.Note
}

// maxUnknown is how many tables that are not in the migration are named.
const maxUnknown = 10

// open finds the database that is to be compared. Its tables must be in the migration.
func (v *verifier) open(ctx context.Context) (*source.Database, error) {
	if v.o.DB == nil {
		return nil, nil
	}
	if err := v.c.tablesThere(v.m); err != nil {
		return nil, err
	}
	return v.o.DB(ctx, v.c.installation.Prefix)
}

// database compares all tables with those of the database that o.DB opens.
func (v *verifier) database(ctx context.Context, db *source.Database) error {
	view, err := db.Begin(ctx)
	if err != nil {
		return err
	}
	defer view.Close() //nolint:errcheck // it was only read
	var total int64
	for _, t := range v.c.tables {
		total += t.Rows
		if err := v.c.tableWhole(t); err != nil {
			v.problem(tableProblem(t), err)
		}
	}
	rows := v.o.Progress.Meter("comparing rows", total, progress.Items)
	defer rows.Done()
	var fetched progress.Meter
	defer func() {
		if fetched != nil {
			fetched.Done()
		}
	}()
	x := &comparer{m: v.m, c: v.c, db: view, temp: v.o.Temp, say: v.o.Remark, log: v.o.Log, rows: rows, result: new(Compared),
		bytes: func() progress.Meter {
			if fetched == nil {
				fetched = v.o.Progress.Meter("parts that differ", 0, progress.Bytes)
			}
			return fetched
		}}
	if err := x.all(ctx); err != nil {
		return err
	}
	v.proof.Database = *x.result
	return nil
}

func (x *comparer) all(ctx context.Context) error {
	x.log.Info("comparing with a database", "tables", len(x.db.Tables()), "one moment", x.db.Consistent())
	known := map[string]bool{}
	for _, t := range x.c.tables {
		live, ok := tableNamed(x.db.Tables(), t.Name)
		x.result.Tables++
		if !ok {
			x.result.Differ++
			x.say("table %q is missing; the migration has %d%s of it", t.Name, t.Rows, rowsWord(t.Rows))
			continue
		}
		known[live.Name] = true
		differs, err := x.table(ctx, t, live)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			x.say("table %q cannot be compared: %v", t.Name, err)
		}
		if differs || err != nil {
			x.result.Differ++
		}
	}
	for _, line := range source.MergeNotes(x.kept) {
		x.say("%s", line)
	}
	unknown := 0
	for _, t := range x.db.Tables() {
		if known[t.Name] {
			continue
		}
		if unknown++; unknown <= maxUnknown {
			x.say("table %q is not in the migration", t.Name)
		}
	}
	if more := unknown - maxUnknown; more > 0 {
		x.say("and %d more tables are not in the migration", more)
	}
	return nil
}

// tableNamed finds a table by its own name, or without regard to letter case.
func tableNamed(tables []source.Table, name string) (source.Table, bool) {
	for _, t := range tables {
		if t.Name == name {
			return t, true
		}
	}
	return source.FindTable(tables, name)
}

// table compares one table, and reports whether it differs.
func (x *comparer) table(ctx context.Context, t table, live source.Table) (bool, error) {
	p := pair(source.FromRecord(t.Table), live)
	for _, d := range p.differences {
		x.say("table %q: %s", t.Name, d)
	}
	x.kept = append(x.kept, p.kept...)
	if len(p.was.Columns) == 0 {
		return true, nil
	}
	tally := &tallied{columns: make([]int64, len(p.was.Columns))}
	fetched, gone, err := x.walk(ctx, t, p, tally)
	x.result.Rows += tally.live
	x.result.Agreed += tally.agreed
	x.result.Fetched += fetched
	if err != nil {
		return true, err
	}
	x.result.Removed += tally.count[removed]
	if gone != nil {
		x.result.NotRemoved += gone.present
	}
	for _, line := range tally.lines(t.Name, p.was.Columns, len(p.was.Key) == 0) {
		x.say("%s", line)
	}
	x.log.Info("compared a table", "table", t.Name, "rows", tally.live, "missing", tally.count[missing], "too many", tally.count[extra],
		"different", tally.count[changed], "removed", tally.count[removed], "parts that agree", tally.agreed, "parts downloaded", fetched)
	return len(p.differences) > 0 || tally.differs(), nil
}

// walk compares the rows of a table.
func (x *comparer) walk(ctx context.Context, t table, p pairing, tally *tallied) (fetched int, gone *removals, err error) {
	was, err := parts.OrderOf(p.was)
	if err != nil {
		return 0, nil, err
	}
	s := &stored{table: t.Table, parts: t.parts, order: was, pick: p.pick, fetch: x.fetch, unsorted: p.resort}
	d := &differ{side: s, was: p.was.Columns, is: p.is.Columns, gone: removalsOf(p.was, x.c.removals), t: tally}
	switch {
	case p.resort:
		stream, err := parts.Ordered(ctx, p.was, s.all(ctx), x.temp)
		if err != nil {
			return s.read, nil, err
		}
		d.side = newSorted(ctx, stream)
	case p.whole():
		d.parts = s
	}
	defer d.side.close()
	query := p.is
	if !was.Integer() {
		query.Key = nil // rows are sorted here
	}
	rows := x.db.Rows(ctx, query)
	if d.gone != nil {
		rows = d.gone.watch(rows)
	}
	stream, err := parts.Ordered(ctx, p.is, rows, x.temp)
	if err != nil {
		return s.read, nil, err
	}
	defer stream.Close()
	d.order = stream.Order
	part := newHeld(x.temp)
	defer part.close()
	err = d.compare(ctx, stream.Items(ctx), part, x.rows)
	return s.read, d.gone, err
}

// fetch downloads a part.
func (x *comparer) fetch(ctx context.Context, k manifest.Chunk) (*os.File, error) {
	f, err := x.m.download(ctx, x.temp, k)
	if err == nil {
		x.bytes().Add(k.Bytes)
	}
	return f, err
}

// watch yields the same rows, and counts those that hold an address to be removed.
func (r *removals) watch(rows iter.Seq2[source.Row, error]) iter.Seq2[source.Row, error] {
	return func(yield func(source.Row, error) bool) {
		for row, err := range rows {
			if err == nil && r.match(row) {
				r.present++
			}
			if !yield(row, err) {
				return
			}
		}
	}
}

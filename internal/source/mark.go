package source

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Mark is what a table can be asked without reading its rows one by one, and what changes when they do. Marks of one view
// are compared with one another; what follows from that is told by package settle.
type Mark struct {
	// By has the rows by the associate who updated them last, all under 0 where the table does not say who.
	By map[int64]Share
	// Logged has the lines that traveltransactionlog has got about the table since the view's first mark, by associate.
	Logged map[int64]int64
	// Next is the key that the table of keys (sequence) gives next; 0 where it does not say.
	Next int64
	// Telling is set where every change that the application makes shows in By, whatever the clock says: the table has an
	// integer key, updated and updatedCount.
	Telling bool
}

// Share is what one associate has of a table's rows.
type Share struct {
	Rows    int64
	Keys    int64  // sum of their integer keys, each modulo 2^31-1
	Last    int64  // the highest of them
	Updates int64  // sum of updatedCount
	Updated string // the latest of updated
}

// Rows is the number of rows.
func (m Mark) Rows() (n int64) {
	for _, s := range m.By {
		n += s.Rows
	}
	return n
}

// Same reports whether the rows themselves say the same at both times. Where they do not, the table has changed.
func (m Mark) Same(n Mark) bool { return maps.Equal(m.By, n.By) }

// SameLog reports whether the log says the same at both times.
func (m Mark) SameLog(n Mark) bool { return maps.Equal(m.Logged, n.Logged) }

// Who lists the associates, in the order of their numbers, whose changes show between the mark and a later one: in rows
// that they have updated last, or in the log. 0 and negative numbers are nobody. Who deletes rows, or updates a table that
// does not say who, is seen in the log alone.
func (m Mark) Who(later Mark) []int64 {
	who := map[int64]bool{}
	for id, s := range later.By {
		was := m.By[id]
		// Fewer rows with the same dates are those that others have taken over or deleted.
		if s.Rows > was.Rows || s.Updated > was.Updated || s.Rows == was.Rows && s != was {
			who[id] = true
		}
	}
	for id, n := range later.Logged {
		if n != m.Logged[id] {
			who[id] = true
		}
	}
	maps.DeleteFunc(who, func(id int64, _ bool) bool { return id <= 0 })
	return slices.Sorted(maps.Keys(who))
}

// keyRow is what the table of keys says of a table.
type keyRow struct {
	id     int64 // of its row
	number int64 // of the table, by which the log names it; 0: not known
}

// markers is what a view needs for marks besides the tables themselves.
type markers struct {
	keys map[string]keyRow // by lower-cased name of the table
	log  bool              // there is a log
	from int64             // its last line at the first mark
}

// Mark takes the mark of a table, named without regard to letter case.
func (v *View) Mark(ctx context.Context, table string) (Mark, error) {
	p, ok := v.probe(table, "t")
	if !ok {
		return Mark{}, fmt.Errorf("marking rows: no table %q under prefix %q", table, v.prefix)
	}
	if v.markers == nil {
		if err := v.beginMarks(ctx); err != nil {
			return Mark{}, err
		}
	}
	m := Mark{}
	var err error
	if m.By, m.Telling, err = v.shares(ctx, p); err != nil {
		return Mark{}, v.explain(ctx, *p.table, err)
	}
	row, ok := v.markers.keys[strings.ToLower(p.table.Name)]
	if !ok {
		return m, nil
	}
	if m.Next, err = v.nextKey(ctx, row); err != nil {
		return Mark{}, err
	}
	m.Logged, err = v.logged(ctx, row)
	return m, err
}

// beginMarks reads which row of the table of keys, and which number in the log, belongs to a table, and where the log ends.
func (v *View) beginMarks(ctx context.Context) error {
	m := markers{keys: map[string]keyRow{}}
	if p, ok := v.probe(InSequence, "t"); ok && p.has("id") && p.has("TableName") {
		for r, err := range v.rowsOf(ctx, p, "", nil, "id", "TableName", "TableNumber") {
			if err != nil {
				return err
			}
			if name := strings.ToLower(strings.TrimSpace(words(r[1]))); name != "" {
				m.keys[name] = keyRow{id: number64(r[0]), number: number64(r[2])}
			}
		}
	}
	if p, ok := v.probe("traveltransactionlog", "t"); ok && p.has("traveltransactionlog_id") && p.has("tablenumber") {
		m.log = true
		var err error
		if m.from, err = v.single(ctx, p.table.Name, "SELECT MAX("+p.col("traveltransactionlog_id")+") FROM "+p.from()); err != nil {
			return err
		}
	}
	v.markers = &m
	return nil
}

// shares asks the rows of a table.
func (v *View) shares(ctx context.Context, p probe) (by map[int64]Share, telling bool, err error) {
	count, who, group := "COUNT(*)", "0", ""
	if v.driver.Engine() == "mssql" {
		count = "COUNT_BIG(*)"
	}
	if p.isInt("updated_associate_id") {
		who = p.number("updated_associate_id")
		group = " GROUP BY " + who
	}
	keys, last := "0", "0"
	key, integer := p.table.IntegerKey()
	if integer {
		last = "MAX(" + p.col(key.Name) + ")"
		keys = "SUM(CAST(" + p.col(key.Name) + " % 2147483647 AS bigint))"
	}
	updates, updated := "0", "NULL"
	counts := p.isInt("updatedCount") && !strings.EqualFold(p.table.Name, "text") // of text it is the number of a table
	if counts {
		updates = "SUM(CAST(" + p.number("updatedCount") + " AS bigint))"
	}
	if p.has("updated") {
		updated = "MAX(" + p.col("updated") + ")"
	}
	q := "SELECT " + strings.Join([]string{who, count, keys, last, updates, updated}, ", ") + " FROM " + p.from() + group
	by = map[int64]Share{}
	for r, err := range v.query(ctx, p.table.Name, q, nil) {
		if err != nil {
			return nil, false, err
		}
		if s := (Share{Rows: number64(r[1]), Keys: number64(r[2]), Last: number64(r[3]), Updates: number64(r[4]), Updated: sortable(r[5])}); s.Rows > 0 {
			by[number64(r[0])] = s
		}
	}
	return by, integer && counts && p.has("updated"), nil
}

// isInt reports whether the table has the column and it is an integer.
func (p probe) isInt(column string) bool {
	c, ok := p.table.Column(column)
	return ok && c.Type.Kind == Int
}

// sortable is a time as text that sorts as times do: engines give times, seconds since 1970, or such a text.
func sortable(v any) string {
	switch v := v.(type) {
	case time.Time:
		return v.UTC().Format("2006-01-02 15:04:05.0000000")
	case int64:
		return fmt.Sprintf("%020d", v)
	case string:
		return v
	case []byte:
		return string(v)
	}
	return ""
}

// nextKey is the key that comes next. Rows that come and go are mostly numbered by it.
func (v *View) nextKey(ctx context.Context, row keyRow) (int64, error) {
	p, ok := v.probe(InSequence, "t")
	if !ok || !p.has("next_id") {
		return 0, nil
	}
	return v.single(ctx, p.table.Name, fmt.Sprintf("SELECT %s FROM %s WHERE %s = %d", p.number("next_id"), p.from(), p.col("id"), row.id))
}

// logged counts the new lines of the log about a table. The log may be huge: no line from before the first mark is looked at.
func (v *View) logged(ctx context.Context, row keyRow) (map[int64]int64, error) {
	p, ok := v.probe("traveltransactionlog", "t")
	if !ok || !v.markers.log || row.number == 0 {
		return nil, nil
	}
	who, group := "0", ""
	if p.isInt("associate_id") {
		who = p.number("associate_id")
		group = " GROUP BY " + who
	}
	q := fmt.Sprintf("SELECT %s, COUNT(*) FROM %s WHERE %s > %d AND %s = %d%s", who, p.from(),
		p.col("traveltransactionlog_id"), v.markers.from, p.col("tablenumber"), row.number, group)
	lines := map[int64]int64{}
	for r, err := range v.query(ctx, p.table.Name, q, nil) {
		if err != nil {
			return nil, err
		}
		if n := number64(r[1]); n > 0 {
			lines[number64(r[0])] = n
		}
	}
	return lines, nil
}

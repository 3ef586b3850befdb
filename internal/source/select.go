package source

import (
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/openomt/omt/internal/sqlselect"
)

// The limits of a query that somebody else has written.
const (
	defaultSelectRows = 10_000
	maxSelectRows     = 100_000
	defaultSelectTime = 30 * time.Second
	maxSelectTime     = 5 * time.Minute
	maxSelectRow      = 1 << 20  // bytes of one row
	maxSelectBytes    = 64 << 20 // bytes of all rows, which are held until the last has come
)

// SelectQuery is one SELECT that a rule wants to be asked.
type SelectQuery struct {
	Name    string        // of its facts: "<rule>.<query>"
	SQL     string        // tables as {associate}: see package sqlselect
	MaxRows int           // more are an error; 0: 10,000; at most 100,000
	Timeout time.Duration // longer is an error; 0: 30 s; at most 5 minutes
}

// SelectResult is what a query gave.
type SelectResult struct {
	Absent  string   // the first of its tables that is not there; then nothing was asked
	Columns []string // in lower case
	rows    []Row
}

// Len is the number of rows.
func (r SelectResult) Len() int { return len(r.rows) }

// Rows are the rows as the data of facts: int64, float64, bool or string by column; NULL has no key.
func (r SelectResult) Rows() iter.Seq[map[string]any] {
	return func(yield func(map[string]any) bool) {
		for _, row := range r.rows {
			data := make(map[string]any, len(row))
			for i, v := range row {
				if v != nil {
					data[r.Columns[i]] = v
				}
			}
			if !yield(data) {
				return
			}
		}
	}
}

// Select asks one query on a connection of its own, which is closed after it, so that neither a failure nor what the query
// does to its connection reaches a View. The package comment says what becomes of values. An error says which limit was
// passed or what the server said; the rows before it are not given.
func (db *Database) Select(ctx context.Context, q SelectQuery) (SelectResult, error) {
	if err := q.fill(); err != nil {
		return SelectResult{}, err
	}
	stmt, err := sqlselect.Parse(q.SQL)
	if err != nil {
		return SelectResult{}, err
	}
	tables, err := db.declared(ctx)
	if err != nil {
		return SelectResult{}, err
	}
	for _, name := range stmt.Tables() {
		if findTable(tables, name) == nil {
			return SelectResult{Absent: name}, nil
		}
	}
	if db.driver.Engine() == "sqlite" {
		stmt = stmt.WithoutN()
	}
	text, err := stmt.Expand(func(name string) (string, bool) {
		return db.driver.Ref(db.prefix, findTable(tables, name).Name), true
	})
	if err != nil {
		return SelectResult{}, err
	}
	conn, err := db.driver.Begin(ctx)
	if err != nil {
		return SelectResult{}, err
	}
	r, err := q.run(ctx, conn, text)
	if cerr := conn.Close(); err == nil && cerr != nil && ctx.Err() == nil {
		err = cerr
	}
	return r, err
}

// fill puts defaults in place of zeros.
func (q *SelectQuery) fill() error {
	q.MaxRows, q.Timeout = cmp.Or(q.MaxRows, defaultSelectRows), cmp.Or(q.Timeout, defaultSelectTime)
	if q.MaxRows < 0 || q.MaxRows > maxSelectRows {
		return fmt.Errorf("it asks for %d rows, and at most %d are given", q.MaxRows, maxSelectRows)
	}
	if q.Timeout < 0 || q.Timeout > maxSelectTime {
		return fmt.Errorf("it asks for %v, and at most %v are given", q.Timeout, maxSelectTime)
	}
	return nil
}

// run asks and takes the rows.
func (q SelectQuery) run(ctx context.Context, conn Conn, text string) (SelectResult, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, q.Timeout, errSelectTime)
	defer cancel()
	var r SelectResult
	var types []string
	var bad error
	bytes := 0
	err := conn.Select(ctx, text, q.MaxRows+1, func(cols []ResultColumn) error {
		r.Columns, types, bad = selectColumns(cols)
		return bad
	}, func(raw []driver.Value) bool {
		if len(r.rows) == q.MaxRows {
			bad = fmt.Errorf("it gives more than %d rows: count in the query, or raise its limit", q.MaxRows)
			return false
		}
		var row Row
		if row, bad = selectRow(r.Columns, types, raw); bad != nil {
			return false
		}
		if bytes += row.Size(); bytes > maxSelectBytes {
			bad = fmt.Errorf("its rows take more than %d MiB: ask for fewer or for less of them", maxSelectBytes>>20)
			return false
		}
		r.rows = append(r.rows, row)
		return true
	})
	switch {
	case bad != nil:
		return SelectResult{}, bad
	case err != nil && errors.Is(context.Cause(ctx), errSelectTime):
		return SelectResult{}, fmt.Errorf("it took longer than %v: ask for less, or raise its limit", q.Timeout)
	case err != nil:
		return SelectResult{}, err
	}
	return r, nil
}

var errSelectTime = errors.New("the query's time is over")

// selectColumns are the names that facts have: a fact's data has one value for a name.
func selectColumns(cols []ResultColumn) (names, types []string, err error) {
	for i, c := range cols {
		low := strings.ToLower(c.Name)
		switch {
		case !simpleName(low):
			return nil, nil, fmt.Errorf("its column %d has no name: write AS and a name of letters, digits and _", i+1)
		case slices.Contains(names, low):
			return nil, nil, fmt.Errorf("two of its columns are called %q: write AS and another name", low)
		}
		names, types = append(names, low), append(types, c.Type)
	}
	if len(names) == 0 {
		return nil, nil, errors.New("it gives no columns")
	}
	return names, types, nil
}

// simpleName tells a name that was given from an expression that an engine shows in place of one.
func simpleName(s string) bool {
	for i, r := range s {
		if digit := '0' <= r && r <= '9'; r != '_' && (r < 'a' || r > 'z') && (!digit || i == 0) {
			return false
		}
	}
	return s != "" && len(s) <= 128
}

// selectRow makes a row of what the engine gave.
func selectRow(names, types []string, raw []driver.Value) (Row, error) {
	row, size := make(Row, len(raw)), 0
	for i, v := range raw {
		x, err := selectValue(types[i], v)
		if err != nil {
			return nil, fmt.Errorf("its column %q: %w", names[i], err)
		}
		if s, ok := x.(string); ok {
			size += len(s)
		}
		row[i] = x
	}
	if size > maxSelectRow {
		return nil, fmt.Errorf("one of its rows takes %d bytes, and at most %d are given: ask for less of long texts", size, maxSelectRow)
	}
	return row, nil
}

// maxSelectBinary is how many bytes of a binary value are written as text.
const maxSelectBinary = 1024

// maxExactInt is the largest integer that every reader of JSON keeps.
const maxExactInt = 1<<53 - 1

// selectValue is a value as a fact holds it.
func selectValue(typ string, v driver.Value) (any, error) {
	switch v := v.(type) {
	case nil, bool:
		return v, nil
	case int64:
		if v > maxExactInt || v < -maxExactInt {
			return strconv.FormatInt(v, 10), nil
		}
		return v, nil
	case float64:
		if v != v || v-v != 0 {
			return nil, errors.New("it is no number that a fact can hold")
		}
		return v, nil
	case string:
		return Unicode(v), nil
	case []byte:
		if len(v) > maxSelectBinary {
			return nil, fmt.Errorf("a value of %d bytes, and at most %d of a binary one are given: ask for its length or its beginning", len(v), maxSelectBinary)
		}
		return fmt.Sprintf("%x", v), nil
	case time.Time:
		return v.Format(selectLayout(typ)), nil
	}
	return nil, fmt.Errorf("the engine gave a %T", v)
}

// selectLayout is how times of a type are written: to the second, as all facts have them.
func selectLayout(typ string) string {
	switch typ {
	case "DATE":
		return "2006-01-02"
	case "TIME":
		return "15:04:05"
	case "DATETIMEOFFSET":
		return "2006-01-02 15:04:05 -07:00"
	}
	return "2006-01-02 15:04:05"
}

// The statuses of a query, in the fact that says how it went.
const (
	queryFact    = "query"
	statusDone   = "done"
	statusAbsent = "absent"
	statusFailed = "failed"
)

// SelectFacts asks queries one after another and yields their rows as facts: named as the query, the ID the number of the
// row from 1. After the rows of each comes a fact "query" with the query's name as ID, and in its data the status, the
// number of rows and where there is one the reason: "done"; "absent", a table is not there ("table" names it); or
// "failed", without rows. The one error is that of ctx.
func (db *Database) SelectFacts(ctx context.Context, queries []SelectQuery) iter.Seq2[Fact, error] {
	return func(yield func(Fact, error) bool) {
		for _, q := range queries {
			r, err := db.Select(ctx, q)
			if ctx.Err() != nil {
				yield(Fact{}, fmt.Errorf("asking query %q: %w", q.Name, context.Cause(ctx)))
				return
			}
			id := 0
			for data := range r.Rows() {
				id++
				if !yield(Fact{Name: q.Name, ID: strconv.Itoa(id), Data: data}, nil) {
					return
				}
			}
			if !yield(outcome(q.Name, r, err), nil) {
				return
			}
		}
	}
}

// outcome is the fact that says how a query went.
func outcome(name string, r SelectResult, err error) Fact {
	data := map[string]any{"status": statusDone, "rows": int64(r.Len())}
	switch {
	case err != nil:
		data["status"], data["reason"] = statusFailed, oneLine(err.Error())
	case r.Absent != "":
		data["status"], data["table"] = statusAbsent, r.Absent
		data["reason"] = fmt.Sprintf("there is no table %q", r.Absent)
	}
	return Fact{Name: queryFact, ID: name, Data: data}
}

// maxReason is how much of a server's words is kept.
const maxReason = 500

// oneLine is a text without line ends, of a length that a person reads.
func oneLine(s string) string {
	s = Unicode(strings.Join(strings.Fields(s), " "))
	if len(s) > maxReason {
		s = strings.ToValidUTF8(s[:maxReason], "") + "…"
	}
	return s
}

package sourcetest

import (
	"database/sql"
	"fmt"
	"io"
	"iter"
	"testing"
	"time"

	"github.com/openomt/omt/internal/source"
)

// benchRows are the documents of a benchmark's database; there are twice as many appointments.
const benchRows = 100_000

// Bench measures an engine over 100,000 documents: loading, the rows of a table, the same rows by a bare SELECT * through
// the same database driver, and documents joined with their appointments. open gives an empty database, and how any
// program would open it.
func Bench(b *testing.B, open func(b *testing.B) (source.Loader, source.Driver, *sql.DB)) {
	all := benchTables()
	b.Run("load", func(b *testing.B) {
		for range b.N {
			b.StopTimer()
			loader, driver, bare := open(b)
			b.StartTimer()
			fillBench(b, loader, all)
			closeAll(b, loader, driver, bare)
		}
		b.ReportMetric(float64(3*benchRows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	})
	loader, driver, bare := open(b)
	fillBench(b, loader, all)
	defer closeAll(b, loader, driver, bare)
	db, err := source.New(b.Context(), driver, "bench")
	if err != nil {
		b.Fatal(err)
	}
	v, err := db.Begin(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	defer closeAll(b, v)
	tab, _ := source.FindTable(v.Tables(), "document")
	b.Run("rows", func(b *testing.B) {
		benchStream(b, func() iter.Seq2[source.Row, error] { return v.Rows(b.Context(), tab) })
	})
	b.Run("documents", func(b *testing.B) {
		benchStream(b, func() iter.Seq2[source.Doc, error] { return v.Documents(b.Context()) })
	})
	b.Run("bare", func(b *testing.B) { benchBare(b, bare, driver.Ref("bench", "document")) })
}

func closeAll(b *testing.B, all ...io.Closer) {
	for _, c := range all {
		if err := c.Close(); err != nil {
			b.Error(err)
		}
	}
}

func benchStream[T any](b *testing.B, open func() iter.Seq2[T, error]) {
	for range b.N {
		n := 0
		for _, err := range open() {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != benchRows {
			b.Fatalf("%d rows of %d", n, benchRows)
		}
	}
	b.ReportMetric(float64(benchRows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// benchBare reads the same table as any program would.
func benchBare(b *testing.B, db *sql.DB, table string) {
	c, err := db.Conn(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	defer closeAll(b, c)
	b.ResetTimer() // a connection may cost more than the rows
	for range b.N {
		rows, err := c.QueryContext(b.Context(), "SELECT * FROM "+table)
		if err != nil {
			b.Fatal(err)
		}
		names, err := rows.Columns()
		if err != nil {
			b.Fatal(err)
		}
		values, dest := make([]any, len(names)), make([]any, len(names))
		for i := range values {
			dest[i] = &values[i]
		}
		for rows.Next() {
			if err := rows.Scan(dest...); err != nil {
				b.Fatal(err)
			}
		}
		if err := rows.Err(); err != nil {
			b.Fatal(err)
		}
		rows.Close()
	}
	b.ReportMetric(float64(benchRows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

func benchTables() []*content {
	return []*content{
		define("associate", "associate_id int key", "name nvarchar(239)", "person_id int", "type smallint"),
		define("person", "person_id int key"),
		define("company", "company_id int key"),
		define("document", "document_id int key", "name nvarchar(511)", "header nvarchar(219) null", "archiveProvider int", "appointment_id int",
			"registered datetime", "registered_associate_id int", "updated datetime"),
		define("appointment", "appointment_id int key", "associate_id int", "document_id int", "type smallint", "activeDate datetime", "location nvarchar(254) null"),
	}
}

func fillBench(b *testing.B, l source.Loader, all []*content) {
	at := time.Date(2020, 2, 29, 12, 30, 0, 0, time.UTC)
	rows := map[string]func(i int64) source.Row{
		"associate": func(i int64) source.Row { return source.Row{i, fmt.Sprintf("user%d", i), i, int64(0)} },
		"document": func(i int64) source.Row {
			return source.Row{i, fmt.Sprintf("Contract%d.docx", i), "A contract of usual length", int64(0), i, at, i % 200, at}
		},
		"appointment": func(i int64) source.Row {
			return source.Row{i, i % 210, i % 2 * (i * 7919 % benchRows), int64(4), at, "Meeting room"}
		},
	}
	if err := l.Begin(b.Context(), "bench", "bench", tables(all)); err != nil {
		b.Fatal(err)
	}
	for _, c := range all {
		n := map[string]int64{"associate": 200, "document": benchRows, "appointment": 2 * benchRows}[c.table.Name]
		if _, err := l.Load(b.Context(), c.table.Name, c.table, func(yield func(source.Row, error) bool) {
			for i := range n {
				if !yield(rows[c.table.Name](i+1), nil) {
					return
				}
			}
		}); err != nil {
			b.Fatal(err)
		}
	}
	if err := l.Finish(b.Context()); err != nil {
		b.Fatal(err)
	}
}

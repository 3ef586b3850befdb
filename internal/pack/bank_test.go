package pack

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/openomt/omt/internal/chunk"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
	"github.com/openomt/omt/internal/source/sqlite"
)

// adrift is a database without snapshots: every question is answered as of its own moment, and the rows of a table a few
// at a time, each few as of theirs. Between them somebody works.
type adrift struct {
	source.Driver
	work func()
}

type adriftConn struct {
	source.Conn
	d adrift
}

func (d adrift) Begin(ctx context.Context) (source.Conn, error) {
	c, err := d.Driver.Begin(ctx)
	if err != nil {
		return nil, err
	}
	return &adriftConn{c, d}, c.Close()
}

func (c *adriftConn) Consistent() bool { return false }
func (c *adriftConn) Close() error     { return nil }

const few = 7

func (c *adriftConn) Stream(ctx context.Context, query string, row func([]driver.Value) bool) error {
	if !strings.Contains(query, "_y_") || strings.Contains(query, "COUNT(*)") {
		return c.ask(ctx, query, row)
	}
	for n := 0; ; n += few {
		got, more := 0, true
		err := c.ask(ctx, fmt.Sprintf("%s LIMIT %d OFFSET %d", query, few, n), func(v []driver.Value) bool {
			got++
			more = row(v)
			return more
		})
		if err != nil || got < few || !more {
			return err
		}
	}
}

func (c *adriftConn) ask(ctx context.Context, query string, row func([]driver.Value) bool) error {
	c.d.work()
	now, err := c.d.Driver.Begin(ctx)
	if err != nil {
		return err
	}
	defer now.Close()
	return now.Stream(ctx, query, row)
}

// bank is a database with three tables whose sums do not change, and one that counts the transactions. One has updated and
// updatedCount, one has nothing but rows, one has no key.
type bank struct {
	t       *testing.T
	r       *rand.Rand
	db      *sql.DB
	driver  source.Driver
	n       int
	left    int      // transactions that will still be made
	every   int      // a transaction for as many questions as this
	parts   int      // of the last manifest
	moments []string // what all tables held, after each transaction
}

var bankTables = []string{"y_account", "y_entry", "y_saving", "y_version"}

func newBank(t *testing.T, seed uint64) *bank {
	path := filepath.Join(t.TempDir(), "crm.sqlite")
	db, err := sql.Open("sqlite", path+"?_pragma=synchronous(off)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	b := &bank{t: t, r: rand.New(rand.NewPCG(seed, 2)), db: db}
	b.execute(`CREATE TABLE crm7_associate (associate_id integer NOT NULL PRIMARY KEY, name "nvarchar(20)" NOT NULL, type int NOT NULL)`,
		"CREATE TABLE crm7_person (person_id integer NOT NULL PRIMARY KEY)", "CREATE TABLE crm7_document (document_id integer NOT NULL PRIMARY KEY)",
		"CREATE TABLE crm7_company (company_id integer NOT NULL PRIMARY KEY)",
		"INSERT INTO crm7_associate VALUES (5, 'PF', 0), (6, 'KK', 0)",
		`CREATE TABLE crm7_sequence (id integer NOT NULL PRIMARY KEY, next_id int, TableName "nvarchar(255)", TableNumber int)`,
		"INSERT INTO crm7_sequence VALUES (910, 1, 'Y_SAVING', 900)",
		"CREATE TABLE crm7_traveltransactionlog (traveltransactionlog_id integer NOT NULL PRIMARY KEY, associate_id int, tablenumber int)",
		"CREATE TABLE crm7_y_account (id integer NOT NULL PRIMARY KEY, amount int NOT NULL, updated datetime NOT NULL, updated_associate_id int NOT NULL, updatedCount int NOT NULL)",
		"CREATE TABLE crm7_y_saving (id integer NOT NULL PRIMARY KEY, amount int NOT NULL)",
		"CREATE TABLE crm7_y_entry (amount int NOT NULL, note \"nvarchar(20)\" NOT NULL)",
		"CREATE TABLE crm7_y_version (id integer NOT NULL PRIMARY KEY, n int NOT NULL)", "INSERT INTO crm7_y_version VALUES (1, 0)")
	for i := range 25 {
		b.execute(fmt.Sprintf("INSERT INTO crm7_y_account VALUES (%d, 100, '2026-01-01 00:00:00', 6, 0)", i*9000), fmt.Sprintf("INSERT INTO crm7_y_saving VALUES (%d, 50)", i),
			fmt.Sprintf("INSERT INTO crm7_y_entry VALUES (0, 'first %d')", i))
	}
	b.keep()
	if b.driver, err = sqlite.Open(path); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.driver.Close() })
	return b
}

func (b *bank) execute(statements ...string) {
	b.t.Helper()
	for _, q := range statements {
		if _, err := b.db.Exec(q); err != nil {
			b.t.Fatalf("%s: %v", q, err)
		}
	}
}

// work makes a transaction, when it is time for one.
func (b *bank) work() {
	if b.left == 0 || b.r.IntN(b.every) > 0 {
		return
	}
	b.left--
	b.n++
	from, to, who := 9000*b.r.IntN(25), b.r.IntN(25+b.n), 5+b.r.IntN(2)
	at := time.Date(2020+b.r.IntN(12), 1, 1, 0, 0, b.n, 0, time.UTC).Format(time.DateTime) // a clock that goes as it likes
	b.execute("BEGIN", "UPDATE crm7_y_version SET n = n + 1",
		fmt.Sprintf("UPDATE crm7_y_account SET amount = amount - 1, updated = '%s', updated_associate_id = %d, updatedCount = updatedCount + 1 WHERE id = %d", at, who, from),
		// One comes for one that goes, with what it had.
		fmt.Sprintf("INSERT INTO crm7_y_saving SELECT %d, amount + 1 FROM crm7_y_saving WHERE id = (SELECT MIN(id) FROM crm7_y_saving WHERE id >= %d)", 100+b.n, to),
		fmt.Sprintf("DELETE FROM crm7_y_saving WHERE id = (SELECT MIN(id) FROM crm7_y_saving WHERE id >= %d)", to),
		fmt.Sprintf("UPDATE crm7_y_entry SET amount = %d WHERE rowid IN (%d, %d)", b.n, 1+b.r.IntN(25), 1+b.r.IntN(25)),
		fmt.Sprintf("INSERT INTO crm7_traveltransactionlog VALUES (%d, %d, 900)", b.n, who), "COMMIT")
	b.keep()
}

func (b *bank) keep() {
	b.moments = append(b.moments, "")
	last := &b.moments[len(b.moments)-1]
	for _, name := range bankTables {
		*last += name + "\n"
		rows, err := b.db.Query("SELECT * FROM crm7_" + name)
		if err != nil {
			b.t.Fatal(err)
		}
		cols, _ := rows.Columns()
		var lines []string
		for rows.Next() {
			row := make([]any, len(cols))
			into := make([]any, len(cols))
			for i := range row {
				into[i] = &row[i]
			}
			if err := rows.Scan(into...); err != nil {
				b.t.Fatal(err)
			}
			lines = append(lines, line(row))
		}
		rows.Close()
		slices.Sort(lines)
		*last += strings.Join(lines, "\n") + "\n"
	}
}

func line(row []any) string {
	var list []string
	for _, v := range row {
		if at, ok := v.(time.Time); ok {
			v = at.Format(time.DateTime)
		}
		list = append(list, fmt.Sprint(v))
	}
	return strings.Join(list, " ")
}

// packed packs the tables, and returns what is in the parts that the manifest names, and the findings.
func (b *bank) packed(settle time.Duration) (tables map[string]string, findings []manifest.Finding) {
	t := b.t
	t.Helper()
	db, err := source.New(t.Context(), adrift{b.driver, b.work}, "")
	if err != nil {
		t.Fatal(err)
	}
	v, err := db.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	now := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	o := Options{Settle: settle, Log: slog.New(slog.DiscardHandler), Notice: func(string, ...any) {}, Now: func() time.Time { return now }, Sleep: func(_ context.Context, d time.Duration) error {
		now = now.Add(d)
		b.work()
		return nil
	}}
	sp := openSpool(t, filepath.Join(t.TempDir(), "spool"))
	temp, err := sp.ClearTemp("pack")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	r := &run{o: o, temp: temp, spool: sp, out: manifest.NewWriter(&out, "omt-pack 0.1.0"), packer: &packer{findings: &fileFindings{}, pool: new(chunk.Pool)},
		src: Source{Reader: v, Installation: manifest.Installation{Areas: []manifest.Area{manifest.Database, manifest.Document}}}}
	// No part waits for room: none is handed on before all tables are settled, and a push knows of none.
	r.packer.room = room{spool: sp, limit: 10, wait: time.Second, sleep: func(context.Context, time.Duration) error {
		return errors.New("it waits for a push that knows nothing yet")
	}}
	begin(t, r)
	for _, table := range v.Tables() {
		r.counted = append(r.counted, source.ToRecord(table, 1))
	}
	x := &exporter{spool: sp, temp: temp, reader: v, level: 1, pool: r.packer.pool, room: &r.packer.room}
	if err := r.oneMoment(t.Context(), x, new(skips), 10); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(temp); len(left) > 0 {
		t.Errorf("left in the folder for unfinished work: %v", left)
	}
	_, findings = r.packer.findings.records("x")
	if _, err := r.out.End(); err != nil {
		t.Fatal(err)
	}
	tables = b.rowsOf(sp.ChunkPath, &out)
	if left, err := filepath.Glob(sp.Path("chunks", "*", "*")); err != nil || len(left) != b.parts {
		t.Errorf("the manifest names %d parts, and %d lie in the spool: %v", b.parts, len(left), err)
	}
	return tables, findings
}

// rowsOf reads the parts that a manifest names, as keep writes tables.
func (b *bank) rowsOf(path func(manifest.Digest, string) string, out *bytes.Buffer) map[string]string {
	t := b.t
	t.Helper()
	tables, lines := map[string]string{}, map[string][]string{}
	b.parts = 0
	var table manifest.Table
	m := manifest.NewReader(out, manifest.ReadOptions{})
	for {
		l, err := m.Next()
		if err != nil {
			break
		}
		switch l.Kind {
		case manifest.KindTable:
			table = manifest.Table{}
			if err := l.Decode(&table); err != nil {
				t.Fatal(err)
			}
			lines[table.Name] = nil
		case manifest.KindChunk:
			b.parts++
			var c manifest.Chunk
			if err := l.Decode(&c); err != nil {
				t.Fatal(err)
			}
			f, err := os.Open(path(c.SHA256, c.Type))
			if err != nil {
				t.Fatal(err)
			}
			if err := new(chunk.Pool).VerifyPart(f, c.Bytes, c, table); err != nil || c.Table != table.Name {
				t.Fatalf("a part of %q under %q: %v", c.Table, table.Name, err)
			}
			p, err := chunk.NewPartReader(f, c.Bytes, table)
			if err != nil {
				t.Fatal(err)
			}
			for range p.Rows() {
				row, err := p.Read()
				if err != nil {
					t.Fatal(err)
				}
				lines[table.Name] = append(lines[table.Name], line(row))
			}
			p.Close()
			f.Close()
			table.Rows -= c.Rows
			if table.Rows < 0 {
				t.Fatalf("table %q has more rows than its record says", table.Name)
			}
		}
	}
	for name, list := range lines {
		slices.Sort(list)
		tables[name] = name + "\n" + strings.Join(list, "\n") + "\n"
	}
	return tables
}

// moment finds a moment at which all tables but those that are named were as they were packed; -1: there is none.
func (b *bank) moment(tables map[string]string, named []string) int {
	for i, m := range b.moments {
		if !slices.ContainsFunc(bankTables, func(name string) bool { return !slices.Contains(named, name) && !strings.Contains(m, tables[name]) }) {
			return i
		}
	}
	return -1
}

// namedIn are the tables of findings.
func namedIn(findings []manifest.Finding) (named []string) {
	for _, f := range findings {
		named = append(named, strings.TrimPrefix(f.Subjects[0], "table:"))
	}
	slices.Sort(named)
	return named
}

//go:build unix

package main

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	_ "github.com/microsoft/go-mssqldb" // the drivers that the bare SELECT goes through
	_ "modernc.org/sqlite"
)

// server is the variable that names a SQL Server to measure on, with login and password, as for the tests.
const server = "OMT_TEST_SQLSERVER"

// tables: packing the database alone, against a bare SELECT * of every table over one connection of the same driver. On
// SQLite, and on the SQL Server that the environment names.
func (b *bench) tables(ctx context.Context, t *table) error {
	db := filepath.Join(b.path("rows", "inst"), "crm.sqlite")
	if err := b.export(ctx, t, "SQLite", "sqlite:"+db, "sqlite:"+db); err != nil {
		return err
	}
	raw := os.Getenv(server)
	if raw == "" {
		fmt.Fprintf(os.Stderr, "bench: %s names no server: the export from SQL Server is not measured\n", server)
		return nil
	}
	u, err := url.Parse(raw)
	if err != nil {
		return fmt.Errorf("%s is no URL", server)
	}
	name := fmt.Sprintf("omt_bench_%d", os.Getpid())
	admin, err := sql.Open("sqlserver", raw)
	if err != nil {
		return err
	}
	defer admin.Close()
	if _, err := admin.ExecContext(ctx, "CREATE DATABASE "+name); err != nil {
		return err
	}
	defer admin.Exec("DROP DATABASE " + name) //nolint:errcheck // it is the server's then
	q := u.Query()
	q.Set("database", name)
	u.RawQuery = q.Encode()
	bare := u.String()
	password, _ := u.User.Password()
	u.User = url.User(u.User.Username())
	if err := os.Setenv("OMT_DB_PASSWORD", password); err != nil {
		return err
	}
	return b.export(ctx, t, "SQL Server", u.String(), bare)
}

// export measures one engine. at is the database's URL for the tools, bare that for the SELECT.
func (b *bench) export(ctx context.Context, t *table, engine, at, bare string) error {
	if err := b.fresh("rows"); err != nil {
		return err
	}
	inst := b.path("rows", "inst")
	steps := []*exec.Cmd{
		b.tool("omt-scan", "sample", "--dir", inst, "--documents", fmt.Sprint(b.documents), "--clean", "--rows-only", "--db", at),
		b.tool("omt-scan", "--install", inst, "--db", at, "--plans", filepath.Join(inst, "plans.csv"), "--only", "database", "--out", b.path("rows", "scan.jsonl")),
		b.tool("omt-assign", "--in", b.path("rows", "scan.jsonl"), "--auto", "--out", b.path("rows", "assigned.jsonl")),
	}
	for _, c := range steps {
		if _, err := measure(c, 0, 3); err != nil {
			return err
		}
	}
	rows, err := selectAll(ctx, bare)
	if err != nil {
		return err
	}
	plain := b.series("SELECT *, "+engine, func() *exec.Cmd { return exec.Command(os.Args[0], "-select", bare) })
	pack := b.series("omt-pack tables", func() *exec.Cmd {
		return b.tool("omt-pack", "--in", b.path("rows", "assigned.jsonl"), "--db", at, "--only", "database", "--spool", b.path("out", "spool"), "--out", b.path("out", "packed.jsonl"))
	})
	for range b.rounds {
		for _, s := range []*series{plain, pack} {
			if err := s.once(b, "out"); err != nil {
				return err
			}
		}
	}
	x, y := pack.median(), plain.median()
	t.add("table export from "+engine+", rows/s, against a bare SELECT *", fmt.Sprintf("%.2f ×", y.wall.Seconds()/x.wall.Seconds()), "≥ 0.7",
		fmt.Sprintf("%d rows: %.0f / %.0f rows/s, %d MiB", rows, float64(rows)/x.wall.Seconds(), float64(rows)/y.wall.Seconds(), x.peak))
	return nil
}

// selectAll reads every row of every table as database/sql gives them, over one connection.
func selectAll(ctx context.Context, at string) (rows int64, err error) {
	driver, list, quote := "sqlserver", `SELECT '[' + TABLE_SCHEMA + '].[' + TABLE_NAME + ']' FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = 'crm7'`, ""
	if path, ok := strings.CutPrefix(at, "sqlite:"); ok {
		driver, at, list, quote = "sqlite", "file:"+path+"?mode=ro", `SELECT name FROM sqlite_master WHERE type = 'table'`, `"`
	}
	db, err := sql.Open(driver, at)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	tables, err := names(ctx, db, list)
	if err != nil {
		return 0, err
	}
	for _, t := range tables {
		n, err := selectOne(ctx, db, quote+t+quote)
		if err != nil {
			return rows, err
		}
		rows += n
	}
	return rows, nil
}

func names(ctx context.Context, db *sql.DB, query string) (list []string, err error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var t string
		if err := rows.Scan(&t); err != nil {
			return nil, err
		}
		list = append(list, t)
	}
	return list, rows.Err()
}

func selectOne(ctx context.Context, db *sql.DB, table string) (n int64, err error) {
	r, err := db.QueryContext(ctx, `SELECT * FROM `+table)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	columns, err := r.Columns()
	if err != nil {
		return 0, err
	}
	values := make([]any, len(columns))
	into := make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	for ; r.Next(); n++ {
		if err := r.Scan(into...); err != nil {
			return n, err
		}
	}
	return n, r.Err()
}

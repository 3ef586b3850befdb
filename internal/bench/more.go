//go:build unix

package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // the driver that the bare SELECT goes through
)

// tables: packing the database alone, against a bare SELECT * of every table through the same driver, and the tools'
// memory on its records.
func (b *bench) tables(ctx context.Context, t *table) error {
	if err := b.fresh("rows"); err != nil {
		return err
	}
	inst := b.path("rows", "inst")
	steps := []*exec.Cmd{
		b.tool("omt-scan", "sample", "--dir", inst, "--documents", fmt.Sprint(b.documents), "--clean", "--rows-only"),
		b.tool("omt-scan", "--install", inst, "--plans", filepath.Join(inst, "plans.csv"), "--only", "database", "--out", b.path("rows", "scan.jsonl")),
		b.tool("omt-assign", "--in", b.path("rows", "scan.jsonl"), "--auto", "--out", b.path("rows", "assigned.jsonl")),
	}
	for _, c := range steps {
		if _, err := measure(c, 0, 3); err != nil {
			return err
		}
	}
	db := filepath.Join(inst, "crm.sqlite")
	rows, err := selectAll(ctx, db)
	if err != nil {
		return err
	}
	bare := b.series("SELECT *", func() *exec.Cmd { return exec.Command(os.Args[0], "-select", db) })
	export := b.series("omt-pack tables", func() *exec.Cmd {
		return b.tool("omt-pack", "--in", b.path("rows", "assigned.jsonl"), "--only", "database", "--spool", b.path("out", "spool"), "--out", b.path("out", "packed.jsonl"))
	})
	for range b.rounds {
		for _, s := range []*series{bare, export} {
			if err := s.once(b, "out"); err != nil {
				return err
			}
		}
	}
	x, y := export.median(), bare.median()
	t.add("table export, rows/s, against a bare SELECT *", fmt.Sprintf("%.2f ×", y.wall.Seconds()/x.wall.Seconds()), "≥ 0.7",
		fmt.Sprintf("%d rows: %.0f / %.0f rows/s, %d MiB", rows, float64(rows)/x.wall.Seconds(), float64(rows)/y.wall.Seconds(), x.peak))
	return nil
}

// selectAll reads every row of every table as database/sql gives them.
func selectAll(ctx context.Context, name string) (rows int64, err error) {
	db, err := sql.Open("sqlite", "file:"+name+"?mode=ro")
	if err != nil {
		return 0, err
	}
	defer db.Close()
	var tables []string
	list, err := db.QueryContext(ctx, `SELECT name FROM sqlite_master WHERE type = 'table'`)
	if err != nil {
		return 0, err
	}
	defer list.Close()
	for list.Next() {
		var t string
		if err := list.Scan(&t); err != nil {
			return 0, err
		}
		tables = append(tables, t)
	}
	if err := list.Err(); err != nil {
		return 0, err
	}
	for _, t := range tables {
		n, err := selectOne(ctx, db, t)
		if err != nil {
			return rows, err
		}
		rows += n
	}
	return rows, nil
}

func selectOne(ctx context.Context, db *sql.DB, table string) (n int64, err error) {
	r, err := db.QueryContext(ctx, `SELECT * FROM "`+table+`"`)
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

// killed: what a push sends again after a kill -9 at half.
func (b *bench) killed(ctx context.Context, t *table) error {
	to, spool := b.path("killed", "tenant"), b.path("again", "spool")
	if err := b.fresh("killed"); err != nil {
		return err
	}
	total := size(filepath.Join(spool, "chunks"))
	if err := os.RemoveAll(filepath.Join(spool, "receipts.jsonl")); err != nil {
		return err
	}
	push := func() *exec.Cmd {
		return b.tool("omt-push", "--in", b.path("again", "packed.jsonl"), "--spool", spool, "--to", to, "--out", b.path("killed", "done.jsonl"), "--keep")
	}
	x := push()
	if err := x.Start(); err != nil {
		return err
	}
	for size(filepath.Join(to, "chunks")) < total/2 && ctx.Err() == nil {
		time.Sleep(2 * time.Millisecond)
	}
	if err := x.Process.Kill(); err != nil {
		return err
	}
	_ = x.Wait() // it was killed
	at := time.Now()
	there := size(filepath.Join(to, "chunks"))
	if _, err := measure(push(), 0, 3); err != nil {
		return err
	}
	sent := sizeSince(filepath.Join(to, "chunks"), at)
	again := max(0, there+sent-total) // what had arrived of a chunk that was not in its place yet was not sent again
	t.add("bytes sent again after kill -9 at half (folder)", fmt.Sprintf("%.2f %%", 100*float64(again)/float64(total)), "≤ 2 %",
		fmt.Sprintf("%.1f of %.0f MB; %.0f MB were there", float64(again)/1e6, float64(total)/1e6, float64(there)/1e6))
	return nil
}

// memory: the peak of each tool on a manifest of many files that are not there to be read, so that records alone count.
func (b *bench) memory(ctx context.Context, t *table) error {
	if err := b.fresh("many"); err != nil {
		return err
	}
	dir := b.path("many", "files")
	for i := range b.tiny {
		name := filepath.Join(dir, fmt.Sprintf("%03d", i/1000%1000), fmt.Sprintf("%06d-%d.txt", i, i/1_000_000))
		if i%1000 == 0 {
			if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
				return err
			}
		}
		if err := os.WriteFile(name, fmt.Appendf(nil, "%d", i), 0o644); err != nil {
			return err
		}
	}
	inst := b.path("inst")
	scan, assigned, packed, done := b.path("many", "s"), b.path("many", "a"), b.path("many", "p"), b.path("many", "d")
	spool, to := b.path("many", "spool"), b.path("many", "tenant")
	for _, c := range []*exec.Cmd{
		b.tool("omt-scan", "--install", inst, "--plans", filepath.Join(inst, "plans.csv"), "--root", "service="+dir, "--out", scan),
		b.tool("omt-assign", "--in", scan, "--auto", "--out", assigned),
		b.tool("omt-pack", "--in", assigned, "--spool", spool, "--out", packed),
		b.tool("omt-push", "--in", packed, "--spool", spool, "--to", to, "--out", done),
		b.tool("omt-pack", "verify", "--from", to, "--depth", "content"),
		b.tool("omt-pack", "unpack", "--from", to, "--files", b.path("many", "out")),
	} {
		cost, err := measure(c, 0, 3)
		if err != nil {
			return err
		}
		name := filepath.Base(c.Args[0])
		if c.Args[1] == "verify" || c.Args[1] == "unpack" {
			name += " " + c.Args[1]
		}
		t.add(fmt.Sprintf("%s, %d small files: peak memory", name, b.tiny), fmt.Sprintf("%d MiB", cost.peak), "≤ 256",
			fmt.Sprintf("%.1f s wall, %.1f s processor", cost.wall.Seconds(), cost.cpu.Seconds()))
	}
	return os.RemoveAll(b.path("many"))
}

//go:build unix

package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/openomt/omt/internal/progress"
	"github.com/openomt/omt/internal/sample"
	"github.com/openomt/omt/internal/source"
	"github.com/openomt/omt/internal/source/sqlite"
)

// size: every step of a migration on installations of more and more documents, with as many files of a few bytes each,
// and a tenth of that in attachments. What a step costs for one document must not grow, nor its memory.
func (b *bench) size(ctx context.Context, t *table) error {
	w := &growth{b: b, t: t, unit: "documents"}
	for _, n := range b.sizes {
		files := n + n/10
		if err := w.once(ctx, n, 0, n, 2*files, 4<<30+6000*int64(n)); err != nil {
			return err
		}
	}
	return nil
}

// bigTable: the same on one table of more and more rows, with hardly a file.
func (b *bench) bigTable(ctx context.Context, t *table) error {
	w := &growth{b: b, t: t, unit: "rows"}
	for _, n := range b.rows {
		if err := w.once(ctx, 20, n, n, 10_000, 4<<30+1500*int64(n)); err != nil {
			return err
		}
	}
	return nil
}

// growth runs the steps of a migration, each as a process, and compares them with those of the size before.
type growth struct {
	b      *bench
	t      *table
	unit   string
	before map[string]float64 // step: microseconds of processor time for one
}

func (w *growth) once(ctx context.Context, documents, rows, n, files int, bytes int64) (err error) {
	v, err := w.b.newVolume("size", files, bytes)
	if err != nil {
		return err
	}
	defer func() {
		if e := v.remove(); err == nil {
			err = e
		}
	}()
	if err := os.Mkdir(v.path("tmp"), 0o755); err != nil {
		return err
	}
	now := map[string]float64{}
	for _, s := range w.steps(ctx, v, documents, rows) {
		c, err := w.run(v, fmt.Sprintf("%s, %s %s", s.name, count(n), w.unit), s.cmd)
		if err != nil {
			return err
		}
		now[s.name] = w.add(s.name, n, c)
		for _, name := range s.after {
			if err := os.RemoveAll(v.path(name)); err != nil {
				return err
			}
		}
	}
	w.t.add(fmt.Sprintf("disk, %s %s", count(n), w.unit), fmt.Sprintf("%.1f GB", float64(v.used())/1e9), "", v.kind())
	w.before = now
	return nil
}

// add adds a line to the table and returns the processor time for one document or row.
func (w *growth) add(name string, n int, c cost) float64 {
	each := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(n) }
	measured := fmt.Sprintf("%.2f µs each", each(c.cpu))
	if old := w.before[name]; old > 0 {
		measured += fmt.Sprintf(", %.2f × the size before", each(c.cpu)/old)
	}
	floor := "≤ 256 MiB"
	if name == generate {
		floor = "" // no tool of ours, and so a measure of what the machine itself makes of more files
	}
	w.t.add(fmt.Sprintf("%s, %s %s", name, count(n), w.unit), measured, floor,
		fmt.Sprintf("%d MiB, %.1f s user + %.1f s system, %.1f s wall (%.2f µs each)", c.peak, (c.cpu-c.system).Seconds(), c.system.Seconds(),
			c.wall.Seconds(), each(c.wall)))
	return each(c.cpu)
}

// generate is the step that makes the installation.
const generate = "generate"

// stage is one tool's run, and what is of no use after it.
type stage struct {
	name  string
	cmd   *exec.Cmd
	after []string
}

func (w *growth) steps(ctx context.Context, v *volume, documents, rows int) []stage {
	at := func(name string) string { return v.path(name) }
	spool, to := at("spool"), at("tenant")
	plans := v.path("inst", "plans.csv")
	archive := []string{"spool"}
	if v.image == "" {
		archive = append(archive, "inst") // plain folders may have no room for both
	}
	tool := func(name string, args ...string) *exec.Cmd {
		return exec.CommandContext(ctx, filepath.Join(w.b.bin, name), args...)
	}
	return []stage{
		{generate, exec.CommandContext(ctx, os.Args[0], "-install", at("inst"), "-documents", fmt.Sprint(documents), "-fill", fmt.Sprint(rows)), nil},
		{"scan", tool("omt-scan", "--install", at("inst"), "--plans", plans, "--out", at("s")), nil},
		{"assign", tool("omt-assign", "--in", at("s"), "--auto", "--out", at("a")), []string{"s"}},
		{"pack", tool("omt-pack", "--in", at("a"), "--spool", spool, "--out", at("p")), []string{"a"}},
		{"push", tool("omt-push", "--in", at("p"), "--spool", spool, "--to", to, "--out", at("d")), []string{"p", "d"}},
		{"verify --depth content", tool("omt-pack", "verify", "--from", to, "--depth", "content"), archive},
		{"unpack", tool("omt-pack", "unpack", "--from", to, "--files", at("out"), "--db", "sqlite:"+at("out.sqlite")), nil},
	}
}

// run runs one process with its temporary files in the volume.
func (w *growth) run(v *volume, name string, c *exec.Cmd) (cost, error) {
	c.Env = append(os.Environ(), "TMPDIR="+v.path("tmp"), "OMT_LOG="+v.path("tmp", "log"))
	syscall.Sync()
	if err := v.fresh(); err != nil {
		return cost{}, err
	}
	out, err := measure(c, 0, 3)
	if err == nil {
		fmt.Fprintf(os.Stderr, "bench: %-42s %7.1f s wall, %7.1f s user, %6.1f s system, %4d MiB; volume %.1f GB\n", name,
			out.wall.Seconds(), (out.cpu - out.system).Seconds(), out.system.Seconds(), out.peak, float64(v.used())/1e9)
	}
	return out, err
}

// makeInstallation writes an installation of tiny files, and into its table of appointments that many rows more.
func makeInstallation(ctx context.Context, dir string, documents, rows int) error {
	o := sample.Options{Dir: dir, DB: "sqlite:crm.sqlite", Prefix: "crm7", Users: max(20, documents/20_000), Documents: documents,
		Seed: 1, Clean: true, Files: true, Tiny: true, Progress: progress.None{}}
	name := filepath.Join(dir, "crm.sqlite")
	if _, err := sample.Write(ctx, o, func(context.Context) (source.Loader, error) { return sqlite.OpenLoader("sqlite:" + name) }); err != nil || rows == 0 {
		return err
	}
	db, err := sql.Open("sqlite", "file:"+name)
	if err != nil {
		return err
	}
	defer db.Close()
	// Diary entries of many companies and users, one after another in time, as a diary has them.
	_, err = db.ExecContext(ctx, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
		INSERT INTO crm7_appointment (`+appointmentColumns+`)
		SELECT max(1000, (SELECT max(appointment_id) FROM crm7_appointment)) + i, abs(random()) % 50000, abs(random()) % 200000, 1 + abs(random()) % 20, 1 + i % 3,
		a.registered, 1 + abs(random()) % 20, a.done, a.do_by, i % 40, 1 + i % 6, i % 4, i, i % 5000, 0, 0, a.activeDate, a.endDate,
		0, a.updated, 1 + i % 20, i % 9 FROM n, (SELECT * FROM crm7_appointment ORDER BY appointment_id LIMIT 1) a`, rows)
	return err
}

const appointmentColumns = `appointment_id, contact_id, person_id, associate_id, group_idx, registered, registered_associate_id, done, do_by,
	task_idx, type, status, text_id, project_id, mother_id, document_id, activeDate, endDate, sale_id, updated, updated_associate_id, updatedCount`

// count writes 1,000,000.
func count(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Command demo shows the main job on a sample installation: it is scanned, given plans and user names, packed and pushed
// into a folder in one pipe; what lies there is proved, unpacked as the tenant's side does, and compared with the
// installation. Then a second one, which is ill, shows the preflight rules: what blocks is refused, resolved or waived, and
// goes through. It is what `make demo` runs, and prints what happened.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/openomt/omt/internal/compare"
)

type demo struct {
	bin, dir string
	out      io.Writer
}

func main() {
	d := demo{out: os.Stdout}
	flag.StringVar(&d.bin, "bin", "bin", "where the commands are")
	flag.StringVar(&d.dir, "dir", "demo", "where to work; it is emptied")
	documents := flag.Int("documents", 2000, "documents of the sample")
	flag.Parse()
	if err := d.run(context.Background(), *documents); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func (d demo) run(ctx context.Context, documents int) error {
	began := time.Now()
	if err := os.RemoveAll(d.dir); err != nil {
		return err
	}
	if err := os.MkdirAll(d.dir, 0o755); err != nil {
		return err
	}
	inst, to := d.path("installation"), d.path("tenant")
	took, err := d.step(ctx, nil, cmd{"omt-scan", []string{"sample", "--dir", inst, "--documents", fmt.Sprint(documents)}})
	if err != nil {
		return err
	}
	files, size, err := measure(inst)
	if err != nil {
		return err
	}
	d.say("sample    an installation of %s files, %s, in %s (%s)", humanize.Comma(files), humanize.Bytes(uint64(size)), inst, round(took))
	done := d.path("done.jsonl")
	took, err = d.pipe(ctx, done, road(inst, d.path("spool"), to))
	if err != nil {
		return err
	}
	chunks, stored, err := measure(filepath.Join(to, "chunks"))
	if err != nil {
		return err
	}
	d.say("pipe      omt-scan | omt-assign | omt-pack | omt-push: %s chunks, %s (%d %%), in %s (%s)",
		humanize.Comma(chunks), humanize.Bytes(uint64(stored)), stored*100/size, to, round(took))
	return d.after(ctx, inst, to, done, began)
}

func (d demo) after(ctx context.Context, inst, to, done string, began time.Time) error {
	took, err := d.step(ctx, nil, cmd{"omt-pack", []string{"verify", "--from", to, "--depth", "content"}})
	if err != nil {
		return err
	}
	d.say("verify    every chunk read back, every file and row compared with the manifest (%s)", round(took))
	out, db := d.path("unpacked"), d.path("unpacked.sqlite")
	if took, err = d.step(ctx, nil, cmd{"omt-pack", []string{"unpack", "--from", to, "--files", out, "--db", "sqlite:" + db}}); err != nil {
		return err
	}
	d.say("unpack    the tenant's side: files to %s, database to %s (%s)", out, db, round(took))
	if took, err = d.step(ctx, nil, cmd{"omt-pack", []string{"verify", "--from", to, "--depth", "names", "--db", "sqlite:" + db}}); err != nil {
		return err
	}
	d.say("verify    every row of the database that was made, by the digests of table parts (%s)", round(took))
	f, err := compare.FilesOf(done, out)
	if err != nil {
		return err
	}
	d.say("compare   %s files, %s: byte for byte and time for time as they were", humanize.Comma(f.Same), humanize.Bytes(uint64(f.Bytes)))
	gone, err := compare.Gone(done, "crm7")
	if err != nil {
		return err
	}
	r, err := compare.Databases(ctx, filepath.Join(inst, "crm.sqlite"), db, gone)
	if err != nil {
		return err
	}
	d.say("compare   %s tables, %s rows: value for value as they were, but for %d addresses that became user names",
		humanize.Comma(r.Tables), humanize.Comma(r.Rows), r.Gone)
	d.say("left      %s rows and files did not move (missing, held elsewhere, without a row): done.jsonl names each", humanize.Comma(f.Not))
	if err := d.rules(ctx); err != nil {
		return err
	}
	d.say("done      in %s; look at %s, or: %s status --to %s", round(time.Since(began)), done, filepath.Join(d.bin, "omt-push"), to)
	return nil
}

// road are the four commands of the pipe, with the choices that the sample brings.
func road(inst, spool, to string) []cmd {
	in := func(name string) string { return filepath.Join(inst, name) }
	return []cmd{
		{"omt-scan", []string{"--install", inst, "--plans", in("plans.csv")}},
		{"omt-assign", []string{"--users", in("users.csv"), "--waivers", in("waivers.csv"), "--remove-from-persons"}},
		{"omt-pack", []string{"--spool", spool}},
		{"omt-push", []string{"--spool", spool, "--to", to}},
	}
}

func (d demo) path(name string) string { return filepath.Join(d.dir, name) }

func (d demo) say(format string, args ...any) { fmt.Fprintf(d.out, format+"\n", args...) }

func round(t time.Duration) time.Duration { return t.Round(10 * time.Millisecond) }

type cmd struct {
	name string
	args []string
}

func (d demo) command(ctx context.Context, c cmd) *exec.Cmd {
	name := filepath.Join(d.bin, c.name)
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	return exec.CommandContext(ctx, name, c.args...)
}

// step runs one command. Status 3 is success with remarks.
func (d demo) step(ctx context.Context, out io.Writer, c cmd) (time.Duration, error) {
	x := d.command(ctx, c)
	var said bytes.Buffer
	x.Stdout, x.Stderr = out, &said
	began := time.Now()
	err := x.Run()
	return time.Since(began), judge(c, err, said.String())
}

func judge(c cmd, err error, said string) error {
	var exit *exec.ExitError
	if err == nil || errors.As(err, &exit) && exit.ExitCode() == 3 {
		return nil
	}
	return fmt.Errorf("%s: %w\n%s", c.name, err, said)
}

// pipe runs commands, each reading what the one before writes, into a file.
func (d demo) pipe(ctx context.Context, to string, list []cmd) (time.Duration, error) {
	out, err := os.Create(to)
	if err != nil {
		return 0, err
	}
	defer out.Close()
	began := time.Now()
	running := make([]*exec.Cmd, len(list))
	said := make([]bytes.Buffer, len(list))
	var from *os.File
	for i, c := range list {
		x := d.command(ctx, c)
		x.Stderr = &said[i]
		if from != nil {
			x.Stdin = from
		}
		var next, w *os.File
		if i < len(list)-1 {
			if next, w, err = os.Pipe(); err != nil {
				return 0, err
			}
			x.Stdout = w
		} else {
			x.Stdout = out
		}
		if err := x.Start(); err != nil {
			return 0, err
		}
		for _, f := range []*os.File{from, w} {
			if f != nil {
				f.Close()
			}
		}
		from, running[i] = next, x
	}
	for i, x := range running {
		if e := judge(list[i], x.Wait(), said[i].String()); e != nil {
			err = errors.Join(err, e)
		}
	}
	return time.Since(began), err
}

// measure counts the files and bytes below a folder.
func measure(dir string) (files, bytes int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		st, err := e.Info()
		if err != nil {
			return err
		}
		files++
		bytes += st.Size()
		return nil
	})
	return files, bytes, err
}

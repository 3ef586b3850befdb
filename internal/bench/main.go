//go:build unix

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

type bench struct {
	bin, dir  string
	rounds    int
	documents int // of the database
	tiny      int // files of the memory row
	tree      tree
	steps     string
	sizes     []int // documents of the size step
	rows      []int // rows of the rows step
}

func main() {
	var b bench
	flag.StringVar(&b.bin, "bin", "bin", "where the commands are")
	flag.StringVar(&b.dir, "dir", ".cache/bench", "where to work")
	flag.IntVar(&b.rounds, "rounds", 3, "runs of each, in turn")
	flag.StringVar(&b.steps, "steps", "", "only these `STEPS`: packing,second,proof,killed,known,tables,memory,size,rows,start (proof needs second, killed needs proof)")
	files := flag.Int("files", 50_000, "files of the archive")
	flag.IntVar(&b.documents, "documents", 200_000, "documents of the database")
	flag.IntVar(&b.tiny, "tiny", 100_000, "small files to measure memory with")
	sizes := flag.String("sizes", "20000,100000", "documents of the installations that the step size takes, with as many files")
	rows := flag.String("rows", "200000,1000000", "rows of the tables that the step rows takes")
	install := flag.String("install", "", "make an installation of -documents documents in the new folder `DIR`, a table of -fill rows in it, and end")
	fill := flag.Int("fill", 0, "rows of that table")
	generate := flag.Bool("generate", false, "make the archive and end: memory of this process would count as that of its children")
	sel := flag.String("select", "", "read every row of the database at this `URL` and end: what the export is measured against")
	flag.Parse()
	if *sel != "" {
		if _, err := selectAll(context.Background(), *sel); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := errors.Join(numbers(*sizes, &b.sizes), numbers(*rows, &b.rows))
	switch {
	case err != nil:
	case *install != "":
		err = makeInstallation(ctx, *install, b.documents, *fill)
	default:
		err = b.run(ctx, *files, *generate)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// numbers reads "100000,1000000".
func numbers(s string, into *[]int) error {
	for _, f := range strings.Split(s, ",") {
		n, err := strconv.Atoi(f)
		if err != nil || n < 1 {
			return fmt.Errorf("%q: want numbers with commas between", s)
		}
		*into = append(*into, n)
	}
	return nil
}

func (b *bench) run(ctx context.Context, files int, generate bool) (err error) {
	if b.bin, err = filepath.Abs(b.bin); err != nil {
		return err
	}
	if b.dir, err = filepath.Abs(b.dir); err != nil {
		return err
	}
	b.tree = tree{dir: b.path("tree"), files: files, seed: 1}
	if err := os.MkdirAll(b.dir, 0o755); err != nil {
		return err
	}
	if generate {
		return b.tree.write()
	}
	t, ready := &table{}, false
	for _, step := range b.all() {
		if b.steps != "" && !slices.Contains(strings.Split(b.steps, ","), step.name) {
			continue
		}
		if step.archive && !ready {
			if err := b.archive(ctx); err != nil {
				return err
			}
			ready = true
		}
		if err := step.run(ctx, t); err != nil {
			t.print(os.Stdout)
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	t.print(os.Stdout)
	return nil
}

// step is one measurement. Most need the generated archive.
type step struct {
	name    string
	archive bool
	run     func(context.Context, *table) error
}

func (b *bench) all() []step {
	return []step{{"packing", true, b.packing}, {"second", true, b.second}, {"proof", true, b.proof}, {"killed", true, b.killed}, {"known", true, b.known},
		{"tables", true, b.tables}, {"memory", true, b.memory}, {"size", false, b.size}, {"rows", false, b.bigTable}, {"start", false, b.start}}
}

// archive generates the archive and the manifest that packing it begins with.
func (b *bench) archive(ctx context.Context) error {
	fmt.Fprintf(os.Stderr, "bench: generating %d files\n", b.tree.files)
	if _, err := measure(exec.Command(os.Args[0], "-generate", "-dir", b.dir, "-files", fmt.Sprint(b.tree.files)), 0); err != nil {
		return err
	}
	return b.assigned(ctx)
}

func (b *bench) path(elem ...string) string {
	return filepath.Join(append([]string{b.dir}, elem...)...)
}

func (b *bench) tool(name string, args ...string) *exec.Cmd {
	return exec.Command(filepath.Join(b.bin, name), args...)
}

// assigned makes the manifest that packing begins with.
func (b *bench) assigned(ctx context.Context) error {
	inst := b.path("inst")
	if err := os.RemoveAll(inst); err != nil {
		return err
	}
	for _, c := range []*exec.Cmd{
		b.tool("omt-scan", "sample", "--dir", inst, "--documents", "20", "--clean"),
		b.tool("omt-scan", "--install", inst, "--plans", filepath.Join(inst, "plans.csv"), "--root", "service="+b.tree.dir, "--out", b.path("scan.jsonl")),
		b.tool("omt-assign", "--in", b.path("scan.jsonl"), "--auto", "--out", b.path("assigned.jsonl")),
	} {
		if _, err := measure(c, 0, 3); err != nil {
			return err
		}
	}
	return nil
}

// packing: omt-pack with and without read-back, tar | zstd, restic.
func (b *bench) packing(ctx context.Context, t *table) error {
	var runs []*series
	runs = append(runs,
		b.series("tar | zstd -3 -T0", func() *exec.Cmd {
			return exec.Command("sh", "-c", fmt.Sprintf("tar -C %q -cf - . | zstd -3 -T0 -q -o %q", b.tree.dir, b.path("out", "tar.zst")))
		}),
		b.series("omt-pack", func() *exec.Cmd { return b.pack("out/spool") }),
	)
	if restic() {
		runs = append(runs, b.series("restic backup", func() *exec.Cmd { return b.restic("init", "backup") }))
	}
	for range b.rounds {
		for _, s := range runs {
			if err := s.once(b, "out"); err != nil {
				return err
			}
		}
	}
	tar, pack := runs[0].median(), runs[1].median()
	t.add("packing, wall, against tar | zstd -3 -T0 (with read-back)", ratio(pack.wall, tar.wall), "≤ 2.0", detail(pack, tar))
	if len(runs) > 2 {
		r := runs[2].median()
		t.add("packing, wall, against restic (with read-back)", ratio(pack.wall, r.wall), "≤ 0.9", detail(pack, r))
		t.add("packing, processor, against restic", ratio(pack.cpu, r.cpu), "", detail(pack, r))
		t.add("stored bytes, against restic", fmt.Sprintf("%.3f ×", float64(runs[1].stored)/float64(runs[2].stored)), "≤ 1.01",
			fmt.Sprintf("%d / %d MB", runs[1].stored/1e6, runs[2].stored/1e6))
	}
	t.add("peak memory of omt-pack", fmt.Sprintf("%d MiB", pack.peak), "≤ 256", "")
	return nil
}

// second: a run that finds nothing changed, against restic's and against a walk that looks at every file.
func (b *bench) second(ctx context.Context, t *table) error {
	if err := b.fresh("again"); err != nil {
		return err
	}
	if _, err := measure(b.pack("again/spool"), 0); err != nil {
		return err
	}
	again := b.series("omt-pack again", func() *exec.Cmd { return b.pack("again/spool") })
	stat := b.series("stat", func() *exec.Cmd { return exec.Command("find", b.tree.dir, "-type", "f", "-size", "-1c") })
	for range b.rounds {
		for _, s := range []*series{again, stat} {
			if err := s.once(b, ""); err != nil {
				return err
			}
		}
	}
	t.add("second run, nothing changed, against a look at every file", ratio(again.median().wall, stat.median().wall), "goal ≤ 1.5", detail(again.median(), stat.median()))
	if !restic() {
		return nil
	}
	if _, err := measure(b.restic("init", "backup"), 0); err != nil {
		return err
	}
	r := b.series("restic again", func() *exec.Cmd { return b.restic("backup") })
	for range b.rounds {
		if err := r.once(b, ""); err != nil {
			return err
		}
	}
	t.add("second run, nothing changed, against restic", ratio(again.median().wall, r.median().wall), "≤ 0.5", detail(again.median(), r.median()))
	return nil
}

// proof: omt-pack verify --depth content against restic check --read-data.
func (b *bench) proof(ctx context.Context, t *table) error {
	to := b.path("again", "tenant")
	if _, err := measure(b.tool("omt-pack", "--in", b.path("assigned.jsonl"), "--spool", b.path("again", "spool"), "--out", b.path("again", "packed.jsonl")), 0); err != nil {
		return err
	}
	push := b.tool("omt-push", "--in", b.path("again", "packed.jsonl"), "--spool", b.path("again", "spool"), "--to", to, "--out", b.path("again", "done.jsonl"), "--keep")
	pushed, err := measure(push, 0, 3)
	if err != nil {
		return err
	}
	t.add("push into a folder", pushed.wall.Round(time.Millisecond).String(), "", fmt.Sprintf("%.1f s of processor, %d MiB", pushed.cpu.Seconds(), pushed.peak))
	v := b.series("verify", func() *exec.Cmd { return b.tool("omt-pack", "verify", "--from", to, "--depth", "content") })
	r := b.series("restic check", func() *exec.Cmd { return b.restic("check") })
	for range b.rounds {
		if err := v.once(b, ""); err != nil {
			return err
		}
		if restic() {
			if err := r.once(b, ""); err != nil {
				return err
			}
		}
	}
	if restic() {
		t.add("full proof, processor, against restic check --read-data", ratio(v.median().cpu, r.median().cpu), "≤ 1.0", detail(v.median(), r.median()))
	}
	return nil
}

// start: how long a tool takes to start and do nothing.
func (b *bench) start(ctx context.Context, t *table) error {
	s := b.series("start", func() *exec.Cmd { return b.tool("omt-pack", "--version") })
	for range 5 {
		if err := s.once(b, ""); err != nil {
			return err
		}
	}
	t.add("start of omt-pack", s.median().wall.Round(time.Millisecond).String(), "≤ 500 ms", "")
	return nil
}

func (b *bench) pack(spool string) *exec.Cmd {
	return b.tool("omt-pack", "--in", b.path("assigned.jsonl"), "--spool", b.path(spool), "--out", b.path("packed.jsonl"))
}

func restic() bool {
	_, err := exec.LookPath("restic")
	return err == nil
}

// restic runs commands one after another on a repository below the folder of the present step.
func (b *bench) restic(commands ...string) *exec.Cmd {
	var lines []string
	for _, c := range commands {
		switch c {
		case "init":
			lines = append(lines, "rm -rf repo", "restic init -q -r repo")
		case "backup":
			lines = append(lines, fmt.Sprintf("restic backup -q --no-cache -r repo %q", b.tree.dir))
		case "check":
			lines = append(lines, "restic check -q --no-cache --read-data -r repo")
		}
	}
	x := exec.Command("sh", "-ec", strings.Join(lines, "\n"))
	x.Dir = b.dir
	x.Env = append(os.Environ(), "RESTIC_PASSWORD=bench")
	return x
}

func (b *bench) fresh(name string) error {
	if name == "" {
		return nil
	}
	if err := os.RemoveAll(b.path(name)); err != nil {
		return err
	}
	return os.MkdirAll(b.path(name), 0o755)
}

func ratio(a, b time.Duration) string { return fmt.Sprintf("%.2f ×", a.Seconds()/b.Seconds()) }

func detail(a, b cost) string {
	return fmt.Sprintf("wall %.2f / %.2f s, processor %.2f / %.2f s", a.wall.Seconds(), b.wall.Seconds(), a.cpu.Seconds(), b.cpu.Seconds())
}

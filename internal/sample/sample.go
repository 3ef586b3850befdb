package sample

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/progress"
	"github.com/openomt/omt/internal/source"
)

// Options are the choices of a sample.
type Options struct {
	Dir       string // is made; anything in it but an unfinished sample of the same options is refused
	DB        string // as omt.json names it: "sqlite:crm.sqlite", or a URL without credentials
	Prefix    string
	Users     int // employees besides the odd ones, at least 2
	Documents int // besides the odd ones
	Seed      uint64
	Clean     bool // nothing that blocks or that changes data at the tenant
	Files     bool // write the archive; without, rows alone
	Tiny      bool // a few bytes in each file, no two documents alike: to try numbers out on, not contents
	Progress  progress.Reporter
}

// Validate reports options that cannot be meant.
func (o Options) Validate() error {
	switch {
	case o.Dir == "":
		return manifest.Errorf(manifest.Usage, "--dir is missing").WithHint("name a new folder for the sample")
	case o.Users < 2 || o.Users > 1_000_000:
		return fmt.Errorf("%d users: want 2 to 1,000,000", o.Users)
	case o.Documents < 0 || o.Documents > 100_000_000:
		return fmt.Errorf("%d documents: want 0 to 100,000,000", o.Documents)
	case o.Prefix == "":
		return errors.New("an empty prefix")
	}
	return nil
}

// Made is what was written.
type Made struct {
	Users, Documents, Files int
	Bytes                   int64
}

// id names the run to the loader, so that a killed one goes on and another one is refused.
func (o Options) id() string {
	id := fmt.Sprintf("sample seed %d users %d documents %d clean %t", o.Seed, o.Users, o.Documents, o.Clean)
	if o.Tiny {
		id += " tiny"
	}
	return id
}

const unfinished = ".omt-sample"

// Write makes the sample in the database that open opens, once the folder is there. A run that was killed is gone on
// with by the same options.
func Write(ctx context.Context, o Options, open func(context.Context) (source.Loader, error)) (Made, error) {
	if err := o.Validate(); err != nil {
		return Made{}, err
	}
	filled, err := begin(o)
	if err != nil {
		return Made{}, err
	}
	w := newWorld(o)
	if !filled {
		if err := w.fill(ctx, open); err != nil {
			return Made{}, err
		}
	}
	if o.Files {
		if err := w.files(ctx); err != nil {
			return Made{}, err
		}
	}
	if err := w.configs(); err != nil {
		return Made{}, err
	}
	w.made.Users, w.made.Documents = len(w.associates), o.Documents+len(w.odd)
	return w.made, os.Remove(filepath.Join(o.Dir, unfinished))
}

// fill fills the database and notes that it was: a loader takes no database that is finished.
func (w *world) fill(ctx context.Context, open func(context.Context) (source.Loader, error)) error {
	loader, err := open(ctx)
	if err != nil {
		return err
	}
	defer loader.Close() //nolint:errcheck // Finish has made everything durable
	if err := w.database(ctx, loader); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(w.o.Dir, unfinished), []byte(w.o.id()+rowsDone), 0o644)
}

// rowsDone stands in the mark behind the options once the database is filled.
const rowsDone = ", rows done"

// begin takes an empty or absent folder, or one that the same options left unfinished, and says whether its database was
// filled already.
func begin(o Options) (filled bool, err error) {
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return false, fmt.Errorf("making the sample's folder: %w", err)
	}
	mark := filepath.Join(o.Dir, unfinished)
	b, err := os.ReadFile(mark)
	if was := strings.TrimSuffix(string(b), rowsDone); err == nil && was == o.id() {
		return was != string(b), nil
	}
	entries, err := os.ReadDir(o.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	for _, e := range entries {
		if e.Name() != unfinished {
			return false, manifest.Errorf(manifest.Refused, "%q is not empty", o.Dir).WithHint("name a new folder with --dir")
		}
	}
	return false, os.WriteFile(mark, []byte(o.id()), 0o644)
}

// world is everything that rows and files are made from. People are held in memory; documents are functions of their
// number.
type world struct {
	o          Options
	persons    []person
	associates []associate
	writers    []associate
	odd        []doc
	made       Made
	folders    map[string]bool // that put has made
}

func newWorld(o Options) *world {
	w := &world{o: o, folders: map[string]bool{}}
	w.people()
	w.writers = w.authors()
	w.oddDocuments()
	return w
}

// rand gives the numbers of one thing: of a class, with a number.
func (w *world) rand(class, n uint64) *rand.Rand {
	return rand.New(rand.NewPCG(w.o.Seed, class<<56|n))
}

// database fills every table. Tables without rows are made too.
func (w *world) database(ctx context.Context, loader source.Loader) error {
	tables, err := parseSchema()
	if err != nil {
		return err
	}
	if !strings.HasPrefix(w.o.DB, "sqlite:") {
		tables = slices.DeleteFunc(tables, func(t source.Table) bool { return t.Name == handmade })
	}
	if err := loader.Begin(ctx, w.o.id(), w.o.Prefix, tables); err != nil {
		return err
	}
	meter := w.o.Progress.Meter("rows", int64(3*w.o.Documents), progress.Items)
	defer meter.Done()
	makers, err := w.makers(tables)
	if err != nil {
		return err
	}
	for _, t := range tables {
		switch there, err := loader.Loaded(ctx, t.Name); {
		case err != nil:
			return err
		case there:
			continue
		}
		rows := iter.Seq2[source.Row, error](func(func(source.Row, error) bool) {})
		if m := makers[strings.ToLower(t.Name)]; m != nil {
			rows = counted(newTable(t), m, meter)
		}
		if _, err := loader.Load(ctx, t.Name, t, rows); err != nil {
			return fmt.Errorf("filling table %q: %w", t.Name, err)
		}
	}
	return loader.Finish(ctx)
}

// maker gives the rows of a table to add, until it returns false.
type maker func(add func(values) bool)

func counted(t *table, m maker, meter progress.Meter) iter.Seq2[source.Row, error] {
	return func(yield func(source.Row, error) bool) {
		m(func(v values) bool {
			meter.Add(1)
			return yield(t.row(v), nil)
		})
	}
}

// files writes the archive, the templates, the Service folder.
func (w *world) files(ctx context.Context) error {
	meter := w.o.Progress.Meter("files", int64(w.o.Documents), progress.Items)
	defer meter.Done()
	var failed error
	put := func(f file) bool {
		if failed = ctx.Err(); failed == nil && f.path != "" {
			failed = w.put(f)
			meter.Add(1)
		}
		return failed == nil
	}
	w.documents(func(d doc) bool { return put(d.file) })
	for _, list := range []iter.Seq[file]{slices.Values(w.oddFiles()), slices.Values(w.templateFiles()), slices.Values(w.serviceFiles()), w.attachmentFiles()} {
		for f := range list {
			if failed == nil {
				put(f)
			}
		}
	}
	if failed == nil && !w.o.Clean {
		failed = w.rawName()
	}
	return failed
}

func (w *world) put(f file) error {
	name := filepath.Join(w.o.Dir, filepath.FromSlash(f.area), filepath.FromSlash(f.path))
	if dir := filepath.Dir(name); !w.folders[dir] {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("making a folder of the sample: %w", err)
		}
		w.folders[dir] = true
	}
	n, err := w.writeFile(name, f)
	if err != nil {
		return fmt.Errorf("writing a file of the sample: %w", err)
	}
	w.made.Files++
	w.made.Bytes += n
	return os.Chtimes(name, f.mtime, f.mtime)
}

func (w *world) writeFile(name string, f file) (int64, error) {
	var b []byte
	switch {
	case w.o.Tiny:
		b = fmt.Appendf(nil, "%s %d\n", f.ext, f.seed)
	case f.size == largeFile:
		if err := os.WriteFile(name, nil, 0o644); err != nil {
			return 0, err
		}
		return largeFile, os.Truncate(name, largeFile)
	default:
		b = Content(w.rand(2, f.seed), f.ext, f.size)
	}
	return int64(len(b)), os.WriteFile(name, b, 0o644)
}

package pack

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"

	"github.com/openomt/omt/internal/chunk"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/progress"
	"github.com/openomt/omt/internal/spool"
)

// AgainOptions are the choices of Again.
type AgainOptions struct {
	Base  func() (*manifest.Reader, error) // the tenant's manifest, from its start
	Input func() (*manifest.Reader, error) // the manifest that files are taken from; nil: they are looked for on disk
	// Site gives the installation as this machine names its folders, from the base's. An area without folders is left as
	// it is. It is not asked where there is an Input.
	Site func(manifest.Installation) (manifest.Installation, error)
	// Fetch opens a chunk of the base or the input, from its start.
	Fetch func(ctx context.Context, c manifest.Chunk) (io.ReadCloser, error)
	Edit  *manifest.Edit // written behind the others: the base was edited by hand

	Spool    string
	Level    int
	Workers  int
	Temp     string // for sorting; the spool's own when empty
	Tool     string
	Progress progress.Reporter
	Log      *slog.Logger
}

// Gained counts what Again did in an area.
type Gained struct {
	Found   int64 // files that were not stored and are now
	Changed int64 // files that were stored with other content
	Touched int64 // files with another time or size than before and the same content, or that could not be read
	Gone    int64 // files that are stored and are no longer on disk
	Unknown int64 // files of the input that the base has no record of; they are left out
}

// Result is what Again did.
type Result struct {
	Areas map[manifest.Area]Gained
	// Lost are the first records that still lack their file, as they are now, with candidates.
	Lost []manifest.File
	// Made says that the new manifest was written. If not, there was nothing to take.
	Made bool
}

// Gained is the number of files that were taken.
func (r Result) Gained() (n int64) {
	for _, g := range r.Areas {
		n += g.Found + g.Changed
	}
	return n
}

// again is a run of Again under way.
type again struct {
	o      AgainOptions
	packer *packer
	spool  *spool.Spool
	temp   string
	base   *older
	input  *older // nil: the disk is looked at
	site   manifest.Installation
	roots  map[string][]string // of the new manifest
	result Result

	todo   *changes                           // what replaces records of the base
	made   *changes                           // the same, packed
	chunks map[manifest.Area][]manifest.Chunk // new ones
	// touched are the areas in which a record changes.
	touched map[manifest.Area]bool
}

// shownLost is how many records that still lack their file are told.
const shownLost = 10

// Again looks again for the files that a committed manifest, the base, does not have, and for those that have changed: on
// disk, without a database, or in another manifest of the same installation. They are packed into the spool, and out gets
// the base as it is then: every other record byte for byte, chunks that are still referred to in their old order before
// the areas' files, receipts of these, checks, findings and waivers as of their time. out gets no end record, and nothing
// at all when there was nothing to take (Result.Made).
//
// A file that is stored and gone from disk stays stored. A changed one that cannot be read stays as it was stored.
func Again(ctx context.Context, o AgainOptions, out *manifest.Writer) (Result, error) {
	s, err := spool.Open(o.Spool)
	if err != nil {
		return Result{}, err
	}
	lock, err := s.LockPack(ctx)
	if err != nil {
		return Result{}, err
	}
	defer lock.Unlock() //nolint:errcheck // the lock ends with the process
	a := &again{o: o, spool: s, result: Result{Areas: map[manifest.Area]Gained{}}, chunks: map[manifest.Area][]manifest.Chunk{}, touched: map[manifest.Area]bool{}}
	if a.temp, err = s.ClearTemp("pack"); err != nil {
		return Result{}, err
	}
	defer s.ClearTemp("pack") //nolint:errcheck // the next run clears it as well
	if a.o.Temp == "" {
		a.o.Temp = a.temp
	}
	a.todo, a.made = newChanges(a.o.Temp), newChanges(a.o.Temp)
	defer a.todo.close()
	defer a.made.close()
	if err := a.run(ctx, out); err != nil {
		return Result{}, err
	}
	return a.result, nil
}

func (a *again) run(ctx context.Context, out *manifest.Writer) error {
	var err error
	if a.base, err = readOlder(ctx, a.o.Base); err != nil {
		return err
	}
	a.roots = a.base.installation.Roots
	if a.o.Input == nil {
		err = a.look(ctx)
	} else {
		err = a.take(ctx)
	}
	if err != nil {
		return err
	}
	if a.todo.packs == 0 && a.o.Edit == nil {
		return nil
	}
	if err := a.newPacker(); err != nil {
		return err
	}
	defer a.packer.close()
	if err := a.pack(ctx); err != nil {
		return err
	}
	if a.result.Gained() == 0 && a.o.Edit == nil {
		return nil
	}
	a.result.Made = true
	return a.write(ctx, out)
}

// gain counts something of an area.
func (a *again) gain(area manifest.Area, count func(*Gained)) {
	g := a.result.Areas[area]
	count(&g)
	a.result.Areas[area] = g
}

// older is what is held of a manifest that was read to its end.
type older struct {
	again        func() (*manifest.Reader, error)
	installation manifest.Installation
	logins       []string    // of users and authors
	chunks       []heldChunk // of files
	place        map[manifest.Digest]int
	files        map[manifest.Area]int64
	copies       int64
}

// heldChunk is a chunk of files with its line.
type heldChunk struct {
	manifest.Chunk
	raw  []byte
	refs int64 // records that refer to it
}

// refer counts records that refer to a chunk more or less.
func (m *older) refer(f manifest.File, n int64) {
	if at, ok := m.place[f.Chunk]; ok && isStored(f) {
		m.chunks[at].refs += n
	}
}

// readOlder reads a manifest once.
func readOlder(ctx context.Context, again func() (*manifest.Reader, error)) (*older, error) {
	m := &older{again: again, place: map[manifest.Digest]int{}, files: map[manifest.Area]int64{}}
	logins := map[string]bool{}
	err := m.each(ctx, func(l manifest.Line) error {
		switch l.Kind {
		case manifest.KindInstallation:
			return l.Decode(&m.installation)
		case manifest.KindUser:
			var u manifest.User
			err := l.Decode(&u)
			logins[u.Login] = true
			return err
		case manifest.KindChunk:
			return m.chunk(l)
		case manifest.KindFile:
			f, err := l.File()
			if err != nil {
				return err
			}
			m.files[f.Area]++
			if f.Owner != "" {
				logins[f.Owner] = true
			}
			if m.refer(f, 1); isCopy(f) {
				m.copies++
			}
		}
		return nil
	})
	for l := range logins {
		m.logins = append(m.logins, l)
	}
	slices.Sort(m.logins)
	return m, err
}

func (m *older) chunk(l manifest.Line) error {
	var c manifest.Chunk
	if err := l.Decode(&c); err != nil {
		return err
	}
	if _, there := m.place[c.SHA256]; c.Type == manifest.ChunkTar && !there {
		m.place[c.SHA256] = len(m.chunks)
		m.chunks = append(m.chunks, heldChunk{Chunk: c, raw: slices.Clone(l.Raw)})
	}
	return nil
}

// each calls fn for every record.
func (m *older) each(ctx context.Context, fn func(manifest.Line) error) error {
	lines, err := m.again()
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		l, err := lines.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil && n%1024 == 0 {
			err = ctx.Err()
		}
		if err == nil {
			err = fn(l)
		}
		if err != nil {
			return err
		}
	}
}

// earlier gives the file records of an area.
func (m *older) earlier(ctx context.Context, area manifest.Area) func(func(manifest.File) error) error {
	return func(yield func(manifest.File) error) error {
		return m.each(ctx, func(l manifest.Line) error {
			if l.Kind != manifest.KindFile {
				return nil
			}
			f, err := l.File()
			if err != nil || f.Area != area {
				return err
			}
			return yield(f)
		})
	}
}

func (a *again) newPacker() error {
	ix, err := newIndex(a.temp, 2*a.todo.packs)
	if err != nil {
		return err
	}
	j, err := openJournal(a.spool.Path("pack.journal"))
	if err != nil {
		return errors.Join(err, ix.close())
	}
	a.packer = &packer{
		spool: a.spool, temp: a.temp, level: a.o.Level, pool: new(chunk.Pool), workers: min(a.o.Workers, MaxWorkers),
		orphans: true, index: ix, journal: j, used: map[groupPrint]bool{}, findings: &fileFindings{}, room: room{spool: a.spool},
	}
	return nil
}

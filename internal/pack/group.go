package pack

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/openomt/omt/internal/archive"
	"github.com/openomt/omt/internal/chunk"
	"github.com/openomt/omt/internal/manifest"
)

// group is a run of file records in manifest order whose packable files share a content chunk. Its bounds come from the
// sizes that the inventory found, so neither the number of workers nor copies move them.
type group struct {
	seq     uint32
	files   []manifest.File
	packed  []int // which of files are to be packed
	print   groupPrint
	passed  int   // files that earlier runs stored
	stored  int64 // their bytes
	large   bool  // one file, larger than a chunk may be otherwise: streamed, not held in memory
	content []byte
	parts   [][]byte // content of packed[i], in content
	sums    []manifest.Digest
	origins []uint32 // by packed: the group that stored its content
	draft   *draft   // a large file's chunk, not yet in its place
	prior   *outcome
	result  outcome

	reserved int64 // bytes of the spool's limit that are kept for its chunk

	turn    <-chan struct{} // closed when the group before has decided
	decided chan struct{}
	done    chan struct{}
}

// maxRecords bounds the memory of a group: files that do not move count too.
const maxRecords = 2 * chunk.MaxEntries

// packable says whether the content of a file moves and is not stored yet.
func packable(f manifest.File, orphans bool) bool {
	if isStored(f) {
		return false
	}
	return moves(f, orphans)
}

// moves says whether the content of a file moves.
func moves(f manifest.File, orphans bool) bool {
	switch f.State {
	case manifest.Present, manifest.NoAppointment, manifest.NoAssociate:
		return f.Path != ""
	case manifest.NoRow:
		return orphans
	default:
		return false
	}
}

// grouper cuts the stream of an area's file records into groups.
type grouper struct {
	orphans bool
	planner chunk.Planner
	cur     *group
	seq     *uint32
	emit    func(*group) error
}

func (c *grouper) add(f manifest.File) error {
	pack := packable(f, c.orphans)
	begins := pack && c.planner.Add(entryName(f), f.Size)
	if c.cur != nil && (len(c.cur.files) == maxRecords || (begins && len(c.cur.packed) > 0)) {
		if err := c.flush(); err != nil {
			return err
		}
		if pack && !begins {
			c.planner = chunk.Planner{}
			c.planner.Add(entryName(f), f.Size)
		}
	}
	if c.cur == nil {
		c.cur = &group{seq: *c.seq}
		*c.seq++
	}
	if pack {
		c.cur.packed = append(c.cur.packed, len(c.cur.files))
		c.cur.large = chunk.EntrySize(entryName(f), f.Size) > chunk.MaxRaw
	}
	if isStored(f) {
		c.cur.passed++
		c.cur.stored += f.Size
	}
	c.cur.files = append(c.cur.files, f)
	return nil
}

func (c *grouper) flush() error {
	g := c.cur
	c.cur = nil
	if g == nil {
		return nil
	}
	return c.emit(g)
}

func entryName(f manifest.File) string { return string(f.Area) + "/" + f.Path }

// fingerprint names the group by all that its outcome depends on but the bytes of its files.
func (g *group) fingerprint(level int, roots map[string][]string) groupPrint {
	h := sha256.New()
	fmt.Fprintf(h, "omt/1 level %d\n", level)
	for _, i := range g.packed {
		f := g.files[i]
		fmt.Fprintf(h, "%q %q %q %q %d ", f.Area, f.Path, rootOf(roots, f), f.DiskPath(), f.Size)
		_ = binary.Write(h, binary.BigEndian, f.MTime.UnixNano())
	}
	return groupPrint(h.Sum(nil))
}

func rootOf(roots map[string][]string, f manifest.File) string {
	dirs := roots[string(f.Area)]
	if f.Root < 0 || f.Root >= len(dirs) {
		return ""
	}
	return dirs[f.Root]
}

var errChanged = errors.New("changed while it was read")

// load reads every file of the group into buf, or streams a large one into a chunk of its own, and hashes them. A file
// that cannot be read keeps its record, with a state that says so, and is no longer among the packed ones.
func (p *packer) load(ctx context.Context, g *group, buf []byte) error {
	packed := g.packed[:0]
	g.sums, g.parts, g.content = nil, nil, buf[:0]
	for _, i := range g.packed {
		if err := ctx.Err(); err != nil {
			return err
		}
		f := &g.files[i]
		var err error
		if g.large {
			err = p.loadLarge(ctx, g, f)
		} else {
			err = p.loadSmall(g, f)
		}
		if err != nil {
			if !p.setAside(f, err) {
				return err
			}
			g.spoiled()
			continue
		}
		packed = append(packed, i)
	}
	g.packed = packed
	return nil
}

// spoiled keeps a group with a file that could not be read out of the journal, so that the next run tries again.
func (g *group) spoiled() { g.print = groupPrint{} }

// loadSmall reads one file to the end of the buffer, once more when it changes meanwhile.
func (p *packer) loadSmall(g *group, f *manifest.File) error {
	start := len(g.content)
	return p.settled(f, func(r io.Reader, size int64) error { return g.readSmall(start, r, size) }, func() {
		b := g.content[start:]
		g.parts = append(g.parts, b)
		g.sums = append(g.sums, sha256.Sum256(b))
	})
}

// readSmall reads size bytes to the place start of the buffer.
func (g *group) readSmall(start int, r io.Reader, size int64) error {
	g.content = g.content[:start]
	if int64(start)+size > int64(cap(g.content)) {
		return fmt.Errorf("%w: it grew to %d bytes", errChanged, size)
	}
	b := g.content[start : start+int(size)]
	if _, err := io.ReadFull(r, b); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: it shrank", errChanged)
	} else if err != nil {
		return err
	}
	if n, _ := r.Read(make([]byte, 1)); n != 0 {
		return fmt.Errorf("%w: it grew", errChanged)
	}
	g.content = g.content[:start+int(size)]
	return nil
}

// loadLarge streams one file into a chunk of its own beside the chunks of the spool.
func (p *packer) loadLarge(ctx context.Context, g *group, f *manifest.File) error {
	var sum [32]byte
	return p.settled(f, func(r io.Reader, size int64) error {
		g.draft.drop()
		d, err := p.newDraft()
		if err != nil {
			return spoolError{err}
		}
		g.draft = d
		in := &watched{r: contextReader{ctx, r}}
		_, sum, err = d.w.Add(entryOf(*f, size), in)
		switch {
		case errors.Is(err, chunk.ErrSize):
			return fmt.Errorf("%w: %w", errChanged, err)
		case err != nil && in.err != nil:
			return in.err
		case err == nil:
			err = d.finish(f.Area, manifest.RoleContent)
		}
		if err != nil {
			return spoolError{err}
		}
		return nil
	}, func() { g.sums = append(g.sums, sum) })
}

// spoolError is a failure on the spool's side, which is none of the file that was being read.
type spoolError struct{ error }

func (e spoolError) Unwrap() error { return e.error }

// watched keeps the error of its reader, so that it can be told from one of writing.
type watched struct {
	r   io.Reader
	err error
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		w.err = err
	}
	return n, err
}

// settled opens a file and reads it with read; when it changed meanwhile it is read once more, and then reported. done
// is called once it was read whole, when the record has the size and time that belong to the bytes.
func (p *packer) settled(f *manifest.File, read func(r io.Reader, size int64) error, done func()) error {
	for try := 0; ; try++ {
		err := p.readOnce(f, read)
		if err == nil {
			done()
			return nil
		}
		if try > 0 || !errors.Is(err, errChanged) {
			return err
		}
	}
}

func (p *packer) readOnce(f *manifest.File, read func(r io.Reader, size int64) error) error {
	file, err := p.open(*f)
	if err != nil {
		return err
	}
	defer file.Close()
	before, err := file.Stat()
	if err != nil {
		return err
	}
	if !before.Mode().IsRegular() {
		return fmt.Errorf("%w: it is no longer a regular file", errChanged)
	}
	if err := read(file, before.Size()); err != nil {
		return err
	}
	after, err := file.Stat()
	if err != nil {
		return err
	}
	if after.Size() != before.Size() || !after.ModTime().Equal(before.ModTime()) {
		return errChanged
	}
	f.Size, f.MTime = after.Size(), manifest.At(after.ModTime())
	return nil
}

func (p *packer) open(f manifest.File) (*os.File, error) {
	root, err := p.roots.get(rootOf(p.inst.Roots, f))
	if err != nil {
		return nil, err
	}
	return root.Open(f.DiskPath(), f.Raw)
}

// setAside turns a failure to read one file into a state of its record. Failures of the spool, of the run and of the
// whole root are not the file's, and it says false.
func (p *packer) setAside(f *manifest.File, err error) bool {
	var path *fs.PathError
	var own spoolError
	switch {
	case errors.As(err, &own):
		return false
	case errors.Is(err, errChanged):
		p.findings.changed(*f, err)
		f.State, f.Reason = manifest.Unreadable, "changed"
	case errors.Is(err, fs.ErrNotExist) && p.roots.stands(rootOf(p.inst.Roots, *f)):
		p.findings.changed(*f, err)
		f.State, f.Reason = manifest.Missing, "vanished"
	case errors.As(err, &path) && p.roots.stands(rootOf(p.inst.Roots, *f)):
		p.findings.unreadable(*f, err)
		f.State, f.Reason = manifest.Unreadable, archive.Class(err)
	default:
		return false
	}
	f.SHA256, f.Chunk, f.Offset, f.Same = manifest.Digest{}, manifest.Digest{}, 0, ""
	return true
}

// write packs the files that are stored by this group, in order, into a chunk. A large file's chunk is there already: it
// is put in its place, or dropped when the file turned out to be a copy.
func (p *packer) write(g *group) error {
	if !g.stores() {
		g.draft.drop()
		return nil
	}
	if !g.large {
		d, err := p.newDraft()
		if err != nil {
			return err
		}
		g.draft = d
		if err := g.fill(d); err != nil {
			d.drop()
			return err
		}
	}
	g.result.Chunk = &g.draft.made
	return g.draft.publish()
}

func (g *group) fill(d *draft) error {
	for k, i := range g.packed {
		out, f := g.result.Files[k], g.files[i]
		if out.Same != "" {
			continue
		}
		offset, err := d.w.AddBytes(entryOf(f, f.Size), g.parts[k])
		if err != nil {
			return fmt.Errorf("packing %q: %w", entryName(f), err)
		}
		if offset != out.Offset {
			return fmt.Errorf("packing %q: its content begins at %d, not at %d as was planned", entryName(f), offset, out.Offset)
		}
	}
	return d.finish(g.files[0].Area, manifest.RoleContent)
}

func entryOf(f manifest.File, size int64) chunk.Entry {
	return chunk.Entry{Name: entryName(f), Size: size, MTime: f.MTime.Time}
}

// stores reports whether any file of the group is stored by it.
func (g *group) stores() bool {
	for _, o := range g.result.Files {
		if o.Same == "" {
			return true
		}
	}
	return false
}

// agrees reports whether two outcomes come from the same bytes and the same decisions about copies.
func (o outcome) agrees(with outcome) bool {
	return slices.EqualFunc(o.Files, with.Files, func(a, b fileOutcome) bool {
		return a.SHA256 == b.SHA256 && a.Same == b.Same
	})
}

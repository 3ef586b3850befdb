package archive

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"time"
	"unicode/utf8"

	"github.com/openomt/omt/internal/manifest"
)

// batch is how many entries of a folder are held at a time.
const batch = 1024

// Kind is what an entry is.
type Kind int

// The kinds of entries.
const (
	File    Kind = iota // a regular file
	Dir                 // a folder
	Link                // a symbolic link, or a junction of Windows; it is not followed
	Special             // anything else: a device, a pipe, a placeholder
)

// Entry is one thing below a root.
type Entry struct {
	Path    string // slash-separated, below the root, in the form of a manifest record
	Raw     bool   // Path is in the escaped form of a name that is not Unicode
	Kind    Kind
	Size    int64 // bytes, of a file
	ModTime time.Time
	Reason  string // class of Err; for a link and a special file too, which are not read
	Err     error  // what kept the entry from being looked at, or the folder from being listed
}

// item is one entry of a listing.
type item struct {
	name  string
	kind  Kind
	size  int64
	mtime time.Time
	err   error
}

// listing is an open folder. next gives up to n further entries and io.EOF after the last.
type listing interface {
	next(n int) ([]item, error)
	io.Closer
}

// Walk opens a root and walks it: see Root.Walk.
func Walk(ctx context.Context, root string, fn func(Entry) error) error {
	r, err := Open(root)
	if err != nil {
		return err
	}
	defer r.Close() //nolint:errcheck // opened for reading
	return r.Walk(ctx, fn)
}

// Walk calls fn for everything below the root, in no promised order, each folder before what it holds. An error of fn
// ends the walk, except fs.SkipDir for a folder, which is then not listed. A folder that cannot be listed, or not to its
// end, comes a second time, with Err. A root that is empty (ErrEmptyRoot), cannot be listed, or is gone or another
// folder during or after the walk, gives an error with status Failed and a hint.
func (r *Root) Walk(ctx context.Context, fn func(Entry) error) error {
	w := walker{ctx: ctx, root: r, fn: fn}
	if err := w.folder("."); err != nil {
		return err
	}
	return r.Check()
}

type walker struct {
	ctx  context.Context
	root *Root
	fn   func(Entry) error
}

func (w *walker) folder(rel string) error {
	l, err := w.root.list(rel)
	if err != nil {
		return w.lost(rel, err)
	}
	defer l.Close()
	for {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		items, err := l.next(batch)
		if ierr := w.items(rel, items); ierr != nil {
			return ierr
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return w.lost(rel, err)
		}
	}
}

func (w *walker) items(rel string, items []item) error {
	checked := false
	for _, it := range items {
		path := it.name
		if rel != "." {
			path = rel + "/" + it.name
		}
		e := entry(path, it)
		if e.Reason == Network && !checked {
			if err := w.root.Check(); err != nil {
				return err
			}
			checked = true
		}
		err := w.fn(e)
		switch {
		case err != nil && (e.Kind != Dir || !errors.Is(err, fs.SkipDir)):
			return err
		case err == nil && e.Kind == Dir && e.Err == nil:
			if err := w.folder(path); err != nil {
				return err
			}
		}
	}
	return nil
}

// lost reports a folder that could not be listed, or the loss of the root if that is the cause.
func (w *walker) lost(rel string, err error) error {
	if rel == "." {
		return w.root.fail(err)
	}
	if err := w.root.Check(); err != nil {
		return err
	}
	serr := w.fn(entry(rel, item{kind: Dir, err: err}))
	if errors.Is(serr, fs.SkipDir) {
		return nil
	}
	return serr
}

func entry(path string, it item) Entry {
	e := Entry{Path: path, Kind: it.kind, Size: it.size, ModTime: it.mtime, Err: it.err}
	if !utf8.ValidString(path) {
		e.Path, e.Raw = manifest.EscapeName([]byte(path))
	}
	switch {
	case it.err != nil:
		e.Reason = Class(it.err)
	case it.kind == Link:
		e.Reason = LinkClass
	case it.kind == Special:
		e.Reason = Irregular
	}
	return e
}

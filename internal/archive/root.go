package archive

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"

	"github.com/openomt/omt/internal/manifest"
)

// ErrEmptyRoot says that a root lists and has no entry.
var ErrEmptyRoot = errors.New("the folder is empty")

var (
	errOtherFolder = errors.New("the name now means another folder than when the run began")
	errNoFolder    = errors.New("it is no folder")
)

const rootHint = `a share may have dropped; a drive that another session has mapped does not exist in this one, so give the ` +
	`root as \\server\share or as the mounted folder; where SuperOffice reads the archive as another user ` +
	`(ImpersonateUser), run as that user`

// Root is an open root of an archive. Its methods may be called by several goroutines at once.
type Root struct {
	path string // as the system takes it
	name string // as it was given
	info fs.FileInfo
	dir  *os.Root
	list func(rel string) (listing, error)
	look func(path string) (fs.FileInfo, error)
}

// Open opens a root. A root that is no folder or cannot be opened gives an error with status Failed and a hint.
func Open(root string) (*Root, error) {
	r := &Root{path: longPath(runtime.GOOS, root), name: root, look: os.Stat}
	dir, err := os.OpenRoot(r.path)
	if err != nil {
		if info, serr := os.Stat(r.path); serr == nil && !info.IsDir() {
			err = errNoFolder
		}
		return nil, r.fail(err)
	}
	info, err := dir.Stat(".")
	if err != nil {
		dir.Close() //nolint:errcheck // opened for reading
		return nil, r.fail(err)
	}
	r.dir, r.info = dir, info
	r.list = r.openListing
	return r, nil
}

// fail makes the error for a root that cannot be used.
func (r *Root) fail(err error) error {
	return manifest.Errorf(manifest.Failed, "root %q cannot be read: %w", r.name, err).WithHint("%s", rootHint)
}

// Open opens the file at name, slash-separated and in the form of a record (raw as the record says), without following
// a link out of the root. Something other than a regular file gives ErrNotRegular. Errors wrap an *fs.PathError.
func (r *Root) Open(name string, raw bool) (*os.File, error) {
	disk, err := diskName(name, raw)
	if err != nil {
		return nil, err
	}
	f, err := r.dir.OpenFile(disk, os.O_RDONLY|nonblock, 0)
	if err != nil {
		return nil, fmt.Errorf("opening a file below %q: %w", r.name, err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: name, Err: ErrNotRegular}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// Stat describes what lies at name, itself and not what a link points to. Errors wrap an *fs.PathError.
func (r *Root) Stat(name string, raw bool) (fs.FileInfo, error) {
	disk, err := diskName(name, raw)
	if err != nil {
		return nil, err
	}
	info, err := r.dir.Lstat(disk)
	if err != nil {
		return nil, fmt.Errorf("looking at a file below %q: %w", r.name, err)
	}
	return info, nil
}

// Check reports whether the root's name still means the folder that was opened and still lists at least one entry; the
// error has status Failed and a hint.
func (r *Root) Check() error {
	info, err := r.look(r.path)
	if err == nil && !os.SameFile(r.info, info) {
		err = errOtherFolder
	}
	if err != nil {
		return r.fail(err)
	}
	l, err := r.list(".")
	if err != nil {
		return r.fail(err)
	}
	defer l.Close()
	items, err := l.next(1)
	if len(items) > 0 {
		return nil
	}
	if errors.Is(err, io.EOF) {
		err = ErrEmptyRoot
	}
	return r.fail(err)
}

// Close closes the root; files opened from it stay open.
func (r *Root) Close() error { return r.dir.Close() }

// OpenFile opens one file below a root and describes it: see Root.Open. For many files, keep the Root.
func OpenFile(root, name string, raw bool) (*os.File, fs.FileInfo, error) {
	r, err := Open(root)
	if err != nil {
		return nil, nil, err
	}
	defer r.Close() //nolint:errcheck // opened for reading
	f, err := r.Open(name, raw)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

func diskName(name string, raw bool) (string, error) {
	if !raw {
		return name, nil
	}
	b, err := manifest.UnescapeName(name)
	if err != nil {
		return "", &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return string(b), nil
}

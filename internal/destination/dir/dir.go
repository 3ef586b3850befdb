// Package dir is the destination in a folder: a local disk, a mounted share or a UNC path. An object is a file of the
// same name. It knows nothing of what is stored.
//
//	<name>            objects, complete and read back
//	tmp/<key>.part    an upload on its way; key is made of name, size and digest, so a later process finds it again
//	tmp/<random>.new  a small object, or a second upload of the same object at the same time, on its way
//
// # Promises
//
// Create and Commit write the bytes elsewhere, sync them, and give them their name only if it is free, as package
// durable does: hard link, else rename without replacing, else under a lock, whose weaker promise is described there.
// The folder's entry is synced as well. Commit reads the file back and compares size and SHA-256; where the system lets
// it (Linux), it has the cached pages dropped before, so that the bytes come from the disk or the share.
//
// Who uploads holds a lock on the .part file, so that no other process writes to the bytes that are being verified. One
// who finds it locked uploads into a .new file. A part file of a killed process is taken up where it ends; whether its
// bytes are right is found out by Commit. Unfinished files that nobody touched for seven days are removed by the next
// process that uploads.
//
// Where the system knows no file locks, each upload gets a .new file of its own: nothing is lost but resuming.
//
// The folder itself is made, with the first thing written, but not its parents: a mistyped path, or a folder of a share
// that is not mounted, is thereby noticed and not filled up on the wrong disk. (The top folder of a share that is not
// mounted cannot be told from one that is yet to be made.)
//
// Rights: create, write and list in the folder and below; remove in tmp, and below chunks for collecting. New files get the rights that the umask leaves.
package dir

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/durable"
)

const (
	filePerm = 0o666 // before the umask, which decides who may read what is stored
	dirPerm  = 0o777
	tmpName  = "tmp"
	stale    = 7 * 24 * time.Hour
)

// Dir is a destination in a folder.
type Dir struct {
	root string
	url  string
	now  func() time.Time

	sweepOnce sync.Once
}

// OpenURL gives the destination that Parse finds in to, for reading: nothing in it is ever removed as stale.
func OpenURL(to string) (*Dir, error) {
	path, err := Parse(to)
	if err != nil {
		return nil, err
	}
	return Open(path, nil)
}

// Open gives the destination in the folder path, which need not exist, but whose parent must. now tells which
// unfinished files are stale; without it none are.
func Open(path string, now func() time.Time) (*Dir, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("opening folder %q: %w", path, err)
	}
	st, err := os.Stat(abs)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err = os.Stat(filepath.Dir(abs)); err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return nil, classed{destination.ErrNotExist, fmt.Errorf("opening folder %q: neither it nor its parent is there", path)}
			}
			return nil, classify(fmt.Errorf("opening folder %q: %w", path, err))
		}
	} else if err != nil {
		return nil, classify(fmt.Errorf("opening folder %q: %w", path, err))
	} else if !st.IsDir() {
		return nil, fmt.Errorf("opening folder %q: it is a file", path)
	}
	return &Dir{root: abs, url: toURL(filepath.ToSlash(abs)), now: now}, nil
}

// URL implements destination.Destination.
func (d *Dir) URL() string { return d.url }

// Close implements destination.Destination.
func (d *Dir) Close() error { return nil }

func (d *Dir) file(name string) (string, error) {
	if err := destination.CheckName(name); err != nil {
		return "", err
	}
	if first, _, _ := strings.Cut(name, "/"); strings.EqualFold(first, tmpName) {
		return "", fmt.Errorf("object name %q: %q is for unfinished uploads", name, tmpName)
	}
	return filepath.Join(d.root, filepath.FromSlash(name)), nil
}

// Stat implements destination.Destination.
func (d *Dir) Stat(ctx context.Context, name string) (destination.Info, error) {
	p, err := d.file(name)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return destination.Info{}, err
	}
	st, err := os.Stat(p)
	if err == nil && !st.Mode().IsRegular() {
		err = &fs.PathError{Op: "stat", Path: p, Err: fs.ErrNotExist}
	}
	if err != nil {
		return destination.Info{}, classify(fmt.Errorf("looking for %q: %w", name, err))
	}
	return destination.Info{Name: name, Size: st.Size(), Modified: st.ModTime()}, nil
}

// List implements destination.Destination. Files whose names no object can have, and folders that go while it walks,
// are passed over.
func (d *Dir) List(ctx context.Context, prefix string, fn func(destination.Info) error) error {
	top := d.root
	if i := strings.LastIndexByte(prefix, '/'); i > 0 {
		p, err := d.file(prefix[:i])
		if err != nil {
			return err
		}
		top = p
	}
	var own error
	err := filepath.WalkDir(top, func(p string, e fs.DirEntry, err error) error {
		if cerr := ctx.Err(); cerr != nil {
			return cerr
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		info, ok, err := d.entry(p, e, prefix)
		if err != nil || !ok {
			return err
		}
		own = fn(info)
		return own
	})
	if own != nil || err == nil {
		return own
	}
	return classify(fmt.Errorf("listing %q: %w", prefix, err))
}

// entry says what one entry of a walk is; the error may be fs.SkipDir.
func (d *Dir) entry(p string, e fs.DirEntry, prefix string) (info destination.Info, ok bool, err error) {
	rel, err := filepath.Rel(d.root, p)
	if err != nil || rel == "." {
		return info, false, err
	}
	name := filepath.ToSlash(rel)
	if e.IsDir() {
		dir := name + "/"
		if strings.EqualFold(name, tmpName) || !strings.HasPrefix(dir, prefix) && !strings.HasPrefix(prefix, dir) {
			return info, false, fs.SkipDir
		}
		return info, false, nil
	}
	if !strings.HasPrefix(name, prefix) || destination.CheckName(name) != nil {
		return info, false, nil
	}
	st, err := os.Stat(p) // follows a link that the owner of the folder may have put there
	if errors.Is(err, fs.ErrNotExist) || err == nil && !st.Mode().IsRegular() {
		return info, false, nil
	}
	if err != nil {
		return info, false, err
	}
	return destination.Info{Name: name, Size: st.Size(), Modified: st.ModTime()}, true, nil
}

// Open implements destination.Destination.
func (d *Dir) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	p, err := d.file(name)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	if off < 0 {
		return nil, fmt.Errorf("opening %q: offset %d", name, off)
	}
	f, err := os.Open(p)
	if err != nil {
		return nil, classify(fmt.Errorf("opening %q: %w", name, err))
	}
	st, err := f.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: p, Err: fs.ErrNotExist}
	}
	if err == nil {
		_, err = f.Seek(off, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil, classify(fmt.Errorf("opening %q: %w", name, err))
	}
	r := &reader{ctx: ctx, name: name, f: f, r: f}
	if n >= 0 {
		r.r = io.LimitReader(f, n)
	}
	return r, nil
}

type reader struct {
	ctx  context.Context
	name string
	f    *os.File
	r    io.Reader
}

// Read implements io.Reader.
func (r *reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := r.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = classify(fmt.Errorf("reading %q: %w", r.name, err))
	}
	return n, err
}

// Close implements io.Closer.
func (r *reader) Close() error { return r.f.Close() }

// Create implements destination.Destination.
func (d *Dir) Create(ctx context.Context, name string, data []byte) error {
	return d.small(ctx, name, data, durable.PublishNew)
}

// Replace implements destination.Destination.
func (d *Dir) Replace(ctx context.Context, name string, data []byte) error {
	return d.small(ctx, name, data, durable.Publish)
}

// Remove implements destination.Destination. Folders stay: another process may be about to write there.
func (d *Dir) Remove(ctx context.Context, name string) error {
	p, err := d.file(name)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return err
	}
	if err := os.Remove(p); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return classify(fmt.Errorf("removing %q: %w", name, err))
	}
	return nil
}

func (d *Dir) small(ctx context.Context, name string, data []byte, publish func(tmp, name string) error) error {
	p, err := d.file(name)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return err
	}
	f, err := d.newFile()
	if err != nil {
		return classify(fmt.Errorf("writing %q: %w", name, err))
	}
	tmp := f.Name()
	defer os.Remove(tmp) // after publishing there is nothing of that name
	if _, err = f.Write(data); err != nil {
		f.Close()
	} else {
		err = durable.Sync(f)
	}
	if err == nil {
		err = durable.MkdirAll(filepath.Dir(p), dirPerm)
	}
	if err == nil {
		err = publish(tmp, p)
	}
	if err != nil {
		return classify(fmt.Errorf("writing %q: %w", name, err))
	}
	return nil
}

// newFile makes a file of its own in tmp.
func (d *Dir) newFile() (*os.File, error) {
	var random [12]byte
	if _, err := rand.Read(random[:]); err != nil {
		return nil, err
	}
	dir, err := d.tmp()
	if err != nil {
		return nil, err
	}
	return os.OpenFile(filepath.Join(dir, hex.EncodeToString(random[:])+".new"), os.O_RDWR|os.O_CREATE|os.O_EXCL, filePerm)
}

// tmp makes the folder for unfinished files, and the destination's own, but not the latter's parents.
func (d *Dir) tmp() (string, error) {
	if err := os.Mkdir(d.root, dirPerm); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	dir := filepath.Join(d.root, tmpName)
	return dir, durable.MkdirAll(dir, dirPerm)
}

// sweep removes unfinished files that nobody holds and nobody touched for long. What it cannot remove stays.
func (d *Dir) sweep() {
	if d.now == nil {
		return
	}
	dir := filepath.Join(d.root, tmpName)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		ext := path.Ext(e.Name())
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() || ext != ".part" && ext != ".new" || d.now().Sub(info.ModTime()) < stale {
			continue
		}
		p := filepath.Join(dir, e.Name())
		f, err := os.OpenFile(p, os.O_RDWR, 0)
		if err != nil {
			continue
		}
		if free, err := durable.TryLock(f, false); err == nil && free {
			removeOpen(f)
		}
		f.Close()
	}
}

package dir

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/durable"
)

const buffer = 256 << 10

// upload is a file in tmp that this process alone writes to.
type upload struct {
	d    *Dir
	name string
	path string // where it goes
	size int64
	sum  [32]byte
	f    *os.File // nil once closed
}

// Upload implements destination.Destination.
func (d *Dir) Upload(ctx context.Context, name string, size int64, sum [32]byte) (destination.Upload, error) {
	p, err := d.file(name)
	if err == nil {
		err = ctx.Err()
	}
	if err == nil && size < 0 {
		err = fmt.Errorf("size %d", size)
	}
	if err != nil {
		return nil, fmt.Errorf("beginning to store %q: %w", name, err)
	}
	d.sweepOnce.Do(d.sweep)
	f, err := d.part(name, size, sum)
	if err == nil {
		// Asked for only now: who holds the lock on the part alone may give it a name, so a part that has one is seen here.
		if _, serr := os.Lstat(p); serr == nil {
			removeOpen(f)
			f.Close()
			err = &fs.PathError{Op: "create", Path: p, Err: fs.ErrExist}
		}
	}
	if err != nil {
		return nil, classify(fmt.Errorf("beginning to store %q: %w", name, err))
	}
	return &upload{d: d, name: name, path: p, size: size, sum: sum, f: f}, nil
}

// part opens and locks the unfinished file of an object, or a new one where that is not to be had.
func (d *Dir) part(name string, size int64, sum [32]byte) (*os.File, error) {
	dir, err := d.tmp()
	if err != nil {
		return nil, err
	}
	key := sha256.Sum256(fmt.Appendf(nil, "%s\n%d\n%x", name, size, sum))
	p := filepath.Join(dir, hex.EncodeToString(key[:16])+".part")
	for range 3 {
		f, err := os.OpenFile(p, os.O_RDWR|os.O_CREATE, filePerm)
		if err != nil {
			return nil, err
		}
		free, err := durable.TryLock(f, false)
		if err != nil || !free {
			f.Close()
			break
		}
		if f, err = usable(f, p, size); f != nil || err != nil {
			return f, err
		}
	}
	return d.newFile()
}

// usable looks whether the locked file is the one that has its name still. It gives nil for one that is not, or that
// cannot be part of what is wanted and was therefore removed.
func usable(f *os.File, p string, size int64) (*os.File, error) {
	mine, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	there, err := os.Lstat(p)
	if err != nil || !os.SameFile(mine, there) {
		f.Close()
		return nil, nil
	}
	if mine.Size() > size {
		removeOpen(f)
		f.Close()
		return nil, nil
	}
	return f, nil
}

// Offset implements destination.Upload.
func (u *upload) Offset(ctx context.Context) (int64, error) {
	if err := u.open(ctx); err != nil {
		return 0, err
	}
	st, err := u.f.Stat()
	if err != nil {
		return 0, u.failed("asking for the offset of", err)
	}
	return st.Size(), nil
}

// Send implements destination.Upload.
func (u *upload) Send(ctx context.Context, off int64, src io.Reader) (int64, error) {
	have, err := u.Offset(ctx)
	if err != nil {
		return 0, err
	}
	if off != have {
		return 0, fmt.Errorf("storing %q: asked to go on at %d, but it stands at %d", u.name, off, have)
	}
	if _, err := u.f.Seek(off, io.SeekStart); err != nil {
		return 0, u.failed("storing", err)
	}
	w := &writer{f: u.f}
	n, err := io.CopyBuffer(w, io.LimitReader(&contextReader{ctx, src}, u.size-off), make([]byte, buffer))
	if w.err != nil {
		err = u.failed("storing", w.err)
	}
	if serr := u.f.Sync(); serr != nil && err == nil {
		err = u.failed("storing", serr)
	}
	return n, err
}

// writer tells errors of the file from those of the source.
type writer struct {
	f   *os.File
	err error
}

// Write implements io.Writer.
func (w *writer) Write(p []byte) (int, error) {
	n, err := w.f.Write(p)
	w.err = err
	return n, err
}

type contextReader struct {
	ctx context.Context
	r   io.Reader
}

// Read implements io.Reader.
func (r *contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}

// Commit implements destination.Upload.
func (u *upload) Commit(ctx context.Context) error {
	have, err := u.Offset(ctx)
	if err != nil {
		return err
	}
	if have != u.size {
		return fmt.Errorf("storing %q: %d of %d bytes have arrived", u.name, have, u.size)
	}
	if err := u.f.Sync(); err != nil {
		return u.failed("storing", err)
	}
	got, err := u.readBack(ctx)
	if err != nil {
		return err
	}
	if got != u.sum {
		u.discard()
		return fmt.Errorf("storing %q: %w: what was written reads back with SHA-256 %x, want %x",
			u.name, destination.ErrMismatch, got, u.sum)
	}
	if err := durable.MkdirAll(filepath.Dir(u.path), dirPerm); err != nil {
		return u.failed("storing", err)
	}
	tmp := u.f.Name()
	beforeMove(u)
	err = durable.PublishNew(tmp, u.path)
	if errors.Is(err, fs.ErrExist) {
		_ = os.Remove(tmp)
	}
	_ = u.Close()
	if err != nil {
		return u.failed("storing", err)
	}
	return nil
}

// readBack hashes the file as the disk has it.
func (u *upload) readBack(ctx context.Context) ([32]byte, error) {
	dropCache(u.f)
	h := sha256.New()
	section := io.NewSectionReader(u.f, 0, u.size)
	if _, err := io.CopyBuffer(h, &contextReader{ctx, section}, make([]byte, buffer)); err != nil {
		return [32]byte{}, u.failed("reading back", err)
	}
	return [32]byte(h.Sum(nil)), nil
}

func (u *upload) discard() {
	removeOpen(u.f)
	_ = u.Close()
}

// Close implements destination.Upload.
func (u *upload) Close() error {
	if u.f == nil {
		return nil
	}
	f := u.f
	u.f = nil
	st, err := f.Stat()
	if filepath.Ext(f.Name()) == ".new" || err == nil && st.Size() == 0 {
		removeOpen(f) // nobody could go on with it
	}
	return f.Close()
}

func (u *upload) open(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if u.f == nil {
		return fmt.Errorf("storing %q: the upload is closed", u.name)
	}
	return nil
}

func (u *upload) failed(doing string, err error) error {
	return classify(fmt.Errorf("%s %q: %w", doing, u.name, err))
}

// Package spool is the folder where omt-pack lays chunks down and where omt-push takes them up: its paths, its locks and
// how much it holds. It knows nothing of what chunks contain or where they go.
//
//	chunks/ab/<sha256>.<type>   finished chunks; a file that is here is whole (Publish)
//	tmp/pack/, tmp/push/        unfinished work of each program, which it may clear while it holds its lock
//	pack.lock, push.lock        held while the program works here; empty, and never removed
//	receipts.jsonl              push's journal (see package push)
//	spool.json                  the spool's identity, made once: {"id":"<uuid>"}
//	limit                       there while omt-pack keeps the spool below a size: push then removes a chunk as soon as
//	                            its receipt is synced, not only after the commit
//
// Other files belong to the program that makes them. A spool holds customers' documents: it is made for its owner's
// eyes alone.
//
// Locks end with the process that holds them, so a kill leaves none behind. PushRunning asks with a shared lock, so
// LockPush tries for a moment before it believes that another push is at work.
package spool

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/openomt/omt/internal/durable"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/tenant"
)

// ErrLocked says that another process works in the spool.
var ErrLocked = errors.New("another process works in this spool")

const (
	dirPerm = 0o700

	lockTries = 40
	lockPause = 25 * time.Millisecond
)

// Spool is one spool folder. It is safe for concurrent use.
type Spool struct {
	dir string
}

// Open makes the folder dir if needed, with chunks and tmp below it. dir is made absolute, so that a later change of
// the working directory does not matter.
func Open(dir string) (*Spool, error) {
	if dir == "" {
		return nil, manifest.Errorf(manifest.Usage, "no spool folder given").WithHint("give one with --spool DIR")
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("opening spool %q: %w", dir, err)
	}
	for _, sub := range []string{"chunks", "tmp"} {
		if err := durable.MkdirAll(filepath.Join(abs, sub), dirPerm); err != nil {
			return nil, fmt.Errorf("opening spool %q: %w", dir, err)
		}
	}
	return &Spool{dir: abs}, nil
}

// At is the spool folder dir, whether it is there or not, for who only looks: nothing is made.
func At(dir string) (*Spool, error) {
	if dir == "" {
		return nil, manifest.Errorf(manifest.Usage, "no spool folder given").WithHint("give one with --spool DIR")
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("finding spool %q: %w", dir, err)
	}
	return &Spool{dir: abs}, nil
}

// Dir is the folder's absolute path.
func (s *Spool) Dir() string { return s.dir }

// Path is the path of a file of the spool.
func (s *Spool) Path(elem ...string) string {
	return filepath.Join(append([]string{s.dir}, elem...)...)
}

// ChunkPath is where the chunk of that digest and type lies, or will lie; see tenant.ChunkName.
func (s *Spool) ChunkPath(d manifest.Digest, typ string) string {
	return filepath.Join(s.dir, filepath.FromSlash(tenant.ChunkName(d, typ)))
}

// Publish makes the file tmp, which the caller wrote below Temp, synced and closed, the chunk of that digest and type.
// A chunk of that name that is there already is replaced: by its name it holds the same bytes.
func (s *Spool) Publish(tmp string, d manifest.Digest, typ string) error {
	name := s.ChunkPath(d, typ)
	if err := durable.MkdirAll(filepath.Dir(name), dirPerm); err != nil {
		return fmt.Errorf("putting chunk %s into the spool: %w", d, err)
	}
	if err := durable.Publish(tmp, name); err != nil {
		return fmt.Errorf("putting chunk %s into the spool: %w", d, err)
	}
	return nil
}

// Remove removes a chunk; one that is not there is no error.
func (s *Spool) Remove(d manifest.Digest, typ string) error {
	if err := os.Remove(s.ChunkPath(d, typ)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing chunk %s from the spool: %w", d, err)
	}
	return nil
}

// Used is the number of bytes of all finished chunks. Chunks that go while it counts are counted or not.
func (s *Spool) Used(ctx context.Context) (int64, error) {
	var sum int64
	err := filepath.WalkDir(s.Path("chunks"), func(path string, e fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		if err == nil && e.Type().IsRegular() {
			var info fs.FileInfo
			if info, err = e.Info(); err == nil {
				sum += info.Size()
			}
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("measuring spool %q: %w", s.dir, err)
	}
	return sum, nil
}

// Temp makes and returns the folder for unfinished work of a program ("pack", "push"). It lies on the file system of
// the chunks, so what is in it can be renamed to them.
func (s *Spool) Temp(owner string) (string, error) {
	dir := s.Path("tmp", owner)
	if err := durable.MkdirAll(dir, dirPerm); err != nil {
		return "", fmt.Errorf("making temporary folder: %w", err)
	}
	return dir, nil
}

// ClearTemp empties the folder for unfinished work of a program, which must hold its lock, and returns the folder.
func (s *Spool) ClearTemp(owner string) (string, error) {
	if err := os.RemoveAll(s.Path("tmp", owner)); err != nil {
		return "", fmt.Errorf("clearing temporary folder: %w", err)
	}
	return s.Temp(owner)
}

// ID is the spool's identity, made on the first call with newID and kept in spool.json. The caller holds a lock.
func (s *Spool) ID(newID func() string) (string, error) {
	type identity struct {
		ID string `json:"id"`
	}
	path := s.Path("spool.json")
	data, err := os.ReadFile(path)
	if err == nil {
		var v identity
		if err := json.Unmarshal(data, &v); err == nil && v.ID != "" {
			return v.ID, nil
		}
		// A damaged identity only means that work under way is begun anew, so it is replaced.
	} else if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("reading the spool's identity: %w", err)
	}
	v := identity{ID: newID()}
	data, err = json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("making the spool's identity: %w", err)
	}
	if err := durable.WriteFile(path, append(data, '\n'), 0o600); err != nil {
		return "", fmt.Errorf("making the spool's identity: %w", err)
	}
	return v.ID, nil
}

// SetLimited says whether the spool is kept below a size; see the package comment. omt-pack calls it when it begins.
func (s *Spool) SetLimited(limited bool) error {
	var err error
	if limited {
		err = durable.WriteFile(s.Path("limit"), nil, 0o600)
	} else if err = os.Remove(s.Path("limit")); errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err != nil {
		return fmt.Errorf("noting whether the spool is limited: %w", err)
	}
	return nil
}

// Limited reports whether the spool is kept below a size.
func (s *Spool) Limited() bool {
	_, err := os.Stat(s.Path("limit"))
	return err == nil
}

// Lock is a lock that this process holds.
type Lock struct{ f *os.File }

// Unlock lets go of the lock. It does nothing the second time.
func (l *Lock) Unlock() error {
	if l.f == nil {
		return nil
	}
	f := l.f
	l.f = nil
	return f.Close()
}

// LockPush takes the lock of omt-push. The error is ErrLocked, with status Refused, while another push works here.
func (s *Spool) LockPush(ctx context.Context) (*Lock, error) { return s.lock(ctx, "push") }

// LockPack takes the lock of omt-pack. The error is ErrLocked, with status Refused, while another pack works here.
func (s *Spool) LockPack(ctx context.Context) (*Lock, error) { return s.lock(ctx, "pack") }

func (s *Spool) lock(ctx context.Context, owner string) (*Lock, error) {
	f, err := s.openLock(owner)
	if err != nil {
		return nil, err
	}
	for try := 0; ; try++ {
		ok, err := durable.TryLock(f, false)
		if ok {
			return &Lock{f}, nil
		}
		if err == nil && try < lockTries {
			select {
			case <-time.After(lockPause):
				continue
			case <-ctx.Done():
				err = ctx.Err()
			}
		}
		_ = f.Close()
		if err != nil {
			return nil, fmt.Errorf("locking spool %q: %w", s.dir, err)
		}
		return nil, manifest.Errorf(manifest.Refused, "spool %q is in use by another omt-%s: %w", s.dir, owner, ErrLocked).
			WithHint("wait until it has ended, or give this one a spool of its own with --spool DIR")
	}
}

// PushRunning reports whether an omt-push holds the lock at this moment.
func (s *Spool) PushRunning() (bool, error) { return s.running("push") }

// PackRunning reports whether an omt-pack holds the lock at this moment.
func (s *Spool) PackRunning() (bool, error) { return s.running("pack") }

func (s *Spool) running(owner string) (bool, error) {
	f, err := s.openLock(owner)
	if err != nil {
		return false, err
	}
	defer f.Close()
	free, err := durable.TryLock(f, true)
	if err != nil {
		return false, fmt.Errorf("asking for the lock of spool %q: %w", s.dir, err)
	}
	return !free, nil
}

func (s *Spool) openLock(owner string) (*os.File, error) {
	f, err := os.OpenFile(s.Path(owner+".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the lock of spool %q: %w", s.dir, err)
	}
	return f, nil
}

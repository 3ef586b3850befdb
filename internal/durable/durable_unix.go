//go:build unix

package durable

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// SyncDir makes the entries of a directory durable. File systems that cannot do it for a directory say EINVAL or
// ENOTSUP, which is no error: they promise nothing that could be asked for.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOTSUP) {
		err = nil
	}
	if cerr := d.Close(); err == nil {
		err = cerr
	}
	return err
}

// Lock waits for the exclusive lock on f. It ends with f or with the process.
func Lock(f *os.File) error { return flock(f, unix.LOCK_EX) }

// TryLock takes the exclusive lock on f, or the shared one, and reports false when somebody else stands in the way:
// another process, or another open file of this one.
func TryLock(f *os.File, shared bool) (bool, error) {
	how := unix.LOCK_EX | unix.LOCK_NB
	if shared {
		how = unix.LOCK_SH | unix.LOCK_NB
	}
	err := flock(f, how)
	if errors.Is(err, unix.EWOULDBLOCK) || errors.Is(err, unix.EACCES) {
		return false, nil
	}
	return err == nil, err
}

func flock(f *os.File, how int) error {
	for {
		err := unix.Flock(int(f.Fd()), how)
		if err == nil {
			return nil
		}
		if !errors.Is(err, unix.EINTR) {
			return &os.PathError{Op: "lock", Path: f.Name(), Err: err}
		}
	}
}

func replace(tmp, name string) error { return os.Rename(tmp, name) }

func linkNew(tmp, name string) error {
	err := os.Link(tmp, name)
	if err == nil {
		_ = os.Remove(tmp) // the name stands; a second name in the temporary folder harms nobody
		return nil
	}
	if !unsupported(err) {
		return err
	}
	err = renameNew(tmp, name)
	if err == nil || !unsupported(err) {
		return err
	}
	return lookAndRename(tmp, name)
}

// unsupported tells a file system that lacks an operation from one that refused it. EPERM is what Linux says where there
// are no hard links; a true refusal comes back from the rename that is tried next.
func unsupported(err error) bool {
	for _, e := range []error{unix.EPERM, unix.ENOTSUP, unix.EOPNOTSUPP, unix.ENOSYS, unix.EINVAL, unix.EMLINK} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

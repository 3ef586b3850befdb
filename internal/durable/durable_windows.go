package durable

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/windows"
)

// lockAt is the offset of the byte that is locked: beyond any content, since locks are mandatory here.
const lockAt = 1 << 30 // in units of 4 GiB

// SyncDir does nothing: a directory cannot be flushed here; renames are written through instead.
func SyncDir(string) error { return nil }

// Lock waits for the exclusive lock on f. It ends with f or with the process.
func Lock(f *os.File) error { return lockFile(f, windows.LOCKFILE_EXCLUSIVE_LOCK) }

// TryLock takes the exclusive lock on f, or the shared one, and reports false when somebody else stands in the way:
// another process, or another open file of this one.
func TryLock(f *os.File, shared bool) (bool, error) {
	flags := uint32(windows.LOCKFILE_FAIL_IMMEDIATELY)
	if !shared {
		flags |= windows.LOCKFILE_EXCLUSIVE_LOCK
	}
	err := lockFile(f, flags)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_IO_PENDING) {
		return false, nil
	}
	return err == nil, err
}

func lockFile(f *os.File, flags uint32) error {
	err := windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, &windows.Overlapped{OffsetHigh: lockAt})
	if err != nil {
		return &os.PathError{Op: "lock", Path: f.Name(), Err: err}
	}
	return nil
}

func replace(tmp, name string) error {
	return patiently(tmp, name, windows.MOVEFILE_WRITE_THROUGH|windows.MOVEFILE_REPLACE_EXISTING)
}

// linkNew moves without replacing, which is one operation on NTFS and on shares.
func linkNew(tmp, name string) error {
	err := patiently(tmp, name, windows.MOVEFILE_WRITE_THROUGH)
	if errors.Is(err, windows.ERROR_ALREADY_EXISTS) || errors.Is(err, windows.ERROR_FILE_EXISTS) {
		return &os.LinkError{Op: "rename", Old: tmp, New: name, Err: fs.ErrExist}
	}
	return err
}

// patiently repeats a move for up to a second while another program (a virus scanner, an indexer) holds the file open.
func patiently(tmp, name string, flags uint32) error {
	from, err := windows.UTF16PtrFromString(long(tmp))
	if err != nil {
		return err
	}
	to, err := windows.UTF16PtrFromString(long(name))
	if err != nil {
		return err
	}
	for wait := 10 * time.Millisecond; ; wait *= 2 {
		err = windows.MoveFileEx(from, to, flags)
		if err == nil {
			return nil
		}
		busy := errors.Is(err, windows.ERROR_SHARING_VIOLATION) ||
			errors.Is(err, windows.ERROR_ACCESS_DENIED) && flags&windows.MOVEFILE_REPLACE_EXISTING != 0
		if !busy || wait > time.Second/2 {
			return &os.LinkError{Op: "rename", Old: tmp, New: name, Err: err}
		}
		time.Sleep(wait)
	}
}

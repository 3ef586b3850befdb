// Package durable makes files that are whole or absent, whatever happens to the process or the machine, and locks that
// die with their process. It knows nothing of what the files hold, and imports nothing of ours.
//
// Promises: after Publish or PublishNew returned nil, the name holds all the bytes that were in the temporary file,
// after a power failure too, as far as the file system keeps its word about fsync; before that, the name holds what it
// held before. PublishNew never replaces: of any number of processes that publish under one name, one wins and the
// others get fs.ErrExist.
//
// Where the file system has no hard links (FAT, some network file systems), PublishNew asks for a rename without
// replacing (Linux 3.15 and later; always on Windows). Where that is missing too, it looks and renames while it holds a
// lock on the file ".publish.lock" beside the temporary file: the promise is then kept among programs of ours that see
// each other's file locks, and among them alone.
//
// Why locks of our own: a lock here is taken on the open file that it protects, at a byte far beyond any content.
// On Windows locks are mandatory, so a library that locks the first byte through a second handle
// would keep the owner itself from writing.
package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Sync makes the content of f durable and closes it, whether or not that worked.
func Sync(f *os.File) error {
	err := f.Sync()
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

// Publish renames tmp, which the caller has synced and closed, to name, replacing what is there, and makes the rename
// durable. Both must lie on one file system.
func Publish(tmp, name string) error {
	if err := replace(tmp, name); err != nil {
		return err
	}
	return SyncDir(filepath.Dir(name))
}

// PublishNew gives the content of tmp, which the caller has synced, the name name if nothing has that name, and removes
// tmp. Otherwise the error is fs.ErrExist and tmp stays. Both must lie on one file system.
func PublishNew(tmp, name string) error {
	if err := linkNew(tmp, name); err != nil {
		return err
	}
	return SyncDir(filepath.Dir(name))
}

// WriteFile writes data under name as Publish does, through a temporary file beside it.
func WriteFile(name string, data []byte, perm fs.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".tmp-*")
	if err != nil {
		return err
	}
	tmp := f.Name()
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(perm)
	}
	if err != nil {
		_ = f.Close()
	} else {
		err = Sync(f)
	}
	if err == nil {
		err = Publish(tmp, name)
	}
	if err != nil {
		_ = os.Remove(tmp)
		return fmt.Errorf("writing %q: %w", name, err)
	}
	return nil
}

// MkdirAll makes dir and the parents it lacks, as os.MkdirAll does, and makes each new entry durable.
func MkdirAll(dir string, perm fs.FileMode) error {
	if st, err := os.Stat(dir); err == nil {
		if st.IsDir() {
			return nil
		}
		return &fs.PathError{Op: "mkdir", Path: dir, Err: errNotDir}
	}
	parent := filepath.Dir(dir)
	if parent != dir {
		if err := MkdirAll(parent, perm); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, perm); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return SyncDir(parent)
}

var errNotDir = errors.New("a file of that name is in the way")

// lookAndRename is linkNew for file systems that offer nothing better; see the package comment.
func lookAndRename(tmp, name string) error {
	l, err := os.OpenFile(filepath.Join(filepath.Dir(tmp), ".publish.lock"), os.O_CREATE|os.O_RDWR, 0o666)
	if err != nil {
		return err
	}
	defer l.Close()
	if err := Lock(l); err != nil {
		return err
	}
	if _, err := os.Lstat(name); err == nil {
		return &os.LinkError{Op: "link", Old: tmp, New: name, Err: fs.ErrExist}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.Rename(tmp, name)
}

package freeze

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// keep does nothing: the call that replaces the file keeps its attributes and its access list.
func keep(*os.File, string, fs.FileInfo) error { return nil }

// replaceFile puts tmp in the place of path with the system's ReplaceFile, which gives the new file the old one's
// attributes, access list and time of birth. A mark of read-only is in its way: it is taken off and put back. A file
// that another program holds open is waited for, up to a second.
func replaceFile(tmp, path string) error {
	to, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return err
	}
	from, err := windows.UTF16PtrFromString(tmp)
	if err != nil {
		return err
	}
	attr, err := windows.GetFileAttributes(to)
	if err != nil {
		return &os.PathError{Op: "attributes", Path: path, Err: err}
	}
	if attr&windows.FILE_ATTRIBUTE_READONLY != 0 {
		if err := windows.SetFileAttributes(to, attr&^windows.FILE_ATTRIBUTE_READONLY); err != nil {
			return &os.PathError{Op: "attributes", Path: path, Err: err}
		}
		defer windows.SetFileAttributes(to, attr) //nolint:errcheck // the file was replaced, which counts
	}
	replace := windows.NewLazySystemDLL("kernel32.dll").NewProc("ReplaceFileW")
	for wait := 10 * time.Millisecond; ; wait *= 2 {
		ok, _, err := replace.Call(uintptr(unsafe.Pointer(to)), uintptr(unsafe.Pointer(from)), 0, 0, 0, 0)
		if ok != 0 {
			return nil
		}
		if !errors.Is(err, windows.ERROR_SHARING_VIOLATION) || wait > time.Second/2 {
			return &os.LinkError{Op: "replace", Old: tmp, New: path, Err: err}
		}
		time.Sleep(wait)
	}
}

// heldOpen says what can be done where another program is in the way.
func heldOpen(err error) error {
	if errors.Is(err, windows.ERROR_SHARING_VIOLATION) || errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return fmt.Errorf("another program holds it open; close it, or stop Customer Service: %w", err)
	}
	return err
}

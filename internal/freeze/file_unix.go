//go:build unix

package freeze

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// keep gives a new file the permissions, the owner and the extended attributes of the one that it will replace.
func keep(f *os.File, path string, info fs.FileInfo) error {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		mine, err := f.Stat()
		if err != nil {
			return err
		}
		if own, ok := mine.Sys().(*syscall.Stat_t); ok && (own.Uid != st.Uid || own.Gid != st.Gid) {
			if err := f.Chown(int(st.Uid), int(st.Gid)); err != nil {
				return fmt.Errorf("the file's owner could not be kept: %w", err)
			}
		}
	}
	if err := f.Chmod(info.Mode() & (fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky)); err != nil {
		return err
	}
	return keepAttributes(f, path)
}

func replaceFile(tmp, path string) error { return os.Rename(tmp, path) }

// heldOpen says what can be done where another program is in the way.
func heldOpen(err error) error {
	if errors.Is(err, syscall.ETXTBSY) || errors.Is(err, syscall.EBUSY) {
		return fmt.Errorf("another program holds it: %w", err)
	}
	return err
}

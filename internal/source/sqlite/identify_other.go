//go:build !linux && !windows

package sqlite

import (
	"fmt"
	"os"
	"syscall"
)

// identify names a file by device and inode, where the system has them.
func identify(_ string, info os.FileInfo) (string, error) {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return fmt.Sprintf("device %d inode %d", st.Dev, st.Ino), nil
	}
	return "", nil
}

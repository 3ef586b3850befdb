package dir

import (
	"os"

	"golang.org/x/sys/unix"
)

// dropCache asks for the synced pages of f to be forgotten, so that reading it again asks the disk or the share.
func dropCache(f *os.File) { _ = unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED) }

package sqlite

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// identify names a file by inode and time of birth. The device is left out where the birth is known: its number may be
// another one after the machine was started again.
func identify(path string, _ os.FileInfo) (string, error) {
	var st unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, path, 0, unix.STATX_INO|unix.STATX_BTIME, &st); err != nil {
		return "", err
	}
	if st.Mask&unix.STATX_BTIME == 0 {
		return fmt.Sprintf("device %d:%d inode %d", st.Dev_major, st.Dev_minor, st.Ino), nil
	}
	return fmt.Sprintf("inode %d born %d.%09d", st.Ino, st.Btime.Sec, st.Btime.Nsec), nil
}

//go:build unix

package spool

import "golang.org/x/sys/unix"

// Free is how many bytes may still be written to the spool's disk.
func (s *Spool) Free() (int64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(s.dir, &st); err != nil {
		return 0, err
	}
	return int64(st.Bavail) * int64(st.Bsize), nil
}

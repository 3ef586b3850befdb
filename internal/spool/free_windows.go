package spool

import "golang.org/x/sys/windows"

// Free is how many bytes may still be written to the spool's disk.
func (s *Spool) Free() (int64, error) {
	dir, err := windows.UTF16PtrFromString(s.dir)
	if err != nil {
		return 0, err
	}
	var free uint64
	if err := windows.GetDiskFreeSpaceEx(dir, &free, nil, nil); err != nil {
		return 0, err
	}
	return int64(min(free, 1<<62)), nil
}

package sqlite

import (
	"fmt"
	"os"

	"golang.org/x/sys/windows"
)

// identify names a file by volume, index and time of birth.
func identify(path string, _ os.FileInfo) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	var i windows.ByHandleFileInformation
	if err := windows.GetFileInformationByHandle(windows.Handle(f.Fd()), &i); err != nil {
		return "", err
	}
	return fmt.Sprintf("volume %x file %x%08x born %d", i.VolumeSerialNumber, i.FileIndexHigh, i.FileIndexLow, i.CreationTime.Nanoseconds()), nil
}

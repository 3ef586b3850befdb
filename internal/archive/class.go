package archive

import (
	"errors"
	"io/fs"
	"syscall"
)

// Classes of what keeps a file from being read; they stand as reason in records of unreadable files.
const (
	Denied    = "denied"    // rights
	Locked    = "locked"    // another program holds it
	Network   = "network"   // a share or its server does not answer as it should
	Vanished  = "vanished"  // it was listed, and gone when it was looked at
	LinkClass = "link"      // a symbolic link or junction, which is not followed
	Irregular = "irregular" // a device, a pipe, a placeholder of another storage system
	BadName   = "name"      // the system does not take the name it gave
	Other     = "error"     // anything else; the error text tells
)

// ErrNotRegular says that something is no regular file.
var ErrNotRegular = errors.New("not a regular file")

// Class gives the class of an error of the file system.
func Class(err error) string {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		if c := errnoClass(errno); c != "" {
			return c
		}
	}
	switch {
	case errors.Is(err, ErrNotRegular):
		return Irregular
	case errors.Is(err, fs.ErrPermission):
		return Denied
	case errors.Is(err, fs.ErrNotExist):
		return Vanished
	}
	return Other
}

// windowsClass gives the class of a Windows error number, or nothing where io/fs tells enough. The numbers are those of
// the system's documentation.
func windowsClass(errno uint32) string {
	switch errno {
	case 32, 33: // sharing violation, lock violation
		return Locked
	case 21, 51, 53, 54, 55, 58, 59, 64, 67, 71, 121, 240, 1203, 1219, 1222, 1225, 1231, 1232, 1236, 1256, 1311:
		// not ready, remote not listed, network path not found, network busy, device gone, bad network response, network
		// error, name deleted, name not found, no more connections, semaphore time-out, session cancelled, no provider,
		// other credentials, no network, refused, unreachable (2), aborted, host down, no logon server
		return Network
	case 5, 65, 86, 1326, 1327, 1331: // access denied (2), wrong password, logon failures
		return Denied
	case 123, 206: // name syntax, name too long
		return BadName
	}
	return ""
}

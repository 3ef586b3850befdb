package dir

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

func denied(err error) bool { return errors.Is(err, windows.ERROR_WRITE_PROTECT) }

// passing knows the errors of a share that may be back in a moment, or of a file that another program holds for one.
func passing(err error) bool {
	for _, e := range []error{
		windows.ERROR_SHARING_VIOLATION, windows.ERROR_LOCK_VIOLATION, windows.ERROR_NETNAME_DELETED,
		windows.ERROR_NETWORK_BUSY, windows.ERROR_UNEXP_NET_ERR, windows.ERROR_SEM_TIMEOUT, windows.ERROR_BUSY,
		windows.ERROR_DEV_NOT_EXIST, windows.ERROR_NETWORK_UNREACHABLE, windows.ERROR_HOST_UNREACHABLE,
		windows.ERROR_CONNECTION_ABORTED,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// removeOpen removes a file that is open here and locked. An open file cannot be removed here, so it is closed first;
// closing it again later does nothing.
func removeOpen(f *os.File) {
	f.Close()
	_ = os.Remove(f.Name())
}

// beforeMove closes the file, since an open one cannot be renamed here. Its lock goes with it. Another process that
// takes it up in between finds it complete, has nothing to write, and keeps it from being moved while it is open.
func beforeMove(u *upload) { u.f.Close() }

//go:build unix

package dir

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

func denied(err error) bool { return errors.Is(err, unix.EROFS) }

// passing knows the errors of a share that may be back in a moment.
func passing(err error) bool {
	for _, e := range []error{
		unix.EAGAIN, unix.EBUSY, unix.EINTR, unix.ETIMEDOUT, unix.ESTALE, unix.ENETDOWN, unix.ENETUNREACH, unix.ENETRESET,
		unix.ECONNRESET, unix.ECONNABORTED, unix.ECONNREFUSED, unix.EHOSTDOWN, unix.EHOSTUNREACH,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// removeOpen removes a file that is open here and locked.
func removeOpen(f *os.File) { _ = os.Remove(f.Name()) }

// beforeMove does nothing: an open file can be given a name, and its lock stands until it has it.
func beforeMove(*upload) {}

//go:build unix

package archive

import "syscall"

// errnoClass gives the class of an error number, or nothing where io/fs tells enough.
func errnoClass(errno syscall.Errno) string {
	switch errno {
	case syscall.ETXTBSY, syscall.EBUSY, syscall.EAGAIN, syscall.EDEADLK:
		return Locked
	case syscall.ESTALE, syscall.ENOTCONN, syscall.EHOSTDOWN, syscall.EHOSTUNREACH, syscall.ENETDOWN, syscall.ENETUNREACH,
		syscall.ENETRESET, syscall.ECONNABORTED, syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.ETIMEDOUT,
		syscall.EPIPE, syscall.ESHUTDOWN, syscall.EREMOTE:
		return Network
	case syscall.ENAMETOOLONG, syscall.EILSEQ:
		return BadName
	}
	return ""
}

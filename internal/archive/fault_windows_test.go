package archive

import (
	"errors"
	"syscall"
)

const network = syscall.Errno(64)

func mkfifo(string) error { return errors.ErrUnsupported }

//go:build unix

package archive

import "syscall"

const network = syscall.ESTALE

func mkfifo(path string) error { return syscall.Mkfifo(path, 0o644) }

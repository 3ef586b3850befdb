package archive

import "syscall"

// errnoClass gives the class of an error number, or nothing where io/fs tells enough.
func errnoClass(errno syscall.Errno) string { return windowsClass(uint32(errno)) }

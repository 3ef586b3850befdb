//go:build unix && !linux

package durable

import (
	"os"

	"golang.org/x/sys/unix"
)

// renameNew has no counterpart that every Unix shares.
func renameNew(tmp, name string) error {
	return &os.LinkError{Op: "rename", Old: tmp, New: name, Err: unix.ENOTSUP}
}

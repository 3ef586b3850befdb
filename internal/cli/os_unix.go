//go:build !windows

package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"syscall"
)

// keepBrokenPipe makes a write to a closed standard output fail with EPIPE, where the runtime would end the process. The
// signal is caught and dropped, not ignored: that would be inherited by plugins.
func keepBrokenPipe() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }

func isBrokenPipe(err error) bool { return errors.Is(err, syscall.EPIPE) }

// isBusy reports whether a rename failed because another program holds the file for a moment: never here.
func isBusy(error) bool { return false }

// syncDir makes a rename inside dir durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		return nil // some network file systems cannot sync a directory
	}
	return err
}

// isPrivate refuses a folder that others may write to or read, or that is a link somebody else could have laid.
func isPrivate(info fs.FileInfo) error {
	if !info.IsDir() || info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%q is not a folder of this user alone", info.Name())
	}
	return nil
}

func openConsole() (Console, error) {
	f, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoConsole, err)
	}
	return newConsole(f, f), nil
}

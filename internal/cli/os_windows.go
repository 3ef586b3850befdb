package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/windows"
)

// keepBrokenPipe has nothing to do: no signal ends a program that writes to a closed pipe.
func keepBrokenPipe() {}

// isBrokenPipe knows both errors of a closed pipe: 109 and 232 are seen, depending on who closed it and when.
func isBrokenPipe(err error) bool {
	return errors.Is(err, windows.ERROR_BROKEN_PIPE) || errors.Is(err, windows.ERROR_NO_DATA)
}

// isBusy reports whether a rename failed because another program (a virus scanner, an indexer) holds the file.
func isBusy(err error) bool {
	return errors.Is(err, windows.ERROR_SHARING_VIOLATION) || errors.Is(err, windows.ERROR_ACCESS_DENIED)
}

// syncDir has nothing to do: a rename is in the file system's journal, and a folder cannot be synced.
func syncDir(string) error { return nil }

// isPrivate trusts the temporary directory, which is the user's own; the mode says nothing about access here.
func isPrivate(info fs.FileInfo) error {
	if !info.IsDir() {
		return fmt.Errorf("%q is not a folder", info.Name())
	}
	return nil
}

// openConsole opens CONIN$ for reading and writing, since hiding what is typed needs both.
func openConsole() (Console, error) {
	in, err := os.OpenFile("CONIN$", os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoConsole, err)
	}
	out, err := os.OpenFile("CONOUT$", os.O_RDWR, 0)
	if err != nil {
		in.Close()
		return nil, fmt.Errorf("%w: %w", ErrNoConsole, err)
	}
	return newConsole(in, out), nil
}

package restore

import (
	"os"

	"golang.org/x/sys/unix"
)

// syncTree asks the system to write the file system of the folder to disk, which costs one call for the thousands of
// files of a chunk.
func syncTree(root *os.Root) error {
	d, err := root.Open(".")
	if err != nil {
		return err
	}
	defer d.Close()
	return unix.Syncfs(int(d.Fd()))
}

package freeze

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// keepAttributes copies extended attributes, access lists among them. Those that only the system may write, and file
// systems without any, are passed over.
func keepAttributes(f *os.File, path string) error {
	list := make([]byte, 64<<10)
	n, err := unix.Listxattr(path, list)
	if err != nil {
		if errors.Is(err, unix.ENOTSUP) || errors.Is(err, unix.ENOSYS) {
			return nil
		}
		return fmt.Errorf("reading the attributes of %q: %w", path, err)
	}
	for _, name := range bytes.Split(list[:n], []byte{0}) {
		if len(name) == 0 || bytes.HasPrefix(name, []byte("security.")) || bytes.HasPrefix(name, []byte("trusted.")) {
			continue
		}
		value := make([]byte, 64<<10)
		m, err := unix.Getxattr(path, string(name), value)
		if err == nil {
			err = unix.Fsetxattr(int(f.Fd()), string(name), value[:m], 0)
		}
		if err != nil {
			return fmt.Errorf("the attribute %s of %q could not be kept: %w", name, path, err)
		}
	}
	return nil
}

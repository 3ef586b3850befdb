package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// StateDir is the folder for what a run keeps so that the next one goes on where it was: SoMigration below --temp, which
// nobody else may read or write. It is made where it is not there.
func (j *Job) StateDir() (string, error) {
	dir := filepath.Join(j.Temp, "SoMigration")
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("making %q: %w", dir, reason(err))
	}
	info, err := os.Lstat(dir)
	if err == nil {
		err = isPrivate(info)
	}
	if err != nil {
		return "", fmt.Errorf("%q: %w", dir, reason(err))
	}
	return dir, nil
}

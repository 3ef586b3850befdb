package rules

import (
	"fmt"
	"io"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/preflight"
)

// must finds the folder of plugins for a command that can do nothing without one.
func (f *Flags) must() (folder, error) {
	dir, lacks, err := f.find()
	if err == nil && dir.path == "" {
		err = manifest.Errorf(manifest.Usage, "there are no plugins at %s", lacks).WithHint("name their folder with --plugins DIR or OMT_PLUGINS")
	}
	return dir, err
}

// Lock writes the lock file of the folder anew and says on w what changed.
func (f *Flags) Lock(w io.Writer) error {
	dir, err := f.must()
	if err != nil {
		return err
	}
	changes, err := preflight.Lock(dir.path)
	if err != nil {
		return err
	}
	for _, c := range changes {
		if _, err := fmt.Fprintf(w, "%s %s\n", c.What, c.Name); err != nil {
			return err
		}
	}
	if len(changes) == 0 {
		_, err = fmt.Fprintln(w, "nothing changed")
	}
	return err
}

// Verify says on w how each file of the folder stands to the lock file. Anything that is not as it says is refused, files
// that are gone too.
func (f *Flags) Verify(w io.Writer) error {
	dir, err := f.must()
	if err != nil {
		return err
	}
	files, err := preflight.Verify(dir.path)
	if err != nil {
		return err
	}
	gone := 0
	for _, file := range files {
		if file.State == preflight.Absent {
			gone++
		}
		if _, err := fmt.Fprintf(w, "%s %s\n", file.State, file.Name); err != nil {
			return err
		}
	}
	if err := preflight.Refusal(dir.path, dir.given, files); err != nil {
		return err
	}
	if gone > 0 {
		return manifest.Errorf(manifest.Refused, "%s in %q names %d files that are not there", preflight.LockFile, dir.path, gone).
			WithHint("put them back, or, if they are to be gone, write the lock file anew: omt-scan rules --lock")
	}
	return nil
}

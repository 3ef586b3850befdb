package rules

import (
	"os"
	"path/filepath"

	"github.com/openomt/omt/internal/manifest"
)

// The facts that say of which licence an earlier manifest is.
const (
	earlierFact = "earlier"
	FromScan    = "scan"  // id: the manifest that a scan replaces
	FromUsers   = "users" // id: the manifest that plans and user names were taken from
)

// Earlier is the fact of an earlier manifest at path, nil where there is no file, or none that is a whole manifest with an
// installation: it is then no earlier manifest.
func Earlier(id, path string) *manifest.Fact {
	if path == "" || path == "-" {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil
	}
	s, err := manifest.Verify(f, manifest.ReadOptions{})
	if err != nil || s.Installation.Owner == "" && s.Installation.Serial == "" {
		return nil
	}
	return &manifest.Fact{Name: earlierFact, ID: id, Data: map[string]any{
		"owner": s.Installation.Owner, "serial": s.Installation.Serial, "from": filepath.Base(path),
	}}
}

package rules

import (
	"errors"
	"io"
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
// installation: it is then no earlier manifest. One that was itself found to be of another licence than the manifest before
// it is no measure: what it was compared with stays what is compared with. So a scan of the wrong database, repeated, is not
// taken for the right one, nor the right one afterwards for a wrong one.
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
	of, before, err := licence(f, id)
	if err != nil || of.Owner == "" && of.Serial == "" {
		return nil
	}
	if before != nil && (before.Data["owner"] != of.Owner || before.Data["serial"] != of.Serial) {
		return before
	}
	return &manifest.Fact{Name: earlierFact, ID: id, Data: map[string]any{
		"owner": of.Owner, "serial": of.Serial, "from": filepath.Base(path),
	}}
}

// licence reads a manifest to its end: whose installation it is of, and what that was compared with.
func licence(r io.Reader, id string) (of manifest.Installation, before *manifest.Fact, err error) {
	m := manifest.NewReader(r, manifest.ReadOptions{})
	for {
		l, err := m.Next()
		if errors.Is(err, io.EOF) {
			return of, before, nil
		}
		if err != nil {
			return of, nil, err
		}
		switch l.Kind {
		case manifest.KindInstallation:
			err = l.Decode(&of)
		case manifest.KindFact:
			var f manifest.Fact
			if err = l.Decode(&f); err == nil && f.Name == earlierFact && f.ID == id {
				before = &f
			}
		}
		if err != nil {
			return of, nil, err
		}
	}
}

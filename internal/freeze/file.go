package freeze

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/openomt/omt/internal/durable"
	"github.com/openomt/omt/internal/manifest"
)

// What a freeze record of the file is called.
const serviceConfig = "service-config"

// maxConfig is the size of the largest file that is taken for a config.
const maxConfig = 4 << 20

// FindConfig finds the config file in Customer Service's base folder, in whatever letter case it is written, and follows
// links, so that the file itself is replaced and not a link to it.
func FindConfig(base string) (string, error) {
	path, err := findConfig(base)
	if err != nil {
		return "", manifest.Errorf(manifest.Usage, "looking for Customer Service's config: %w", err).
			WithHint("the base folder is given with --root service=DIR; without Customer Service, freeze with --freeze event alone")
	}
	return path, nil
}

func findConfig(base string) (string, error) {
	entries, err := os.ReadDir(base)
	if err != nil {
		return "", err
	}
	name := ""
	for _, e := range entries {
		if e.Name() == "config" || name == "" && strings.EqualFold(e.Name(), "config") {
			name = e.Name()
		}
	}
	if name == "" {
		return "", fmt.Errorf("there is no file config in %q", base)
	}
	path, err := filepath.EvalSymlinks(filepath.Join(base, name))
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		return "", err
	}
	if info, err := os.Stat(path); err != nil {
		return "", err
	} else if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%q is no file", path)
	}
	return path, nil
}

// readConfig reads a config and what is kept of it.
func readConfig(path string) ([]byte, fs.FileInfo, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	raw, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
	if err == nil && len(raw) > maxConfig {
		err = fmt.Errorf("%q is larger than %d MiB, which no config is", path, maxConfig>>20)
	}
	return raw, info, err
}

// planFile finds out how the file is frozen, and returns it as it will be.
func planFile(path string) (manifest.Freeze, []byte, error) {
	raw, _, err := readConfig(path)
	var e Edit
	if err == nil {
		if e, err = Plan(raw); err != nil {
			err = fmt.Errorf("%q: %w", path, err)
		}
	}
	if err != nil {
		return manifest.Freeze{}, nil, manifest.Errorf(manifest.Failed, "freezing Customer Service: %w", err)
	}
	rec := manifest.Freeze{What: serviceConfig, Path: path, Already: e.Already, Line: e.Line}
	if e.Already {
		return rec, nil, nil
	}
	after := e.Apply(raw)
	rec.Inserted, rec.Encoding, rec.Offset = e.Inserted, e.Encoding, e.Offset
	rec.BeforeSHA256, rec.AfterSHA256 = sha256.Sum256(raw), sha256.Sum256(after)
	return rec, after, nil
}

func editOf(rec manifest.Freeze) Edit {
	return Edit{Line: rec.Line, Offset: rec.Offset, Inserted: rec.Inserted, Encoding: rec.Encoding}
}

// tempName is where the new file is written: one name, so that what a kill leaves there is found.
func tempName(path string) string {
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".omt-freeze")
}

// writeConfig replaces the file, keeping what is kept. info is of the file that is replaced, which must still be was.
func writeConfig(path string, data []byte, was manifest.Digest, replace func(tmp, path string) error) error {
	raw, info, err := readConfig(path)
	if err != nil {
		return err
	}
	if sha256.Sum256(raw) != was {
		return fmt.Errorf("%q was changed by somebody else at this moment", path)
	}
	tmp := tempName(path)
	if err := os.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("the folder of the file must be writable: %w", err)
	}
	_, err = f.Write(data)
	if err == nil {
		err = keep(f, path, info)
	}
	err = errors.Join(err, durable.Sync(f))
	if err == nil {
		err = replace(tmp, path)
	}
	if err != nil {
		os.Remove(tmp)
		return err
	}
	return durable.SyncDir(filepath.Dir(path))
}

// stateOf tells where a file stands: as it was before the change, after it, or otherwise.
type fileState int

const (
	fileBefore fileState = iota
	fileAfter
	fileOther
)

// look reads the file that a record speaks of.
func look(rec manifest.Freeze) (fileState, []byte, error) {
	raw, info, err := readConfig(rec.Path)
	if err != nil {
		return fileOther, nil, fmt.Errorf("reading Customer Service's config: %w", err)
	}
	switch manifest.Digest(sha256.Sum256(raw)) {
	case rec.BeforeSHA256:
		return fileBefore, raw, nil
	case rec.AfterSHA256:
		return fileAfter, raw, nil
	}
	return fileOther, raw, changedFile(rec, raw, info)
}

// changedFile shows both states of a file without a word of its content.
func changedFile(rec manifest.Freeze, raw []byte, info fs.FileInfo) error {
	now := "no line says frozen any more"
	if e, err := Plan(raw); err == nil && e.Already {
		now = fmt.Sprintf("line %d says frozen", e.Line)
	}
	return manifest.Errorf(manifest.Refused, "%q was changed since it was frozen: then sha256 %s with frozen in line %d (before that %s); now sha256 %x of %d bytes, changed %s, %s",
		rec.Path, rec.AfterSHA256, rec.Line, rec.BeforeSHA256, sha256.Sum256(raw), len(raw), info.ModTime().UTC().Format("2006-01-02 15:04:05 MST"), now).
		WithHint("look at the file: to let users in, remove the line that says frozen by hand; then omt-pack thaw --leave-changed leaves the file as it is")
}

// thawFile undoes the change of a file; undone is false where it had been undone before.
func thawFile(rec manifest.Freeze, replace func(tmp, path string) error) (undone bool, err error) {
	if err := os.Remove(tempName(rec.Path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	state, raw, err := look(rec)
	if err != nil || state == fileBefore {
		return false, err
	}
	before, err := editOf(rec).Undo(raw)
	if err != nil {
		return false, fmt.Errorf("thawing %q: %w", rec.Path, err)
	}
	if sha256.Sum256(before) != rec.BeforeSHA256 {
		return false, fmt.Errorf("thawing %q: without the line it is not what the record says that it was", rec.Path)
	}
	if err := writeConfig(rec.Path, before, rec.AfterSHA256, replace); err != nil {
		return false, fmt.Errorf("thawing %q: %w", rec.Path, heldOpen(err))
	}
	return true, nil
}

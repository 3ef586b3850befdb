package sqlite

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Fingerprint names the file by what the file system knows it by; see the package comment.
func (d *Driver) Fingerprint(context.Context) (string, error) {
	info, err := os.Stat(d.path)
	if errors.Is(err, fs.ErrNotExist) {
		return digest("to be made at " + resolved(d.path)), nil
	}
	if err != nil {
		return "", fmt.Errorf("looking at database %q: %w", d.path, reason(err))
	}
	id, err := identify(d.path, info)
	if err != nil {
		return "", fmt.Errorf("looking at database %q: %w", d.path, reason(err))
	}
	if id == "" {
		id = "path " + resolved(d.path)
	}
	return digest(id), nil
}

// resolved is a path without links, as far as it exists.
func resolved(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	if dir := filepath.Dir(path); dir != path {
		return filepath.Join(resolved(dir), filepath.Base(path))
	}
	return path
}

func digest(text string) string {
	sum := sha256.Sum256([]byte("sqlite " + text))
	return hex.EncodeToString(sum[:])
}

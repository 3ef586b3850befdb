package durable

import (
	"path/filepath"
	"strings"
)

// long gives a path of more than about 260 characters the form that the system takes at any length; os does the same
// for its own calls.
func long(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil || len(abs) < 240 || strings.HasPrefix(abs, `\\?\`) {
		return path
	}
	if strings.HasPrefix(abs, `\\`) {
		return `\\?\UNC\` + abs[2:]
	}
	return `\\?\` + abs
}

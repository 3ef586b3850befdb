package inventory

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"github.com/openomt/omt/internal/archive"
	"github.com/openomt/omt/internal/manifest"
)

// foldPath gives the key under which a path on disk is compared with paths that rows name. An element that is not
// Unicode gets a form that no row has.
func foldPath(disk string, raw bool) string {
	if !raw {
		return archive.Fold(disk)
	}
	b, err := manifest.UnescapeName(disk)
	if err != nil {
		return badElement + disk
	}
	elements := strings.Split(string(b), "/")
	for i, e := range elements {
		if utf8.ValidString(e) {
			elements[i] = archive.Fold(e)
		} else {
			name, _ := manifest.EscapeName([]byte(e))
			elements[i] = badElement + name
		}
	}
	return strings.Join(elements, "/")
}

// badElement stands before an element that is not Unicode; it is no UTF-8 itself.
const badElement = "\xff"

// guessName reads a name that is not Unicode as the code page of western Windows, for candidates alone.
func guessName(disk string) string {
	b, err := manifest.UnescapeName(disk)
	if err != nil {
		return disk
	}
	s, err := charmap.Windows1252.NewDecoder().Bytes(b)
	if err != nil {
		return disk
	}
	return string(s)
}

// base gives the last element of a slash-separated path.
func base(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// temporary reports whether a file is one that Word or Windows keeps for itself.
func temporary(path string) bool {
	name := archive.Fold(base(path))
	return strings.HasPrefix(name, "~$") || strings.HasSuffix(name, ".tmp") || name == "thumbs.db" || name == "desktop.ini"
}

// system reports whether a folder at the top of a document root belongs to SuperOffice itself.
func system(folded string) bool {
	switch folded {
	case "data", "script", "template", "travel", "wishlist":
		return true
	}
	digits, ok := strings.CutPrefix(folded, "s")
	return ok && digits != "" && strings.Trim(digits, "0123456789") == ""
}

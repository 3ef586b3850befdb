package destination

import (
	"fmt"
	"strings"
)

const (
	maxName    = 900 // bytes; S3 takes 1,024 with the prefix
	maxElement = 200 // bytes; common file systems take 255, ours need room for suffixes
)

// CheckName refuses a name that is not the same on every kind of destination or that might lead out of it: it wants
// elements of letters, digits, '.', '_' and '-' that neither begin nor end with a dot, separated by single slashes.
// Callers see to it that no name continues another one with a slash, since a folder cannot hold both.
func CheckName(name string) error {
	if name == "" || len(name) > maxName {
		return fmt.Errorf("object name %q: want 1 to %d bytes", name, maxName)
	}
	for e := range strings.SplitSeq(name, "/") {
		if err := checkElement(e); err != nil {
			return fmt.Errorf("object name %q: %w", name, err)
		}
	}
	return nil
}

func checkElement(e string) error {
	switch {
	case e == "":
		return fmt.Errorf("an element is empty")
	case len(e) > maxElement:
		return fmt.Errorf("an element is longer than %d bytes", maxElement)
	case e[0] == '.' || e[len(e)-1] == '.':
		return fmt.Errorf("element %q begins or ends with a dot", e)
	case reserved(e):
		return fmt.Errorf("element %q is a device on Windows", e)
	}
	for _, c := range []byte(e) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '.' && c != '_' && c != '-' {
			return fmt.Errorf("element %q holds %q", e, c)
		}
	}
	return nil
}

// reserved knows the names that Windows gives to devices, with any extension.
func reserved(e string) bool {
	base, _, _ := strings.Cut(strings.ToLower(e), ".")
	switch base {
	case "con", "prn", "aux", "nul":
		return true
	}
	return len(base) == 4 && (strings.HasPrefix(base, "com") || strings.HasPrefix(base, "lpt")) &&
		base[3] >= '0' && base[3] <= '9'
}

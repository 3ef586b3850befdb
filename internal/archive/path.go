package archive

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// zones is how far local time can be from UTC, either way.
const zones = 14 * time.Hour

// Paths gives the path of a document below the archive's root, with the period of its registration in UTC, and in also
// the path with the other period where the registration lies so near to a boundary that the period depends on the time
// zone. Both are empty when owner or name is no name of a single file or folder, so that the path would leave the folder
// it belongs in: see Element.
func Paths(owner string, registered time.Time, name string) (primary, also string) {
	if !Element(owner) || !Element(name) {
		return "", ""
	}
	at := period(registered)
	primary = owner + "/" + at + "/" + name
	for _, d := range [...]time.Duration{-zones, zones} {
		if p := period(registered.Add(d)); p != at {
			also = owner + "/" + p + "/" + name
		}
	}
	return primary, also
}

func period(t time.Time) string {
	t = t.UTC()
	half := ".1"
	if t.Month() > time.July {
		half = ".2"
	}
	return strconv.Itoa(t.Year()) + half
}

// Element reports whether s can be the name of one file or folder: it is not empty, holds no separator of Unix or
// Windows and no NUL, begins with no drive letter, is not all dots and spaces (Windows takes ".. " for ".."), and is
// UTF-8.
func Element(s string) bool {
	if strings.ContainsAny(s, "/\\\x00") || strings.TrimRight(s, ". ") == "" {
		return false
	}
	return !drive(s) && utf8.ValidString(s)
}

// drive reports whether s begins with a drive letter and a colon.
func drive(s string) bool {
	return len(s) >= 2 && s[1] == ':' && (s[0]|0x20) >= 'a' && (s[0]|0x20) <= 'z'
}

// Outside reports whether a path in the database (either separator) leaves the folder it is relative to: it is
// absolute, has a drive letter, or an element that Element refuses.
func Outside(path string) bool {
	for e := range strings.SplitSeq(strings.ReplaceAll(path, `\`, "/"), "/") {
		if !Element(e) {
			return true
		}
	}
	return false
}

package archive

import (
	"fmt"
	"strings"
)

// Mapping rewrites the front of a path: what another machine calls From is To here.
type Mapping struct{ From, To string }

// ParseMapping reads FROM=TO. The first equals sign divides.
func ParseMapping(s string) (Mapping, error) {
	from, to, ok := strings.Cut(s, "=")
	from, to = strings.TrimSpace(from), strings.TrimSpace(to)
	if !ok || from == "" || to == "" {
		return Mapping{}, fmt.Errorf(`mapping %q: want FROM=TO, for example D:\CS=/mnt/cs`, s)
	}
	return Mapping{From: from, To: to}, nil
}

// Rewrite gives a path with the longest From that it begins with replaced, once, or the path as it is. From matches
// whole elements only. A From that looks like Windows (a drive letter or a backslash) matches either separator and any
// letter case. What follows From takes the separators of To.
func Rewrite(path string, maps []Mapping) string {
	if path == "" {
		return ""
	}
	best, length := "", 0
	for _, m := range maps {
		rest, n, ok := under(path, m.From)
		if !ok || n <= length {
			continue
		}
		best, length = join(m.To, rest), n
	}
	if length == 0 {
		return path
	}
	return best
}

// Below reports whether path is folder or lies below it, both absolute and clean, and gives the rest slash-separated,
// empty when they are the same. Paths written as on Windows are compared without regard to letter case.
func Below(path, folder string) (rest string, ok bool) {
	elements, _, ok := under(path, folder)
	return strings.Join(elements, "/"), ok
}

// under gives the elements of path below from, and how many elements from has.
func under(path, from string) (rest []string, n int, ok bool) {
	p, f := split(path, windows(from)), split(from, windows(from))
	if len(p) < len(f) {
		return nil, 0, false
	}
	for i, e := range f {
		if p[i] != e && (!windows(from) || Fold(p[i]) != Fold(e)) {
			return nil, 0, false
		}
	}
	return p[len(f):], len(f), true
}

// windows reports whether a path is written as on Windows.
func windows(path string) bool { return drive(path) || strings.Contains(path, `\`) }

// split gives the elements of a path. The empty ones in front, which tell an absolute path or a share from a relative
// path, stay; separators at the end do not count.
func split(path string, win bool) []string {
	if win {
		path = strings.ReplaceAll(path, `\`, "/")
	}
	return strings.Split(strings.TrimRight(path, "/"), "/")
}

func join(to string, rest []string) string {
	sep := "/"
	if windows(to) {
		sep = `\`
	}
	if len(rest) == 0 {
		return to
	}
	return strings.TrimRight(to, `/\`) + sep + strings.Join(rest, sep)
}

package archive

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Fold gives the key under which two slash-separated paths mean the same file: letter case, canonical composition, and
// dots and spaces at the end of each element do not count. Folding a folded path changes nothing. Bytes that are not
// UTF-8 stay as they are.
func Fold(path string) string {
	if s, ok := foldASCII(path); ok {
		return s
	}
	s := norm.NFC.String(lower(norm.NFC.String(path)))
	if !strings.ContainsAny(s, ". ") {
		return s
	}
	elements := strings.Split(s, "/")
	for i, e := range elements {
		elements[i] = strings.TrimRight(e, ". ")
	}
	return strings.Join(elements, "/")
}

// foldASCII folds a path of ASCII in one pass.
func foldASCII(path string) (string, bool) {
	out := make([]byte, 0, len(path))
	start := 0 // of the element in out
	for i := 0; i < len(path); i++ {
		switch c := path[i]; {
		case c >= utf8.RuneSelf:
			return "", false
		case c == '/':
			out = append(trim(out, start), c)
			start = len(out)
		case c >= 'A' && c <= 'Z':
			out = append(out, c+'a'-'A')
		default:
			out = append(out, c)
		}
	}
	return string(trim(out, start)), true
}

func trim(out []byte, start int) []byte {
	for len(out) > start && (out[len(out)-1] == '.' || out[len(out)-1] == ' ') {
		out = out[:len(out)-1]
	}
	return out
}

// lower turns each upper-case letter into its lower-case one where the two are a pair.
func lower(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if l := unicode.ToLower(r); l != r && unicode.ToUpper(l) == r {
			b.WriteRune(l)
		} else {
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return b.String()
}

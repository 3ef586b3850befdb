package manifest

import (
	"encoding/binary"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// isASCII reports whether b holds only bytes below U+007F, so that no shell or editor can change them.
func isASCII(b []byte) bool {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	for len(b) >= 8 {
		x := binary.LittleEndian.Uint64(b)
		if (x|(x+ones))&high != 0 { // a byte above U+007F has its high bit, U+007F gets it by adding one
			return false
		}
		b = b[8:]
	}
	for _, c := range b {
		if c >= 0x7f {
			return false
		}
	}
	return true
}

// appendASCII appends a line of JSON with every character above U+007E as \uXXXX. In valid JSON such characters stand
// only inside strings.
func appendASCII(dst, line []byte) []byte {
	for i := 0; i < len(line); {
		if c := line[i]; c < 0x7f {
			dst = append(dst, c)
			i++
			continue
		}
		r, n := utf8.DecodeRune(line[i:])
		dst = appendEscape(dst, r)
		i += n
	}
	return dst
}

// appendEscape appends \uXXXX, or two of them for a character beyond U+FFFF.
func appendEscape(dst []byte, r rune) []byte {
	if r > 0xffff {
		hi, lo := utf16.EncodeRune(r)
		return appendUnit(appendUnit(dst, hi), lo)
	}
	return appendUnit(dst, r)
}

func appendUnit(dst []byte, u rune) []byte {
	return append(dst, '\\', 'u', hexDigits[u>>12&15], hexDigits[u>>8&15], hexDigits[u>>4&15], hexDigits[u&15])
}

// appendString appends s as a JSON string in ASCII. A string that is not valid UTF-8 is an error, since JSON cannot
// hold it: file names go through EscapeName first.
func appendString(dst []byte, s string) ([]byte, error) {
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c < 0x7f && c != '"' && c != '\\' {
			i++
			continue
		}
		dst = append(dst, s[from:i]...)
		if c < utf8.RuneSelf {
			dst = appendControl(dst, c)
			i++
		} else {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				return nil, notUnicode(s)
			}
			dst = appendEscape(dst, r)
			i += n
		}
		from = i
	}
	dst = append(dst, s[from:]...)
	return append(dst, '"'), nil
}

// appendControl appends an ASCII character that JSON does not take as it is, or that we do not want so.
func appendControl(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, '\\', 'b')
	case '\f':
		return append(dst, '\\', 'f')
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return appendUnit(dst, rune(c))
}

func notUnicode(s string) error { return fmt.Errorf("%q is not valid UTF-8", s) }

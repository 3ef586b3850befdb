package source

import (
	"encoding/binary"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// SQL Server keeps nchar, nvarchar and ntext as UTF-16 that nobody checks: a text that was cut inside an emoji ends with
// half a surrogate pair. Such a text is no Unicode. It is kept as WTF-8: UTF-8, in which a surrogate without its other
// half stands as the three bytes that UTF-8's scheme gives its number. Every sequence of UTF-16 units has exactly one
// such form, and every text that is Unicode is in it what it is in UTF-8.

// UTF16 reports whether the server keeps values of the type as UTF-16, so that they may hold half a surrogate pair.
func (t Type) UTF16() bool {
	return t.Kind == Text && (t.SQL[0] == 'n' || t.SQL == Variant)
}

const (
	surrogateMin = 0xD800 // the first half of a pair is below lowMin
	lowMin       = 0xDC00
	surrogateMax = 0xDFFF
	leadByte     = 0xED // of a surrogate in three bytes
)

// surrogateAt reads a surrogate in three bytes from the front of s.
func surrogateAt(s string) (unit uint16, ok bool) {
	if len(s) < 3 || s[0] != leadByte || s[1] < 0xA0 || s[1] > 0xBF || s[2] < 0x80 || s[2] > 0xBF {
		return 0, false
	}
	return 0xD000 | uint16(s[1]&0x3F)<<6 | uint16(s[2]&0x3F), true
}

// ValidText reports whether s is a text in its one form: UTF-8, or WTF-8 where a surrogate lacks its other half.
func ValidText(s string) bool {
	if utf8.ValidString(s) {
		return true
	}
	high := false // the unit before is the first half of a pair
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if r != utf8.RuneError || n > 1 {
			s, high = s[n:], false
			continue
		}
		u, ok := surrogateAt(s)
		if !ok || high && u >= lowMin {
			return false
		}
		s, high = s[3:], u < lowMin
	}
	return true
}

// DecodeUTF16 returns the text that UTF-16 units, their low byte first, stand for. false: a byte is left over.
func DecodeUTF16(b []byte) (string, bool) {
	if len(b)%2 != 0 {
		return "", false
	}
	if n := len(b) / 2; ascii16(b) {
		out := make([]byte, n)
		for i := range out {
			out[i] = b[2*i]
		}
		return unsafe.String(unsafe.SliceData(out), n), true
	}
	size := 0
	for i := 0; i < len(b); i += 2 {
		size += unitSize(binary.LittleEndian.Uint16(b[i:]))
	}
	out := make([]byte, 0, size)
	for i := 0; i < len(b); i += 2 {
		u := binary.LittleEndian.Uint16(b[i:])
		if u >= surrogateMin && u < lowMin && i+2 < len(b) {
			if r := utf16.DecodeRune(rune(u), rune(binary.LittleEndian.Uint16(b[i+2:]))); r != utf8.RuneError {
				out = utf8.AppendRune(out, r)
				i += 2
				continue
			}
		}
		out = appendUnit(out, u)
	}
	return unsafe.String(unsafe.SliceData(out), len(out)), true
}

// unitSize is how many bytes a unit takes at most: half a pair takes three alone, and two of the four together.
func unitSize(u uint16) int {
	switch {
	case u < 0x80:
		return 1
	case u < 0x800:
		return 2
	}
	return 3
}

func appendUnit(dst []byte, u uint16) []byte {
	if u < surrogateMin || u > surrogateMax {
		return utf8.AppendRune(dst, rune(u))
	}
	return append(dst, leadByte, 0x80|byte(u>>6&0x3F), 0x80|byte(u&0x3F))
}

// ascii16 reports whether all units are below 0x80.
func ascii16(b []byte) bool {
	const wide = 0xFF80FF80FF80FF80
	for ; len(b) >= 8; b = b[8:] {
		if binary.LittleEndian.Uint64(b)&wide != 0 {
			return false
		}
	}
	for ; len(b) > 0; b = b[2:] {
		if binary.LittleEndian.Uint16(b)&0xFF80 != 0 {
			return false
		}
	}
	return true
}

// AppendUTF16 is the inverse of DecodeUTF16, for a text that is valid (ValidText).
func AppendUTF16(dst []byte, s string) []byte {
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 {
			if u, ok := surrogateAt(s); ok {
				dst, s = binary.LittleEndian.AppendUint16(dst, u), s[3:]
				continue
			}
		}
		if s = s[n:]; r > 0xFFFF {
			a, b := utf16.EncodeRune(r)
			dst = binary.LittleEndian.AppendUint16(dst, uint16(a))
			r = b
		}
		dst = binary.LittleEndian.AppendUint16(dst, uint16(r))
	}
	return dst
}

// Unicode returns a text with U+FFFD in place of each half of a surrogate pair, for what takes Unicode alone.
func Unicode(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s)) // U+FFFD is as long as half a pair
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if _, ok := surrogateAt(s); r == utf8.RuneError && ok {
			n = 3
		}
		b.WriteRune(r)
		s = s[n:]
	}
	return b.String()
}

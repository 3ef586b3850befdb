package manifest

import (
	"bytes"
	"unicode/utf8"
)

// The functions here take values off the front of JSON that was written in our own form: no white space, ASCII. What
// they do not understand they leave to encoding/json by returning false, so they decide about speed and never about
// meaning.

// cutPlain takes a string without escapes, behind its opening quote.
func cutPlain(b []byte) (s, rest []byte, ok bool) {
	end := bytes.IndexByte(b, '"')
	if end < 0 || bytes.IndexByte(b[:end], '\\') >= 0 {
		return nil, nil, false
	}
	return b[:end], b[end+1:], true
}

// cutString takes a string behind its opening quote. One with escapes is unescaped into scratch.
func cutString(b []byte, scratch *[]byte) (s, rest []byte, ok bool) {
	if s, rest, ok = cutPlain(b); ok {
		return s, rest, true
	}
	end := 0
	for end < len(b) && b[end] != '"' {
		if b[end] == '\\' {
			end++
		}
		end++
	}
	if end >= len(b) {
		return nil, nil, false
	}
	*scratch, ok = appendUnescaped((*scratch)[:0], b[:end])
	return *scratch, b[end+1:], ok
}

// cutInt takes an integer below 10^18.
func cutInt(b []byte) (n int64, rest []byte, ok bool) {
	i := 0
	if len(b) > 0 && b[0] == '-' {
		i = 1
	}
	from := i
	for i < len(b) && b[i] >= '0' && b[i] <= '9' {
		n = n*10 + int64(b[i]-'0')
		i++
	}
	if i == from || i-from > 18 || b[from] == '0' && i-from > 1 {
		return 0, nil, false
	}
	if i < len(b) && b[i] != ',' && b[i] != '}' {
		return 0, nil, false
	}
	if from == 1 {
		n = -n
	}
	return n, b[i:], true
}

// appendUnescaped appends the meaning of what stands inside a JSON string.
func appendUnescaped(dst, s []byte) ([]byte, bool) {
	for i := 0; i < len(s); {
		if s[i] != '\\' {
			dst = append(dst, s[i])
			i++
			continue
		}
		if i+1 >= len(s) {
			return dst, false
		}
		if s[i+1] == 'u' {
			r, n := unescapeRune(s[i:])
			if n == 0 {
				return dst, false
			}
			dst = utf8.AppendRune(dst, r)
			i += n
			continue
		}
		c := unescapeByte(s[i+1])
		if c == 0 {
			return dst, false
		}
		dst = append(dst, c)
		i += 2
	}
	return dst, true
}

// unescapeByte gives the meaning of a two-character escape, or 0.
func unescapeByte(c byte) byte {
	switch c {
	case '"', '\\', '/':
		return c
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return 0
}

// unescapeRune reads \uXXXX, or two of them that are a surrogate pair, and tells its length: 0 when it is neither.
func unescapeRune(s []byte) (rune, int) {
	hi, ok := unescapeUnit(s)
	switch {
	case !ok:
		return 0, 0
	case hi < 0xd800 || hi > 0xdfff:
		return hi, 6
	case hi > 0xdbff:
		return 0, 0
	}
	lo, ok := unescapeUnit(s[6:])
	if !ok || lo < 0xdc00 || lo > 0xdfff {
		return 0, 0
	}
	return (hi-0xd800)<<10 | (lo - 0xdc00) + 0x10000, 12
}

func unescapeUnit(s []byte) (rune, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range s[2:6] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

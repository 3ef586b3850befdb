package manifest

import (
	"fmt"
	"unicode/utf8"
)

// EscapeName turns a file name or path as the system gives it into what a record holds. A name that is valid UTF-8
// stays as it is. In any other, each bad byte becomes %XX (upper-case hex) and each % becomes %25, and raw is true.
func EscapeName(b []byte) (name string, raw bool) {
	if utf8.Valid(b) {
		return string(b), false
	}
	const digits = "0123456789ABCDEF"
	out := make([]byte, 0, len(b)+16)
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if b[i] == '%' || r == utf8.RuneError && n == 1 {
			out = append(out, '%', digits[b[i]>>4], digits[b[i]&15])
			i++
			continue
		}
		out = append(out, b[i:i+n]...)
		i += n
	}
	return string(out), true
}

// UnescapeName gives the bytes of a name whose record says raw. It accepts exactly what EscapeName makes, so that two
// names never mean one file and an escape never smuggles a separator in.
func UnescapeName(name string) ([]byte, error) {
	out := make([]byte, 0, len(name))
	for i := 0; i < len(name); i++ {
		if name[i] != '%' {
			out = append(out, name[i])
			continue
		}
		if i+2 >= len(name) {
			return nil, fmt.Errorf("raw name %q ends inside an escape", name)
		}
		hi, lo := unhex(name[i+1]), unhex(name[i+2])
		if hi < 0 || lo < 0 {
			return nil, fmt.Errorf("raw name %q holds %q, which is no escape", name, name[i:i+3])
		}
		out = append(out, byte(hi<<4|lo))
		i += 2
	}
	if back, raw := EscapeName(out); !raw || back != name {
		return nil, fmt.Errorf("raw name %q is not in the form that a name of bad bytes has", name)
	}
	return out, nil
}

// unhex gives the value of an upper-case hex digit, or -1.
func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

package main

import (
	"bytes"
	"encoding/json"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/openomt/omt/plugins/sdk"
)

// recordLine writes a record as the manifest does: one line of ASCII, its kind first. So a program reads the same whatever
// code page its standard input has.
func recordLine(r sdk.Record) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(r); err != nil {
		return nil, err
	}
	body := bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	line := append(make([]byte, 0, len(body)+32), `{"kind":"`...)
	line = append(append(line, r.Kind()...), '"')
	if body = body[1:]; len(body) > 1 {
		line = append(line, ',')
	}
	return append(appendASCII(line, body), '\n'), nil
}

// appendASCII appends JSON with every character above U+007E as \uXXXX. They stand only inside strings.
func appendASCII(dst, line []byte) []byte {
	for i := 0; i < len(line); {
		if c := line[i]; c < 0x7f {
			dst = append(dst, c)
			i++
			continue
		}
		r, n := utf8.DecodeRune(line[i:])
		if r > 0xffff {
			high, low := utf16.EncodeRune(r)
			dst = appendUnit(appendUnit(dst, high), low)
		} else {
			dst = appendUnit(dst, r)
		}
		i += n
	}
	return dst
}

func appendUnit(dst []byte, u rune) []byte {
	const digits = "0123456789abcdef"
	return append(dst, '\\', 'u', digits[u>>12&15], digits[u>>8&15], digits[u>>4&15], digits[u&15])
}

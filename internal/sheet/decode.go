package sheet

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/unicode"
)

// MaxBytes is the size of the largest file that is read.
const MaxBytes = 32 << 20

// spoilt are the bytes of a UTF-8 byte order mark as a console takes them for letters (code pages 437, 850, 1252).
var spoilt = [...]string{"∩╗┐", "´╗┐", "ï»¿"}

// Decode reads all of r and returns it as UTF-8 without byte order mark, and the name of the encoding that was used.
// The package comment says how the encoding is told; name is one of the W3C's or IANA's names, or empty.
func Decode(r io.Reader, name string) (text, used string, err error) {
	raw, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return "", "", err
	}
	if len(raw) > MaxBytes {
		return "", "", fmt.Errorf("larger than %d MiB; a table that people edit is not", MaxBytes>>20)
	}
	enc, used, err := choose(raw, name)
	if err != nil {
		return "", "", err
	}
	b, err := enc.NewDecoder().Bytes(raw)
	if err != nil {
		return "", "", fmt.Errorf("reading it as %s: %w", used, err)
	}
	text = strings.TrimPrefix(string(b), "\ufeff")
	for _, s := range spoilt {
		if strings.HasPrefix(text, s) {
			return "", "", errors.New("a console has re-encoded it on its way into the file, " +
				"which spoils letters; write it with --out FILE instead of a redirection")
		}
	}
	if i := strings.IndexByte(text, 0); i >= 0 {
		return "", "", fmt.Errorf("byte 0 in line %d: looks like UTF-16 without byte order mark; try --encoding utf-16le",
			1+strings.Count(text[:i], "\n"))
	}
	return text, used, nil
}

// choose tells the encoding of raw.
func choose(raw []byte, name string) (encoding.Encoding, string, error) {
	var named encoding.Encoding
	if name != "" {
		var err error
		if named, err = lookup(name); err != nil {
			return nil, "", err
		}
	}
	utf16 := func(e unicode.Endianness) encoding.Encoding { return unicode.UTF16(e, unicode.UseBOM) }
	switch {
	case bytes.HasPrefix(raw, []byte{0xEF, 0xBB, 0xBF}):
		return strictUTF8{}, "utf-8", checkUTF8(raw)
	case bytes.HasPrefix(raw, []byte{0xFF, 0xFE}):
		return utf16(unicode.LittleEndian), "utf-16le", nil
	case bytes.HasPrefix(raw, []byte{0xFE, 0xFF}):
		return utf16(unicode.BigEndian), "utf-16be", nil
	case named == unicode.UTF8:
		return strictUTF8{}, "utf-8", checkUTF8(raw)
	case named != nil:
		return named, strings.ToLower(name), nil
	case utf8.Valid(raw):
		return strictUTF8{}, "utf-8", nil
	}
	return charmap.Windows1252, "windows-1252", nil
}

// lookup finds an encoding by name. The W3C's list comes first, since it has the names people know; IANA's has the
// code pages of DOS.
func lookup(name string) (encoding.Encoding, error) {
	if e, err := htmlindex.Get(name); err == nil {
		return e, nil
	}
	if e, err := ianaindex.IANA.Encoding(name); err == nil && e != nil {
		return e, nil
	}
	return nil, fmt.Errorf("encoding %q is not known; use a name such as utf-8, utf-16le, windows-1252, windows-1250 or ibm850",
		name)
}

// checkUTF8 says where raw is not valid UTF-8.
func checkUTF8(raw []byte) error {
	line := 1
	for i := 0; i < len(raw); {
		r, n := utf8.DecodeRune(raw[i:])
		if r == utf8.RuneError && n == 1 {
			return fmt.Errorf("byte %#02x in line %d is not UTF-8; save it as UTF-8 or name its encoding with --encoding",
				raw[i], line)
		}
		if r == '\n' {
			line++
		}
		i += n
	}
	return nil
}

// strictUTF8 passes bytes that were found to be valid through. (The library's UTF8 decoder would replace bad ones.)
type strictUTF8 struct{}

// NewDecoder implements encoding.Encoding.
func (strictUTF8) NewDecoder() *encoding.Decoder { return encoding.Nop.NewDecoder() }

// NewEncoder implements encoding.Encoding.
func (strictUTF8) NewEncoder() *encoding.Encoder { return encoding.Nop.NewEncoder() }

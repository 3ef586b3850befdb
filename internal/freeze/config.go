package freeze

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"unicode/utf16"
)

// word is the line that freezes Customer Service.
const word = "frozen"

// The encodings that an edit tells apart. Everything that has one byte for a character of ASCII is Bytes.
const (
	Bytes   = ""
	UTF16LE = "utf-16le"
	UTF16BE = "utf-16be"
)

// Edit is the change that freezes a Service config.
type Edit struct {
	Already  bool   // a line says frozen: nothing is to be done
	Line     int    // the number of that line, or of the one that is put in
	Offset   int64  // where text is put in
	Inserted string // the text
	Encoding string // how it is written
}

// Plan finds out how a file is frozen.
func Plan(raw []byte) (Edit, error) {
	enc, err := encodingOf(raw)
	if err != nil {
		return Edit{}, err
	}
	text := unitsOf(raw, enc)
	lines := 0
	ending, closed := "\r\n", true // of a file without a line: Service is a program of Windows
	for len(text) > 0 {
		line, end := cutLine(text)
		lines++
		if says(line, word) {
			return Edit{Already: true, Line: lines, Encoding: enc}, nil
		}
		if closed = end != ""; closed {
			ending = end
		}
		text = text[len(line)+len(end):]
	}
	e := Edit{Line: lines + 1, Offset: int64(len(raw)), Inserted: word + ending, Encoding: enc}
	if !closed {
		e.Inserted = ending + word
	}
	return e, nil
}

// Apply returns the file with the text put in.
func (e Edit) Apply(raw []byte) []byte {
	return slices.Concat(raw[:e.Offset], e.bytes(), raw[e.Offset:])
}

// Undo returns the file without the text. It is an error where the text does not stand at its place.
func (e Edit) Undo(raw []byte) ([]byte, error) {
	text := e.bytes()
	if e.Offset < 0 || e.Offset > int64(len(raw)) || !bytes.HasPrefix(raw[e.Offset:], text) {
		return nil, fmt.Errorf("%q does not stand at byte %d", e.Inserted, e.Offset)
	}
	return slices.Concat(raw[:e.Offset], raw[int(e.Offset)+len(text):]), nil
}

func (e Edit) bytes() []byte {
	if e.Encoding == Bytes {
		return []byte(e.Inserted)
	}
	var out []byte
	for _, u := range utf16.Encode([]rune(e.Inserted)) {
		low, high := byte(u), byte(u>>8)
		if e.Encoding == UTF16BE {
			low, high = high, low
		}
		out = append(out, low, high)
	}
	return out
}

var errNotText = errors.New("it is no text: it holds bytes 0 that no encoding of text explains")

// encodingOf tells the encoding by the mark, and without one by where bytes 0 stand: in UTF-16 every character of ASCII,
// of which names and line ends are made, has one, always in the same place of the two.
func encodingOf(raw []byte) (string, error) {
	var enc string
	switch {
	case bytes.HasPrefix(raw, []byte{0xff, 0xfe}):
		enc = UTF16LE
	case bytes.HasPrefix(raw, []byte{0xfe, 0xff}):
		enc = UTF16BE
	case bytes.IndexByte(raw, 0) < 0:
		return Bytes, nil
	default:
		var zeros [2]int
		for i, b := range raw {
			if b == 0 {
				zeros[i%2]++
			}
		}
		switch {
		case zeros[0] == 0:
			enc = UTF16LE
		case zeros[1] == 0:
			enc = UTF16BE
		default:
			return "", errNotText
		}
	}
	if len(raw)%2 != 0 {
		return "", errors.New("it ends inside a character of UTF-16")
	}
	if slices.Contains(unitsOf(raw, enc), 0) {
		return "", errNotText
	}
	return enc, nil
}

// unitsOf are the units of the text without its mark.
func unitsOf(raw []byte, enc string) []uint16 {
	if enc == Bytes {
		raw = bytes.TrimPrefix(raw, []byte{0xef, 0xbb, 0xbf})
		units := make([]uint16, len(raw))
		for i, b := range raw {
			units[i] = uint16(b)
		}
		return units
	}
	low, high := 0, 1
	if enc == UTF16BE {
		low, high = 1, 0
	}
	units := make([]uint16, 0, len(raw)/2)
	for i := 0; i+1 < len(raw); i += 2 {
		units = append(units, uint16(raw[i+low])|uint16(raw[i+high])<<8)
	}
	if len(units) > 0 && units[0] == 0xfeff {
		units = units[1:]
	}
	return units
}

// cutLine returns the first line and its end, which is CR LF, CR or LF, or nothing at the end of the text.
func cutLine(text []uint16) (line []uint16, end string) {
	i := slices.IndexFunc(text, func(u uint16) bool { return u == '\r' || u == '\n' })
	switch {
	case i < 0:
		return text, ""
	case text[i] == '\n':
		return text[:i], "\n"
	case i+1 < len(text) && text[i+1] == '\n':
		return text[:i], "\r\n"
	}
	return text[:i], "\r"
}

// says reports whether a line is a word of ASCII, in any letter case, with blanks around it at most.
func says(line []uint16, word string) bool {
	blank := func(u uint16) bool { return u == ' ' || u == '\t' || u == '\v' || u == '\f' }
	for len(line) > 0 && blank(line[0]) {
		line = line[1:]
	}
	for len(line) > 0 && blank(line[len(line)-1]) {
		line = line[:len(line)-1]
	}
	if len(line) != len(word) {
		return false
	}
	for i, u := range line {
		if u >= 'A' && u <= 'Z' {
			u += 'a' - 'A'
		}
		if u != uint16(word[i]) {
			return false
		}
	}
	return true
}

package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"unicode/utf16"
	"unicode/utf8"
)

var errNotUTF8 = errors.New("it is not UTF-8")

// decoder makes UTF-8 of what a program or an editor writes: UTF-8 with or without a byte order mark, or UTF-16 with one,
// as Windows PowerShell and Notepad write it. It takes pieces of any size.
type decoder struct {
	begun bool
	order binary.ByteOrder // of UTF-16; nil: UTF-8
	rest  []byte           // of a character, or the first bytes
}

// decode makes UTF-8 of the next piece. last says that no other follows.
func (d *decoder) decode(p []byte, last bool) ([]byte, error) {
	p = append(d.rest, p...)
	d.rest = nil
	if !d.begun {
		if len(p) < 3 && !last {
			d.rest = p
			return nil, nil
		}
		d.begun = true
		switch {
		case bytes.HasPrefix(p, []byte("\xef\xbb\xbf")):
			p = p[3:]
		case bytes.HasPrefix(p, []byte("\xff\xfe")):
			d.order, p = binary.LittleEndian, p[2:]
		case bytes.HasPrefix(p, []byte("\xfe\xff")):
			d.order, p = binary.BigEndian, p[2:]
		}
	}
	if d.order == nil {
		return p, nil
	}
	return d.utf16(p, last)
}

// utf16 keeps half a unit, or half a pair, for the next piece.
func (d *decoder) utf16(p []byte, last bool) ([]byte, error) {
	if last && len(p)%2 != 0 {
		return nil, errors.New("it ends in the middle of a UTF-16 character")
	}
	n := len(p) &^ 1
	if n >= 2 && !last && d.order.Uint16(p[n-2:])>>10 == 0xd800>>10 {
		n -= 2
	}
	d.rest = bytes.Clone(p[n:])
	units := make([]uint16, 0, n/2)
	for i := 0; i < n; i += 2 {
		units = append(units, d.order.Uint16(p[i:]))
	}
	out := make([]byte, 0, n)
	for _, r := range utf16.Decode(units) {
		out = utf8.AppendRune(out, r)
	}
	return out, nil
}

// decodeText makes a text of a whole file.
func decodeText(b []byte) (string, error) {
	var d decoder
	out, err := d.decode(b, true)
	if err != nil {
		return "", err
	}
	if !utf8.Valid(out) {
		return "", errNotUTF8
	}
	return string(out), nil
}

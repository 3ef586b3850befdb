package dbmodel

import (
	"archive/zip"
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"

	"golang.org/x/text/encoding/unicode"
)

const (
	maxBlob = 32 << 20
	maxJSON = 256 << 20
)

var (
	errTooLong = errors.New("it holds more than 256 MiB of JSON")
	errNoJSON  = errors.New("no JSON")
)

// form is a way in which the JSON may be packed.
type form struct {
	name string
	open func(blob []byte) (io.Reader, error)
}

// forms are tried in this order. Raw deflate has no mark of its own, so that it stands behind those that have one.
var forms = [...]form{
	{"plain", func(b []byte) (io.Reader, error) { return bytes.NewReader(b), nil }},
	{"gzip", func(b []byte) (io.Reader, error) { return gzip.NewReader(bytes.NewReader(b)) }},
	{"zlib", func(b []byte) (io.Reader, error) { return zlib.NewReader(bytes.NewReader(b)) }},
	{"zip", firstEntry},
	{"deflate", func(b []byte) (io.Reader, error) { return flate.NewReader(bytes.NewReader(b)), nil }},
}

// maxPrefix is how many bytes may stand before what is packed: a length of 4 or 8 bytes, or one of 1 to 5 as .NET
// writes before a text.
const maxPrefix = 8

const tried = "plain, gzip, zlib, zip and raw deflate, as it is and behind up to 8 bytes, in UTF-8 and UTF-16"

func firstEntry(b []byte) (io.Reader, error) {
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, err
	}
	for _, f := range z.File {
		if !f.FileInfo().IsDir() {
			return f.Open()
		}
	}
	return nil, errNoJSON
}

// text gives r as UTF-8. UTF-16 is told by its byte order mark, or by the zero byte that half of JSON's first character
// is in it.
func text(r io.Reader) (io.Reader, string, error) {
	b := bufio.NewReader(r)
	head, err := b.Peek(3)
	if len(head) < 2 {
		return nil, "", errors.Join(errNoJSON, err)
	}
	utf16 := func(e unicode.Endianness) (io.Reader, string, error) {
		return unicode.UTF16(e, unicode.UseBOM).NewDecoder().Reader(b), "UTF-16", nil
	}
	switch {
	case bytes.Equal(head, []byte{0xEF, 0xBB, 0xBF}):
		_, err := b.Discard(3)
		return b, "UTF-8", err
	case head[0] == 0xFF && head[1] == 0xFE, head[0] != 0 && head[1] == 0:
		return utf16(unicode.LittleEndian)
	case head[0] == 0xFE && head[1] == 0xFF, head[0] == 0 && head[1] != 0:
		return utf16(unicode.BigEndian)
	}
	return b, "UTF-8", nil
}

// limited ends a stream of more than maxJSON bytes, and one of more than maxValue since the last call of rest.
type limited struct {
	r           io.Reader
	left, value int
}

func (l *limited) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, errTooLong
	}
	if l.value <= 0 {
		return 0, errLongValue
	}
	n, err := l.r.Read(p[:min(len(p), l.left, l.value)])
	l.left -= n
	l.value -= n
	return n, err
}

// rest says that a value has ended.
func (l *limited) rest() { l.value = maxValue }

// search tries all forms and returns the lists of the first that is JSON to its end, with a word for the form. Where
// JSON broke off in a form, the error tells of that and not of the others.
func search(blob []byte) (*lists, string, error) {
	var broken error
	for off := range min(maxPrefix+1, len(blob)) {
		for _, f := range forms {
			r, err := f.open(blob[off:])
			if err != nil {
				continue
			}
			how := f.name
			if off > 0 {
				how += fmt.Sprintf(" behind %d bytes", off)
			}
			found, encoding, err := read(r)
			if err == nil {
				return found, how + ", " + encoding, nil
			}
			if broken == nil && !errors.Is(err, errNoJSON) {
				broken = fmt.Errorf("it begins as JSON (%s, %s) and breaks off: %w", how, encoding, err)
			}
		}
	}
	if broken != nil {
		return nil, "", broken
	}
	return nil, "", fmt.Errorf("it is JSON in none of the forms that were tried: %s", tried)
}

func read(r io.Reader) (*lists, string, error) {
	t, encoding, err := text(r)
	if err != nil {
		return nil, "", err
	}
	found, err := walk(&limited{r: t, left: maxJSON, value: maxValue})
	return found, encoding, err
}

package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// MaxLine is the longest line that is read or written, in bytes of UTF-8 without its line end.
const MaxLine = 16 << 20

const (
	startBuffer = 64 << 10
	maxBuffer   = MaxLine + 64<<10
)

var byteOrderMark = []byte("\xef\xbb\xbf")

// lines splits a stream into lines of UTF-8, whatever of the accepted encodings and line ends it has. The buffer grows
// with the longest line, up to maxBuffer.
type lines struct {
	src      io.Reader
	buf      []byte
	pos, end int // buf[pos:end] is read and not yet returned
	seen     int // buf[pos:seen] holds no line end
	begun    bool
	done     bool  // src has no more
	cr       bool  // the last line ended with CR alone, so that an LF right behind it belongs to it
	number   int64 // of the line last returned, as an editor counts
}

// next returns the next line that is not blank, without line end and byte order marks, valid until the call after.
func (l *lines) next() ([]byte, error) {
	if !l.begun {
		if err := l.begin(); err != nil {
			return nil, err
		}
		l.begun = true
	}
	for {
		raw, err := l.split()
		if err != nil {
			return nil, err
		}
		for bytes.HasPrefix(raw, byteOrderMark) {
			raw = raw[len(byteOrderMark):]
		}
		if len(raw) > 0 && (raw[0] == '{' || len(bytes.Trim(raw, " \t")) > 0) {
			return raw, nil
		}
	}
}

// split returns the next line, blank or not.
func (l *lines) split() ([]byte, error) {
	for {
		if i := lineEnd(l.buf[l.seen:l.end]); i >= 0 {
			if raw, ok := l.cut(l.seen + i); ok {
				if err := l.tooLong(len(raw)); err != nil {
					return nil, err
				}
				l.number++
				return raw, nil
			}
			continue
		}
		l.seen = l.end
		if err := l.tooLong(l.end - l.pos); err != nil {
			return nil, err
		}
		if l.done {
			if l.pos == l.end {
				return nil, io.EOF
			}
			raw := l.buf[l.pos:l.end]
			l.pos = l.end
			l.number++
			return raw, nil
		}
		if err := l.fill(); err != nil {
			return nil, err
		}
	}
}

// cut takes the line that ends at at. It is no line when at is the LF of a CRLF whose CR has ended one already.
func (l *lines) cut(at int) ([]byte, bool) {
	raw, c, after := l.buf[l.pos:at], l.buf[at], l.cr
	l.pos = at + 1
	l.cr = false
	if c == '\r' {
		if l.pos < l.end && l.buf[l.pos] == '\n' {
			l.pos++
		} else {
			l.cr = true
		}
	}
	l.seen = l.pos
	return raw, !after || c != '\n' || len(raw) != 0
}

// lineEnd finds the first CR or LF.
func lineEnd(b []byte) int {
	lf := bytes.IndexByte(b, '\n')
	if lf >= 0 {
		b = b[:lf]
	}
	if cr := bytes.IndexByte(b, '\r'); cr >= 0 {
		return cr
	}
	return lf
}

func (l *lines) tooLong(n int) error {
	if n <= MaxLine {
		return nil
	}
	return Errorf(BadInput, "line %d is longer than %d bytes", l.number+1, MaxLine).
		WithHint("no stage writes such a line; the input is no manifest or was damaged")
}

// fill reads more behind what is there.
func (l *lines) fill() error {
	if l.pos > 0 {
		copy(l.buf, l.buf[l.pos:l.end])
		l.end -= l.pos
		l.seen -= l.pos
		l.pos = 0
	}
	if l.end == len(l.buf) {
		grown := make([]byte, min(max(2*len(l.buf), startBuffer), maxBuffer))
		copy(grown, l.buf[:l.end])
		l.buf = grown
	}
	for range 100 {
		n, err := l.src.Read(l.buf[l.end:])
		l.end += n
		if errors.Is(err, io.EOF) {
			l.done = true
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading the manifest: %w", err)
		}
		if n > 0 {
			return nil
		}
	}
	return fmt.Errorf("reading the manifest: %w", io.ErrNoProgress)
}

// begin finds out the encoding by the first four bytes and puts a decoder in between where one is needed.
func (l *lines) begin() error {
	for !l.done && l.end-l.pos < 4 {
		if err := l.fill(); err != nil {
			return err
		}
	}
	head := l.buf[l.pos:min(l.end, l.pos+4)]
	has := func(prefix string) bool { return bytes.HasPrefix(head, []byte(prefix)) }
	switch {
	case has("\xff\xfe\x00\x00"), has("\x00\x00\xfe\xff"), has("{\x00\x00\x00"), has("\x00\x00\x00{"):
		return wrongEncoding("UTF-32")
	case has("\xff\xfe"), has("\xfe\xff"):
		l.decodeUTF16()
	case len(head) > 1 && head[1] == 0:
		return wrongEncoding("UTF-16 little-endian without a byte order mark")
	case len(head) > 1 && head[0] == 0:
		return wrongEncoding("UTF-16 big-endian without a byte order mark")
	case has("\x28\xb5\x2f\xfd"):
		return Errorf(BadInput, "the input is compressed with zstd").WithHint("unpack it first: zstd -d")
	case has("\x1f\x8b"):
		return Errorf(BadInput, "the input is compressed with gzip").WithHint("unpack it first: gzip -d")
	}
	return nil
}

func wrongEncoding(name string) error {
	return Errorf(BadInput, "the input is %s; a manifest is UTF-8, or UTF-16 with a byte order mark", name).
		WithHint("save it as UTF-8")
}

// decodeUTF16 decodes what was read and all that follows.
func (l *lines) decodeUTF16() {
	rest := l.src
	if l.done {
		rest = bytes.NewReader(nil)
	}
	read := bytes.Clone(l.buf[l.pos:l.end])
	decoder := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder()
	l.src = transform.NewReader(io.MultiReader(bytes.NewReader(read), rest), decoder)
	l.pos, l.end, l.seen, l.done = 0, 0, 0, false
}

// Package manifesttest models what Windows PowerShell does to the output of a native program on its way into the next
// one or into a file, so that every tool can be tested against it on any system.
//
// The model: the shell decodes the bytes with the console's code page (437 here), splits them into lines at CR, LF or
// CRLF, and writes each line with CRLF in another encoding. It is a model from the documentation and the sources of
// PowerShell; it has not been compared with one.
package manifesttest

import (
	"errors"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// Filter is one way through the shell.
type Filter struct {
	Name string
	// Apply copies src to dst as the shell would.
	Apply func(dst io.Writer, src io.Reader) error
}

// PowerShell are the ways through the shell that change bytes.
var PowerShell = []Filter{
	{"5.1 pipe", pipe51},
	{"7.0 to 7.3 pipe", through(encoding.Nop)},
	{"5.1 redirection", through(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM))},
	{"UTF-8 with byte order mark", through(unicode.UTF8BOM)},
	{"two 5.1 pipes", twice},
}

// through makes a filter that writes text in the given encoding.
func through(to encoding.Encoding) func(io.Writer, io.Reader) error {
	return func(dst io.Writer, src io.Reader) error {
		out := to.NewEncoder().Writer(dst)
		err := text(out, src)
		if c, ok := out.(io.Closer); ok {
			err = errors.Join(err, c.Close())
		}
		return err
	}
}

// pipe51 writes ASCII, "?" for any other character: $OutputEncoding of Windows PowerShell 5.1.
func pipe51(dst io.Writer, src io.Reader) error { return text(question{dst}, src) }

// twice is a | b | c, where b copies its input.
func twice(dst io.Writer, src io.Reader) error {
	r, w := io.Pipe()
	go func() { w.CloseWithError(pipe51(w, src)) }()
	err := pipe51(dst, r)
	r.CloseWithError(err)
	return err
}

// question replaces what is not ASCII. It is written whole characters.
type question struct{ w io.Writer }

func (q question) Write(p []byte) (int, error) {
	out := make([]byte, 0, len(p))
	for _, r := range string(p) {
		if r > 0x7f {
			r = '?'
		}
		out = append(out, byte(r))
	}
	_, err := q.w.Write(out)
	return len(p), err
}

// text decodes src with code page 437 and writes its lines as UTF-8, each with CRLF behind it, whole characters at a
// time.
func text(dst io.Writer, src io.Reader) error {
	var utf [256][]byte
	for c := range utf {
		utf[c] = utf8.AppendRune(nil, charmap.CodePage437.DecodeByte(byte(c)))
	}
	in, out := make([]byte, 32<<10), []byte(nil)
	open, cr := false, false // a line has begun; the byte before was CR
	for {
		n, err := src.Read(in)
		out = out[:0]
		for _, c := range in[:n] {
			switch {
			case c == '\n' && cr:
				cr = false
			case c == '\n' || c == '\r':
				out = append(out, "\r\n"...)
				open, cr = false, c == '\r'
			default:
				out = append(out, utf[c]...)
				open, cr = true, false
			}
		}
		if errors.Is(err, io.EOF) && open {
			out = append(out, "\r\n"...)
		}
		if _, werr := dst.Write(out); werr != nil {
			return werr
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// errReaderGone is what writing to standard output gives when the program that read it has ended. The run stops without
// a word: whoever is left of the pipe has already said why.
var errReaderGone = errors.New("the reader of standard output has gone")

// stdout names the one write error that is nobody's fault, so that a broken connection elsewhere is not mistaken for it.
type stdout struct{ w io.Writer }

func (s *stdout) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	if err != nil && isBrokenPipe(err) {
		err = fmt.Errorf("%w: %w", errReaderGone, err)
	}
	return n, err
}

// isPipe reports whether what is written goes to another program.
func isPipe(w io.Writer) bool {
	if s, ok := w.(*stdout); ok {
		w = s.w
	}
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeNamedPipe != 0
}

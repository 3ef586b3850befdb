package report

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/openomt/omt/internal/manifest"
)

// Shown is how many entries of a list stand in the page; the CSV and the JSON have all.
const Shown = 500

// lost are the records of what did not make it: the first few in memory, all of them in a temporary file, one a line.
type lost struct {
	total int64
	first []manifest.File
	file  *os.File
	w     *bufio.Writer
}

// add takes a record in the order of the manifest.
func (l *lost) add(temp string, line manifest.Line, f manifest.File) (err error) {
	if l.total++; l.total <= Shown {
		l.first = append(l.first, f)
	}
	if l.file == nil {
		if l.file, err = os.CreateTemp(temp, "omt-report-*"); err != nil {
			return fmt.Errorf("creating a temporary file: %w", err)
		}
		l.w = bufio.NewWriterSize(l.file, 256<<10)
	}
	if _, err = l.w.Write(line.Raw); err == nil {
		err = l.w.WriteByte('\n')
	}
	if err != nil {
		return manifest.Errorf(manifest.Failed, "writing a temporary file: %w", err).WithHint("--temp DIR keeps temporary files in another folder")
	}
	return nil
}

// each calls fn for all of them. It may be called again.
func (l *lost) each(fn func(manifest.File) error) error {
	if l == nil || l.file == nil {
		return nil
	}
	if err := l.w.Flush(); err != nil {
		return fmt.Errorf("writing a temporary file: %w", err)
	}
	if _, err := l.file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("reading a temporary file: %w", err)
	}
	r := bufio.NewReaderSize(l.file, 256<<10)
	for n := int64(0); n < l.total; n++ {
		raw, err := readLine(r)
		if err != nil {
			return fmt.Errorf("reading a temporary file: %w", err)
		}
		f, err := manifest.Line{Kind: manifest.KindFile, Raw: raw}.File()
		if err == nil {
			err = fn(f)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readLine reads a line of any length without its end.
func readLine(r *bufio.Reader) ([]byte, error) {
	line, err := r.ReadSlice('\n')
	if err == nil {
		return line[:len(line)-1], nil
	}
	if !errors.Is(err, bufio.ErrBufferFull) {
		return nil, err
	}
	long := append([]byte(nil), line...)
	rest, err := r.ReadBytes('\n')
	if err != nil {
		return nil, err
	}
	long = append(long, rest...)
	return long[:len(long)-1], nil
}

func (l *lost) close() {
	if l != nil && l.file != nil {
		l.file.Close()
		os.Remove(l.file.Name())
	}
}

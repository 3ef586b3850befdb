package install

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// MaxBytes is the size of the largest configuration file that is read.
const MaxBytes = 4 << 20

// readFile reads a configuration file.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading %q: %w", path, reason(err))
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, fmt.Errorf("reading %q: it is a folder", path)
	}
	raw, err := io.ReadAll(io.LimitReader(f, MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("reading %q: %w", path, reason(err))
	}
	if len(raw) > MaxBytes {
		return nil, fmt.Errorf("reading %q: larger than %d MiB, which no configuration file is", path, MaxBytes>>20)
	}
	return raw, nil
}

// reason is the cause of a file error without the path, which the message around it names.
func reason(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

var (
	errBareUTF16 = errors.New("looks like UTF-16 without byte order mark; save it as UTF-8 or with the mark")
	errCutUTF16  = errors.New("ends inside a UTF-16 character")
)

// decode returns raw as UTF-8 without byte order mark. marked tells that a mark decided.
func decode(raw []byte) (text []byte, marked bool, err error) {
	switch {
	case bytes.HasPrefix(raw, []byte("\xEF\xBB\xBF")):
		raw, marked = raw[3:], true
	case bytes.HasPrefix(raw, []byte("\xFF\xFE")):
		raw, err = fromUTF16(raw, unicode.LittleEndian)
		return raw, true, err
	case bytes.HasPrefix(raw, []byte("\xFE\xFF")):
		raw, err = fromUTF16(raw, unicode.BigEndian)
		return raw, true, err
	}
	if bytes.IndexByte(raw, 0) >= 0 {
		return nil, marked, errBareUTF16
	}
	if utf8.Valid(raw) {
		return raw, marked, nil
	}
	text, err = charmap.Windows1252.NewDecoder().Bytes(raw)
	return text, marked, err
}

func fromUTF16(raw []byte, e unicode.Endianness) ([]byte, error) {
	if len(raw)%2 != 0 {
		return nil, errCutUTF16
	}
	text, err := unicode.UTF16(e, unicode.UseBOM).NewDecoder().Bytes(raw)
	if err == nil && bytes.IndexByte(text, 0) >= 0 {
		err = errors.New("holds a character 0")
	}
	return text, err
}

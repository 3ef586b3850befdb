package sheet

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Separator reads the name of a separator as a flag has it: ";", ",", "semicolon", "comma", "tab".
func Separator(name string) (rune, error) {
	switch strings.ToLower(name) {
	case ";", "semicolon":
		return ';', nil
	case ",", "comma":
		return ',', nil
	case "\t", "tab":
		return '\t', nil
	}
	return 0, fmt.Errorf("separator %q: want semicolon, comma or tab", name)
}

// Write writes a table with header so that Excel opens it and Read reads the same cells: UTF-8 with byte order mark,
// CRLF. A line end inside a cell is written as LF.
func Write(w io.Writer, separator rune, header []string, rows [][]string) error {
	if !slices.Contains(separators[:], separator) {
		return fmt.Errorf("separator %q: want one of %q", separator, separators)
	}
	var b strings.Builder
	b.WriteString("\ufeff")
	line := func(cells []string) {
		for i, c := range cells {
			if i > 0 {
				b.WriteRune(separator)
			}
			b.WriteString(quote(c, separator))
		}
		b.WriteString("\r\n")
	}
	line(header)
	for _, cells := range rows {
		line(cells)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// quote puts a cell into quotes where it would be misread without.
func quote(cell string, separator rune) string {
	cell = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(cell)
	if !strings.ContainsRune(cell, separator) && !strings.ContainsAny(cell, "\"\n") && cell == strings.TrimSpace(cell) {
		return cell
	}
	return `"` + strings.ReplaceAll(cell, `"`, `""`) + `"`
}

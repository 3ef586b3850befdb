package inventory

import (
	"strconv"
	"strings"
)

const digits = "0123456789"

// number gives the row id in the name of an attachment's file (its last path element): the number at its front, else the
// only number before the extension, else an extension of digits. That the name comes from the id is documented, its
// spelling is not.
func number(name string) (int64, bool) {
	if n, ok := parse(leading(name)); ok {
		return n, true
	}
	stem, ext := name, ""
	if dot := strings.LastIndexByte(name, '.'); dot >= 0 {
		stem, ext = name[:dot], name[dot+1:]
	}
	only := strings.FieldsFunc(stem, func(r rune) bool { return r < '0' || r > '9' })
	switch len(only) {
	case 1:
		return parse(only[0])
	case 0:
		if leading(ext) == ext {
			return parse(ext)
		}
	}
	return 0, false
}

// leading gives the digits at the front.
func leading(s string) string { return s[:len(s)-len(strings.TrimLeft(s, digits))] }

// parse reads a row id; 0 is none.
func parse(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n <= 0 {
		return 0, false
	}
	return n, true
}

package sheet

import "strings"

// Bool reads a truth value: true or false in any case, and what a spreadsheet of another language makes of them when it
// saves a file, since it takes the words for truth values of its own (WAHR, SANN, …).
func Bool(cell string) (value, ok bool) {
	switch strings.ToUpper(cell) {
	case "TRUE", "1", "WAHR", "SANN", "SANT", "SAND", "WAAR", "TOSI", "VRAI", "VERDADERO", "VERO", "PRAWDA":
		return true, true
	case "FALSE", "0", "FALSCH", "USANN", "FALSKT", "FALSK", "ONWAAR", "EPÄTOSI", "FAUX", "FALSO", "FAŁSZ":
		return false, true
	}
	return false, false
}

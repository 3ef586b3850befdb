package runbook

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Command is a command line, word by word.
type Command []string

// Bash writes the command as a line that bash reads back as the same words.
func (c Command) Bash() string { return c.words(bashWord).String() }

// PowerShell writes the command as a line that PowerShell reads back as the same words.
func (c Command) PowerShell() string { return c.words(powershellWord).String() }

func (c Command) words(quote func(string) string) line {
	words := make(line, len(c))
	for i, w := range c {
		words[i] = quote(w)
	}
	return words
}

// plain are the characters that neither shell takes for its own, wherever they stand in a word.
const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/:._-=+%"

func isPlain(s string) bool {
	return s != "" && s[0] != '@' && strings.Trim(s, plain+"@") == ""
}

// unseen reports whether a character is not to be written as it is: it controls the terminal, or turns directions.
func unseen(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) || r == unicode.ReplacementChar
}

func bashWord(s string) string {
	switch {
	case isPlain(s):
		return s
	case strings.ContainsFunc(s, unseen):
		var b strings.Builder
		for i := 0; i < len(s); {
			r, n := utf8.DecodeRuneInString(s[i:])
			switch {
			case r == '\'' || r == '\\':
				b.WriteString(`\` + string(r))
			case unseen(r):
				for j := range n {
					fmt.Fprintf(&b, `\x%02x`, s[i+j])
				}
			default:
				b.WriteRune(r)
			}
			i += n
		}
		return "$'" + b.String() + "'"
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// quotes are what PowerShell takes for a single quote.
const quotes = "'\u2018\u2019\u201a\u201b"

func powershellWord(s string) string {
	switch {
	case isPlain(s):
		return s
	case strings.ContainsFunc(s, unseen):
		var b strings.Builder
		for _, r := range s {
			switch {
			case strings.ContainsRune("`$\"\u201c\u201d\u201e", r):
				b.WriteString("`" + string(r))
			case unseen(r) && r > 0xffff:
				fmt.Fprintf(&b, "$([char]::ConvertFromUtf32(0x%x))", r)
			case unseen(r):
				fmt.Fprintf(&b, "$([char]0x%04x)", r)
			default:
				b.WriteRune(r)
			}
		}
		return `"` + b.String() + `"`
	}
	// Windows PowerShell puts words with blanks between quotation marks for the program, of which a backslash at the end
	// would take the second away.
	if strings.HasSuffix(s, `\`) && strings.Contains(s, " ") {
		s += `\`
	}
	var b strings.Builder
	for _, r := range s {
		if strings.ContainsRune(quotes, r) {
			b.WriteRune(r)
		}
		b.WriteRune(r)
	}
	return "'" + b.String() + "'"
}

// clean makes text of an installation fit to be shown in a line.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unseen(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

package sqlselect

import (
	"strings"
	"unicode/utf8"
)

// kind is what a token is.
type kind int

const (
	word   kind = iota // a bare word
	quoted             // a name in brackets or double quotes
	text               // a string
	number
	table // {name}
	mark  // one character of punctuation
)

// token is a piece of the statement that is no blank and no comment.
type token struct {
	kind     kind
	from, to int    // where it stands
	word     string // upper case for a word; as it is for the name of a table or a quoted one; the character of a mark
}

// lexer cuts a statement into tokens.
type lexer struct {
	sql      string
	at       int
	tokens   []token
	comments [][2]int
}

// tokenise cuts sql, which must be valid UTF-8.
func tokenise(sql string) (*lexer, error) {
	l := &lexer{sql: sql}
	for l.at < len(sql) {
		if err := l.next(); err != nil {
			return nil, err
		}
	}
	return l, nil
}

func (l *lexer) next() error {
	c, rest := l.sql[l.at], l.sql[l.at:]
	switch {
	case c == ' ' || c == '\t' || c == '\n':
		l.at++
		return nil
	case c == '\r' && strings.HasPrefix(rest, "\r\n"):
		l.at += 2
		return nil
	case strings.HasPrefix(rest, "--"):
		return l.lineComment()
	case strings.HasPrefix(rest, "/*"):
		return l.blockComment()
	case isLetter(c):
		return l.word()
	case isDigit(c), c == '.' && len(rest) > 1 && isDigit(rest[1]):
		return l.number()
	case c == '\'':
		return l.quoted(text, '\'')
	case c == '"':
		return l.quoted(quoted, '"')
	case c == '[':
		return l.quoted(quoted, ']')
	case c == '{':
		return l.table()
	case strings.IndexByte("+-*/%=<>!~&|^,.();", c) >= 0:
		l.add(mark, 1, string(c))
		return nil
	}
	r, _ := utf8.DecodeRuneInString(rest)
	return l.refuse(l.at, "%q is not taken outside quotes and brackets%s", r, why[r])
}

// why says more of characters that have a meaning elsewhere.
var why = map[rune]string{
	'@': ": a query has no variables", '#': ": temporary tables are not there", '?': ": a query has no parameters",
	':': ": a query has no parameters", '$': ": a query has no parameters", '`': ": write names in brackets",
}

func (l *lexer) add(k kind, length int, w string) {
	l.tokens = append(l.tokens, token{kind: k, from: l.at, to: l.at + length, word: w})
	l.at += length
}

func isLetter(c byte) bool { return c == '_' || 'a' <= c|0x20 && c|0x20 <= 'z' }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }

// word reads a bare word. A quote directly after it would be a prefix, of which N alone means the same everywhere.
func (l *lexer) word() error {
	n := 1
	for l.at+n < len(l.sql) && (isLetter(l.sql[l.at+n]) || isDigit(l.sql[l.at+n])) {
		n++
	}
	if l.at+n < len(l.sql) && l.sql[l.at+n] == '\'' {
		if w := l.sql[l.at : l.at+n]; w != "N" && w != "n" {
			return l.refuse(l.at, "%s directly before a quote is not taken", w)
		}
		l.at++
		err := l.quoted(text, '\'')
		if err == nil {
			l.tokens[len(l.tokens)-1].from--
		}
		return err
	}
	l.add(word, n, strings.ToUpper(l.sql[l.at:l.at+n]))
	return nil
}

// number reads 12, 1.5, .5, 1e-3 or 0x1F. A letter or point directly after it is read differently by engines.
func (l *lexer) number() error {
	s, n := l.sql[l.at:], 0
	digits := func(ok func(byte) bool) {
		for n < len(s) && ok(s[n]) {
			n++
		}
	}
	if strings.HasPrefix(s, "0x") || strings.HasPrefix(s, "0X") {
		n = 2
		digits(func(c byte) bool { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' })
	} else {
		digits(isDigit)
		if n < len(s) && s[n] == '.' {
			n++
			digits(isDigit)
		}
		if n < len(s) && s[n]|0x20 == 'e' {
			n++
			if n < len(s) && (s[n] == '+' || s[n] == '-') {
				n++
			}
			if n == len(s) || !isDigit(s[n]) {
				return l.refuse(l.at, "the number has no exponent behind its e")
			}
			digits(isDigit)
		}
	}
	if n < len(s) && (isLetter(s[n]) || s[n] == '.' || s[n] == '\'' || s[n] == '"' || s[n] == '[') {
		return l.refuse(l.at, "%q directly after a number is not taken: put a blank between them", s[n])
	}
	l.add(number, n, "")
	return nil
}

// quoted reads up to the closing quote, which is doubled to stand for itself, but for a bracket.
func (l *lexer) quoted(k kind, end byte) error {
	start := l.at
	for i := l.at + 1; i < len(l.sql); i++ {
		c := l.sql[i]
		switch {
		case c == end && i+1 < len(l.sql) && l.sql[i+1] == end:
			if end == ']' {
				return l.refuse(start, "a name with a bracket in it is not taken")
			}
			i++
		case c == end:
			l.add(k, i+1-start, l.sql[start+1:i])
			return nil
		case c == '\\' && i+1 < len(l.sql) && (l.sql[i+1] == '\n' || l.sql[i+1] == '\r'):
			return l.refuse(i, "a backslash at the end of a line in quotes is not taken")
		case c < ' ' && c != '\t' && c != '\n' && c != '\r', c == 0x7f:
			return l.refuse(i, "control character %#02x is not taken", c)
		}
	}
	return l.refuse(start, "it is not closed: %q", l.sql[start])
}

// table reads {name}.
func (l *lexer) table() error {
	end := strings.IndexByte(l.sql[l.at:], '}')
	if end < 0 {
		return l.refuse(l.at, "{ is not closed: a table is written {name}")
	}
	name := l.sql[l.at+1 : l.at+end]
	ok := name != "" && isLetter(name[0])
	for i := range len(name) {
		ok = ok && (isLetter(name[i]) || isDigit(name[i]))
	}
	if !ok || len(name) > 128 {
		return l.refuse(l.at, "%q names no table: letters, digits and _ between { and }", clip(name))
	}
	l.add(table, end+1, name)
	return nil
}

// lineComment reads to the end of the line.
func (l *lexer) lineComment() error {
	end := strings.IndexByte(l.sql[l.at:], '\n')
	if end < 0 {
		end = len(l.sql) - l.at
	}
	return l.comment(end, strings.TrimSuffix(l.sql[l.at:l.at+end], "\r"))
}

// blockComment reads to the first */. What engines would nest is refused.
func (l *lexer) blockComment() error {
	end := strings.Index(l.sql[l.at+2:], "*/")
	if end < 0 {
		return l.refuse(l.at, "the comment is not closed")
	}
	body := l.sql[l.at+2 : l.at+2+end]
	if strings.Contains(body+"*", "/*") {
		return l.refuse(l.at, "a comment with /* in it is not taken: servers do not agree on where it ends")
	}
	return l.comment(end+4, body)
}

// comment notes a comment, in which no character may end a line for one engine alone.
func (l *lexer) comment(length int, body string) error {
	body = strings.ReplaceAll(body, "\r\n", "\n")
	for _, r := range body {
		if r < ' ' && r != '\t' && r != '\n' || 0x7f <= r && r < 0xa0 || r == 0x2028 || r == 0x2029 {
			return l.refuse(l.at, "control character %#02x is not taken, in comments neither", r)
		}
	}
	l.comments = append(l.comments, [2]int{l.at, l.at + length})
	l.at += length
	return nil
}

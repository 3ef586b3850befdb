package sqlselect

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// The limits of a statement.
const (
	MaxLength = 64 << 10 // bytes
	maxDepth  = 50       // parentheses within each other
)

// Statement is one SELECT that may be run.
type Statement struct {
	sql      string
	tokens   []token
	comments [][2]int
	end      int // where the last token ends, a closing semicolon left out
}

// Parse reads one SELECT. The package comment says what is taken; every error says where, and what is wrong there.
func Parse(sql string) (Statement, error) {
	if len(sql) > MaxLength {
		return Statement{}, fmt.Errorf("the query has %d bytes, and at most %d are taken", len(sql), MaxLength)
	}
	sql = strings.TrimPrefix(sql, "\ufeff")
	if !utf8.ValidString(sql) {
		return Statement{}, fmt.Errorf("the query is not valid UTF-8")
	}
	l, err := tokenise(sql)
	if err != nil {
		return Statement{}, err
	}
	if n := len(l.tokens); n > 0 && l.tokens[n-1].is(";") {
		l.tokens = l.tokens[:n-1]
	}
	if len(l.tokens) == 0 {
		return Statement{}, fmt.Errorf("the query is empty")
	}
	p := &parser{lexer: l}
	if err := p.statement(); err != nil {
		return Statement{}, err
	}
	return Statement{sql: sql, tokens: l.tokens, comments: l.comments, end: l.tokens[len(l.tokens)-1].to}, nil
}

// refuse is the error for what stands at a place.
func (l *lexer) refuse(at int, format string, args ...any) error {
	before := l.sql[:at]
	line := strings.Count(before, "\n") + 1
	column := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
	return fmt.Errorf("line %d, column %d: %s", line, column, fmt.Sprintf(format, args...))
}

func clip(s string) string {
	if len(s) > 40 {
		return strings.ToValidUTF8(s[:40], "") + "…"
	}
	return s
}

// is reports whether the token is a mark.
func (t token) is(m string) bool { return t.kind == mark && t.word == m }

// keyword reports whether the token is one of some bare words.
func (t token) keyword(any ...string) bool { return t.kind == word && slices.Contains(any, t.word) }

// in reports whether the token is one of some words.
func (t token) in(s set) bool { return t.kind == word && s[t.word] }

// name is the word or quoted name as it is written, without quotes.
func (l *lexer) name(t token) string {
	if t.kind == word {
		return l.sql[t.from:t.to]
	}
	return t.word
}

// Tables are the names of the tables, each once, in the order in which they appear.
func (s Statement) Tables() []string {
	var names []string
	for _, t := range s.tokens {
		if t.kind == table && !slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, t.word) }) {
			names = append(names, t.word)
		}
	}
	return names
}

// Expand writes the statement with the tables that ref gives, and without comments. A table that ref does not have is an
// error.
func (s Statement) Expand(ref func(table string) (ref string, ok bool)) (string, error) {
	e := expansion{sql: s.sql, comments: s.comments}
	for _, t := range s.tokens {
		if t.kind != table {
			continue
		}
		full, ok := ref(t.word)
		if !ok {
			return "", fmt.Errorf("there is no table %q", t.word)
		}
		e.copy(t.from)
		e.apart(full, t.to)
		e.at = t.to
	}
	e.copy(s.end)
	return strings.TrimSpace(e.out.String()), nil
}

// WithoutN is the statement with 'text' in place of N'text', for an engine that knows no code pages.
func (s Statement) WithoutN() Statement {
	dropped := slices.Clone(s.comments)
	for _, t := range s.tokens {
		if t.kind == text && s.sql[t.from] != '\'' {
			dropped = append(dropped, [2]int{t.from, t.from + 1})
		}
	}
	slices.SortFunc(dropped, func(a, b [2]int) int { return a[0] - b[0] })
	s.comments = dropped
	return s
}

// expansion is a statement in the making.
type expansion struct {
	sql      string
	comments [][2]int // those that are still to come
	at       int
	out      strings.Builder
}

// copy goes on to a place, with a blank for every comment before it.
func (e *expansion) copy(to int) {
	for len(e.comments) > 0 && e.comments[0][0] < to {
		e.out.WriteString(e.sql[e.at:e.comments[0][0]] + " ")
		e.at, e.comments = e.comments[0][1], e.comments[1:]
	}
	e.out.WriteString(e.sql[e.at:to])
}

// apart writes a name, with blanks where it would grow together with a quoted name beside it.
func (e *expansion) apart(name string, next int) {
	e.out.WriteString(" " + name)
	if next < len(e.sql) && e.sql[next] != '.' {
		e.out.WriteByte(' ')
	}
}

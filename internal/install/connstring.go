package install

import (
	"errors"
	"regexp"
	"strings"
)

// errConnection is all that is said of a damaged connection string, since any part of it may be a password.
var errConnection = errors.New("the connection string is damaged")

// pair is one KEY=VALUE of a connection string.
type pair struct {
	key   string // in lower case, without spaces and underscores
	name  string // as it was written
	value string
}

// connection is a connection string of ADO.NET, OLE DB or ODBC.
type connection []pair

// written is how a connection string begins; a URL has a colon before the first equals sign.
var written = regexp.MustCompile(`^[;\s]*[A-Za-z][A-Za-z0-9_ ]*=`)

// isConnection tells a connection string from a URL.
func isConnection(s string) bool { return written.MatchString(s) }

var squeeze = strings.NewReplacer(" ", "", "_", "", "\t", "")

// parseConnection reads KEY=VALUE pairs with semicolons between them. A value may stand in " or ', where the quote
// doubled is the quote, or in braces as ODBC writes it.
func parseConnection(s string) (connection, error) {
	var c connection
	for s = strings.TrimLeft(s, "; \t\r\n"); s != ""; s = strings.TrimLeft(s, "; \t\r\n") {
		name, rest, ok := strings.Cut(s, "=")
		name = strings.TrimSpace(name)
		if !ok || name == "" || strings.Contains(name, ";") {
			return nil, errConnection
		}
		rest = strings.TrimLeft(rest, " \t\r\n")
		value, tail, err := connectionValue(rest)
		if err != nil {
			return nil, err
		}
		c = append(c, pair{key: strings.ToLower(squeeze.Replace(name)), name: name, value: value})
		s = tail
	}
	return c, nil
}

func connectionValue(s string) (value, rest string, err error) {
	if s == "" || !strings.ContainsRune(`"'{`, rune(s[0])) {
		value, rest, _ = strings.Cut(s, ";")
		return strings.TrimSpace(value), rest, nil
	}
	end := s[0]
	if end == '{' {
		end = '}'
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] != end:
			b.WriteByte(s[i])
		case i+1 < len(s) && s[i+1] == end:
			b.WriteByte(end)
			i++
		default:
			rest = strings.TrimLeft(s[i+1:], " \t\r\n")
			if rest != "" && rest[0] != ';' {
				return "", "", errConnection
			}
			return b.String(), strings.TrimPrefix(rest, ";"), nil
		}
	}
	return "", "", errConnection
}

// get returns the value of a key. Of equal keys the last counts, and the first in a string of ODBC, which names a driver
// or a data source.
func (c connection) get(key string) string {
	value, odbc := "", c.has("driver") || c.has("dsn")
	for _, p := range c {
		if p.key == key && (value == "" || !odbc) {
			value = p.value
		}
	}
	return value
}

func (c connection) has(key string) bool {
	for _, p := range c {
		if p.key == key {
			return true
		}
	}
	return false
}

// first returns the value of the first of keys that has one.
func (c connection) first(keys ...string) string {
	for _, k := range keys {
		if v := c.get(k); v != "" {
			return v
		}
	}
	return ""
}

// fillIn puts values in place of [@Name] in a connection string, quoted where they need it, and returns the names that
// have no value. A known name whose value is empty is among them.
func fillIn(s string, values map[string]string) (filled string, open []string) {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(s, "[@")
		name, after, closed := strings.Cut(rest, "]")
		if !ok || !closed {
			b.WriteString(s)
			return b.String(), open
		}
		b.WriteString(before)
		value := values[strings.ToLower(strings.TrimSpace(name))]
		if value == "" {
			open = append(open, name)
		}
		if strings.ContainsAny(value, `;"'{}= `) {
			value = `"` + strings.ReplaceAll(value, `"`, `""`) + `"`
		}
		b.WriteString(value)
		s = after
	}
}

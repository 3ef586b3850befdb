package install

import (
	"errors"
	"net/url"
	"strings"
)

// errConnection is all that is said of a damaged connection string, since any part of it may be a password.
var errConnection = errors.New("the connection string is damaged")

// connection is a connection string of ADO.NET, its keys in lower case without spaces.
type connection map[string]string

// parseConnection reads KEY=VALUE pairs with semicolons between them. A value may stand in " or ', where the quote
// doubled is the quote, or in braces as ODBC writes it. Of equal keys the last counts.
func parseConnection(s string) (connection, error) {
	c := connection{}
	for s = strings.TrimLeft(s, "; \t\r\n"); s != ""; s = strings.TrimLeft(s, "; \t\r\n") {
		key, rest, ok := strings.Cut(s, "=")
		if !ok || strings.TrimSpace(key) == "" || strings.Contains(key, ";") {
			return nil, errConnection
		}
		rest = strings.TrimLeft(rest, " \t\r\n")
		value, tail, err := connectionValue(rest)
		if err != nil {
			return nil, err
		}
		c[strings.ToLower(strings.ReplaceAll(strings.TrimSpace(key), " ", ""))] = value
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

// first returns the value of the first of keys that is there.
func (c connection) first(keys ...string) string {
	for _, k := range keys {
		if v := c[k]; v != "" {
			return v
		}
	}
	return ""
}

// options are the settings of the connection that the driver's URL has too and that were asked for in so many words.
func (c connection) options() url.Values {
	q := url.Values{}
	for _, key := range []string{"encrypt", "trustservercertificate"} {
		switch strings.ToLower(c[key]) {
		case "true", "yes", "mandatory":
			q.Set(key, "true")
		case "false", "no", "optional":
			q.Set(key, "false")
		case "strict":
			q.Set(key, "strict")
		}
	}
	return q
}

package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/openomt/omt/plugins/sdk"
)

// template is a text with {column} in it; {{ and }} stand for braces.
type template struct {
	text    []string // one more than columns
	columns []string // in lower case
}

var columnName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// parseTemplate reads a template.
func parseTemplate(s string) (template, error) {
	var t template
	var b strings.Builder
	for s != "" {
		at := strings.IndexAny(s, "{}")
		if at < 0 {
			break
		}
		b.WriteString(s[:at])
		brace := s[at]
		s = s[at+1:]
		if s != "" && s[0] == brace {
			b.WriteByte(brace)
			s = s[1:]
			continue
		}
		name, rest, ok := strings.Cut(s, "}")
		if brace == '}' || !ok || !columnName.MatchString(name) {
			return template{}, fmt.Errorf("a column is written {name}, and a brace {{ or }}")
		}
		t.text, t.columns = append(t.text, b.String()), append(t.columns, strings.ToLower(name))
		b.Reset()
		s = rest
	}
	t.text = append(t.text, b.String()+s)
	return t, nil
}

// fill puts the values of a row in. whole is false where a column has none; none stands for it.
func (t template) fill(row *sdk.Fact, none string) (s string, whole bool) {
	var b strings.Builder
	whole = true
	for i, c := range t.columns {
		b.WriteString(t.text[i])
		v, ok := row.Data[c]
		if !ok {
			whole = false
			b.WriteString(none)
			continue
		}
		b.WriteString(strings.Join(strings.Fields(show(v)), " "))
	}
	b.WriteString(t.text[len(t.columns)])
	return b.String(), whole
}

// show writes a value of a fact.
func show(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return fmt.Sprint(v)
}

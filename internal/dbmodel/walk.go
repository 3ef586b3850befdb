package dbmodel

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxValue = 1 << 20
	maxDepth = 200
	maxNames = 100_000
	maxPaths = 64
	maxName  = 128 // characters of an identifier on SQL Server
)

var (
	errLongValue = errors.New("a value of more than 1 MiB")
	errDepth     = errors.New("it is nested deeper than 200 levels")
	errNames     = errors.New("it has more than 100,000 names")
)

// level is an object or array that is open.
type level struct {
	array bool
	label string // the key that it stands under, that of its holder where it has none or "$values"
	key   string // of an object: the key of the value that comes; "" where a key comes
	isKey bool   // of an object: a key comes next
	path  string
}

// lists are the lists of names by path.
type lists struct {
	by    map[string]*list
	names int
}

// list is the names at one path.
type list struct {
	path  string
	depth int
	names map[string]string // by lower case
}

func (l *lists) add(path string, depth int, name string) error {
	name = strings.TrimSpace(name)
	if !isIdentifier(name) {
		return nil
	}
	at := l.by[path]
	if at == nil {
		if len(l.by) == maxPaths {
			return nil
		}
		at = &list{path: path, depth: depth, names: map[string]string{}}
		l.by[path] = at
	}
	low := strings.ToLower(name)
	if _, ok := at.names[low]; ok {
		return nil
	}
	if l.names++; l.names > maxNames {
		return errNames
	}
	at.names[low] = name
	return nil
}

// isIdentifier reports whether a text may be a table's name.
func isIdentifier(s string) bool {
	return s != "" && len(s) <= 4*maxName && utf8.RuneCountInString(s) <= maxName && !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) || r == utf8.RuneError
	})
}

// walker goes through the tokens of a JSON text.
type walker struct {
	found *lists
	stack []level
}

// walk reads one JSON object or array, behind which nothing but white space may stand. What does not begin as one is
// errNoJSON.
func walk(r *limited) (*lists, error) {
	w := &walker{found: &lists{by: map[string]*list{}}}
	d := json.NewDecoder(r)
	d.UseNumber()
	for first := true; ; first = false {
		t, err := d.Token()
		r.rest()
		switch {
		case errors.Is(err, io.EOF) && !first && len(w.stack) == 0:
			return w.found, nil
		case errors.Is(err, io.EOF):
			err = io.ErrUnexpectedEOF
		case err == nil && !first && len(w.stack) == 0:
			return nil, errors.New("something stands behind its end")
		}
		if _, ok := t.(json.Delim); first && (err != nil || !ok) {
			return nil, errNoJSON
		}
		if err == nil {
			err = w.token(t)
		}
		if err != nil {
			return nil, err
		}
	}
}

func (w *walker) token(t json.Token) error {
	if d, ok := t.(json.Delim); ok {
		if d == '}' || d == ']' {
			w.stack = w.stack[:len(w.stack)-1]
			w.valueEnds()
			return nil
		}
		return w.open(d == '[')
	}
	if top := w.top(); top.isKey {
		key, _ := t.(string)
		top.key, top.isKey = key, false
		return nil
	}
	s, ok := t.(string)
	if ok {
		if err := w.text(s); err != nil {
			return err
		}
	}
	w.valueEnds()
	return nil
}

func (w *walker) top() *level { return &w.stack[len(w.stack)-1] }

// valueEnds says that in an object a key comes next.
func (w *walker) valueEnds() {
	if len(w.stack) > 0 && !w.top().array {
		w.top().isKey = true
	}
}

// open goes down into an object or array. The members of an object that is called like tables may be them, by key.
func (w *walker) open(array bool) error {
	if len(w.stack) == maxDepth {
		return errDepth
	}
	next := level{array: array, isKey: !array}
	if len(w.stack) > 0 {
		top := w.top()
		next.path, next.label = w.path(), top.key
		if top.array {
			next.label = ""
		} else if top.key == "$values" {
			next.path, next.label = top.path, top.label
		}
		if !array && !top.array && likeTables(top.label) && !strings.HasPrefix(top.key, "$") {
			next.path = top.path + "{}"
			if err := w.found.add(next.path, len(w.stack), top.key); err != nil {
				return err
			}
		}
	}
	w.stack = append(w.stack, next)
	return nil
}

// path is that of the value that comes.
func (w *walker) path() string {
	top := w.top()
	switch {
	case top.array:
		return top.path + "[]"
	case top.path == "":
		return clip(top.key)
	}
	return top.path + "." + clip(top.key)
}

// clip keeps paths short, whatever the keys are.
func clip(key string) string {
	if utf8.RuneCountInString(key) <= 40 {
		return key
	}
	return string([]rune(key)[:40]) + "…"
}

// text takes a string that is a value.
func (w *walker) text(s string) error {
	top := w.top()
	take := top.array && likeTables(top.label)
	if !top.array {
		key := strings.ToLower(top.key)
		take = strings.Contains(key, "tablename") || (strings.Contains(key, "name") || strings.Contains(key, "table")) && w.amongTables()
	}
	if !take {
		return nil
	}
	return w.found.add(w.path(), len(w.stack), s)
}

// amongTables reports whether the object at hand is an element of an array, or a member of an object, that is called
// like tables.
func (w *walker) amongTables() bool {
	return len(w.stack) > 1 && likeTables(w.stack[len(w.stack)-2].label)
}

func likeTables(label string) bool { return strings.Contains(strings.ToLower(label), "table") }

package dbmodel

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// Tables reads a model and returns the names of its tables, sorted without regard to letter case and each once, and how
// they were found, for people ("gzip, UTF-8, Tables[].Name"). must are names that are certainly among them: a list that
// lacks one is not taken. An error says why no list was found; only where it wraps the reader's own was the model not
// read.
func Tables(r io.Reader, must ...string) (names []string, how string, err error) {
	blob, err := io.ReadAll(io.LimitReader(r, maxBlob+1))
	if err != nil {
		return nil, "", fmt.Errorf("reading the model: %w", err)
	}
	switch {
	case len(blob) == 0:
		return nil, "", errors.New("it is empty")
	case len(blob) > maxBlob:
		return nil, "", errors.New("it is larger than 32 MiB")
	}
	found, how, err := search(blob)
	if err != nil {
		return nil, "", err
	}
	best := found.best(must)
	if best == nil {
		return nil, "", fmt.Errorf("it is JSON (%s), and no list in it that is called like tables names %s", how, strings.Join(must, ", "))
	}
	names = slices.SortedFunc(maps.Values(best.names), func(a, b string) int {
		return cmp.Or(cmp.Compare(strings.ToLower(a), strings.ToLower(b)), cmp.Compare(a, b))
	})
	return names, how + ", " + best.path, nil
}

// best is the list that is taken, nil where none proves itself.
func (l *lists) best(must []string) *list {
	var best *list
	for _, x := range l.by {
		if x.holds(must) && (best == nil || x.before(best)) {
			best = x
		}
	}
	return best
}

func (x *list) before(y *list) bool {
	return cmp.Or(cmp.Compare(x.depth, y.depth), cmp.Compare(len(y.names), len(x.names)), cmp.Compare(x.path, y.path)) < 0
}

// holds reports whether all names are there, as they are or behind a prefix and a point.
func (x *list) holds(must []string) bool {
	for _, m := range must {
		m = strings.ToLower(m)
		if _, ok := x.names[m]; !ok && !x.qualified(m) {
			return false
		}
	}
	return true
}

func (x *list) qualified(name string) bool {
	for n := range x.names {
		if strings.HasSuffix(strings.Trim(n, "[]\""), name) {
			if before := strings.TrimSuffix(strings.Trim(n, "[]\""), name); strings.HasSuffix(strings.TrimRight(before, "[\""), ".") {
				return true
			}
		}
	}
	return false
}

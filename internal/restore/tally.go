package restore

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

// fate is what became of a row.
type fate int

const (
	same fate = iota
	missing
	extra
	changed
	removed // missing, since unpacking was to remove it
)

// maxRanges is how many ranges of keys are told of each fate.
const maxRanges = 10

// tallied counts the rows of a table by what became of them, with the ranges of keys in which they stand.
type tallied struct {
	count    [removed + 1]int64
	ranges   [removed + 1]ranges
	columns  []int64 // by compared column: rows that differ in it
	last     fate    // of the row before, in the order of keys
	agreed   int     // parts that agree by their digests
	live     int64   // rows in the database
	compared int64   // rows of the migration
}

// ranges are the runs of keys of one fate: rows of another fate, equal ones too, end a run.
type ranges struct {
	n    int
	list []keyRange
}

type keyRange struct {
	first, last string
	rows        int64
}

// add counts rows of one fate that follow each other, from the key first to last.
func (t *tallied) add(f fate, n int64, first, last string) {
	t.count[f] += n
	r := &t.ranges[f]
	if f != t.last || r.n == 0 {
		t.last = f
		if r.n++; r.n <= maxRanges {
			r.list = append(r.list, keyRange{first: first})
		}
	}
	if r.n <= maxRanges {
		end := &r.list[len(r.list)-1]
		end.last = last
		end.rows += n
	}
}

// pass counts rows that agree, or are gone as they should be.
func (t *tallied) pass(f fate, n int64) {
	t.count[f] += n
	t.last = f
}

// differs reports whether any row does.
func (t *tallied) differs() bool { return t.count[missing]+t.count[extra]+t.count[changed] > 0 }

// lines says what differs, for people. Keys are shortened where they are digests.
func (t *tallied) lines(name string, columns []source.Column, keyless bool) []string {
	if !t.differs() {
		return nil
	}
	var what, where []string
	for i, word := range [...]string{"missing", "too many", "different"} {
		f := missing + fate(i)
		n := t.count[f]
		if n == 0 {
			continue
		}
		rows := ""
		if len(what) == 0 {
			rows = rowsWord(n)
		}
		what = append(what, fmt.Sprintf("%d%s %s", n, rows, word))
		where = append(where, fmt.Sprintf("table %q: %s: %s", name, word, t.ranges[f].text(keyless)))
	}
	out := append([]string{fmt.Sprintf("table %q: %s; the migration has %d, the database %d", name, strings.Join(what, ", "), t.compared, t.live)}, where...)
	for i, n := range t.columns {
		if n > 0 {
			out = append(out, fmt.Sprintf("table %q: column %q differs in %d%s", name, columns[i].Name, n, rowsWord(n)))
		}
	}
	return out
}

func rowsWord(n int64) string {
	if n == 1 {
		return " row"
	}
	return " rows"
}

func (r *ranges) text(keyless bool) string {
	show := keyText
	if keyless {
		show = func(digest string) string { return digest[:min(16, len(digest))] }
	}
	words := make([]string, len(r.list))
	for i, k := range r.list {
		words[i] = show(k.first)
		if k.rows > 1 {
			words[i] += " … " + show(k.last) + " (" + strconv.FormatInt(k.rows, 10) + ")"
		}
	}
	text := strings.Join(words, ", ")
	switch more := r.n - len(r.list); {
	case more == 1:
		text += " and 1 more range"
	case more > 1:
		text += fmt.Sprintf(" and %d more ranges", more)
	}
	return text
}

// longKey is how many characters of a key are shown.
const longKey = 60

// keyText makes a key fit into a line.
func keyText(key string) string {
	if strings.ContainsFunc(key, func(r rune) bool { return !unicode.IsPrint(r) }) || key == "" {
		key = strconv.Quote(key)
	}
	if r := []rune(key); len(r) > longKey {
		return string(r[:longKey]) + "…"
	}
	return key
}

// removals are the addresses that unpacking takes off people's cards.
type removals struct {
	of      func(source.Row) (person int64, email string, ok bool)
	emails  map[int64][]string
	present int64 // rows in the database that hold one
}

// removalsOf returns those that concern a table; nil where it is not the one of addresses, or there are none.
func removalsOf(t source.Table, list []manifest.Removal) *removals {
	of := source.AddressOf(t)
	if of == nil || len(list) == 0 {
		return nil
	}
	r := &removals{of: of, emails: map[int64][]string{}}
	for _, x := range list {
		r.emails[x.Person] = append(r.emails[x.Person], x.Email)
	}
	return r
}

// match reports whether a row holds an address that is to be removed.
func (r *removals) match(row source.Row) bool {
	if r == nil {
		return false
	}
	person, email, ok := r.of(row)
	if !ok {
		return false
	}
	for _, e := range r.emails[person] {
		if source.SameAddress(e, email) {
			return true
		}
	}
	return false
}

package sheet

import (
	"errors"
	"fmt"
	"strings"
)

// maxProblems is how many problems are spelled out; a person mends the first ones and runs again.
const maxProblems = 50

// Place is where a problem is: a file, a numbered unit in it, a column.
type Place struct {
	File   string // as the user named it, or a flag with its value
	Unit   string // "row", "item", "line"; with N
	N      int    // counted from 1; 0: the file as a whole
	Column string // as it stands in the header; empty: the unit as a whole
}

// In returns p with a column.
func (p Place) In(column string) Place {
	p.Column = column
	return p
}

// String is "users.csv: row 7, column plan".
func (p Place) String() string {
	s := p.File
	if p.N > 0 {
		s += fmt.Sprintf(": %s %d", p.Unit, p.N)
	}
	if p.Column == "" {
		return s
	}
	if p.N > 0 {
		return s + ", column " + p.Column
	}
	return s + ": " + p.Column
}

// Problems collects everything that is wrong, to be reported at once. The zero value is ready.
type Problems struct {
	list []error
	more int
}

// Add adds one problem.
func (p *Problems) Add(at Place, format string, args ...any) {
	if len(p.list) >= maxProblems {
		p.more++
		return
	}
	p.list = append(p.list, fmt.Errorf("%s: %w", at, fmt.Errorf(format, args...)))
}

// AddError adds err unless it is nil; the problems of another Problems are added one by one.
func (p *Problems) AddError(err error) {
	if err == nil {
		return
	}
	var other *Problems
	if !errors.As(err, &other) {
		other = &Problems{list: []error{err}}
	}
	for _, e := range other.list {
		if len(p.list) >= maxProblems {
			p.more++
			continue
		}
		p.list = append(p.list, e)
	}
	p.more += other.more
}

// Len is the number of problems added.
func (p *Problems) Len() int { return len(p.list) + p.more }

// Err returns p, or nil when there is no problem.
func (p *Problems) Err() error {
	if p.Len() == 0 {
		return nil
	}
	return p
}

// Error is one line a problem, and a last line with the number of those that are not spelled out.
func (p *Problems) Error() string {
	var b strings.Builder
	for i, e := range p.list {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(e.Error())
	}
	if p.more > 0 {
		fmt.Fprintf(&b, "\nand %d more", p.more)
	}
	return b.String()
}

// Unwrap returns the problems spelled out.
func (p *Problems) Unwrap() []error { return p.list }

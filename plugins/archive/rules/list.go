package rules

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/openomt/omt/plugins/sdk"
)

// The areas and states of files that rules speak of.
const (
	areaDocument = "document"

	missing       = "missing"
	blankName     = "blank-name"
	elsewhere     = "elsewhere"
	noAppointment = "no-appointment"
	noAssociate   = "no-associate"
	noRow         = "no-row"
	shadowed      = "shadowed"
	left          = "left"
)

const (
	maxListed = 20 // findings about single documents
	maxNamed  = 10 // authors that a text names
)

// row reports whether a file record is a document's row that was looked for.
func row(f *sdk.File) bool {
	return f.Area == areaDocument && f.ID != 0 && (f.State != left || f.Reason != "area")
}

// list gathers documents of one kind: the first of them, and how many each author has.
type list struct {
	first  []sdk.Finding
	total  int64
	owners map[string]int64
}

// add takes a document with what is to be said of it.
func (l *list) add(f *sdk.File, format string, args ...any) {
	if l.owners == nil {
		l.owners = map[string]int64{}
	}
	l.total++
	l.owners[f.Owner]++
	if len(l.first) < maxListed {
		l.first = append(l.first, sdk.Finding{Subjects: []string{sdk.FileSubject(f)}, Message: called(f) + ": " + fmt.Sprintf(format, args...)})
	}
}

// report reports the documents one by one, behind one finding that counts them where they are many.
func (l *list) report(report sdk.Report, what, records string) {
	if l.total > maxListed {
		report(sdk.Finding{Message: fmt.Sprintf("%d documents %s: %s; the file records with %s name them all", l.total, what, byOwner(l.owners), records)})
	}
	for _, f := range l.first {
		report(f)
	}
}

// called is a file for people: document 123 "Offer" of bob, else its path.
func called(f *sdk.File) string {
	if f.ID == 0 {
		return fmt.Sprintf("%s %q", f.Area, cmp.Or(f.Path, f.Disk))
	}
	s := f.Area + " " + strconv.FormatInt(f.ID, 10)
	if title := strings.Join(strings.Fields(f.Title), " "); title != "" {
		s += fmt.Sprintf(" %q", title)
	}
	if f.Owner != "" {
		s += " of " + f.Owner
	}
	return s
}

// byOwner says how many each author has, those with most first.
func byOwner(owners map[string]int64) string {
	logins := slices.SortedFunc(maps.Keys(owners), func(a, b string) int {
		return cmp.Or(cmp.Compare(owners[b], owners[a]), cmp.Compare(a, b))
	})
	var parts []string
	for i, login := range logins {
		if i == maxNamed {
			rest := int64(0)
			for _, l := range logins[i:] {
				rest += owners[l]
			}
			return fmt.Sprintf("%s, and %d of %d more authors", strings.Join(parts, ", "), rest, len(logins)-i)
		}
		parts = append(parts, fmt.Sprintf("%s %d", cmp.Or(login, "(no author)"), owners[login]))
	}
	return strings.Join(parts, ", ")
}

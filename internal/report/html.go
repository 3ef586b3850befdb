package report

import (
	"bytes"
	"embed"
	"html/template"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/tenant"
)

//go:embed page.html style.css
var files embed.FS

// directions takes out characters that turn the direction of what follows: with them "exe.cod" would read "doc.exe". Names
// that run from right to left need none.
var directions = strings.NewReplacer("\u202a", "\ufffd", "\u202b", "\ufffd", "\u202c", "\ufffd", "\u202d", "\ufffd", "\u202e", "\ufffd",
	"\u2066", "\ufffd", "\u2067", "\ufffd", "\u2068", "\ufffd", "\u2069", "\ufffd")

// page is what the templates see.
type page struct {
	*Report
	Style  template.CSS
	Lost   []Lost // the first of them
	List   bool   // the list alone
	Title  string
	Shown  int
	People []manifest.User // the first of them
	Found  []manifest.Finding
}

// WriteHTML writes the report as one page that needs nothing else: no script, no picture, no font.
func (r *Report) WriteHTML(w io.Writer) error { return r.html(w, false) }

// WriteMissingHTML writes the list of what did not make it as such a page.
func (r *Report) WriteMissingHTML(w io.Writer) error { return r.html(w, true) }

func (r *Report) html(w io.Writer, list bool) error {
	t, err := template.New("page.html").Funcs(functions()).ParseFS(files, "page.html")
	if err != nil {
		return err
	}
	style, err := files.ReadFile("style.css")
	if err != nil {
		return err
	}
	p := page{Report: r, Style: template.CSS(style), List: list, Shown: Shown, Title: "Migration report",
		People: first(r.Accounts.List), Found: first(r.Findings)}
	if list {
		p.Title = "Documents that did not make it"
	}
	for _, f := range r.lost.first {
		p.Lost = append(p.Lost, lostOf(f))
	}
	var b bytes.Buffer // which is small: every list is cut short
	if err := t.Execute(&b, p); err != nil {
		return err
	}
	_, err = directions.WriteString(w, b.String())
	return err
}

// unreferred says why more files than documents are counted.
func (r *Report) unreferred() string {
	for _, a := range r.Areas {
		if n := a.Found - r.Items.Found; r.Items.Documents && a.Area == manifest.Document && n > 0 {
			return count(r.Items.Found, "of these is a document", "of these are documents") + "; " +
				count(n, "is a file in the archive that no document refers to.", "are files in the archive that no document refers to.")
		}
	}
	return ""
}

// first are as many of a list as the page shows.
func first[T any](list []T) []T { return list[:min(len(list), Shown)] }

func functions() template.FuncMap {
	return template.FuncMap{
		"comma": func(v any) string {
			switch n := v.(type) {
			case int:
				return comma(int64(n))
			case int64:
				return comma(n)
			}
			return ""
		},
		"size": size, "day": day, "area": nameOf, "percent": percent,
		"count": func(v any, one, many string) string {
			if n, ok := v.(int); ok {
				return count(int64(n), one, many)
			}
			n, _ := v.(int64)
			return count(n, one, many)
		},
		"share":    share,
		"took":     took,
		"plan":     planOf,
		"welcome":  welcomeWord,
		"looked":   looked,
		"problems": problems,
		"added":    revisionText,
		"state":    stateWord,
		"kind":     kindWord,
		"rests":    func(all, shown int) int { return max(0, all-shown) },
		"asInt":    func(n int64) int { return int(n) },

		"missingBy":     func(p page) []reasonOf { return reasonsOf(p, func(a Area) []Reason { return a.MissingBy }) },
		"leftBy":        func(p page) []reasonOf { return reasonsOf(p, func(a Area) []Reason { return a.LeftBy }) },
		"noted":         func(p page) []reasonOf { return reasonsOf(p, func(a Area) []Reason { return a.Noted }) },
		"unreferred":    func(p page) string { return p.unreferred() },
		"firstRemovals": func(p page) []Removal { return first(p.Removals) },
	}
}

// reasonOf is a reason with its area.
type reasonOf struct {
	Reason
	Area manifest.Area
}

// reasonsOf are the reasons of all areas.
func reasonsOf(p page, of func(Area) []Reason) (list []reasonOf) {
	for _, a := range p.Areas {
		for _, r := range of(a) {
			list = append(list, reasonOf{r, a.Area})
		}
	}
	return list
}

// share is a part of a whole in percent, for a bar: what there is at all can be seen.
func share(part, whole int64) string {
	if whole <= 0 || part <= 0 {
		return "0"
	}
	f := 100 * float64(part) / float64(whole)
	return strconv.FormatFloat(max(f, 0.6), 'f', 2, 64)
}

// took is a length of time for people.
func took(s Span) string {
	d := s.Took().Round(time.Second)
	switch {
	case d <= 0:
		return ""
	case d < time.Minute:
		return count(int64(d/time.Second), "second", "seconds")
	case d < time.Hour:
		return count(int64(d/time.Minute), "minute", "minutes")
	case d < 48*time.Hour:
		return strconv.Itoa(int(d/time.Hour)) + " h " + strconv.Itoa(int(d%time.Hour/time.Minute)) + " min"
	}
	return strconv.Itoa(int(d/(24*time.Hour))) + " d " + strconv.Itoa(int(d%(24*time.Hour)/time.Hour)) + " h"
}

func welcomeWord(u manifest.User) string {
	switch welcomeOf(u) {
	case "true":
		return "yes"
	case "false":
		return "no"
	}
	return ""
}

// stateWord says a state of the tenant to people.
func stateWord(s tenant.StateName) string {
	switch s {
	case tenant.OfflineMaintenance:
		return "closed for maintenance (offlinemaintenance)"
	case tenant.MigrationPending:
		return "a revision is being committed (migrationpending)"
	case "running":
		return "running"
	}
	return string(s)
}

func kindWord(r *Report) string {
	switch {
	case r.Migration.Phase == tenant.Preseed:
		return "Part ahead of a migration"
	case r.Migration.Kind == "live":
		return "Live migration"
	}
	return "Test migration"
}

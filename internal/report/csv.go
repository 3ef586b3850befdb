package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/openomt/omt/internal/manifest"
)

// sheet writes rows that a spreadsheet opens: UTF-8 with byte order mark, CRLF, and no cell that passes for a formula.
type sheet struct {
	w     *csv.Writer
	cells []string
}

func newSheet(w io.Writer, separator rune) (*sheet, error) {
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return nil, err
	}
	s := &sheet{w: csv.NewWriter(w)}
	s.w.Comma, s.w.UseCRLF = separator, true
	return s, nil
}

// row writes cells.
func (s *sheet) row(cells ...string) error {
	s.cells = s.cells[:0]
	for _, c := range cells {
		s.cells = append(s.cells, cell(c))
	}
	return s.w.Write(s.cells)
}

func (s *sheet) end() error {
	s.w.Flush()
	return s.w.Error()
}

// cell makes text harmless. A spreadsheet takes what begins with one of these characters for a formula, blanks before it
// or not, and where East Asian text is written their wide forms, too; an apostrophe in front makes it text. A NUL ends a
// cell for some programs.
func cell(text string) string {
	text = strings.ReplaceAll(text, "\x00", "\ufffd")
	first, _ := utf8.DecodeRuneInString(strings.TrimLeft(text, " \u00a0\r\n"))
	if strings.ContainsRune("=+-@\t＝＋－＠", first) {
		return "'" + text
	}
	return text
}

var lostColumns = [...]string{"area", "id", "title", "owner", "path", "state", "reason", "why", "candidates"}

func lostCells(f manifest.File) []string {
	return []string{string(f.Area), id(f.ID), f.Title, f.Owner, f.Path, string(f.State), f.Reason, why(f), strings.Join(f.Candidates, " | ")}
}

func id(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

// WriteMissingCSV writes the list of what did not make it.
func (r *Report) WriteMissingCSV(w io.Writer, separator rune) error {
	s, err := newSheet(w, separator)
	if err != nil {
		return err
	}
	if err := s.row(lostColumns[:]...); err != nil {
		return err
	}
	if err := r.lost.each(func(f manifest.File) error { return s.row(lostCells(f)...) }); err != nil {
		return err
	}
	return s.end()
}

// WriteUsersCSV writes the user summary.
func (r *Report) WriteUsersCSV(w io.Writer, separator rune) error {
	s, err := newSheet(w, separator)
	if err == nil {
		err = s.row("login", "name", "company", "group", "plan", "plan title", "username", "welcome", "administrator")
	}
	titles := map[string]string{}
	for _, p := range r.Accounts.Plans {
		titles[p.Name] = p.Title
	}
	for _, u := range r.Accounts.List {
		if err != nil {
			return err
		}
		plan := planOf(u)
		err = s.row(u.Login, u.Name, u.Company, u.Group, plan, titles[plan], u.Username, welcomeOf(u), strconv.FormatBool(u.Admin))
	}
	if err != nil {
		return err
	}
	return s.end()
}

// planOf is the name of a user's plan: "none" where there is to be none, "undecided" where nobody said.
func planOf(u manifest.User) string {
	switch {
	case u.Plan == nil:
		return "undecided"
	case *u.Plan == "":
		return "none"
	}
	return *u.Plan
}

func welcomeOf(u manifest.User) string {
	if u.Plan == nil || *u.Plan == "" || u.Welcome == nil {
		return ""
	}
	return strconv.FormatBool(*u.Welcome)
}

// columns of the whole report as one table. section says what a row is about; most columns are empty in most rows.
var columns = [...]string{"section", "area", "id", "name", "owner", "path", "state", "reason", "candidates", "plan", "username", "welcome",
	"count", "bytes", "from", "until", "text"}

// line is a row of the whole report.
type line struct {
	section, area, id, name, owner, path, state, reason, candidates, plan, username, welcome, count, bytes, from, until, text string
}

func (l line) cells() []string {
	return []string{l.section, l.area, l.id, l.name, l.owner, l.path, l.state, l.reason, l.candidates, l.plan, l.username, l.welcome,
		l.count, l.bytes, l.from, l.until, l.text}
}

// WriteCSV writes the whole report as one table.
func (r *Report) WriteCSV(w io.Writer, separator rune) error {
	s, err := newSheet(w, separator)
	if err != nil {
		return err
	}
	if err := s.row(columns[:]...); err != nil {
		return err
	}
	for _, part := range [...]func() []line{r.headLines, r.areaLines, r.peopleLines, r.findingLines, r.timeLines} {
		for _, l := range part() {
			if err := s.row(l.cells()...); err != nil {
				return err
			}
		}
	}
	err = r.lost.each(func(f manifest.File) error {
		return s.row(line{section: "missing", area: string(f.Area), id: id(f.ID), name: f.Title, owner: f.Owner, path: f.Path, state: string(f.State),
			reason: f.Reason, candidates: strings.Join(f.Candidates, " | "), text: why(f)}.cells()...)
	})
	if err != nil {
		return err
	}
	return s.end()
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

func instant(t manifest.Time) string {
	if t.IsZero() {
		return ""
	}
	b, err := t.MarshalText()
	if err != nil {
		return ""
	}
	return string(b)
}

func (r *Report) headLines() []line {
	m, i := r.Migration, r.Installation
	list := []line{{section: "report", name: "answer", text: r.Answer}, {section: "report", name: "proved", text: r.Proved}}
	for _, x := range [...][2]string{
		{"company", i.Company}, {"serial number", i.Serial}, {"version", i.Version}, {"database", i.Database}, {"migration", m.ID},
		{"revision", strconv.Itoa(m.Revision)}, {"kind", m.Kind}, {"mode", m.Mode}, {"phase", string(m.Phase)}, {"tenant state", string(m.State)},
		{"destination", r.Destination}, {"migrator", r.Migrator.Name}, {"manifest", m.Manifest.String()}, {"tool", r.Tool},
	} {
		list = append(list, line{section: "report", name: x[0], text: x[1]})
	}
	list = append(list, line{section: "report", name: "committed", from: instant(m.Committed)}, line{section: "report", name: "reported", from: instant(r.At)})
	t := r.Totals
	return append(list, line{section: "total", name: "files at the tenant", count: number(t.Files), bytes: number(t.Bytes)},
		line{section: "total", name: "rows at the tenant", count: number(t.Rows)},
		line{section: "total", name: "chunks", count: number(t.Chunks), bytes: number(t.ChunkBytes)})
}

func (r *Report) areaLines() (list []line) {
	for _, a := range r.Areas {
		add := func(state string, n int64, bytes string) {
			list = append(list, line{section: "area", area: string(a.Area), state: state, count: number(n), bytes: bytes})
		}
		add("in the installation", a.Found, "")
		add("stored", a.Stored, number(a.Bytes))
		add("missing", a.Missing, "")
		add("left out", a.Left, "")
		list = append(list, reasonLines("missing", a, a.MissingBy)...)
		list = append(list, reasonLines("left out", a, a.LeftBy)...)
		list = append(list, reasonLines("stored, with a remark", a, a.Noted)...)
	}
	for _, s := range r.Sums {
		list = append(list, line{section: "sum", name: s.What, count: number(s.Is), text: fmt.Sprintf("%s: %d", s.By, s.Want), reason: s.Not})
	}
	for _, t := range r.LeftOut {
		list = append(list, line{section: "table left out", name: t.Name, reason: t.Reason})
	}
	return list
}

func reasonLines(name string, a Area, reasons []Reason) (list []line) {
	for _, x := range reasons {
		list = append(list, line{section: "reason", area: string(a.Area), name: name, state: string(x.State), reason: x.Reason, count: number(x.Count),
			bytes: number(x.Bytes), text: x.Text})
	}
	return list
}

func (r *Report) peopleLines() (list []line) {
	for _, p := range r.Accounts.Plans {
		seats := strconv.Itoa(p.Seats)
		if p.Unlimited {
			seats = "unlimited"
		}
		list = append(list, line{section: "plan", plan: p.Name, name: p.Title, count: strconv.Itoa(p.Used), text: "seats: " + seats})
	}
	for _, u := range r.Accounts.List {
		text := ""
		if u.Admin {
			text = "administrator"
		}
		list = append(list, line{section: "user", id: id(u.ID), name: u.Name, owner: u.Login, plan: planOf(u), username: u.Username, welcome: welcomeOf(u), text: text})
	}
	for _, x := range r.Removals {
		list = append(list, line{section: "removal", id: id(x.Person), name: x.Email, owner: x.Login})
	}
	return list
}

func (r *Report) findingLines() (list []line) {
	for _, f := range r.Findings {
		list = append(list, line{section: "finding", state: string(f.Severity), name: f.Rule, path: strings.Join(f.Subjects, " | "), text: f.Message, reason: f.Waived})
	}
	for _, w := range r.Waivers {
		list = append(list, line{section: "waiver", name: w.Rule, path: w.Subject, owner: w.By, from: instant(w.At), until: w.Until, reason: w.Reason, count: strconv.Itoa(w.Covers)})
	}
	for _, c := range r.Checks.Not {
		list = append(list, line{section: "rule not completed", name: c.Rule, reason: c.Reason, state: c.Status})
	}
	return append(list, line{section: "rules completed", count: strconv.Itoa(r.Checks.Done)})
}

func (r *Report) timeLines() (list []line) {
	for _, p := range r.Proofs {
		state := "good"
		if !p.Good() {
			state = "bad"
		}
		text := looked(p)
		if !p.Good() {
			text += ": " + problems(p)
		}
		list = append(list, line{section: "proof", id: strconv.Itoa(p.Number), name: "revision " + strconv.Itoa(p.Revision), state: state, reason: p.Depth,
			count: number(p.Problems), bytes: number(p.BytesRead), from: instant(p.Begun), until: instant(p.Ended), text: text})
	}
	for _, name := range r.Untrusted {
		list = append(list, line{section: "proof", state: "damaged", path: name})
	}
	for _, v := range r.Revisions {
		list = append(list, line{section: "revision", id: strconv.Itoa(v.Number), state: v.Mode, count: number(v.Missing), bytes: number(v.Bytes),
			from: instant(v.Begun), until: instant(v.Committed), text: revisionText(v)})
	}
	for _, s := range r.Timeline {
		list = append(list, line{section: "time", name: s.What, from: instant(s.From), until: instant(s.To), text: s.Note})
	}
	for _, p := range r.Former {
		list = append(list, line{section: "before", id: p.ID, state: string(p.State), count: strconv.Itoa(p.Revision), from: instant(p.At)})
	}
	for _, e := range r.Edits {
		list = append(list, line{section: "edit", owner: e.By, name: e.Tool, from: instant(e.At)})
	}
	for _, text := range r.Limits {
		list = append(list, line{section: "limit", text: text})
	}
	return list
}

// revisionText is what a revision added.
func revisionText(v Revision) string {
	text := ""
	if v.Sent > 0 {
		text = fmt.Sprintf("%s of %s sent", count(v.Sent, "chunk", "chunks"), size(v.SentBytes))
	}
	switch {
	case v.Number == 1:
	case v.Found > 0:
		text += fmt.Sprintf("; %s found", count(v.Found, "missing file", "missing files"))
	case v.Found < 0:
		text += fmt.Sprintf("; %s missing", count(-v.Found, "more file", "more files"))
	}
	return strings.TrimPrefix(text, "; ")
}

package report

import (
	"cmp"
	"slices"

	"github.com/openomt/omt/internal/manifest"
)

// area counts the records of one area. found is counted by itself, so that it can be compared with the rest.
type area struct {
	found, stored, missing, left int64
	bytes                        int64
	rowsFound, rowsStored        int64 // records with an id: rows of the database
	rowsMissing, rowsLeft        int64
	by                           map[kindOf]*Reason
}

// kindOf is what became of records, and why.
type kindOf struct {
	fate   fate
	state  manifest.State
	reason string
}

// fate is what became of a file, or of a row without one.
type fate int

const (
	atTenant fate = iota
	missed
	leftOut
)

// fateOf tells a row without its file, or a file that was to move and has no chunk, from what is meant to stay.
func fateOf(f manifest.File) fate {
	if !f.Chunk.IsZero() {
		return atTenant
	}
	switch f.State {
	case manifest.NoRow, manifest.Shadowed, manifest.Left:
		return leftOut
	}
	return missed
}

// maxReasons bounds what is told apart in an area; reasons are words of our own, but a manifest may say anything.
const maxReasons = 100

func (g *gatherer) area(name manifest.Area) *area {
	a := g.areas[name]
	if a == nil {
		a = &area{by: map[kindOf]*Reason{}}
		g.areas[name] = a
	}
	return a
}

// file takes a file record.
func (g *gatherer) file(l manifest.Line) error {
	f, err := l.File()
	if err != nil {
		return err
	}
	g.records++
	a := g.area(f.Area)
	a.found++
	row := int64(0)
	if f.ID != 0 {
		row = 1
	}
	a.rowsFound += row
	to := fateOf(f)
	switch to {
	case atTenant:
		a.stored++
		a.rowsStored += row
		a.bytes += f.Size
		g.atTenant(f)
	case missed:
		a.missing++
		a.rowsMissing += row
		if err := g.r.lost.add(g.o.Temp, l, f); err != nil {
			return err
		}
	case leftOut:
		a.left++
		a.rowsLeft += row
	}
	if to != atTenant || f.State == manifest.NoAppointment || f.State == manifest.NoAssociate || f.State == manifest.NoRow {
		a.reason(to, f)
	}
	g.note(to, f)
	return nil
}

func (a *area) reason(to fate, f manifest.File) {
	k := kindOf{to, f.State, f.Reason}
	if a.by[k] == nil && len(a.by) >= maxReasons {
		k.reason = "…"
		f.Reason = k.reason
	}
	r := a.by[k]
	if r == nil {
		r = &Reason{State: f.State, Reason: f.Reason, Text: why(f)}
		a.by[k] = r
	}
	r.Count++
	r.Bytes += f.Size
}

// atTenant takes a file that has a chunk.
func (g *gatherer) atTenant(f manifest.File) {
	if f.Same != "" {
		g.r.Totals.CopiesBytes += f.Size
	}
	if f.Raw {
		g.raw++
	}
	if k := g.chunks[f.Chunk]; k != nil {
		k.files++
	}
}

// note counts what limits depend on.
func (g *gatherer) note(to fate, f manifest.File) {
	switch {
	case f.State == manifest.Elsewhere:
		g.seen.elsewhere++
	case f.State == manifest.BlankName:
		g.seen.blank++
	case f.State == manifest.NoAppointment && to == atTenant:
		g.seen.noActivity++
	case f.State == manifest.Left && f.Reason == "secrets":
		g.seen.secrets++
	}
}

// reasons are those of one fate, the largest number first.
func (a *area) reasons(to fate) []Reason {
	list := []Reason{}
	for k, r := range a.by {
		if k.fate == to {
			list = append(list, *r)
		}
	}
	slices.SortFunc(list, func(x, y Reason) int {
		return cmp.Or(cmp.Compare(y.Count, x.Count), cmp.Compare(x.State, y.State), cmp.Compare(x.Reason, y.Reason))
	})
	return list
}

// areasOf are the lines of the report.
func (g *gatherer) areasOf() []Area {
	list := []Area{}
	for _, name := range manifest.Areas {
		a := g.areas[name]
		if a == nil {
			continue
		}
		line := Area{Area: name, Found: a.found, Stored: a.stored, Missing: a.missing, Left: a.left, Bytes: a.bytes,
			MissingBy: a.reasons(missed), LeftBy: a.reasons(leftOut), Noted: a.reasons(atTenant)}
		if name == manifest.Database {
			g.database(&line)
		}
		list = append(list, line)
	}
	return list
}

// database is the line of the tables, whose numbers are rows.
func (g *gatherer) database(line *Area) {
	for _, t := range g.tables {
		line.Tables++
		line.Found += t.rows
		if !g.hasTables() {
			line.Left += t.rows
			continue
		}
		line.Stored += t.parts
	}
	if line.Left > 0 {
		line.LeftBy = []Reason{{State: manifest.Left, Reason: "area", Count: line.Left, Text: whyLeft("area")}}
	}
}

// hasTables reports whether the database was packed: a part that goes ahead may list tables without their contents.
func (g *gatherer) hasTables() bool {
	return g.header.Phase != "preseed" || slices.ContainsFunc(g.tables, func(t table) bool { return t.chunks > 0 })
}

package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/openomt/omt/internal/manifest"
)

// rows compares the rows of a table with the records of an area.
type rows struct {
	table string
	area  manifest.Area
}

// rowAreas are the areas whose records have one for each row of a table.
var rowAreas = [...]rows{{"document", manifest.Document}, {"attachment", manifest.Attachment}}

// sums compares numbers that were counted in different ways. A report whose sums do not add up must not be believed.
func (g *gatherer) sums() []Sum {
	list := g.areaSums()
	list = append(list,
		Sum{What: "file records of all areas", Is: g.records, By: "those that the manifest's end counts", Want: g.end.Counts[string(manifest.KindFile)]},
		Sum{What: "missing files of all areas", Is: g.r.Missing, By: "those that the commit counts", Want: g.c.Missing},
		Sum{What: "chunks", Is: g.r.Totals.Chunks, By: "those that the commit counts", Want: g.c.Chunks},
		Sum{What: "bytes of chunks", Is: g.r.Totals.ChunkBytes, By: "those that the commit counts", Want: g.c.Bytes},
		Sum{What: "chunks with a receipt", Is: g.receipts(), By: "all chunks", Want: g.r.Totals.Chunks},
		Sum{What: "stored files whose chunk is named", Is: g.referred(), By: "all stored files", Want: g.storedFiles()},
	)
	for _, r := range rowAreas {
		if s, ok := g.rowSum(r); ok {
			list = append(list, s)
		}
	}
	return append(list, g.userSum())
}

// areaSums are those that everybody looks for: in the installation = stored + missing + left out.
func (g *gatherer) areaSums() (list []Sum) {
	for _, a := range g.r.Areas {
		list = append(list, Sum{What: nameOf(a.Area) + ": in the installation", Is: a.Found,
			By: fmt.Sprintf("%s stored + %s missing + %s left out", comma(a.Stored), comma(a.Missing), comma(a.Left)), Want: a.Stored + a.Missing + a.Left})
		for what, reasons := range map[string][]Reason{"missing": a.MissingBy, "left out": a.LeftBy} {
			var n int64
			for _, r := range reasons {
				n += r.Count
			}
			want := a.Missing
			if what == "left out" {
				want = a.Left
			}
			if n != want { // told only where it is wrong: every reason stands beside it
				list = append(list, Sum{What: nameOf(a.Area) + ": " + what, Is: want, By: "the sum of its reasons", Want: n})
			}
		}
	}
	return list
}

func (g *gatherer) receipts() (n int64) {
	for _, k := range g.chunks {
		if k.receipt {
			n++
		}
	}
	return n
}

func (g *gatherer) referred() (n int64) {
	for _, k := range g.chunks {
		n += k.files
	}
	return n
}

func (g *gatherer) storedFiles() (n int64) {
	for name, a := range g.areas {
		if name != manifest.Database {
			n += a.stored
		}
	}
	return n
}

// rowSum compares the records of an area with the rows of its table. Where the table changed while it was read, a
// finding says so, and the two need not be equal.
func (g *gatherer) rowSum(r rows) (Sum, bool) {
	a := g.areas[r.area]
	i := slices.IndexFunc(g.tables, func(t table) bool { return strings.EqualFold(t.name, r.table) })
	if a == nil || i < 0 || g.header.Phase == "preseed" {
		return Sum{}, false
	}
	s := Sum{What: nameOf(r.area) + " with a row", Is: a.rowsFound, By: fmt.Sprintf("rows of the table %q", g.tables[i].name), Want: g.tables[i].rows}
	if s.Is != s.Want && g.changed(r.table) {
		s.Not = "the table changed while it was read, as a finding says"
	}
	return s, true
}

func (g *gatherer) changed(table string) bool {
	return slices.ContainsFunc(g.r.Findings, func(f manifest.Finding) bool {
		return f.Rule == "table-changed" && (len(f.Subjects) == 0 || slices.ContainsFunc(f.Subjects, func(s string) bool { return strings.EqualFold(s, "table:"+table) }))
	})
}

func (g *gatherer) userSum() Sum {
	u := g.r.Accounts
	return Sum{What: "users", Is: int64(u.Total), By: fmt.Sprintf("%d with a plan + %d without + %d undecided", u.With, u.Without, u.Undecided),
		Want: int64(u.With + u.Without + u.Undecided)}
}

// unequal is the error of sums that do not hold.
func unequal(sums []Sum) error {
	var wrong []string
	for _, s := range sums {
		if !s.Holds() {
			wrong = append(wrong, fmt.Sprintf("%s %s, and %s %s", s.What, comma(s.Is), s.By, comma(s.Want)))
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	return manifest.Errorf(manifest.Failed, "no report is written, since its sums do not add up: %s", strings.Join(wrong, "; ")).
		WithHint("this is a mistake in a program, or the manifest was changed; keep the destination as it is and ask whoever maintains it")
}

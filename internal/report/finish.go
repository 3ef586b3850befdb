package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/tenant"
)

// ruleTables finds tables whose rows cannot be had; a waiver lets them be left out.
const ruleTables = "table-missing"

// finish makes the report of what was read.
func (g *gatherer) finish(s tenant.State) error {
	r := g.r
	r.Migration = Migration{
		ID: g.c.ID, Revision: g.c.Revision, Kind: g.header.Migration, Mode: g.c.Mode, Phase: g.c.Phase, Created: g.header.Created,
		Committed: g.c.At, Manifest: g.c.End,
	}
	if m := s.Migration; m != nil && m.ID == g.c.ID && g.c.Phase == tenant.Full {
		r.Migration.State, r.Migration.Since = s.State, s.At
	}
	r.Areas = g.areasOf()
	g.totals()
	g.users()
	g.checksOf()
	g.leftOut()
	r.Revisions = g.revisions
	for _, p := range s.History {
		if p.ID != g.c.ID {
			r.Former = append(r.Former, p)
		}
	}
	r.Sums = g.sums()
	if err := unequal(r.Sums); err != nil {
		return err
	}
	r.Timeline = g.timeline()
	r.Answer = r.answer()
	r.Proved, r.Good = r.verdict()
	r.Limits = append(r.Limits, g.limits()...)
	return nil
}

func (g *gatherer) totals() {
	t := &g.r.Totals
	for _, a := range g.r.Areas {
		if a.Area == manifest.Database {
			t.Tables, t.Rows = a.Tables, a.Stored
			continue
		}
		t.Files += a.Stored
		t.Bytes += a.Bytes
		t.Missing += a.Missing
		t.Left += a.Left
	}
	g.r.Missing = g.r.lost.total
	i := &g.r.Items
	if d := g.areas[manifest.Document]; d != nil && d.rowsFound > 0 {
		*i = Items{Documents: true, Found: d.rowsFound, Stored: d.rowsStored, Missing: d.rowsMissing, Left: d.rowsLeft}
		return
	}
	*i = Items{Found: g.records, Stored: t.Files, Missing: t.Missing, Left: t.Left}
}

func (g *gatherer) users() {
	u := &g.r.Accounts
	used := map[string]int{}
	for _, x := range u.List {
		u.Total++
		switch {
		case x.Plan == nil:
			u.Undecided++
		case *x.Plan == "":
			u.Without++
		default:
			u.With++
			used[*x.Plan]++
			if x.Admin {
				u.Admins++
			}
			if x.Welcome != nil && *x.Welcome {
				u.Welcome++
			}
		}
	}
	u.Plans = []Plan{}
	for _, p := range g.plans {
		u.Plans = append(u.Plans, Plan{p, used[p.Name]})
	}
	if u.List == nil {
		u.List = []manifest.User{}
	}
	for _, v := range g.r.Reviews {
		if v.Item == "notifications" && v.Summary != nil {
			u.Summary = v.Summary
		}
	}
	logins := make(map[int64]string, len(u.List))
	for _, x := range u.List {
		logins[x.ID] = x.Login
	}
	for _, x := range g.removals {
		g.r.Removals = append(g.r.Removals, Removal{x, logins[x.User]})
	}
}

func (g *gatherer) checksOf() {
	g.r.Checks.Not = []manifest.Check{}
	for _, c := range g.checks {
		if c.Status == manifest.CheckDone {
			g.r.Checks.Done++
		} else {
			g.r.Checks.Not = append(g.r.Checks.Not, c)
		}
	}
	rank := map[manifest.Severity]int{manifest.SeverityError: 0, manifest.SeverityWarning: 1, manifest.SeverityInfo: 2}
	slices.SortStableFunc(g.r.Findings, func(a, b manifest.Finding) int {
		return cmp.Or(cmp.Compare(rank[a.Severity], rank[b.Severity]), cmp.Compare(a.Rule, b.Rule))
	})
}

// leftOut are the tables without rows, which a waiver let stand.
func (g *gatherer) leftOut() {
	for _, f := range g.r.Findings {
		if f.Rule != ruleTables || f.Severity != manifest.SeverityError {
			continue
		}
		for _, s := range f.Subjects {
			if name, ok := strings.CutPrefix(s, "table:"); ok {
				g.r.LeftOut = append(g.r.LeftOut, Table{Name: name, Reason: f.Waived})
			}
		}
	}
}

// timeline is what took time, in the order in which it began.
func (g *gatherer) timeline() []Span {
	list := []Span{{What: "the installation was scanned", From: g.header.Created}}
	items := map[manifest.Time][]string{}
	for _, v := range g.r.Reviews {
		items[v.At] = append(items[v.At], v.Item)
	}
	for at, names := range items {
		slices.Sort(names)
		list = append(list, Span{What: enumerate(names) + " were settled", From: at})
	}
	for _, v := range g.revisions {
		if v.Sent > 0 {
			list = append(list, Span{What: fmt.Sprintf("chunks of revision %d were sent", v.Number), From: manifest.At(v.first), To: manifest.At(v.last),
				Note: fmt.Sprintf("%s, %s, from the first receipt to the last", count(v.Sent, "chunk", "chunks"), size(v.SentBytes))})
		}
		s := Span{What: fmt.Sprintf("revision %d was committed", v.Number), From: v.Committed}
		if !v.Begun.IsZero() && v.Begun.Before(v.Committed.Time) {
			s.From, s.To = v.Begun, v.Committed
		}
		list = append(list, s)
	}
	for _, p := range g.proved {
		list = append(list, Span{What: fmt.Sprintf("revision %d was proved", p.Revision), From: p.Begun, To: p.Ended, Note: "depth " + p.Depth})
	}
	slices.SortStableFunc(list, func(a, b Span) int { return a.From.Compare(b.From.Time) })
	return list
}

// answer is the first thing that anybody wants to know.
func (r *Report) answer() string {
	i := r.Items
	one, many := "file", "files"
	if i.Documents {
		one, many = "document", "documents"
	}
	var b strings.Builder
	switch {
	case i.Found == 0:
		fmt.Fprintf(&b, "%s of the database %s at the tenant; there are no files.", count(r.Totals.Rows, "row", "rows"), isAre(r.Totals.Rows))
		return b.String()
	case i.Stored == i.Found && i.Found == 1:
		fmt.Fprintf(&b, "The only %s is at the tenant.", one)
	case i.Stored == i.Found:
		fmt.Fprintf(&b, "All %s %s are at the tenant.", comma(i.Found), many)
	default:
		fmt.Fprintf(&b, "%s of %s %s at the tenant", comma(i.Stored), count(i.Found, one, many), isAre(i.Stored))
		if i.Missing > 0 {
			fmt.Fprintf(&b, "; %s %s missing", comma(i.Missing), isAre(i.Missing))
		}
		if i.Left > 0 {
			fmt.Fprintf(&b, "; %s left out", comma(i.Left))
		}
		b.WriteString(".")
	}
	if rest := r.Totals.Missing - i.Missing; rest > 0 && i.Documents {
		fmt.Fprintf(&b, " Of other files %s %s missing.", comma(rest), isAre(rest))
	}
	return b.String()
}

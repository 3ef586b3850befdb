package source

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The places that say which tables there are.
const (
	InSequence = "sequence"      // the table of keys
	InModel    = "DatabaseModel" // the model of 8.1 and newer
	InPhysical = "PHYSICALTABLE" // the dictionary of 8.0 and older
	InConcepts = "CONCEPTUALTABLE"
)

// TableList is what one place in the database says of which tables there are.
type TableList struct {
	Place   string
	Row     int64         // of InModel: the row's id
	How     string        // how the names were found, for people; "" where Problem says why there are none
	Problem string        // why the place tells nothing
	Tables  int           // names, each once
	Unnamed int           // rows without a name
	Past    bool          // a newer place took its place, so that what it names may be gone for good
	Absent  []AbsentTable // named and not to be seen, sorted by name
	Outside []string      // to be seen and not named, in lower case and sorted; of InModel alone
}

// AbsentTable is a table that is named and that the catalog does not show: it is missing, or the login may not see it.
type AbsentTable struct {
	Name   string // lower case, without the prefix
	ID     int64  // of InSequence: the row's id
	Number int64  // of InSequence: the table's number
}

// TableLists asks every place that says which tables there are, and compares it with the catalog. A name with the view's
// own prefix in front is the table's; one with another prefix is not. Where a list cannot be had, its Problem says so,
// and where none but the table of keys is there, that too.
func (v *View) TableLists(ctx context.Context) ([]TableList, error) {
	if v.lists != nil {
		return v.lists, nil
	}
	var all []TableList
	for _, ask := range []func(context.Context) ([]TableList, error){v.sequenceList, v.modelLists, v.dictionaryList} {
		lists, err := ask(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, lists...)
	}
	if len(all) == 0 || len(all) == 1 && all[0].Place == InSequence {
		all = append(all, TableList{Place: InModel, Problem: "it is not there, nor is the dictionary of older versions"})
	}
	v.lists = all
	return all, nil
}

// bare takes surrounding blanks and the view's own prefix off a name, and makes it lower case.
func (v *View) bare(name string) string {
	name = strings.TrimSpace(name)
	for _, p := range []string{v.prefix, "[" + v.prefix + "]", `"` + v.prefix + `"`} {
		if n := len(p); len(name) > n+1 && name[n] == '.' && strings.EqualFold(name[:n], p) {
			name = strings.Trim(name[n+1:], `[]"`)
			break
		}
	}
	return strings.ToLower(name)
}

// seen reports whether the catalog shows a table.
func (v *View) seen(table string) bool {
	return findTable(v.tables, table) != nil ||
		slices.ContainsFunc(v.unreadable, func(u Unreadable) bool { return strings.EqualFold(u.Table.Name, table) })
}

// compare fills Tables and Absent from names.
func (l *TableList) compare(v *View, names []AbsentTable) {
	known := map[string]bool{}
	for _, t := range names {
		t.Name = v.bare(t.Name)
		if t.Name == "" {
			l.Unnamed++
			continue
		}
		if known[t.Name] {
			continue
		}
		known[t.Name] = true
		l.Tables++
		if !v.seen(t.Name) {
			l.Absent = append(l.Absent, t)
		}
	}
	slices.SortFunc(l.Absent, func(a, b AbsentTable) int { return cmp.Compare(a.Name, b.Name) })
	if l.Place == InModel {
		l.Outside = v.others(known)
	}
}

// others are the tables of the catalog that are not among names.
func (v *View) others(names map[string]bool) (out []string) {
	add := func(table string) {
		if low := strings.ToLower(table); !names[low] {
			out = append(out, low)
		}
	}
	for _, t := range v.tables {
		add(t.Name)
	}
	for _, u := range v.unreadable {
		add(u.Table.Name)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// sequenceList reads the table of keys. Its rows with negative numbers are the tables of the old dictionary: newer
// versions keep the rows and have the model in place of the tables, so that they count only where there is no model.
func (v *View) sequenceList(ctx context.Context) ([]TableList, error) {
	p, ok := v.probe(InSequence, "t")
	if !ok {
		return nil, nil
	}
	l := TableList{Place: InSequence, How: "column TableName"}
	if !p.has("TableName") {
		return []TableList{{Place: InSequence, Problem: `it has no column "TableName"`}}, nil
	}
	var names, old []AbsentTable
	modern := v.seen(InModel)
	for r, err := range v.rowsOf(ctx, p, "", []string{"id"}, "id", "TableName", "TableNumber") {
		if err != nil {
			return nil, err
		}
		t := AbsentTable{Name: words(r[1]), ID: number64(r[0]), Number: number64(r[2])}
		if t.Number < 0 {
			old = append(old, t)
			continue
		}
		modern = modern || v.bare(t.Name) == strings.ToLower(InModel)
		names = append(names, t)
	}
	if !modern {
		names = append(names, old...)
	}
	if l.compare(v, names); l.Tables == 0 {
		l.How, l.Problem = "", "it names no table"
	}
	return []TableList{l}, nil
}

// listFacts are the facts of all lists and of all tables that cannot be read.
func (v *View) listFacts(ctx context.Context) ([]Fact, error) {
	lists, err := v.TableLists(ctx)
	if err != nil {
		return nil, err
	}
	var facts []Fact
	for _, l := range lists {
		id := strings.ToLower(l.Place)
		if l.Row != 0 {
			id += "/" + strconv.FormatInt(l.Row, 10)
		}
		data := map[string]any{"tables": int64(l.Tables), "absent": int64(len(l.Absent))}
		for key, s := range map[string]string{"how": l.How, "problem": l.Problem} {
			if s != "" {
				data[key] = s
			}
		}
		if l.Unnamed > 0 {
			data["unnamed"] = int64(l.Unnamed)
		}
		facts = append(facts, Fact{Name: "table-list", ID: id, Data: data})
		for _, t := range l.Absent {
			facts = append(facts, l.fact(t))
		}
		for _, t := range l.Outside {
			facts = append(facts, Fact{Name: "table-outside", ID: t, Data: map[string]any{"table": t, "of": id}})
		}
	}
	for _, u := range v.unreadable {
		facts = append(facts, Fact{Name: "table-unreadable", ID: strings.ToLower(u.Table.Name),
			Data: map[string]any{"table": strings.ToLower(u.Table.Name), "error": fmt.Sprint(u.Err)}})
	}
	return facts, nil
}

func (l TableList) fact(t AbsentTable) Fact {
	f := Fact{Name: "table-absent", ID: t.Name, Data: map[string]any{"table": t.Name, "by": strings.ToLower(l.Place)}}
	if l.Place == InSequence {
		f.ID, f.Data["number"] = strconv.FormatInt(t.ID, 10), t.Number
	}
	return f
}

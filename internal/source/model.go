package source

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/openomt/omt/internal/dbmodel"
)

// maxModel is how many bytes of a model are read; what is longer is not decoded (see dbmodel).
const maxModel = 32 << 20

// modelLists reads the rows of DatabaseModel, of which one is documented. The model itself goes no further than this.
func (v *View) modelLists(ctx context.Context) ([]TableList, error) {
	p, ok := v.probe(InModel, "t")
	if !ok {
		return nil, nil
	}
	c, ok := p.table.Column("ModelData")
	switch {
	case !ok:
		return []TableList{{Place: InModel, Problem: `it has no column "ModelData"`}}, nil
	case c.Type.Kind != Bytes && c.Type.Kind != Text:
		return []TableList{{Place: InModel, Problem: fmt.Sprintf("ModelData is of type %q", c.Type.SQL)}}, nil
	}
	longest, err := v.longest(ctx, p, c)
	if err != nil {
		return nil, err
	}
	if longest > maxModel {
		return []TableList{{Place: InModel, Problem: fmt.Sprintf("ModelData has %d bytes, and up to %d are looked at", longest, maxModel)}}, nil
	}
	var out []TableList
	for r, err := range v.rowsOf(ctx, p, "", []string{"databasemodel_id"}, "databasemodel_id", "ModelData") {
		if err != nil {
			return nil, err
		}
		out = append(out, v.modelList(number64(r[0]), r[1]))
	}
	if len(out) == 0 {
		out = []TableList{{Place: InModel, Problem: "it has no row"}}
	}
	return out, nil
}

// longest is the length of the longest value of a column, in bytes.
func (v *View) longest(ctx context.Context, p probe, c Column) (int64, error) {
	length := "LENGTH(CAST(" + p.col(c.Name) + " AS BLOB))"
	if v.driver.Engine() == "mssql" {
		length = "DATALENGTH(" + p.col(c.Name) + ")"
	}
	var n int64
	for r, err := range v.query(ctx, p.table.Name, "SELECT "+length+" FROM "+p.from(), nil) {
		if err != nil {
			return 0, err
		}
		n = max(n, number64(r[0]))
	}
	return n, nil
}

func (v *View) modelList(row int64, value any) TableList {
	l := TableList{Place: InModel, Row: row}
	blob, _ := value.([]byte)
	if s, ok := value.(string); ok {
		blob = []byte(s)
	}
	names, how, err := dbmodel.Tables(bytes.NewReader(blob), required[:]...)
	if err != nil {
		l.Problem = "ModelData: " + err.Error()
		return l
	}
	l.How = "ModelData: " + how
	l.compare(v, named(names))
	return l
}

func named(names []string) []AbsentTable {
	out := make([]AbsentTable, len(names))
	for i, n := range names {
		out[i].Name = n
	}
	return out
}

// maxDictionary is how many rows of the old dictionary are read.
const maxDictionary = 100_000

// dictionaryList reads the names of tables out of the old dictionary: from the table of physical tables, else from that
// of conceptual ones. Which of their columns holds the name is not documented. The columns of text that are called like
// names are looked at, and the first that holds the tables that every database has is taken. Where there is a model the
// dictionary is a thing of the past, which nothing keeps in step.
func (v *View) dictionaryList(ctx context.Context) ([]TableList, error) {
	var last []TableList
	for _, place := range []string{InPhysical, InConcepts} {
		p, ok := v.probe(place, "t")
		if !ok {
			continue
		}
		l, err := v.dictionaryNames(ctx, p)
		if err != nil {
			return nil, err
		}
		l.Place, l.Past = place, v.seen(InModel)
		if l.Problem == "" {
			return []TableList{l}, nil
		}
		last = append(last, l)
	}
	return last[:min(1, len(last))], nil
}

func (v *View) dictionaryNames(ctx context.Context, p probe) (TableList, error) {
	var l TableList
	var cols []string
	for _, c := range p.table.Stored() {
		if c.Type.Kind == Text && strings.Contains(strings.ToLower(c.Name), "name") {
			cols = append(cols, c.Name)
		}
	}
	if len(cols) == 0 {
		l.Problem = "it has no column of text that is called like a name"
		return l, nil
	}
	names := make([]map[string]bool, len(cols))
	for i := range names {
		names[i] = map[string]bool{}
	}
	rows := 0
	for r, err := range v.rowsOf(ctx, p, "", nil, cols...) {
		if err != nil {
			return l, err
		}
		if rows++; rows > maxDictionary {
			break
		}
		for i, x := range r {
			names[i][v.bare(words(x))] = true
		}
	}
	for i, set := range names {
		if !slices.ContainsFunc(required[:], func(t string) bool { return !set[t] }) {
			l.How = fmt.Sprintf("column %q", cols[i])
			delete(set, "")
			l.compare(v, named(slices.Sorted(maps.Keys(set))))
			return l, nil
		}
	}
	l.Problem = fmt.Sprintf("no column that is called like a name (%s) names %s", quoteAll(cols), strings.Join(required[:], ", "))
	return l, nil
}

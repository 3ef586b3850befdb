package source

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMergeNotes(t *testing.T) {
	var notes []Note
	for i := range 7 {
		notes = append(notes, Note{"column", "of type rowversion made binary(8)", fmt.Sprintf("crm7.t%d.rv", i)})
		if i < 2 {
			notes = append(notes, Note{"index", "left out", fmt.Sprintf("crm7.t%d.x", i)})
		}
	}
	notes = append(notes, Note{"index", "made without its filter", "crm7.a.x"}, Note{"column", "left out", "crm7.a.c"})
	want := []string{
		"7 columns of type rowversion made binary(8): crm7.t0.rv, crm7.t1.rv, crm7.t2.rv, crm7.t3.rv, crm7.t4.rv and 2 more",
		"2 indexes left out: crm7.t0.x, crm7.t1.x",
		"1 index made without its filter: crm7.a.x",
		"1 column left out: crm7.a.c",
	}
	if d := cmp.Diff(want, MergeNotes(notes)); d != "" {
		t.Error(d)
	}
	if lines := MergeNotes(nil); len(lines) != 0 {
		t.Errorf("of nothing it says %q", lines)
	}
}

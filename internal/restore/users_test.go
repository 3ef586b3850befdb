package restore

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

// wantUsers are sample's users, as they are written down for whoever makes the accounts.
var wantUsers = []source.Row{
	{int64(3), int64(7), "BOB", "Bob Bobsen", "SalesPREM", "b@x.example", "bob@x.example", true, true, false, "Kalles", "Sales", "User level 0", "Boss", "ten-sales"},
	{int64(5), nil, "OLA", "Ola", "", nil, nil, false, false, true, "", "", "", "", ""},
	{int64(6), nil, "NEW", "New", nil, nil, nil, nil, false, false, "", "", "", "", ""},
}

// What is in the database otherwise than at the source is told in the end, things of one kind in one line, in a run that is
// gone on with too.
func TestUnpackNotes(t *testing.T) {
	_, d := sample(t)
	m := d.commit()
	l := &loader{dieAt: 7, notes: []source.Note{{Thing: "column", What: "made binary(8)", Name: "crm7.a.rv"},
		{Thing: "index", What: "left out", Name: "crm7.a.x"}, {Thing: "column", What: "made binary(8)", Name: "crm7.b.rv"}}}
	o := options(t)
	var told []string
	o.DB, o.Remark = l, func(format string, args ...any) { told = append(told, fmt.Sprintf(format, args...)) }
	if _, err := Unpack(t.Context(), m, o); !errors.Is(err, errDied) || len(told) > 0 {
		t.Fatalf("%v; told %q", err, told)
	}
	_, err := Unpack(t.Context(), m, o)
	check(t, err)
	if diff := cmp.Diff([]string{"2 columns made binary(8): crm7.a.rv, crm7.b.rv", "1 index left out: crm7.a.x"}, told); diff != "" {
		t.Error(diff)
	}
}

// A table of the source that has the name of the one that unpacking makes is in the way of it.
func TestUnpackNameTaken(t *testing.T) {
	_, d := sample(t)
	d.table("OMT_User", rows(1, 1))
	m := d.commit()
	o := options(t)
	o.DB, o.Files = &loader{}, filepath.Join(t.TempDir(), "out")
	_, err := Unpack(t.Context(), m, o)
	if manifest.StatusOf(err) != manifest.Refused || !strings.Contains(err.Error(), `holds a table "OMT_User"`) || o.DB.(*loader).begun != "" {
		t.Errorf("%v; begun %q", err, o.DB.(*loader).begun)
	}
	o.DB = nil
	if _, err := Unpack(t.Context(), m, o); err != nil {
		t.Errorf("files alone: %v", err)
	}
}

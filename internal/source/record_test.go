package source

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/manifest"
)

func sampleTable() Table {
	return Table{
		Name: "Odd",
		Columns: []Column{
			{Name: "id", Type: ParseType("int"), Identity: true},
			{Name: "name", Type: ParseType("nvarchar(239)"), Null: true, Collation: "Danish_Norwegian_CI_AS", Default: "(N'x')"},
			{Name: "twice", Type: ParseType("int"), Null: true, Computed: "([id]*2)"},
			{Name: "where", Type: ParseType("Point"), Null: true},
		},
		Key:     []string{"id"},
		Indexes: []Index{{Name: "ix", On: "[name] DESC", Unique: true}},
	}
}

func TestRecord(t *testing.T) {
	r := ToRecord(sampleTable(), 12)
	want := manifest.Table{
		Name: "Odd", Rows: 12, Key: []string{"id"},
		Columns: []manifest.Column{
			{Name: "id", Type: "int", Identity: true},
			{Name: "name", Type: "nvarchar(239)", Null: true, Collation: "Danish_Norwegian_CI_AS", Default: "(N'x')"},
			{Name: "twice", Type: "int", Null: true, Computed: "([id]*2)"},
			{Name: "where", Type: "point", Null: true},
		},
		Indexes: []manifest.Index{{Name: "ix", On: "[name] DESC", Unique: true}},
	}
	if d := cmp.Diff(want, r); d != "" {
		t.Errorf("ToRecord (-want +got):\n%s", d)
	}
	if d := cmp.Diff(sampleTable(), FromRecord(r)); d != "" {
		t.Errorf("FromRecord (-want +got):\n%s", d)
	}
	b, err := json.Marshal(ToRecord(Table{Name: "x"}, 0))
	if err != nil || !strings.Contains(string(b), `"key":[]`) {
		t.Errorf("a table without a key is written as %s, %v", b, err)
	}
}

func TestTableColumns(t *testing.T) {
	tab := sampleTable()
	var names []string
	for _, c := range tab.Stored() {
		names = append(names, c.Name)
	}
	if d := cmp.Diff([]string{"id", "name", "where"}, names); d != "" {
		t.Errorf("Stored: %s", d)
	}
	if u := tab.Unsupported(); len(u) != 1 || u[0].Name != "where" {
		t.Errorf("Unsupported = %v", u)
	}
	if c, ok := tab.Column("NAME"); !ok || c.Name != "name" {
		t.Errorf("Column(NAME) = %v, %v", c, ok)
	}
	if _, ok := tab.Column("nope"); ok {
		t.Error("Column finds what is not there")
	}
	if got, ok := FindTable([]Table{{Name: "a"}, tab}, "ODD"); !ok || got.Name != "Odd" {
		t.Errorf("FindTable = %v, %v", got.Name, ok)
	}
	if _, ok := FindTable(nil, "x"); ok {
		t.Error("FindTable finds what is not there")
	}
}

func TestIndexOn(t *testing.T) {
	for _, c := range []struct {
		on    string
		parts []Part
	}{
		{"[a]", []Part{{"a", false}}},
		{"[a],[b] DESC", []Part{{"a", false}, {"b", true}}},
		{"[a]]b],[c, d] DESC", []Part{{"a]b", false}, {"c, d", true}}},
		{"[[x]", []Part{{"[x", false}}},
		{"[DESC] DESC", []Part{{"DESC", true}}},
	} {
		got, err := ParseOn(c.on)
		if err != nil {
			t.Errorf("ParseOn(%q): %v", c.on, err)
		}
		if d := cmp.Diff(c.parts, got); d != "" {
			t.Errorf("ParseOn(%q): %s", c.on, d)
		}
		if back := FormatOn(got); back != c.on {
			t.Errorf("FormatOn = %q, want %q", back, c.on)
		}
	}
	if got, err := ParseOn(" [a] asc , [b] desc "); err != nil || FormatOn(got) != "[a],[b] DESC" {
		t.Errorf("with blanks: %v, %v", got, err)
	}
	for _, bad := range []string{"", "a", "[a", "[]", "[a] [b]", "[a],", ",[a]", "[a] DOWN", "[a]; DROP TABLE x", "[a]]"} {
		if got, err := ParseOn(bad); err == nil {
			t.Errorf("ParseOn(%q) = %v, want an error", bad, got)
		}
	}
}

func FuzzParseOn(f *testing.F) {
	f.Add("[a],[b] DESC")
	f.Add("[a]]b] ASC")
	f.Fuzz(func(t *testing.T, s string) {
		parts, err := ParseOn(s)
		if err != nil {
			return
		}
		again, err := ParseOn(FormatOn(parts))
		if err != nil || !cmp.Equal(parts, again) {
			t.Errorf("ParseOn(%q) = %v, written and read again %v, %v", s, parts, again, err)
		}
	})
}

func TestLoadable(t *testing.T) {
	id := Column{Name: "id", Type: ParseType("int")}
	for _, c := range []struct {
		table Table
		say   string
	}{
		{Table{Name: "ok", Columns: []Column{id}, Key: []string{"ID"}, Indexes: []Index{{Name: "x", On: "[Id]"}}}, ""},
		{Table{Name: "empty"}, "no column"},
		{Table{Name: "computed", Columns: []Column{{Name: "c", Type: id.Type, Computed: "(1)"}}}, "no column"},
		{Table{Name: "twice", Columns: []Column{id, {Name: "ID", Type: id.Type}}}, "two columns"},
		{Table{Name: "unnamed", Columns: []Column{{Type: id.Type}}}, "two columns"},
		{Table{Name: "unknown", Columns: []Column{{Name: "g", Type: ParseType("point")}}}, `type "point"`},
		{Table{Name: "key", Columns: []Column{id}, Key: []string{"no"}}, `column "no"`},
		{Table{Name: "null", Columns: []Column{{Name: "id", Type: id.Type, Null: true}}, Key: []string{"id"}}, "NULL"},
		{Table{Name: "index", Columns: []Column{id}, Indexes: []Index{{Name: "x", On: "[no]"}}}, `column "no"`},
		{Table{Name: "on", Columns: []Column{id}, Indexes: []Index{{Name: "x", On: "id"}}}, "index on"},
	} {
		err := Loadable(c.table)
		if (err == nil) != (c.say == "") || (err != nil && !strings.Contains(err.Error(), c.say)) {
			t.Errorf("%s: %v, want %q", c.table.Name, err, c.say)
		}
	}
}

// plainQuoter writes names bare.
type plainQuoter struct{}

func (plainQuoter) Ref(prefix, table string) string { return prefix + "." + table }
func (plainQuoter) Quote(name string) string        { return name }

func TestAddressQuery(t *testing.T) {
	col := func(names ...string) (cols []Column) {
		for _, n := range names {
			cols = append(cols, Column{Name: n, Type: ParseType("int")})
		}
		return cols
	}
	q, err := AddressQuery(plainQuoter{}, "crm7", Table{Name: "EMAIL", Columns: col("Email_Id", "Person_Id", "Email_Address", "Type")})
	if err != nil {
		t.Fatal(err)
	}
	want := AddressSQL{
		Select: "SELECT Email_Id, Email_Address FROM crm7.EMAIL WHERE Person_Id = @p1 AND COALESCE(Type, 0) = 0",
		Delete: "DELETE FROM crm7.EMAIL WHERE Email_Id = @p1",
	}
	if q != want {
		t.Errorf("AddressQuery = %+v", q)
	}
	if q, err = AddressQuery(plainQuoter{}, "crm7", Table{Name: "e", Columns: col("email_id", "person_id", "email_address")}); err != nil || strings.Contains(q.Select, "COALESCE") {
		t.Errorf("without a type: %+v, %v", q, err)
	}
	if _, err = AddressQuery(plainQuoter{}, "crm7", Table{Name: "e", Columns: col("email_id", "person_id")}); err == nil || !strings.Contains(err.Error(), "email_address") {
		t.Errorf("without addresses: %v", err)
	}
}

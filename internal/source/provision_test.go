package source

import (
	"strings"
	"testing"

	"github.com/openomt/omt/internal/manifest"
)

func TestIsUserTable(t *testing.T) {
	change := func(fn func(t *Table)) Table {
		x := UserTable()
		fn(&x)
		return x
	}
	for what, c := range map[string]struct {
		table Table
		is    bool
	}{
		"as it is made": {UserTable(), true},
		"as a server spells it": {change(func(t *Table) {
			t.Name = "OMT_USER"
			for i := range t.Columns {
				t.Columns[i].Name = strings.ToUpper(t.Columns[i].Name)
			}
		}), true},
		"another name":         {change(func(t *Table) { t.Name = "omt_users" }), false},
		"a column less":        {change(func(t *Table) { t.Columns = t.Columns[:len(t.Columns)-1] }), false},
		"a column more":        {change(func(t *Table) { t.Columns = append(t.Columns, Column{Name: "x"}) }), false},
		"a column called else": {change(func(t *Table) { t.Columns[3].Name = "mail" }), false},
		"none":                 {Table{Name: "omt_user"}, false},
	} {
		if IsUserTable(c.table) != c.is {
			t.Errorf("%s: taken for ours: %v", what, !c.is)
		}
		left := WithoutUserTable([]Table{{Name: "a"}, c.table, {Name: "b"}})
		if want := map[bool]int{true: 2, false: 3}[c.is]; len(left) != want || left[len(left)-1].Name != "b" {
			t.Errorf("%s: left are %v", what, left)
		}
	}
}

// A row of users has a value of its type for every column, whatever a record leaves out.
func TestUserRow(t *testing.T) {
	plan, yes := "P", true
	for _, u := range []manifest.User{
		{}, {ID: 1, Person: 2, Login: "a", Name: "b", Plan: &plan, Username: "c@x", Emails: []string{"d@x", "e@x"}, Welcome: &yes, Admin: true},
	} {
		row, cols := UserRow(u), UserTable().Columns
		if len(row) != len(cols) {
			t.Fatalf("%d values for %d columns", len(row), len(cols))
		}
		for i, c := range cols {
			if err := c.Type.Check(row[i]); err != nil || row[i] == nil && !c.Null {
				t.Errorf("%+v: column %q holds %v: %v", u, c.Name, row[i], err)
			}
		}
	}
	if err := Loadable(UserTable()); err != nil {
		t.Error(err)
	}
}

func TestAddressOf(t *testing.T) {
	table := func(name string, columns ...string) Table {
		x := Table{Name: name}
		for _, c := range columns {
			x.Columns = append(x.Columns, Column{Name: c})
		}
		return x
	}
	of := AddressOf(table("EMAIL", "email_id", "Person_ID", "Email_Address", "TYPE"))
	for _, c := range []struct {
		row Row
		ok  bool
	}{
		{Row{int64(1), int64(7), "a@x", int64(0)}, true}, {Row{int64(1), int64(7), "a@x", nil}, true}, {Row{int64(1), int64(7), "a@x", int64(1)}, false},
		{Row{int64(1), nil, "a@x", nil}, false}, {Row{int64(1), int64(7), nil, nil}, false}, {Row{int64(1), "7", "a@x", nil}, false},
	} {
		person, email, ok := of(c.row)
		if ok != c.ok || ok && (person != 7 || email != "a@x") {
			t.Errorf("%v: %d %q %v", c.row, person, email, ok)
		}
	}
	if of := AddressOf(table("email", "person_id", "email_address")); of == nil {
		t.Error("without a type, no row holds an address")
	}
	for _, x := range []Table{table("emails", "person_id", "email_address"), table("email", "person_id"), table("email", "email_address")} {
		if AddressOf(x) != nil {
			t.Errorf("%+v is taken for the table of addresses", x)
		}
	}
}

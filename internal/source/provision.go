package source

import (
	"strings"

	"github.com/openomt/omt/internal/manifest"
)

// userTable is the name of the table that unpacking a migration adds to the tables of the source.
const userTable = "omt_user"

// UserTable is the table in which unpacking writes down who shall be a user at the tenant, one row for each user of the
// migration, for whoever makes the accounts there. Its key is the associate's.
//
//	associate_id  the user's row in the table associate
//	person_id     and in person; NULL where it has none
//	login, name   of the user on site
//	plan          name of the plan; NULL: none was chosen; '': chosen to have none, so the user cannot log in
//	username      e-mail address to log in with; NULL where none was chosen
//	email         the user's first address; NULL where there is none
//	welcome       whether a welcome e-mail is to be sent; NULL: not decided
//	admin         administrator
//	confidential  may see confidential activities
//	company, user_group, role, position  what the user is on site, '' where not known
//	onsite        the plan held on site, or ''
func UserTable() Table {
	text := func(name string, null bool) Column {
		return Column{Name: name, Type: ParseType("nvarchar(4000)"), Null: null}
	}
	bit := func(name string, null bool) Column { return Column{Name: name, Type: ParseType("bit"), Null: null} }
	return Table{Name: userTable, Key: []string{"associate_id"}, Columns: []Column{
		{Name: "associate_id", Type: ParseType("int")}, {Name: "person_id", Type: ParseType("int"), Null: true},
		text("login", false), text("name", false), text("plan", true), text("username", true), text("email", true),
		bit("welcome", true), bit("admin", false), bit("confidential", false),
		text("company", false), text("user_group", false), text("role", false), text("position", false), text("onsite", false),
	}}
}

// UserRow is a user's row in UserTable.
func UserRow(u manifest.User) Row {
	opt := func(s string) any {
		if s == "" {
			return nil
		}
		return s
	}
	row := Row{u.ID, nil, u.Login, u.Name, nil, opt(u.Username), nil, nil, u.Admin, u.Confidential,
		u.Company, u.Group, u.Role, u.Position, u.Onsite}
	if u.Person != 0 {
		row[1] = u.Person
	}
	if u.Plan != nil {
		row[4] = *u.Plan
	}
	if len(u.Emails) > 0 {
		row[6] = u.Emails[0]
	}
	if u.Welcome != nil {
		row[7] = *u.Welcome
	}
	return row
}

// IsUserTable reports whether a table of a database is one that unpacking made: it has the name and the columns of
// UserTable. Another table of that name is a customer's.
func IsUserTable(t Table) bool {
	want := UserTable().Columns
	if !NamedUserTable(t.Name) || len(t.Columns) != len(want) {
		return false
	}
	for i, c := range t.Columns {
		if !strings.EqualFold(c.Name, want[i].Name) {
			return false
		}
	}
	return true
}

// NamedUserTable reports whether a table has the name of UserTable.
func NamedUserTable(name string) bool { return strings.EqualFold(name, userTable) }

// WithoutUserTable returns tables without the one that unpacking made.
func WithoutUserTable(tables []Table) []Table {
	for i, t := range tables {
		if IsUserTable(t) {
			return append(tables[:i:i], tables[i+1:]...)
		}
	}
	return tables
}

// refuseUserTable is the error for a database in which a table that is the customer's own has the name of UserTable.
func refuseUserTable(prefix string, tables []Table) error {
	t := findTable(tables, userTable)
	if t == nil || IsUserTable(*t) {
		return nil
	}
	return manifest.Errorf(manifest.Refused, "prefix %q has a table %q that omt-pack unpack did not make, and it makes one of that name", prefix, t.Name).
		WithHint("rename the table, or move it out of the prefix, before the database is migrated")
}

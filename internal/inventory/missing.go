package inventory

import (
	"context"
	"fmt"
	"strings"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

// needed are the tables, besides those that a database must have to be one, from which users, plans and documents are
// read, with what would be unknown without them. Every version from 7.1 on has them.
var needed = [...]struct{ table, lost string }{
	{"appointment", "which documents belong to an activity"},
	{"contact", "the companies of users"},
	{"DocTmpl", "templates"},
	{"email", "e-mail addresses"},
	{"FunctionRight", "who is an administrator"},
	{"FunctionRightRoleLink", "who is an administrator"},
	{"LicenseAssocLink", "who has which plan"},
	{"ModuleLicense", "which plans there are"},
	{"Role", "the roles of users"},
	{"sequence", "which tables there should be"},
	{"UserGroup", "the groups of users"},
	{"UserRoleLink", "the roles of users"},
}

// lack is a table whose rows cannot be had.
type lack struct {
	why    []string // what says that it ought to be there, and what would be unknown without it
	words  string   // the server's, where the table is there and cannot be read
	severe bool     // something of today says so, not only what older versions kept
}

// lacks are what the rule table-missing finds, by lower-cased name.
type lacks struct {
	tables map[string]*lack
	lists  []source.TableList
}

func (l *lacks) of(table string) *lack {
	low := strings.ToLower(table)
	if l.tables[low] == nil {
		l.tables[low] = &lack{}
	}
	return l.tables[low]
}

// say adds a reason to a table's lack.
func (l *lacks) say(table string, severe bool, why string) {
	x := l.of(table)
	x.why, x.severe = append(x.why, why), x.severe || severe
}

// refuse notes a table that is there and cannot be read.
func (l *lacks) refuse(table string, err error) {
	x := l.of(table)
	x.words, x.severe = valid(err.Error()), true
}

// Missing looks for tables that ought to be there and whose rows cannot be had: those that the database names and its
// catalog does not show, those that refuse to be read, those that users, plans and documents are read from, and those
// that known names, which an earlier stage saw. They are findings of the rule table-missing, one for each table, and
// nothing else becomes of them: Tables leaves them out.
func (i *Inventory) Missing(ctx context.Context, known ...string) error {
	lists, err := i.o.Reader.TableLists(ctx)
	if err != nil {
		return fmt.Errorf("reading which tables there should be: %w", err)
	}
	l := &lacks{tables: map[string]*lack{}, lists: lists}
	for _, list := range lists {
		for _, t := range list.Absent {
			l.say(t.Name, !list.Past, placeOf(list.Place)+" names it")
		}
	}
	refused := i.o.Reader.Unreadable()
	for _, u := range refused {
		l.refuse(u.Table.Name, u.Err)
	}
	tables := i.o.Reader.Tables()
	there := func(name string) bool {
		_, ok := source.FindTable(tables, name)
		return ok
	}
	for _, name := range known {
		if !there(name) {
			l.say(name, true, "the manifest lists it")
		}
	}
	for _, n := range needed {
		if !there(n.table) {
			l.say(n.table, true, "without it nothing says "+n.lost)
		}
	}
	i.lacks = l
	return nil
}

// placeOf says a list of tables to people.
func placeOf(place string) string {
	switch place {
	case source.InSequence:
		return "the table of keys"
	case source.InModel:
		return "the database model"
	}
	return "the dictionary of older versions"
}

// report makes the findings: for each table, then for each list that does not tell all.
func (l *lacks) report(prefix string) *report {
	r := &report{}
	for _, t := range sortedKeys(l.tables) {
		x := l.tables[t]
		why := ""
		if len(x.why) > 0 {
			why = " (" + strings.Join(x.why, "; ") + ")"
		}
		severity := manifest.SeverityError
		if !x.severe {
			severity = manifest.SeverityWarning
		}
		if x.words != "" {
			r.add(ruleTables, severity, []string{"table:" + t}, "table %q is there and cannot be read%s, so that its rows would not move: %s", t, why, x.words)
			continue
		}
		r.add(ruleTables, severity, []string{"table:" + t},
			"table %q cannot be seen under the prefix %q%s: it is missing, or the database login may not see it, and its rows would not move", t, prefix, why)
	}
	for _, list := range l.lists {
		subject := []string{"table:" + strings.ToLower(list.Place)}
		if list.Problem != "" {
			r.add(ruleTables, manifest.SeverityWarning, subject,
				"which tables there should be cannot be told from %s: %s; a table that the database login may not see is noticed only where another list names it",
				list.Place, list.Problem)
		}
		if list.Unnamed > 0 {
			r.add(ruleTables, manifest.SeverityInfo, subject, "%d rows of table %q name no table: whether the database login may see what they stand for cannot be told",
				list.Unnamed, list.Place)
		}
	}
	return r
}

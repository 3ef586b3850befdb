package scan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

// The rules that are looked after here, and the plugin's name for all that the tools find themselves.
const (
	ruleMissing = "table-missing"
	ruleColumn  = "column-type"
	plugin      = "omt"
)

// absentFact is the fact that the source gives for a table that the table of keys names and that is not there.
const absentFact = "table-absent"

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

// lookAtTables gives the findings of both rules, each sorted by table.
func (r *run) lookAtTables() ([]manifest.Check, []manifest.Finding) {
	prefix := r.o.Installation.Prefix
	lost := map[string]string{}
	for _, t := range r.absent {
		lost[t] = "the table of keys names it"
	}
	for _, n := range needed {
		if _, ok := source.FindTable(r.o.Reader.Tables(), n.table); !ok {
			lost[strings.ToLower(n.table)] = "without it nothing says " + n.lost
		}
	}
	var missing, columns []manifest.Finding
	for _, t := range sortedKeys(lost) {
		missing = append(missing, manifest.Finding{
			Rule: ruleMissing, Severity: manifest.SeverityError, Subjects: []string{"table:" + t},
			Message: fmt.Sprintf("table %q cannot be seen under the prefix %q (%s): it is missing, or the database login may not see it", t, prefix, lost[t]),
		})
	}
	for _, t := range r.o.Reader.Tables() {
		var bad []string
		for _, c := range t.Columns {
			if c.Type.Kind == source.Other && c.Computed == "" {
				bad = append(bad, fmt.Sprintf("%q (%s)", c.Name, c.Type.SQL))
			}
		}
		if len(bad) > 0 {
			columns = append(columns, manifest.Finding{
				Rule: ruleColumn, Severity: manifest.SeverityError, Subjects: []string{"table:" + t.Name},
				Message: fmt.Sprintf("table %q has columns of types that cannot be read, so packing it will fail: %s", t.Name, strings.Join(bad, ", ")),
			})
		}
	}
	check := func(rule string, n int) manifest.Check {
		return manifest.Check{Rule: rule, Plugin: plugin, Tool: r.o.Tool, Status: manifest.CheckDone, Findings: n}
	}
	return []manifest.Check{check(ruleColumn, len(columns)), check(ruleMissing, len(missing))}, append(columns, missing...)
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

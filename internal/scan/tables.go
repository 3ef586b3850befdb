package scan

import (
	"fmt"
	"strings"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

// The rules that are looked after here, and the plugin's name for all that the tools find themselves.
const (
	ruleColumn = "column-type"
	ruleANSI   = "ansi-text"
	plugin     = "omt"
)

// ruleMissing is looked after by package inventory; its warnings are said here.
const ruleMissing = "table-missing"

// modelFact is the fact of the database model, which says whether the database is a Unicode one.
const modelFact = "databasemodel"

// lookAtTables gives the findings of both rules, those of column-type sorted by table.
func (r *run) lookAtTables() ([]manifest.Check, []manifest.Finding) {
	var columns []manifest.Finding
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
	ansi := r.ansi()
	check := func(rule string, n int) manifest.Check {
		return manifest.Check{Rule: rule, Plugin: plugin, Tool: r.o.Tool, Status: manifest.CheckDone, Findings: n}
	}
	return []manifest.Check{check(ruleANSI, len(ansi)), check(ruleColumn, len(columns))}, append(ansi, columns...)
}

// ansi finds that the database keeps its own texts in a code page: the model says so, or the names of associates are kept
// that way. A partner's table with such columns does not make it one.
func (r *run) ansi() []manifest.Finding {
	name := false
	if t, ok := source.FindTable(r.o.Reader.Tables(), "associate"); ok {
		c, has := t.Column("name")
		name = has && c.Type.ANSI()
	}
	if !r.notUnicode && !name {
		return nil
	}
	says := "names are kept in char or varchar"
	if r.notUnicode {
		says = "DatabaseModel.IsDatabaseUnicode is 0"
	}
	return []manifest.Finding{{
		Rule: ruleANSI, Severity: manifest.SeverityInfo, Subjects: []string{"table:databasemodel"},
		Message: fmt.Sprintf("the database is not a Unicode one (%s): texts hold the characters of their code page alone, and move as the server gives them; %s",
			says, forms(source.TextForms(r.o.Reader.Tables()))),
	}}
}

// forms says text columns to people.
func forms(list []source.TextColumns) string {
	if len(list) == 0 {
		return "it has no column of text"
	}
	var parts []string
	for _, n := range list {
		s := fmt.Sprintf("%d columns of Unicode", n.Columns)
		if n.ANSI {
			s = fmt.Sprintf("%d columns of a collation that is not told", n.Columns)
			if n.Collation != "" {
				s = fmt.Sprintf("%d columns of collation %s", n.Columns, n.Collation)
			}
			if n.CodePage != 0 {
				s += fmt.Sprintf(" (code page %d)", n.CodePage)
			}
		} else if n.Collation != "" {
			s += ", collation " + n.Collation
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, "; ")
}

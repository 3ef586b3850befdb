package rules

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/openomt/omt/plugins/sdk"
)

// inModel is the table that holds the model, as facts name it.
const inModel = "databasemodel"

var databaseModel = sdk.Rule{
	ID: "database-model", Title: "every table that the database's own model names is there",
	Help: "Since 8.1 the database holds a model of itself. Where a table of it does not exist, the vendor's migration stops with " +
		"\"invalid object name\"; a documented cause is a partner who changed tables with the old dictionary SDK. A table that the " +
		"database login may not see looks the same: give it the right to read, and scan again. A table that is really gone has to " +
		"be taken out of the model, for which the vendor has a script. What becomes of the rows is told by table-missing, table by " +
		"table. How the model is packed is not documented; where it cannot be read, a warning says what was tried, and nothing was " +
		"compared. Versions before 8.1 have no model.",
	Severity: sdk.Error,
	Evidence: "documented; that a list found in the model is that of its tables is inferred from the tables it names",
	Facts:    []string{inModel, "table-list", "table-absent"},
	Check: func(_ context.Context, in *sdk.Input, report sdk.Report) error {
		told, model, old := false, false, false
		var absent []string
		for f := range sdk.Each[*sdk.Fact](in) {
			place, row, _ := strings.Cut(f.ID, "/")
			switch {
			case f.Name == inModel:
				model = true
			case f.Name == "table-absent":
				if text(f, "by") == inModel {
					absent = append(absent, text(f, "table"))
				}
			case place == inModel:
				told = true
				unread(f, row, report)
			case place == "physicaltable" || place == "conceptualtable":
				old = true
			}
		}
		slices.Sort(absent)
		if absent = slices.Compact(absent); len(absent) > 0 {
			report(sdk.Finding{Subjects: []string{sdk.TableSubject(inModel)}, Message: fmt.Sprintf("the database model names %s that cannot be seen (table-missing tells of each): %s; give the database login the right to read what is there, and have what is gone taken out of the model",
				count(len(absent), "table", "tables"), enumerate(absent))})
		}
		if !told && (model || !old) {
			report(sdk.Finding{Severity: sdk.Warning, Subjects: []string{sdk.TableSubject(inModel)},
				Message: "the manifest does not tell what the database model names, so that nothing was compared: scan again"})
		}
		return nil
	},
}

// unread says why a model tells nothing.
func unread(f *sdk.Fact, row string, report sdk.Report) {
	problem := text(f, "problem")
	if problem == "" {
		return
	}
	if row != "" {
		row = " (row " + row + ")"
	}
	report(sdk.Finding{Severity: sdk.Warning, Subjects: []string{sdk.TableSubject(inModel)}, Message: fmt.Sprintf("which tables the database model names cannot be told%s, so that nothing was compared: %s",
		row, problem)})
}

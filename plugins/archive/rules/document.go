package rules

import (
	"context"

	"github.com/openomt/omt/plugins/sdk"
)

var documentName = sdk.Rule{
	ID: "document-name", Title: "every document has a file name",
	Help: "The name in the document's row says which file is its content. Without one nobody knows the file: the document arrives at the " +
		"tenant without content, and the vendor's migration may leave it behind. It may never have been saved. Have it saved anew, or " +
		"delete it.",
	Severity: sdk.Warning,
	Reads:    []string{sdk.KindFile},
	Check: func(_ context.Context, in *sdk.Input, report sdk.Report) error {
		var l list
		for f := range sdk.Each[*sdk.File](in) {
			if row(f) && f.State == blankName {
				l.add(f, "its row has no file name, so that no content moves")
			}
		}
		l.report(report, "have no file name, so that no content moves", `state "blank-name"`)
		return nil
	},
}

var documentAppointment = sdk.Rule{
	ID: "document-appointment", Title: "an activity (appointment) belongs to every document",
	Help: "Every document has to have an activity, a row of appointment that names it. The vendor's migration may leave behind a " +
		"document without one; here its file moves where it is there, and at the tenant its users may not find it. Have the " +
		"activity restored, or delete the document.",
	Severity: sdk.Warning,
	Reads:    []string{sdk.KindFile},
	Check: func(_ context.Context, in *sdk.Input, report sdk.Report) error {
		var l list
		for f := range sdk.Each[*sdk.File](in) {
			switch {
			case !row(f):
			case f.State == noAppointment:
				l.add(f, "no activity belongs to it; its file moves, and the document may not be found")
			case f.State == missing && f.Reason == noAppointment:
				l.add(f, "no activity belongs to it, and its file is missing")
			}
		}
		l.report(report, "have no activity, so that they may not be found", `state or reason "no-appointment"`)
		return nil
	},
}

var documentAssociate = sdk.Rule{
	ID: "document-associate", Title: "the author of every document, and the owner of its activity, is an associate",
	Help: "The folder of a document's file is called after its author. Where the author's row is gone nobody knows the folder, and the " +
		"content does not move. Where only the associate of the activity is gone the file moves, and the vendor's migration may " +
		"leave the document behind. Give the rows to somebody who is there; a retired user is.",
	Severity: sdk.Warning,
	Reads:    []string{sdk.KindFile},
	Check: func(_ context.Context, in *sdk.Input, report sdk.Report) error {
		var l list
		for f := range sdk.Each[*sdk.File](in) {
			switch {
			case !row(f):
			case f.State == noAssociate && f.Reason == "author":
				l.add(f, "its author is no associate, so that its folder is not known and no content moves")
			case f.State == noAssociate:
				l.add(f, "its activity belongs to nobody; its file moves")
			case f.State == missing && f.Reason == noAssociate:
				l.add(f, "its activity belongs to nobody, and its file is missing")
			}
		}
		l.report(report, "have an author or an activity that is nobody's", `state or reason "no-associate"`)
		return nil
	},
}

package rules

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/openomt/omt/plugins/sdk"
)

// oldest is the first version that can be migrated.
var oldest = [2]int{7, 1}

var versionOf = sdk.Rule{
	ID: "version", Title: "the installation is SuperOffice 7.1 or newer",
	Help: "The vendor migrates version 7.1 and newer; an older installation has to be upgraded first. The version is taken from the " +
		"texts that name it. Where these do not agree or are no numbers, a database that holds its own model is 8.1 or newer, and " +
		"one that keeps dates as numbers older than 7.0. Which number of the database's schema means which version is not " +
		"documented; where nothing else tells, the finding is a warning with what there is: look it up in the program.",
	Severity: sdk.Error,
	Reads:    []string{sdk.KindInstallation, sdk.KindTable},
	Facts:    []string{"productversion", "service-config", "databasemodel", "company"},
	Check: func(_ context.Context, in *sdk.Input, report sdk.Report) error {
		var v evidence
		for rec := range in.Records() {
			v.add(rec)
		}
		v.report(report)
		return nil
	},
}

// evidence is what tells of a version.
type evidence struct {
	version string
	model   bool     // the database holds its own model, as 8.1 and newer do
	numbers string   // a column of a date that is kept as a number, as before 7.0
	seen    []string // values, for people
}

func (v *evidence) add(rec sdk.Record) {
	switch rec := rec.(type) {
	case *sdk.Installation:
		v.version = strings.TrimSpace(rec.Version)
	case *sdk.Table:
		if !strings.EqualFold(rec.Name, "associate") {
			return
		}
		for _, c := range rec.Columns {
			if strings.EqualFold(c.Name, "registered") && c.Type == "int" {
				v.numbers = rec.Name + "." + c.Name
			}
		}
	case *sdk.Fact:
		switch what := text(rec, "version"); {
		case rec.Name == "databasemodel":
			v.model = true
		case what != "" && rec.Name == "productversion":
			v.seen = append(v.seen, oneLine(fmt.Sprintf("ProductVersion %s %s %s", text(rec, "ownername"), text(rec, "codename"), what)))
		case what != "" && rec.Name == "company":
			v.seen = append(v.seen, "company.version "+what+", revision "+text(rec, "revision"))
		case what != "":
			v.seen = append(v.seen, "config.version of Service "+what)
		}
	}
}

func (v *evidence) report(report sdk.Report) {
	subject := []string{"installation:version"}
	told, ok := parseVersion(v.version)
	switch {
	case ok && slices.Compare(told[:], oldest[:]) < 0:
		report(sdk.Finding{Subjects: subject, Message: fmt.Sprintf("the installation is of version %s, and the oldest that can be migrated is %d.%d: upgrade it first",
			v.version, oldest[0], oldest[1])})
	case v.numbers != "":
		report(sdk.Finding{Subjects: subject, Message: fmt.Sprintf("dates are kept as numbers (%s), as in versions before 7.0, and the oldest that can be migrated is %d.%d: upgrade the installation first",
			v.numbers, oldest[0], oldest[1])})
	case ok, v.model:
	default:
		values := "nothing in the database names one"
		if v.version != "" {
			v.seen = append([]string{v.version}, v.seen...)
		}
		if len(v.seen) > 0 {
			values = "there is " + enumerate(v.seen)
		}
		report(sdk.Finding{Severity: sdk.Warning, Subjects: subject, Message: fmt.Sprintf("whether the version is at least %d.%d cannot be told: %s; look it up in the program",
			oldest[0], oldest[1], values)})
	}
}

// parseVersion gives the first two numbers of a version: digits and points, with at least one point between.
func parseVersion(s string) (v [2]int, ok bool) {
	words := strings.Split(strings.TrimSuffix(s, "."), ".")
	if len(words) < 2 {
		return v, false
	}
	for i, w := range words {
		n, err := strconv.ParseUint(w, 10, 31)
		if err != nil {
			return v, false
		}
		if i < len(v) {
			v[i] = int(n)
		}
	}
	return v, true
}

package rules

import (
	"context"
	"fmt"
	"strings"

	"github.com/openomt/omt/plugins/sdk"
)

// firstSatellite is where the ids of satellites begin; ids of travellers, who are associates, lie below. A satellite
// has 0x01000000 ids, the first those from 0x01000000.
const firstSatellite = 1 << 24

var travel = sdk.Rule{
	ID: "travel", Title: "nobody is on Travel",
	Help: "Who is on Travel works in a database of its own. What is written there comes home through this database and no other way: " +
		"once the tenant is in use it is lost. Let everybody come home, which removes the row, and scan again. A row that was left " +
		"behind by somebody who does not travel any more is waived with that reason.",
	Severity: sdk.Error,
	Evidence: "inferred: a row of traveller whose travel_id is an associate's id (below 0x01000000); how the vendor's tool tests it is not documented",
	Reads:    []string{sdk.KindUser},
	Facts:    []string{"traveller"},
	Check: func(_ context.Context, in *sdk.Input, report sdk.Report) error {
		users := people{}
		for rec := range in.Records() {
			switch rec := rec.(type) {
			case *sdk.User:
				users[rec.ID] = rec
			case *sdk.Fact:
				id, told := number(rec, "travel_id")
				if told && id >= firstSatellite {
					continue
				}
				f := sdk.Finding{Subjects: []string{rowSubject("traveller", rec.ID)}}
				who := "somebody whom the row does not tell"
				if told {
					who = users.called(id)
				}
				if users[id] != nil {
					f.Subjects = append([]string{sdk.UserSubject(id)}, f.Subjects...)
				}
				f.Message = fmt.Sprintf("%s is on Travel%s (row %s of traveller): what is written there and not brought home would be lost",
					who, since(rec, "generatedtime"), rec.ID)
				report(f)
			}
		}
		return nil
	},
}

// since says from when on something is so, where a fact tells it.
func since(f *sdk.Fact, key string) string {
	at := text(f, key)
	if at == "" || strings.HasPrefix(at, "1760-") { // the vendor's "no date"
		return ""
	}
	return " since " + at
}

var satellite = sdk.Rule{
	ID: "satellite", Title: "no satellite is active",
	Help: "A satellite is a database of an office of its own that exchanges changes with this one. What it has not sent is not in what " +
		"moves, and after the migration it has nothing to send to. Close the satellite, with its last changes sent home, and scan " +
		"again. Whether a row of the table alone makes a satellite an active one is not documented, so that it is an error too: " +
		"where the satellite is gone and its row is left, waive it with that reason.",
	Severity: sdk.Error,
	Evidence: "inferred: a row of satellite, a row of traveller with a travel_id from 0x01000000 on, or transactions made for such an id, of which satellite n has those from n × 0x01000000 on; how the vendor's tool tests it is not documented",
	Facts:    []string{"satellite", "traveller", "travelgeneratedtransaction"},
	Check: func(_ context.Context, in *sdk.Input, report sdk.Report) error {
		var s satellites
		for f := range sdk.Each[*sdk.Fact](in) {
			s.add(f)
		}
		s.report(report)
		return nil
	},
}

// satellites are what the facts tell of them.
type satellites struct {
	rows    []*sdk.Fact
	signs   []sign
	claimed map[int]bool
}

// sign is something that a satellite in use leaves.
type sign struct {
	travelID, area int64 // area 0: not told
	subject, text  string
}

func (s *satellites) add(f *sdk.Fact) {
	id, _ := number(f, "travel_id")
	switch {
	case f.Name == "satellite":
		s.rows = append(s.rows, f)
	case id < firstSatellite:
	case f.Name == "traveller":
		area, _ := number(f, "area_id")
		s.signs = append(s.signs, sign{id, area, rowSubject("traveller", f.ID), fmt.Sprintf("row %s of traveller names it%s", f.ID, since(f, "generatedtime"))})
	default:
		rows, _ := number(f, "rows")
		s.signs = append(s.signs, sign{id, 0, rowSubject("travelgeneratedtransaction", f.ID), count(int(rows), "transaction was", "transactions were") + " made for it"})
	}
}

// of gives the signs of one satellite: those of its area, and those of an id in its range.
func (s *satellites) of(f *sdk.Fact) (texts []string, subjects []string) {
	area, _ := number(f, "area_id")
	for i, x := range s.signs {
		if x.area != 0 && x.area == area || fmt.Sprint(x.travelID/firstSatellite) == f.ID {
			s.claimed[i] = true
			texts, subjects = append(texts, x.text), append(subjects, x.subject)
		}
	}
	return texts, subjects
}

func (s *satellites) report(report sdk.Report) {
	s.claimed = map[int]bool{}
	for _, f := range s.rows {
		texts, subjects := s.of(f)
		area, _ := number(f, "area_id")
		message := fmt.Sprintf("satellite %s (area %d) is registered, and nothing tells whether it is still in use: close it, or waive this if it is gone", f.ID, area)
		if len(texts) > 0 {
			message = fmt.Sprintf("satellite %s (area %d) is in use: %s; close it with its last changes sent home", f.ID, area, enumerate(texts))
		}
		report(sdk.Finding{Subjects: append([]string{rowSubject("satellite", f.ID)}, subjects...), Message: message})
	}
	for i, x := range s.signs {
		if !s.claimed[i] {
			report(sdk.Finding{Subjects: []string{x.subject}, Message: fmt.Sprintf("a satellite that is not in the table satellite has the id %d (0x%08x): %s; close it with its last changes sent home",
				x.travelID, x.travelID, x.text)})
		}
	}
}

// central is the level of the database that all others hang on.
const central = 10

var travelDatabase = sdk.Rule{
	ID: "travel-database", Title: "the database is the central one, not a satellite's or one for Travel",
	Help: "A satellite and a Travel database hold a part of the company's data, with ids of their own. Migrated, everything else would be " +
		"missing at the tenant. Connect to the central database and scan again.",
	Severity: sdk.Error,
	Evidence: "inferred: travelcurrent.systemlevel is 10 in a central database, 9 and 8 below it",
	Facts:    []string{"travelcurrent"},
	Check: func(_ context.Context, in *sdk.Input, report sdk.Report) error {
		seen := false
		for f := range sdk.Each[*sdk.Fact](in) {
			level, told := number(f, "systemlevel")
			switch {
			case !told:
				continue
			case level != central:
				current, _ := number(f, "current_id")
				report(sdk.Finding{Subjects: []string{rowSubject("travelcurrent", f.ID)}, Message: fmt.Sprintf("the database is not the central one (travelcurrent: systemlevel %d, where that has %d; current_id %d): scan the central database",
					level, central, current)})
			}
			seen = true
		}
		if !seen {
			report(sdk.Finding{Severity: sdk.Warning, Subjects: []string{sdk.TableSubject("travelcurrent")},
				Message: "whether the database is the central one cannot be told: travelcurrent has no row with a systemlevel; make sure that it is no satellite's and not one for Travel"})
		}
		return nil
	},
}

package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/openomt/omt/cmd/internal/rules"
	"github.com/openomt/omt/internal/scan"
	"github.com/openomt/omt/internal/source"
)

// queries are those of the rules, as the scan takes them.
func queries(r *rules.Run) (list []scan.Query) {
	for _, q := range r.Queries() {
		list = append(list, scan.Query{Name: q.Name, SQL: q.SQL, MaxRows: q.MaxRows, Timeout: q.Timeout})
	}
	return list
}

// asker asks a database. A query that cannot be asked, or whose answer breaks a limit, is the rule's trouble and not the
// scan's; only an interrupt is an error.
func asker(db *source.Database) func(context.Context, scan.Query) (scan.Answer, error) {
	return func(ctx context.Context, q scan.Query) (scan.Answer, error) {
		r, err := db.Select(ctx, source.SelectQuery{Name: q.Name, SQL: q.SQL, MaxRows: q.MaxRows, Timeout: q.Timeout})
		switch {
		case err != nil && ctx.Err() != nil:
			return scan.Answer{}, err
		case err != nil:
			return scan.Answer{Status: scan.AnswerFailed, Reason: err.Error()}, nil
		case r.Absent != "":
			return scan.Answer{Status: scan.AnswerAbsent, Reason: fmt.Sprintf("there is no table %q", r.Absent)}, nil
		}
		return scan.Answer{Status: scan.AnswerDone, Rows: slices.Collect(r.Rows())}, nil
	}
}

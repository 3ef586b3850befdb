package scan

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/openomt/omt/internal/manifest"
)

// Query is a SELECT that a preflight rule wants to be asked.
type Query struct {
	Name    string // "<rule>.<query>", the name of its facts
	SQL     string // with tables as {associate}
	MaxRows int    // more of them are a failure
	Timeout time.Duration
}

// Answer is what came of a query.
type Answer struct {
	Status string           // AnswerDone, AnswerAbsent or AnswerFailed
	Reason string           // of the last two: which table is not there, what went wrong
	Rows   []map[string]any // by lower-cased column; a NULL has no key
}

// What can come of a query.
const (
	AnswerDone   = "done"
	AnswerAbsent = "absent" // a table that it names is not there, so there are no rows
	AnswerFailed = "failed"
)

// queryFact is the name of the facts that tell what came of queries.
const queryFact = "query"

// queries asks what rules want to be asked, and writes the rows as facts, each query's with what came of it; then what
// the manifest will replace. The rows of one query are held in memory, since a query that fails must leave none.
func (r *run) queries(ctx context.Context) error {
	for _, q := range r.o.Queries {
		start := r.o.Now()
		a, err := r.o.Select(ctx, q)
		if err != nil {
			return fmt.Errorf("asking query %s of the rules: %w", q.Name, err)
		}
		r.o.Log.Info("query of a rule", "query", q.Name, "status", a.Status, "reason", a.Reason, "rows", len(a.Rows), "took", r.o.Now().Sub(start))
		if err := r.answer(q, a); err != nil {
			return err
		}
	}
	if r.o.Earlier != nil {
		return r.out.Write(*r.o.Earlier)
	}
	return nil
}

func (r *run) answer(q Query, a Answer) error {
	if a.Status != AnswerDone {
		a.Rows = nil
	}
	for i, row := range a.Rows {
		if err := r.out.Write(manifest.Fact{Name: q.Name, ID: strconv.Itoa(i + 1), Data: row}); err != nil {
			return fmt.Errorf("row %d of query %s of the rules: %w", i+1, q.Name, err)
		}
	}
	data := map[string]any{"status": a.Status, "rows": len(a.Rows)}
	if a.Reason != "" {
		data["reason"] = a.Reason
	}
	return r.out.Write(manifest.Fact{Name: queryFact, ID: q.Name, Data: data})
}

package ruletest

import (
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/openomt/omt/plugins/sdk"
)

// now sets the time of a run.
type now time.Time

// Kind implements sdk.Record.
func (now) Kind() string { return "" }

// Now is no record of a manifest: given among the records, it sets the time of the run.
func Now(at time.Time) sdk.Record { return now(at) }

// group is several records that are given as one.
type group []sdk.Record

// Kind implements sdk.Record.
func (group) Kind() string { return "" }

// Rows are the rows that a query of the rule brought, as the host hands them over: facts, with the names of columns in
// lower case, numbers as int64 and no key for a nil. They are given among the records as one. A query without rows is Rows
// with none.
func Rows(rule sdk.Rule, query string, rows ...map[string]any) sdk.Record {
	name := rule.ID + "." + query
	var g group
	for i, row := range rows {
		data := make(map[string]any, len(row))
		for key, v := range row {
			if v != nil {
				data[strings.ToLower(key)] = plain(v)
			}
		}
		g = append(g, &sdk.Fact{Name: name, ID: strconv.Itoa(i + 1), Data: data})
	}
	return append(g, &sdk.Fact{Name: "query", ID: name, Data: map[string]any{"status": "done", "rows": int64(len(rows))}})
}

// Absent is the answer to a query of the rule where a table is not there.
func Absent(rule sdk.Rule, query string) sdk.Record {
	return &sdk.Fact{Name: "query", ID: rule.ID + "." + query,
		Data: map[string]any{"status": "absent", "rows": int64(0), "reason": "a table is not there"}}
}

// plain makes the numbers of Go those of a fact.
func plain(v any) any {
	switch v := v.(type) {
	case int:
		return int64(v)
	case int32:
		return int64(v)
	case float32:
		return float64(v)
	case time.Time:
		return v.UTC().Format(time.RFC3339)
	}
	return v
}

// collector takes findings from any goroutine.
type collector struct {
	mu    sync.Mutex
	found []sdk.Finding
}

func (c *collector) add(f sdk.Finding) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.found = append(c.found, f)
}

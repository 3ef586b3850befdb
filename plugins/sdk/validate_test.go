package sdk

import (
	"context"
	"strings"
	"testing"
	"time"
)

func valid() Plugin {
	return Plugin{Name: "my-plugin", Rules: []Rule{{ID: "my-rule", Title: "one line", Help: "Some\nlines.", Severity: Info,
		Reads: []string{KindUser}, Facts: []string{"drive"}, Queries: []Query{{Name: "rows", SQL: "SELECT 1"}},
		Check: func(context.Context, *Input, Report) error { return nil }}}}
}

func TestValidate(t *testing.T) {
	if err := valid().Validate(); err != nil {
		t.Errorf("a valid plugin: %v", err)
	}
	for name, c := range map[string]struct {
		spoil func(*Plugin, *Rule)
		want  string
	}{
		"plugin name":     {func(p *Plugin, _ *Rule) { p.Name = "My" }, `plugin "My": the name must be a-z, 0-9 and -`},
		"long name":       {func(p *Plugin, _ *Rule) { p.Name = strings.Repeat("a", 65) }, "at most 64"},
		"version":         {func(p *Plugin, _ *Rule) { p.Version = "1 2" }, "the version must be one word"},
		"long version":    {func(p *Plugin, _ *Rule) { p.Version = strings.Repeat("1", 65) }, "of at most 64 bytes"},
		"our name":        {func(p *Plugin, _ *Rule) { p.Name = "omt" }, "the name is that of the tools"},
		"long help":       {func(_ *Plugin, r *Rule) { r.Help = strings.Repeat("a", 10001) }, "its help has 10001 bytes, and can have 10000"},
		"long sql":        {func(_ *Plugin, r *Rule) { r.Queries[0].SQL = strings.Repeat("a", 65537) }, "its SQL has 65537 bytes, and can have 65536"},
		"no rules":        {func(p *Plugin, _ *Rule) { p.Rules = nil }, `plugin "my-plugin" has no rules`},
		"twice":           {func(p *Plugin, _ *Rule) { p.Rules = append(p.Rules, p.Rules[0]) }, `rule "my-rule" is there twice`},
		"id":              {func(_ *Plugin, r *Rule) { r.ID = "-a" }, `rule "-a": the id must be`},
		"no title":        {func(_ *Plugin, r *Rule) { r.Title = " " }, "its title is empty"},
		"long title":      {func(_ *Plugin, r *Rule) { r.Title = "a\nb" }, "its title must be one line"},
		"help":            {func(_ *Plugin, r *Rule) { r.Help = "" }, "it has no help"},
		"severity":        {func(_ *Plugin, r *Rule) { r.Severity = "" }, `its severity "" is none of`},
		"check":           {func(_ *Plugin, r *Rule) { r.Check = nil }, "it has no Check"},
		"nothing":         {func(_ *Plugin, r *Rule) { r.Reads, r.Facts, r.Queries = nil, nil, nil }, "it reads nothing"},
		"final":           {func(_ *Plugin, r *Rule) { r.Final = "a\nb" }, "its Final must be one line"},
		"kind":            {func(_ *Plugin, r *Rule) { r.Reads = []string{"users"} }, `there is no kind "users"`},
		"facts as a kind": {func(_ *Plugin, r *Rule) { r.Reads = []string{KindFact} }, "facts are asked for by name"},
		"kind twice":      {func(_ *Plugin, r *Rule) { r.Reads = []string{KindUser, KindUser} }, `the kind "user" is named twice`},
		"fact":            {func(_ *Plugin, r *Rule) { r.Facts = []string{"query"} }, `"query" is no name of a fact`},
		"query name":      {func(_ *Plugin, r *Rule) { r.Queries[0].Name = "a.b" }, `query "a.b": the name must be`},
		"query twice":     {func(_ *Plugin, r *Rule) { r.Queries = append(r.Queries, r.Queries[0]) }, `the query "rows" is named twice`},
		"sql":             {func(_ *Plugin, r *Rule) { r.Queries[0].SQL = "\n" }, "it has no SQL"},
		"rows":            {func(_ *Plugin, r *Rule) { r.Queries[0].MaxRows = MaxRows + 1 }, "MaxRows is 100001, and can be 1 to 100000"},
		"timeout":         {func(_ *Plugin, r *Rule) { r.Queries[0].Timeout = time.Hour }, "the time-out is 1h0m0s, and can be 1ms to 5m0s"},
		"timeout in ns":   {func(_ *Plugin, r *Rule) { r.Queries[0].Timeout = 30 }, "the time-out is 30ns"},
	} {
		p := valid()
		c.spoil(&p, &p.Rules[0])
		if err := p.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
}

// TestValidateSaysEverything: an author need not run it again for every mistake.
func TestValidateSaysEverything(t *testing.T) {
	p := valid()
	p.Name, p.Rules[0].Title, p.Rules[0].Check = "", "", nil
	if got := strings.Count(p.Validate().Error(), "\n"); got != 2 {
		t.Errorf("got %v", p.Validate())
	}
}

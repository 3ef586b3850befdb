package sdk

import (
	"context"
	"iter"
	"strings"
	"time"
)

// Run runs a rule over the records, given those of them that it reads. It is what package ruletest does; a plugin serves
// its rules instead. Findings are reported as the rule made them.
func Run(ctx context.Context, rule Rule, now time.Time, tool string, records iter.Seq[Record], report Report) error {
	next, stop := iter.Pull(records)
	defer stop()
	wants := rule.wants()
	return rule.run(ctx, now, tool, func() (Record, bool) {
		for {
			if r, ok := next(); !ok || wants(r) {
				return r, ok
			}
		}
	}, report)
}

// run calls Check.
func (rule *Rule) run(ctx context.Context, now time.Time, tool string, next func() (Record, bool), report Report) error {
	in := &Input{Now: now, Tool: tool, rule: rule.ID, source: next, passed: map[string]bool{}, absent: map[string]string{}}
	for _, q := range rule.Queries {
		in.absent[q.Name] = ""
	}
	err := rule.Check(ctx, in, report)
	if in.err != nil {
		return in.err
	}
	return err
}

// wants tells which records the rule is given.
func (rule *Rule) wants() func(Record) bool {
	kinds := make(map[string]bool, len(rule.Reads))
	for _, k := range rule.Reads {
		kinds[k] = true
	}
	facts := make(map[string]bool, len(rule.Facts)+len(rule.Queries))
	for _, name := range rule.Facts {
		facts[name] = true
	}
	for _, q := range rule.Queries {
		facts[rule.ID+"."+q.Name] = true
	}
	return func(r Record) bool {
		f, ok := r.(*Fact)
		if !ok {
			return kinds[r.Kind()]
		}
		return facts[f.Name] || f.Name == queryFact && strings.Contains(f.ID, ".") && facts[f.ID]
	}
}

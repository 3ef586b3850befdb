package sdk

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"
)

// What a query may ask for at most.
const (
	MaxRows    = 100_000
	MaxTimeout = 5 * time.Minute
)

const (
	reserved   = "omt" // the plugin under whose name the tools report what they find themselves
	maxVersion = 64
	maxHelp    = 10_000
	maxSQL     = 64 << 10
)

var name = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$`)

// Validate says what is wrong with a plugin, everything at once, or nil. Serve refuses a plugin that is not valid; a unit
// test that calls Validate finds it earlier.
func (p Plugin) Validate() error {
	var errs []error
	if !name.MatchString(p.Name) {
		errs = append(errs, fmt.Errorf("plugin %q: the name must be a-z, 0-9 and -, at most 64 of them", p.Name))
	}
	if p.Name == reserved {
		errs = append(errs, fmt.Errorf("plugin %q: the name is that of the tools", p.Name))
	}
	if len(p.Version) > maxVersion || strings.ContainsFunc(p.Version, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }) {
		errs = append(errs, fmt.Errorf("plugin %q: the version must be one word of at most %d bytes", p.Name, maxVersion))
	}
	if len(p.Rules) == 0 {
		errs = append(errs, fmt.Errorf("plugin %q has no rules", p.Name))
	}
	seen := map[string]bool{}
	for i := range p.Rules {
		r := &p.Rules[i]
		if seen[r.ID] {
			errs = append(errs, fmt.Errorf("rule %q is there twice", r.ID))
		}
		seen[r.ID] = true
		for _, err := range r.problems() {
			errs = append(errs, fmt.Errorf("rule %q: %w", r.ID, err))
		}
	}
	return errors.Join(errs...)
}

func (rule *Rule) problems() []error {
	var errs []error
	add := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	add(!name.MatchString(rule.ID), "the id must be a-z, 0-9 and -, at most 64 of them")
	if err := oneLine(rule.Title); err != nil {
		add(true, "its title %w", err)
	}
	add(strings.TrimSpace(rule.Help) == "", "it has no help: say what it looks at, what that means and what to do")
	add(len(rule.Help) > maxHelp, "its help has %d bytes, and can have %d", len(rule.Help), maxHelp)
	add(rule.Severity != Error && rule.Severity != Warning && rule.Severity != Info,
		"its severity %q is none of error, warning and info", rule.Severity)
	add(rule.Check == nil, "it has no Check")
	add(len(rule.Reads)+len(rule.Facts)+len(rule.Queries) == 0, "it reads nothing: name kinds in Reads, facts in Facts or give it Queries")
	add(strings.ContainsAny(rule.Final, "\r\n"), "its Final must be one line")
	errs = append(errs, unique("kind", rule.Reads, func(kind string) error {
		if _, ok := spans[kind]; !ok {
			return fmt.Errorf("there is no kind %q of records that a rule can read", kind)
		}
		if kind == KindFact {
			return errors.New("facts are asked for by name, in Facts")
		}
		return nil
	})...)
	errs = append(errs, unique("fact", rule.Facts, func(fact string) error {
		if !name.MatchString(fact) || fact == queryFact {
			return fmt.Errorf("%q is no name of a fact", fact)
		}
		return nil
	})...)
	queries := make([]string, len(rule.Queries))
	for i := range rule.Queries {
		queries[i] = rule.Queries[i].Name
		if err := rule.Queries[i].problem(); err != nil {
			errs = append(errs, fmt.Errorf("query %q: %w", queries[i], err))
		}
	}
	return append(errs, unique("query", queries, func(string) error { return nil })...)
}

func (q *Query) problem() error {
	switch {
	case !name.MatchString(q.Name):
		return errors.New("the name must be a-z, 0-9 and -, at most 64 of them")
	case strings.TrimSpace(q.SQL) == "":
		return errors.New("it has no SQL")
	case len(q.SQL) > maxSQL:
		return fmt.Errorf("its SQL has %d bytes, and can have %d", len(q.SQL), maxSQL)
	case q.MaxRows < 0 || q.MaxRows > MaxRows:
		return fmt.Errorf("MaxRows is %d, and can be 1 to %d", q.MaxRows, MaxRows)
	case q.Timeout < 0 || q.Timeout > MaxTimeout || q.Timeout > 0 && q.Timeout < time.Millisecond:
		return fmt.Errorf("the time-out is %s, and can be 1ms to %s", q.Timeout, MaxTimeout)
	}
	return nil
}

// unique looks at names one by one and finds those that stand there twice.
func unique(what string, names []string, check func(string) error) []error {
	var errs []error
	seen := map[string]bool{}
	for _, n := range names {
		if err := check(n); err != nil {
			errs = append(errs, err)
		}
		if seen[n] {
			errs = append(errs, fmt.Errorf("the %s %q is named twice", what, n))
		}
		seen[n] = true
	}
	return errs
}

func oneLine(s string) error {
	switch {
	case strings.TrimSpace(s) == "":
		return errors.New("is empty")
	case strings.ContainsAny(s, "\r\n"):
		return errors.New("must be one line")
	}
	return nil
}

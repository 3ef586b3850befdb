package ruletest

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/openomt/omt/plugins/sdk"
)

// defaultNow is the time of a run that sets none.
var defaultNow = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// ranks is the order of the kinds in a manifest. Of chunks, parts of tables stand among the tables.
var ranks = []string{sdk.KindHeader, sdk.KindInstallation, sdk.KindMigrator, sdk.KindPlan, sdk.KindUser, sdk.KindReview,
	sdk.KindAddress, sdk.KindRemoval, sdk.KindFact, sdk.KindTable, sdk.KindFile, sdk.KindReceipt}

var subject = regexp.MustCompile(`^[a-z][a-z0-9-]*:\S`)

// Run runs the rule over the records and returns what it finds, each finding with its severity. The test fails where the
// rule is not valid, Check returns an error, or a finding is malformed.
func Run(t testing.TB, rule sdk.Rule, records ...sdk.Record) []sdk.Finding {
	t.Helper()
	found, err := run(t, rule, records)
	if err != nil {
		t.Fatalf("rule %q could not do its work: %v", rule.ID, err)
	}
	return found
}

// RunError runs the rule over the records and returns the error of Check. The test fails where there is none.
func RunError(t testing.TB, rule sdk.Rule, records ...sdk.Record) error {
	t.Helper()
	found, err := run(t, rule, records)
	if err == nil {
		t.Fatalf("rule %q did its work, and was to fail; it found %v", rule.ID, found)
	}
	return err
}

func run(t testing.TB, rule sdk.Rule, records []sdk.Record) ([]sdk.Finding, error) {
	t.Helper()
	if err := (sdk.Plugin{Name: "test", Rules: []sdk.Rule{rule}}).Validate(); err != nil {
		t.Fatalf("%v", err)
	}
	records, at := arrange(records)
	var c collector
	if err := sdk.Run(t.Context(), rule, at, "ruletest", slices.Values(records), c.add); err != nil {
		return nil, err
	}
	for i := range c.found {
		if c.found[i].Severity == "" {
			c.found[i].Severity = rule.Severity
		}
		check(t, c.found[i])
	}
	return c.found, nil
}

// check fails the test for a finding that nobody could work with.
func check(t testing.TB, f sdk.Finding) {
	t.Helper()
	if strings.TrimSpace(f.Message) == "" || strings.ContainsAny(f.Message, "\r\n") {
		t.Errorf("the message must be one line: %q", f.Message)
	}
	for _, s := range f.Subjects {
		if !subject.MatchString(s) {
			t.Errorf("subject %q of %q must have the form word:name", s, f.Message)
		}
	}
	if f.Severity != sdk.Error && f.Severity != sdk.Warning && f.Severity != sdk.Info {
		t.Errorf("severity %q of %q is none of error, warning and info", f.Severity, f.Message)
	}
}

// arrange brings records into the order of a manifest.
func arrange(records []sdk.Record) ([]sdk.Record, time.Time) {
	at := defaultNow
	var all []sdk.Record
	for _, r := range records {
		switch r := r.(type) {
		case now:
			at = time.Time(r)
		case group:
			all = append(all, r...)
		default:
			all = append(all, r)
		}
	}
	slices.SortStableFunc(all, func(a, b sdk.Record) int { return rank(a) - rank(b) })
	return all, at
}

func rank(r sdk.Record) int {
	if c, ok := r.(*sdk.Chunk); ok {
		if c.Table != "" {
			return slices.Index(ranks, sdk.KindTable)
		}
		return slices.Index(ranks, sdk.KindFile)
	}
	return slices.Index(ranks, r.Kind())
}

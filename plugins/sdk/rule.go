package sdk

import (
	"context"
	"time"
)

// Severity says how much a finding matters.
type Severity string

// The severities. An error that nobody waived blocks packing and pushing.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Info    Severity = "info"
)

// Rule is code that reads records and reports findings.
type Rule struct {
	ID    string // a-z, 0-9 and -; unique among the rules of all plugins
	Title string // one line: what is checked
	// Help says what is looked at, what it means for the migration and what to do, in a few sentences.
	Help     string
	Severity Severity // of findings that have none of their own
	Evidence string   // what the rule rests on where that is not certain ("inferred: …")
	Final    string   // why no finding of the rule can be waived; empty: they can

	Reads   []string // kinds of records that it is given, beside facts
	Facts   []string // names of the facts that it is given
	Queries []Query  // what is asked of the database for it

	// Check looks at the records and reports what it finds. It returns an error where it could not do its work, never for
	// what it found: the rule then counts as not completed, which blocks like an error. ctx ends when the rule's time is
	// over or the host has gone.
	Check func(ctx context.Context, in *Input, report Report) error
}

// Query is one SELECT that the host runs during the scan, once, in a transaction of its own that is rolled back. A plugin
// has no other way to the database. In SQL {associate} stands for the table, quoted, with the installation's prefix and
// in its own letter case. Each row is a [Fact] named "<rule>.<query>", with the row's number from 1 as its ID and the columns
// by their lower-case names as its Data; [Input.Rows] gives the rows of one query. They are part of the manifest, so that
// the rule runs on it later with no database in reach. Where a table is not there, there are no rows, and [Input.Absent]
// tells. A rule whose query failed, or was never asked, is not run: it counts as not completed.
type Query struct {
	Name    string // a-z, 0-9 and -; unique in its rule
	SQL     string
	MaxRows int           // more rows: the rule is not completed. 0: 10,000; at most 100,000
	Timeout time.Duration // longer: the rule is not completed. 0: 30 s; at most 5 minutes
}

// Finding is what a rule has to say.
type Finding struct {
	Severity Severity // empty: the rule's
	Subjects []string // what it is about: UserSubject(7), "table:associate"; waivers name them
	Message  string   // one line for people: which item, by id and readable name, what is wrong, what to do
	Final    bool     // this one cannot be waived
}

// Report takes a finding. It is safe for concurrent use.
type Report func(Finding)

package sdk

import (
	"fmt"
	"iter"
	"strings"
	"time"
)

// Input is what a rule is given. It belongs to the goroutine that Check was called on.
//
// The records come in the order of a manifest: installation, migrator, plans, users, reviews, addresses, removals, facts,
// tables, files with their chunks, receipts. They can be gone through once. [Input.Records] gives them all. [Each] gives
// those of one type and ends where the manifest has no more of them, and [Input.Rows] does the same for the rows of a
// query, so that a rule takes what it needs in that order, one loop behind the other:
//
//	for u := range sdk.Each[*sdk.User](in) { … }
//	for row := range in.Rows("drafts") { … }
//	for f := range sdk.Each[*sdk.File](in) { … }
//
// A loop for something that an earlier loop has gone through, or had to pass over, panics, which makes the rule one that
// could not do its work: there is no way back.
type Input struct {
	Now  time.Time // of the run
	Tool string    // what runs the rules: "omt-scan 0.1.0"

	rule   string
	source func() (Record, bool)
	held   Record            // read, and not yet given to a loop
	passed map[string]bool   // kinds, and names of facts, that no loop will meet again
	absent map[string]string // query: which table is not there
	err    error             // of a query
}

// Records are the records of the kinds that the rule reads, its facts and the rows of its queries, in the order of the
// manifest. A second loop goes on where the first was left. Records are shared between rules: they must not be changed. A
// rule that has seen enough leaves the loop and returns.
func (in *Input) Records() iter.Seq[Record] {
	return func(yield func(Record) bool) {
		for {
			r, ok := in.next()
			if !ok || !yield(r) {
				return
			}
		}
	}
}

// Each are the records of one type, up to the place in the manifest behind which there are none. Records of other types are
// passed over.
func Each[R Record](in *Input) iter.Seq[R] {
	var none R
	if any(none) == nil {
		panic("sdk.Each is for one type of record; Input.Records has them all")
	}
	kind := none.Kind()
	return func(yield func(R) bool) {
		in.mustNotHavePassed(kind, "records of kind "+kind)
		for {
			r, ok := in.next()
			switch {
			case !ok:
				in.ended(kind)
				return
			case r.Kind() == kind:
				if !yield(r.(R)) {
					return
				}
			case spans[r.Kind()].first > spans[kind].last:
				in.held = r
				in.ended(kind)
				return
			default:
				in.pass(r)
			}
		}
	}
}

// Rows are the rows of one of the rule's queries, in the order in which the database gave them. Other records are passed
// over. A rule with several queries takes their rows in the order of its Queries, or goes through all records and asks
// each fact for its [Fact.Query].
func (in *Input) Rows(query string) iter.Seq[*Fact] {
	name := in.rule + "." + query
	return func(yield func(*Fact) bool) {
		if _, declared := in.absent[query]; !declared {
			panic(fmt.Sprintf("rule %q has no query %q", in.rule, query))
		}
		in.mustNotHavePassed(name, fmt.Sprintf("rows of the query %q", query))
		for {
			r, ok := in.read()
			if !ok {
				in.ended(name)
				return
			}
			f, isFact := r.(*Fact)
			switch {
			case isFact && f.Name == name:
				if !yield(f) {
					return
				}
			case isFact && in.settle(f):
				if f.ID == name {
					in.ended(name)
					return
				}
			case !isFact && spans[r.Kind()].first > spans[KindFact].last:
				in.held = r
				in.ended(name)
				return
			default:
				in.pass(r)
			}
		}
	}
}

// Absent says which table one of the rule's queries did not find, and whether it is one that there are no rows for that
// reason. It is known when the loop over the query's rows has ended.
func (in *Input) Absent(query string) (reason string, absent bool) {
	reason = in.absent[query]
	return reason, reason != ""
}

// next is the next record for the rule.
func (in *Input) next() (Record, bool) {
	for {
		r, ok := in.read()
		if f, isFact := r.(*Fact); ok && isFact && in.settle(f) {
			continue
		}
		return r, ok
	}
}

// read is the next record, or the fact that says how a query went.
func (in *Input) read() (Record, bool) {
	if r := in.held; r != nil {
		in.held = nil
		return r, true
	}
	if in.err != nil {
		return nil, false
	}
	return in.source()
}

// settle takes note of how a query went, if that is what the fact says.
func (in *Input) settle(f *Fact) bool {
	query, ok := in.ownQuery(f)
	if !ok {
		return false
	}
	switch f.Text("status") {
	case "done":
	case "absent":
		if in.absent[query] = f.Text("reason"); in.absent[query] == "" {
			in.absent[query] = "a table is not there"
		}
	default:
		in.err = fmt.Errorf("its query %q: %s", query, f.Text("reason"))
	}
	return true
}

func (in *Input) ownQuery(f *Fact) (string, bool) {
	if f.Name != queryFact {
		return "", false
	}
	query, ok := strings.CutPrefix(f.ID, in.rule+".")
	return query, ok
}

// pass takes note of a record that no loop was given.
func (in *Input) pass(r Record) {
	in.passed[r.Kind()] = true
	if f, ok := r.(*Fact); ok {
		in.passed[f.Name] = true
	}
}

// ended takes note of a loop that has had all there is.
func (in *Input) ended(what string) { in.passed[what] = true }

func (in *Input) mustNotHavePassed(what, text string) {
	if in.passed[what] {
		panic(fmt.Sprintf("rule %q asks for %s, which an earlier loop has gone through or passed over: records come once, in the order of the manifest", in.rule, text))
	}
}

package manifest

import "slices"

// required are our rules, in the order of the documentation.
var required = [...]string{
	"duplicate-email", "invalid-email", "missing-email", "undecided-user", "plan-seats", "administrator-plan",
	"shared-person", "username-domain", "travel", "satellite", "travel-database", "version", "licence-changed",
	"database-model", "sentry-addons", "customisations", "service-mailbox", "active-users", "document-name",
	"document-appointment", "document-associate", "document-missing", "file-size", "path-length",
}

// RequiredRules are the ids of the rules without which nothing is packed and pushed: each must have a check that is done.
func RequiredRules() []string { return slices.Clone(required[:]) }

// Results are what rules said of a manifest: a check for each rule that was run, and findings.
type Results struct {
	Checks   []Check
	Findings []Finding
}

// Renewal says what a run of rules puts in the place of earlier results.
//
//   - A rule that ran to its end replaces its earlier checks and findings.
//   - A rule that did not keeps its earlier result, if that one is of a run to its end; else its new check, which says why,
//     replaces the earlier one.
//   - What other rules said stays.
type Renewal struct {
	Checks []Check // of this run, those that count
	Kept   []Check // of this run, those that do not, since an earlier result stands

	done, gone map[string]bool
}

// Renew compares the checks of this run with earlier ones.
func Renew(earlier, now []Check) Renewal {
	stands := map[string]bool{}
	for _, c := range earlier {
		if was, ok := stands[c.Rule]; !ok || was {
			stands[c.Rule] = c.Status == CheckDone
		}
	}
	r := Renewal{done: map[string]bool{}, gone: map[string]bool{}}
	for _, c := range now {
		switch {
		case c.Status == CheckDone:
			r.done[c.Rule] = true
		case stands[c.Rule]:
			r.Kept = append(r.Kept, c)
			continue
		}
		r.gone[c.Rule] = true
		r.Checks = append(r.Checks, c)
	}
	return r
}

// ReplacesCheck reports whether the earlier checks of a rule are gone.
func (r Renewal) ReplacesCheck(rule string) bool { return r.gone[rule] }

// ReplacesFindings reports whether the earlier findings of a rule are gone.
func (r Renewal) ReplacesFindings(rule string) bool { return r.done[rule] }

// Merge puts the results of this run in the place of earlier ones, as Renewal says: those that stay come first. kept are
// the checks of rules that did not run to their end and whose earlier results stand. Nothing that was given is changed.
func Merge(earlier, now Results) (merged Results, kept []Check) {
	r := Renew(earlier.Checks, now.Checks)
	for _, c := range earlier.Checks {
		if !r.ReplacesCheck(c.Rule) {
			merged.Checks = append(merged.Checks, c)
		}
	}
	merged.Checks = append(merged.Checks, r.Checks...)
	for _, f := range earlier.Findings {
		if !r.ReplacesFindings(f.Rule) {
			merged.Findings = append(merged.Findings, f)
		}
	}
	merged.Findings = append(merged.Findings, r.Of(now.Findings)...)
	return merged, r.Kept
}

// Of are those of this run's findings that count: of rules that ran to their end.
func (r Renewal) Of(findings []Finding) []Finding {
	return slices.DeleteFunc(slices.Clone(findings), func(f Finding) bool { return !r.done[f.Rule] })
}

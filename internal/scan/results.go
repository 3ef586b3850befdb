package scan

import (
	"context"
	"slices"

	"github.com/openomt/omt/internal/manifest"
)

// say adds what was found.
func (r *run) say(checks []manifest.Check, findings []manifest.Finding) {
	r.said, _ = manifest.Merge(r.said, manifest.Results{Checks: checks, Findings: findings})
}

// results writes checks and findings, each sort sorted by rule.
func (r *run) results(ctx context.Context) error {
	r.say(r.lookAtTables())
	if r.o.Rules != nil {
		checks, findings, err := r.o.Rules(ctx)
		if err != nil {
			return err
		}
		r.say(checks, findings)
	}
	slices.SortStableFunc(r.said.Checks, func(a, b manifest.Check) int { return compare(a.Rule, b.Rule) })
	slices.SortStableFunc(r.said.Findings, func(a, b manifest.Finding) int { return compare(a.Rule, b.Rule) })
	for _, c := range r.said.Checks {
		if err := r.out.Write(c); err != nil {
			return err
		}
	}
	for _, f := range r.said.Findings {
		if err := r.out.Write(f); err != nil {
			return err
		}
	}
	return nil
}

// shown is how many warnings are printed one by one.
const shown = 20

// ruleUndecided finds every user, since nobody has been given a plan yet; that is what the next stage is for.
const ruleUndecided = "undecided-user"

// unsure tells of tables that nothing can be said of, though it does not block.
func (r *run) unsure() {
	n := 0
	for _, f := range r.said.Findings {
		if f.Rule != ruleMissing || f.Severity != manifest.SeverityWarning {
			continue
		}
		if n++; n <= shown {
			r.o.Remark("%s (a warning): %s", f.Rule, f.Message)
		}
	}
}

// remarks tells what blocks.
func (r *run) remarks() error {
	r.unsure()
	blocks := manifest.Standing{Results: r.said, Required: r.o.Required}.Blocks(r.now)
	blocks = slices.DeleteFunc(blocks, func(b manifest.Block) bool { return b.Rule == ruleUndecided && len(b.Errors) > 0 })
	blocked := manifest.Refuse(blocks)
	if blocked == nil {
		return nil
	}
	for _, line := range manifest.Messages(blocks) {
		r.o.Remark("%s", line)
	}
	then := "packing it is"
	if r.preseed() {
		then = "a full migration would be"
	}
	return manifest.Errorf(manifest.Remarks, "everything is listed, and %s %w", then, blocked).
		WithHint("%s", manifest.HintOf(blocked))
}

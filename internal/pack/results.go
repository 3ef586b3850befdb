package pack

import (
	"cmp"
	"context"

	"github.com/openomt/omt/internal/manifest"
)

// refuse says why the input must not be packed: who wrote it, or what blocks.
func (r *run) refuse() error {
	switch by := writtenBy(r.in.end); by {
	case "omt-assign", "omt-pack":
	case "omt-scan":
		return manifest.Errorf(manifest.Refused, "the input was written by omt-scan: nobody has a plan and a user name yet").
			WithHint("run omt-assign on it first")
	default:
		return manifest.Errorf(manifest.Refused, "the input was written by %s: omt-pack takes what omt-assign wrote", by)
	}
	if r.preseed() {
		return nil // it is told at the end
	}
	return r.blocked()
}

// blocked tells what blocks, one line a rule, and refuses it. In a pre-seed it is told, and does not stop the run.
func (r *run) blocked() error {
	blocks := r.in.standing(r.o.Required).Blocks(r.o.Now())
	for _, line := range manifest.Lines(blocks) {
		r.o.Remark("%s", line)
	}
	if r.preseed() {
		return nil
	}
	return manifest.Refuse(blocks)
}

// preseed says that the run packs a part that goes ahead of the migration: what blocks does not stop it.
func (r *run) preseed() bool {
	return r.in.header.Phase == preseed || len(r.o.Only) > 0 || !r.cutoff().IsZero()
}

func (in *intake) standing(required []string) manifest.Standing {
	return manifest.Standing{Results: in.said, Waivers: in.waivers, Required: required}
}

// merge puts results of this run in the place of those of the input, and returns the checks of rules whose earlier results
// stand.
func (in *intake) merge(checks []manifest.Check, findings []manifest.Finding) (kept []manifest.Check) {
	in.said, kept = manifest.Merge(in.said, manifest.Results{Checks: checks, Findings: findings})
	return kept
}

// tail writes checks, findings and waivers: of the input, those that this run has not looked at again, its own, and those of
// the rules. What blocks by then only this run has found.
func (r *run) tail(ctx context.Context) error {
	r.in.merge(r.inv.Results())
	r.in.merge(r.packer.findings.records(r.o.Tool))
	if r.o.Rules != nil {
		checks, findings, err := r.o.Rules(ctx)
		if err != nil {
			return err
		}
		for _, c := range r.in.merge(checks, findings) {
			r.o.Remark("%s (%s) was not completed, and what it found before stands: %s", c.Rule, c.Plugin, cmp.Or(c.Reason, c.Status))
		}
	}
	findings := manifest.Waive(r.in.said.Findings, r.in.waivers, r.o.Now())
	for _, note := range manifest.WaiverNotes(findings, r.in.waivers, r.o.Now()) {
		r.o.Remark("%s", note)
	}
	if err := writeAll(r.out, r.in.said.Checks); err != nil {
		return err
	}
	if err := writeAll(r.out, findings); err != nil {
		return err
	}
	if err := writeAll(r.out, r.in.waivers); err != nil {
		return err
	}
	return r.blocked()
}

func writeAll[R manifest.Record](out *manifest.Writer, list []R) error {
	for _, rec := range list {
		if err := out.Write(rec); err != nil {
			return err
		}
	}
	return nil
}

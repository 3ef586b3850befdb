package plan

import (
	"bytes"
	"context"

	"github.com/openomt/omt/internal/manifest"
)

// said is what the input says under checks, findings and waivers. It is held until the rules have been run.
type said struct {
	checks   []held[manifest.Check]
	findings []held[manifest.Finding] // and records of unknown kinds behind them
	waivers  []manifest.Waiver
	raws     map[string][]byte // waivers as they were read, by their meaning

	renewal manifest.Renewal
	fresh   []manifest.Finding // of this run
}

// held is a record with the line it came in, or a record of an unknown kind, which keeps its place.
type held[R manifest.Record] struct {
	rec     R
	line    manifest.Line
	unknown bool
}

// take holds a check, a finding or a waiver.
func (s *said) take(l manifest.Line) error {
	switch l.Kind {
	case manifest.KindCheck:
		return hold(&s.checks, l)
	case manifest.KindFinding:
		return hold(&s.findings, l)
	}
	var w manifest.Waiver
	if err := l.Decode(&w); err != nil {
		return err
	}
	if s.raws == nil {
		s.raws = map[string][]byte{}
	}
	s.waivers = append(s.waivers, w)
	s.raws[meaning(w)] = bytes.Clone(l.Raw)
	return nil
}

func hold[R manifest.Record](list *[]held[R], l manifest.Line) error {
	h := held[R]{line: keep(l)}
	err := l.Decode(&h.rec)
	*list = append(*list, h)
	return err
}

// unknown holds a record of an unknown kind, where those before it are held too: a second run then changes nothing.
func (s *said) unknown(last manifest.Kind, l manifest.Line) bool {
	switch last {
	case manifest.KindCheck:
		s.checks = append(s.checks, held[manifest.Check]{line: keep(l), unknown: true})
	case manifest.KindFinding, manifest.KindWaiver:
		s.findings = append(s.findings, held[manifest.Finding]{line: keep(l), unknown: true})
	default:
		return false
	}
	return true
}

// writeChecks runs the rules to their end and writes the checks that stand.
func (s *stage) writeChecks(ctx context.Context) error {
	var now manifest.Results
	if s.o.Rules != nil {
		var err error
		if now.Checks, now.Findings, err = s.o.Rules(ctx); err != nil {
			return err
		}
	}
	now.Checks = append(now.Checks, checks(s.result.Findings, s.o.Tool)...)
	now.Findings = append(now.Findings, s.result.Findings...)
	var earlier []manifest.Check
	for _, h := range s.said.checks {
		if !h.unknown {
			earlier = append(earlier, h.rec)
		}
	}
	s.said.renewal = manifest.Renew(earlier, now.Checks)
	s.said.fresh = s.said.renewal.Of(now.Findings)
	for _, h := range s.said.checks {
		if !h.unknown && s.said.renewal.ReplacesCheck(h.rec.Rule) {
			continue
		}
		if err := s.out.WriteRaw(h.line); err != nil {
			return err
		}
	}
	return writeAll(s.out, s.said.renewal.Checks, nil)
}

// standing are the checks that were written.
func (s *said) standing() []manifest.Check {
	var list []manifest.Check
	for _, h := range s.checks {
		if !h.unknown && !s.renewal.ReplacesCheck(h.rec.Rule) {
			list = append(list, h.rec)
		}
	}
	return append(list, s.renewal.Checks...)
}

// writeFindings writes findings and waivers, and completes the summary.
func (s *stage) writeFindings(context.Context) error {
	var all []manifest.Finding
	var stay []held[manifest.Finding]
	for _, h := range s.said.findings {
		if !h.unknown && s.said.renewal.ReplacesFindings(h.rec.Rule) {
			continue
		}
		stay = append(stay, h)
		if !h.unknown {
			all = append(all, h.rec)
		}
	}
	old := len(all)
	all = append(all, s.said.fresh...)
	waivers, notes := waive(all, s.said.waivers, s.o.Choices, s.input.Migrator)
	all = manifest.Waive(all, waivers, s.o.Now)
	if err := s.writeOld(stay, all[:old]); err != nil {
		return err
	}
	if err := writeAll(s.out, all[old:], nil); err != nil {
		return err
	}
	s.result.Findings = all
	sum := &s.result.Summary
	sum.Notes = append(sum.Notes, notes...)
	sum.Kept = s.said.renewal.Kept
	sum.Blocks = manifest.Standing{Results: manifest.Results{Checks: s.said.standing(), Findings: all}, Waivers: waivers,
		Required: s.o.Required}.Blocks(s.o.Now)
	return writeAll(s.out, waivers, s.said.raws)
}

// writeOld writes the findings of the input that stand; weighed are the same with what the waivers say.
func (s *stage) writeOld(stay []held[manifest.Finding], weighed []manifest.Finding) error {
	for _, h := range stay {
		l := h.line
		if !h.unknown {
			waived := weighed[0].Waived
			weighed = weighed[1:]
			if waived != h.rec.Waived {
				var err error
				if l, err = changed(l, []field{{"waived", waived}}); err != nil {
					return err
				}
			}
		}
		if err := s.out.WriteRaw(l); err != nil {
			return err
		}
	}
	return nil
}

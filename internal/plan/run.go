package plan

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/openomt/omt/internal/manifest"
)

// RunOptions are the choices of Run.
type RunOptions struct {
	Choices
	Tool    string         // "omt-assign 0.1.0"
	Edit    *manifest.Edit // written behind those of the input; nil when the input was not edited
	Earlier *manifest.Fact // what the choices were taken from, where that is an earlier manifest; else nil

	// Rules ends the run of the preflight rules over all records before the checks, which they have seen as they were
	// written, and returns what they say; nil: none are run.
	Rules    func(ctx context.Context) ([]manifest.Check, []manifest.Finding, error)
	Required []string // rules without whose check that is done nothing will be packed

	// Ask, unless nil, is called once the Choices are applied, with what follows from them, and returns further choices,
	// which are applied as those of a second run. What is decided behind the users (waivers, removals from persons) is
	// theirs.
	Ask func(ctx context.Context, in Input, notes []string) (Choices, error)
}

// Run applies choices to a manifest and writes it to out without its end. Records up to the reviews are held until all
// users are known, so that nothing is written where a choice cannot be; then only findings, waivers and removals are
// held. Everything else passes through as it is. The Summary tells what remains; it is valid when the error is nil.
func Run(ctx context.Context, o RunOptions, in *manifest.Reader, out *manifest.Writer) (Summary, error) {
	s := &stage{o: o, out: out}
	for n := 0; ; n++ {
		l, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil && n%1024 == 0 {
			err = ctx.Err()
		}
		if err == nil {
			err = s.line(ctx, l)
		}
		if err != nil {
			return Summary{}, err
		}
	}
	if err := s.advance(ctx, manifest.Rank(manifest.KindEnd)); err != nil {
		return Summary{}, err
	}
	return s.result.Summary, nil
}

// stage is one Run.
type stage struct {
	o   RunOptions
	out *manifest.Writer

	input Input
	held  []heldLine // up to the reviews, until assigned; then findings
	done  step
	last  manifest.Kind // of the last known record after the reviews

	result  Result
	matches matches
	before  []manifest.Removal
	said    said
}

// step counts what has been written: everything up to the reviews, the removals, the facts, the checks, findings and
// waivers.
type step int

// heldLine is a line that waits for its turn.
type heldLine struct {
	manifest.Line
	user int // index of the user, or -1
}

// keep copies a line.
func keep(l manifest.Line) manifest.Line {
	l.Raw = bytes.Clone(l.Raw)
	return l
}

// line takes one line of the input.
func (s *stage) line(ctx context.Context, l manifest.Line) error {
	rank := manifest.Rank(l.Kind)
	if s.done == 0 && rank <= manifest.Rank(manifest.KindReview) {
		return s.hold(keep(l))
	}
	if rank < 0 {
		return s.unknown(l)
	}
	if err := s.advance(ctx, rank); err != nil {
		return err
	}
	s.last = l.Kind
	switch l.Kind {
	case manifest.KindPlan, manifest.KindUser, manifest.KindReview:
		return manifest.Errorf(manifest.BadInput, "line %d: a %s record stands behind the reviews", l.Number, l.Kind).
			WithHint("run the stage that wrote the input again")
	case manifest.KindAddress:
		var a manifest.Address
		if err := l.Decode(&a); err != nil {
			return err
		}
		s.matches.see(a)
	case manifest.KindRemoval:
		var r manifest.Removal
		err := l.Decode(&r)
		s.before = append(s.before, r)
		return err
	case manifest.KindFact:
		if s.replaced(l) {
			return nil
		}
	case manifest.KindCheck, manifest.KindFinding, manifest.KindWaiver:
		return s.said.take(l)
	}
	return s.out.WriteRaw(l)
}

// unknown passes a record of a later version on. Where records wait it keeps its place among them, so that a second run
// changes nothing.
func (s *stage) unknown(l manifest.Line) error {
	if s.said.unknown(s.last, l) {
		return nil
	}
	return s.out.WriteRaw(l)
}

// hold keeps a line until the users are known.
func (s *stage) hold(l manifest.Line) error {
	h := heldLine{l, -1}
	var err error
	switch l.Kind {
	case manifest.KindMigrator:
		err = l.Decode(&s.input.Migrator)
	case manifest.KindPlan:
		var p manifest.Plan
		err = l.Decode(&p)
		s.input.Plans = append(s.input.Plans, p)
	case manifest.KindUser:
		var u manifest.User
		err = l.Decode(&u)
		h.user = len(s.input.Users)
		s.input.Users = append(s.input.Users, u)
	case manifest.KindReview:
		var r manifest.Review
		err = l.Decode(&r)
		s.input.Reviews = append(s.input.Reviews, r)
	}
	s.held = append(s.held, h)
	return err
}

// advance writes what must stand before a record of rank: each step stands behind the records of a kind.
func (s *stage) advance(ctx context.Context, rank int) error {
	behind := [...]manifest.Kind{manifest.KindReview, manifest.KindRemoval, manifest.KindFact, manifest.KindCheck, manifest.KindWaiver}
	for int(s.done) < len(behind) && rank > manifest.Rank(behind[s.done]) {
		if err := ctx.Err(); err != nil {
			return err
		}
		write := [...]func(context.Context) error{s.assign, s.writeRemovals, s.writeEarlier, s.writeChecks, s.writeFindings}
		if err := write[s.done](ctx); err != nil {
			return err
		}
		s.done++
	}
	return nil
}

// assign decides, and writes everything up to the reviews.
func (s *stage) assign(ctx context.Context) error {
	var err error
	if s.result, err = Assign(s.input, s.o.Choices); err != nil {
		return err
	}
	if s.o.Ask != nil {
		if err := s.ask(ctx); err != nil {
			return err
		}
	}
	s.matches.names = s.result.names
	edited := s.o.Edit == nil
	reviewed := map[string][]byte{}
	for _, h := range s.held {
		if !edited && manifest.Rank(h.Kind) > manifest.Rank(manifest.KindEdit) {
			edited = true
			if err := s.out.Write(*s.o.Edit); err != nil {
				return err
			}
		}
		if h.Kind == manifest.KindReview {
			var r manifest.Review
			if err := h.Decode(&r); err != nil {
				return err
			}
			reviewed[meaning(r)] = h.Raw
			continue
		}
		if err := s.writeHeld(h); err != nil {
			return err
		}
	}
	if !edited {
		if err := s.out.Write(*s.o.Edit); err != nil {
			return err
		}
	}
	s.held = nil
	return writeAll(s.out, s.result.Reviews, reviewed)
}

// ask applies the choices of a second run to what the first gave.
func (s *stage) ask(ctx context.Context) error {
	first := s.result
	in := Input{Plans: s.input.Plans, Users: first.Users, Reviews: first.Reviews, Migrator: s.input.Migrator}
	var err error
	if s.o.Choices, err = s.o.Ask(ctx, in, first.Summary.Notes); err != nil {
		return err
	}
	if s.result, err = Assign(in, s.o.Choices); err != nil {
		return err
	}
	s.result.Summary.Notes = append(first.Summary.Notes, s.result.Summary.Notes...)
	return nil
}

// writeHeld writes a line that waited, a user with what was chosen.
func (s *stage) writeHeld(h heldLine) error {
	if h.user < 0 {
		return s.out.WriteRaw(h.Line)
	}
	l, err := changed(h.Line, userFields(s.input.Users[h.user], s.result.Users[h.user]))
	if err != nil {
		return err
	}
	return s.out.WriteRaw(l)
}

// writeAll writes records; one that was read and means the same is written as it was.
func writeAll[R manifest.Record](out *manifest.Writer, list []R, raws map[string][]byte) error {
	for _, r := range list {
		if len(raws) > 0 {
			if raw, ok := raws[meaning(r)]; ok {
				if err := out.WriteRaw(manifest.Line{Kind: r.RecordKind(), Raw: raw}); err != nil {
					return err
				}
				continue
			}
		}
		if err := out.Write(r); err != nil {
			return err
		}
	}
	return nil
}

// meaning is a record's content as this version knows it. Records of a manifest always can be encoded.
func meaning(r manifest.Record) string {
	b, err := encode(r)
	if err != nil {
		return ""
	}
	return string(b)
}

// writeRemovals writes the removals of this run.
func (s *stage) writeRemovals(context.Context) error {
	removals, findings := s.matches.settle(s.o.RemoveFromPersons, s.before)
	s.result.Findings = append(s.result.Findings, findings...)
	s.result.Removals = append(s.result.Removals, removals...)
	sortRemovals(s.result.Removals)
	return writeAll(s.out, s.result.Removals, nil)
}

// replaced reports whether a fact of the input gives way to that of this run, which says what the choices were taken from.
func (s *stage) replaced(l manifest.Line) bool {
	if s.o.Earlier == nil || !bytes.Contains(l.Raw, []byte(s.o.Earlier.Name)) {
		return false
	}
	var f manifest.Fact
	return l.Decode(&f) == nil && f.Name == s.o.Earlier.Name && f.ID == s.o.Earlier.ID
}

// writeEarlier writes what the choices were taken from.
func (s *stage) writeEarlier(context.Context) error {
	if s.o.Earlier == nil {
		return nil
	}
	return s.out.Write(*s.o.Earlier)
}

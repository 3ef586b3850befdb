package manifest

import (
	"errors"
	"io"
	"maps"
	"math"
	"slices"
	"time"
)

// maxErrors bounds the findings that a Summary holds one by one.
const maxErrors = 10_000

// Summary is what Verify learned of a manifest.
type Summary struct {
	Header       Header
	Installation Installation     // zero when there is none
	Counts       map[string]int64 // lines by kind, as they were counted
	End          End              // its Tool is the writer of the manifest
	Edited       bool             // End did not match and edits were accepted
	Checks       []Check
	Waivers      []Waiver
	Findings     map[string]int   // findings of any severity, by rule
	Severities   map[Severity]int // findings by severity
	Errors       []Finding        // the first 10,000 of severity error, waived or not, in the order of the manifest
	MoreErrors   map[string]int   // errors beyond those, by rule

	held      []Finding      // the first 10,000 of any severity, without their messages
	more      map[string]int // findings beyond those, by rule
	final     map[string]int // those that cannot be waived, by rule
	moreFinal map[string]int // of MoreErrors
}

// Verify reads a manifest to its end. Whatever Reader.Next refuses is its error.
func Verify(r io.Reader, o ReadOptions) (Summary, error) {
	s := Summary{Findings: map[string]int{}, Severities: map[Severity]int{}, MoreErrors: map[string]int{},
		more: map[string]int{}, final: map[string]int{}, moreFinal: map[string]int{}}
	mr := NewReader(r, o)
	for {
		l, err := mr.Next()
		if errors.Is(err, io.EOF) {
			s.Header, s.End, s.Counts = mr.Header(), mr.End(), mr.Counts()
			_, s.Edited = mr.Edited()
			return s, nil
		}
		if err == nil {
			err = s.add(l)
		}
		if err != nil {
			return Summary{}, err
		}
	}
}

func (s *Summary) add(l Line) error {
	switch l.Kind {
	case KindInstallation:
		return l.Decode(&s.Installation)
	case KindCheck:
		var c Check
		err := l.Decode(&c)
		s.Checks = append(s.Checks, c)
		return err
	case KindWaiver:
		var w Waiver
		err := l.Decode(&w)
		s.Waivers = append(s.Waivers, w)
		return err
	case KindFinding:
		var f Finding
		err := l.Decode(&f)
		s.addFinding(f)
		return err
	}
	return nil
}

func (s *Summary) addFinding(f Finding) {
	s.Findings[f.Rule]++
	s.Severities[f.Severity]++
	if f.Final {
		s.final[f.Rule]++
	}
	if len(s.held) < maxErrors {
		s.held = append(s.held, Finding{Rule: f.Rule, Subjects: f.Subjects, Final: f.Final})
	} else {
		s.more[f.Rule]++
	}
	switch {
	case f.Severity != SeverityError:
	case len(s.Errors) < maxErrors:
		s.Errors = append(s.Errors, f)
	default:
		s.MoreErrors[f.Rule]++
		if f.Final {
			s.moreFinal[f.Rule]++
		}
	}
}

// about counts the findings that a waiver is about. A pattern of a rule with findings that the Summary does not hold may
// be about any number of them.
func (s Summary) about(w Waiver) int {
	switch {
	case w.Subject == "":
		return s.Findings[w.Rule] - s.final[w.Rule]
	case s.more[w.Rule] > 0:
		return math.MaxInt
	}
	return w.About(s.held)
}

// Blocking returns the errors that no waiver in force at now lets stand, and how many there are in all. Of errors
// beyond those that the Summary holds only waivers without a subject are seen to let them stand, and a pattern as subject
// is taken for one that is in force no more.
func (s Summary) Blocking(now time.Time) (list []Finding, total int) {
	w := inForce(s.Waivers, s.about, now)
	for _, f := range s.Errors {
		if f.Waived = w.reason(f); f.Waived == "" {
			list = append(list, f)
		}
	}
	total = len(list)
	for rule, n := range s.MoreErrors {
		if w.reason(Finding{Rule: rule}) == "" {
			total += n
		} else {
			total += s.moreFinal[rule]
		}
	}
	return list, total
}

// Undone returns the rules that did not run to their end, and those that have no check although they are required or have
// findings. Each blocks like an error.
func (s Summary) Undone(required []string) []Block {
	rules := slices.Concat(required, slices.Sorted(maps.Keys(s.Findings)))
	return Standing{Results: Results{Checks: s.Checks}, Required: rules}.Blocks(time.Time{})
}

package board

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/plan"
	"github.com/openomt/omt/internal/sheet"
)

// Change is what an edit says about one user, in the texts of a users table: an empty one changes nothing, "-" is none,
// "?" undecided.
type Change struct {
	ID           int64  `json:"id"`
	Plan         string `json:"plan,omitempty"`
	Username     string `json:"username,omitempty"`
	Admin        string `json:"admin,omitempty"`
	Confidential string `json:"confidential,omitempty"`
	Welcome      string `json:"welcome,omitempty"`
}

// Waiver is a finding that is let stand.
type Waiver struct {
	Rule    string `json:"rule"`
	Subject string `json:"subject"`
	Reason  string `json:"reason"` // empty takes the waiver back
}

// Edit is one step that can be undone.
type Edit struct {
	Label             string   `json:"label"` // for people: "GKS to Sales Premium"
	Changes           []Change `json:"changes,omitempty"`
	SummaryTo         *string  `json:"summaryTo,omitempty"`
	RemoveFromPersons *bool    `json:"removeFromPersons,omitempty"`
	Waive             *Waiver  `json:"waive,omitempty"`
}

// session is the work on one input: its edits, and what follows from them. It is not safe for concurrent use.
type session struct {
	in   plan.Input
	base plan.Choices // what every result has: who, when, waivers given before
	at   map[int64]int

	edits    []Edit
	done     int // edits in force; those behind were undone
	revision int

	state  draft
	result plan.Result
	marks  plan.Marks
}

// draft is what edits add up to.
type draft struct {
	choices map[int64]Change
	summary *string
	remove  *bool
	waivers []Waiver
}

func newSession(in plan.Input, base plan.Choices) *session {
	s := &session{in: in, base: base, at: make(map[int64]int, len(in.Users)), revision: 1}
	for i, u := range in.Users {
		s.at[u.ID] = i
	}
	s.fold()
	return s
}

// apply makes an edit, and forgets those that were undone. Its error is for the person who made it.
func (s *session) apply(e Edit) error {
	if err := s.check(e); err != nil {
		return err
	}
	s.edits = append(slices.Clip(s.edits[:s.done]), e)
	s.done++
	s.step(&s.state, e)
	s.settle()
	return nil
}

// undo takes the last edit back.
func (s *session) undo() bool {
	if s.done == 0 {
		return false
	}
	s.done--
	s.fold()
	s.revision++
	return true
}

// redo makes an edit again that was undone.
func (s *session) redo() bool {
	if s.done == len(s.edits) {
		return false
	}
	s.step(&s.state, s.edits[s.done])
	s.done++
	s.settle()
	return true
}

// labels name what undo and redo would do; empty where there is nothing.
func (s *session) labels() (undo, redo string) {
	if s.done > 0 {
		undo = s.edits[s.done-1].Label
	}
	if s.done < len(s.edits) {
		redo = s.edits[s.done].Label
	}
	return undo, redo
}

// check refuses an edit that cannot be: an unknown user or plan, a text that is no value.
func (s *session) check(e Edit) error {
	if len(e.Changes) == 0 && e.SummaryTo == nil && e.RemoveFromPersons == nil && e.Waive == nil {
		return fmt.Errorf("the edit changes nothing")
	}
	plans := map[string]bool{"": true, "-": true, "?": true}
	for _, p := range s.in.Plans {
		plans[p.Name] = true
	}
	seen := make(map[int64]bool, len(e.Changes))
	for _, c := range e.Changes {
		switch _, there := s.at[c.ID]; {
		case !there:
			return fmt.Errorf("no user has the id %d", c.ID)
		case seen[c.ID]:
			return fmt.Errorf("the edit changes user %d twice", c.ID)
		case !plans[c.Plan]:
			return fmt.Errorf("plan %q does not exist", c.Plan)
		}
		seen[c.ID] = true
		for _, v := range [...]string{c.Admin, c.Confidential, strings.TrimSuffix(c.Welcome, "?")} {
			if _, ok := sheet.Bool(v); v != "" && !ok {
				return fmt.Errorf("%q: want true or false", v)
			}
		}
	}
	if w := e.Waive; w != nil && w.Rule == "" {
		return fmt.Errorf("no rule is named")
	}
	return nil
}

// fold makes the draft anew.
func (s *session) fold() {
	s.state = draft{}
	for _, e := range s.edits[:s.done] {
		s.step(&s.state, e)
	}
	s.decide()
}

// settle counts a step and decides.
func (s *session) settle() {
	s.revision++
	s.decide()
}

// step adds an edit to a draft. Who is put into no plan loses the name that was typed before, as it would be lost if it
// had come with the input.
func (s *session) step(d *draft, e Edit) {
	if d.choices == nil {
		d.choices = map[int64]Change{}
	}
	for _, c := range e.Changes {
		now := d.choices[c.ID]
		now.ID = c.ID
		if c.Plan == "-" && now.Plan != "-" && c.Username == "" {
			now.Username = ""
		}
		for _, f := range [...]struct {
			to   *string
			from string
		}{{&now.Plan, c.Plan}, {&now.Username, c.Username}, {&now.Admin, c.Admin}, {&now.Confidential, c.Confidential},
			{&now.Welcome, c.Welcome}} {
			if f.from != "" {
				*f.to = f.from
			}
		}
		if now = s.short(now); now == (Change{ID: c.ID}) {
			delete(d.choices, c.ID)
		} else {
			d.choices[c.ID] = now
		}
	}
	if e.SummaryTo != nil {
		d.summary = e.SummaryTo
	}
	if e.RemoveFromPersons != nil {
		d.remove = e.RemoveFromPersons
	}
	if w := e.Waive; w != nil {
		d.waivers = slices.DeleteFunc(slices.Clone(d.waivers), func(o Waiver) bool { return o.Rule == w.Rule && o.Subject == w.Subject })
		if w.Reason != "" {
			d.waivers = append(d.waivers, *w)
		}
	}
}

// short leaves out what says what the input says already, so that going back leaves no trace.
func (s *session) short(c Change) Change {
	u := s.in.Users[s.at[c.ID]]
	drop := func(to *string, is string) {
		if *to == is {
			*to = ""
		}
	}
	drop(&c.Plan, planText(u.Plan))
	drop(&c.Username, orDash(u.Username))
	drop(&c.Admin, strconv.FormatBool(u.Admin))
	drop(&c.Confidential, strconv.FormatBool(u.Confidential))
	drop(&c.Welcome, welcomeText(u.Welcome))
	return c
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

func planText(p *string) string {
	if p == nil {
		return "?"
	}
	return orDash(*p)
}

func welcomeText(w *bool) string {
	if w == nil {
		return "?"
	}
	return strconv.FormatBool(*w)
}

// decide asks package plan what follows.
func (s *session) decide() {
	s.result = plan.Draft(s.in, s.choices())
	s.marks = plan.Mark(s.in, s.result.Users)
}

// choices are the draft as the choices of a run.
func (s *session) choices() plan.Choices {
	c := s.base
	c.How = "board"
	for _, id := range slices.Sorted(maps.Keys(s.state.choices)) {
		e := s.state.choices[id]
		c.Set = append(c.Set, plan.Choice{At: sheet.Place{File: "board"}, ID: strconv.FormatInt(id, 10),
			Plan: e.Plan, Username: e.Username, Admin: e.Admin, Confidential: e.Confidential, Welcome: e.Welcome})
	}
	if s.state.summary != nil {
		c.SummaryTo = s.state.summary
	}
	if s.state.remove != nil {
		c.RemoveFromPersons = s.state.remove
	}
	c.Waivers = slices.Clone(c.Waivers)
	for _, w := range s.state.waivers {
		c.Waivers = slices.DeleteFunc(c.Waivers, func(o plan.Waiver) bool { return o.Rule == w.Rule && o.Subject == w.Subject })
		c.Waivers = append(c.Waivers, plan.Waiver{At: sheet.Place{File: "board"},
			Waiver: manifest.Waiver{Rule: w.Rule, Subject: w.Subject, Reason: w.Reason}})
	}
	return c
}

// try returns the marks and names that changes would give, and leaves the session as it is.
func (s *session) try(changes []Change) (plan.Result, plan.Marks, error) {
	e := Edit{Changes: changes}
	if err := s.check(e); err != nil {
		return plan.Result{}, plan.Marks{}, err
	}
	t := *s
	t.state.choices = maps.Clone(s.state.choices)
	t.step(&t.state, e)
	t.decide()
	return t.result, t.marks, nil
}

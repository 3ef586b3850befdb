package board

import (
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/plan"
)

// card is a user as the page knows it. What cannot change is sent once.
type card struct {
	*Fixed
	ID           int64   `json:"id"`
	Plan         *string `json:"plan"`
	Username     string  `json:"username"`
	Admin        bool    `json:"admin"`
	Guessed      bool    `json:"guessed,omitempty"` // nobody has said so; scan took it from a right
	Confidential bool    `json:"confidential"`
	Welcome      *bool   `json:"welcome"`
	Mark         string  `json:"mark,omitempty"` // what is wrong with the user name
}

// Fixed is what cannot change of a user. It is exported for encoding/json alone.
type Fixed struct {
	Login    string   `json:"login"`
	Name     string   `json:"name"`
	Company  string   `json:"company"`
	Group    string   `json:"group"`
	Role     string   `json:"role"`
	Position string   `json:"position"`
	Emails   []string `json:"emails"`
	Onsite   string   `json:"onsite"`
}

// column is a plan.
type column struct {
	Name      string `json:"name"`
	Title     string `json:"title"`
	Onsite    string `json:"onsite"`
	Seats     int    `json:"seats"`
	Unlimited bool   `json:"unlimited"`
	Licence   bool   `json:"licence,omitempty"` // known from the local licence alone
	Gone      bool   `json:"gone,omitempty"`    // held by users, and the tenant has no such plan
}

// news is what an edit changed.
type news struct {
	Revision          int    `json:"revision"`
	Users             []card `json:"users"`
	Checklist         []item `json:"checklist"`
	Checking          bool   `json:"checking,omitempty"` // the rules are still looking at this revision
	Undo              string `json:"undo"`
	Redo              string `json:"redo"`
	Summary           string `json:"summary"`
	RemoveFromPersons bool   `json:"removeFromPersons"`
	Keeping           string `json:"keeping,omitempty"` // why the work is not kept against a crash
}

// view is everything.
type view struct {
	news
	Owner    string   `json:"owner"`
	Serial   string   `json:"serial"`
	Test     bool     `json:"test"`
	Migrator string   `json:"migrator"` // the migrator's address
	Plans    []column `json:"plans"`
	Notes    []string `json:"notes"`
	Offer    *offer   `json:"offer,omitempty"`
}

// offer is the work of an earlier session.
type offer struct {
	At    string `json:"at"`
	Steps int    `json:"steps"`
}

// columns are the plans, and behind them those that users hold and that are gone.
func columns(in plan.Input) []column {
	out := []column{}
	known := map[string]bool{"": true}
	for _, p := range in.Plans {
		if !known[p.Name] {
			known[p.Name] = true
			out = append(out, column{Name: p.Name, Title: p.Title, Onsite: p.Onsite, Seats: p.Seats, Unlimited: p.Unlimited,
				Licence: p.Source == "licence"})
		}
	}
	for _, u := range in.Users {
		if u.Plan != nil && !known[*u.Plan] {
			known[*u.Plan] = true
			out = append(out, column{Name: *u.Plan, Gone: true})
		}
	}
	return out
}

// cards are the users without what cannot change.
func (s *session) cards() []card {
	out := make([]card, len(s.result.Users))
	guessed := s.in.Migrator.Admin == "guessed"
	for i, u := range s.result.Users {
		out[i] = card{ID: u.ID, Plan: u.Plan, Username: u.Username, Admin: u.Admin, Confidential: u.Confidential, Welcome: u.Welcome,
			Guessed: guessed && u.Admin && s.state.choices[u.ID].Admin == "", Mark: s.marks.Names[u.ID]}
	}
	return out
}

// differs compares what can change.
func (c card) differs(o card) bool {
	return c.Username != o.Username || c.Admin != o.Admin || c.Guessed != o.Guessed || c.Confidential != o.Confidential ||
		c.Mark != o.Mark || planText(c.Plan) != planText(o.Plan) || welcomeText(c.Welcome) != welcomeText(o.Welcome)
}

// fixedOf is what cannot change of a user.
func fixedOf(u manifest.User) *Fixed {
	f := &Fixed{Login: u.Login, Name: u.Name, Company: u.Company, Group: u.Group, Role: u.Role, Position: u.Position,
		Emails: u.Emails, Onsite: u.Onsite}
	if f.Emails == nil {
		f.Emails = []string{}
	}
	return f
}

// summaryTo is the address of the user summary.
func (s *session) summaryTo() string {
	for _, to := range [...]*string{s.state.summary, s.base.SummaryTo} {
		if to != nil {
			return *to
		}
	}
	for _, r := range s.in.Reviews {
		if r.Item == "notifications" && r.Summary != nil {
			return *r.Summary
		}
	}
	return ""
}

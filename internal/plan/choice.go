package plan

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/sheet"
)

// Choice is what was chosen for one user, as text: the package comment says what the texts mean. ID or Login names the
// user; where both are given they must agree.
type Choice struct {
	At        sheet.Place // where it stands, for problems
	ID, Login string

	Plan, Username, Admin, Confidential, Welcome string

	Earlier bool // from an earlier manifest: a user who is gone is no problem
}

// The columns of a users table.
const (
	colID           = "id"
	colLogin        = "login"
	colAdmin        = "admin"
	colConfidential = "confidential"
	colPlan         = "plan"
	colUsername     = "username"
	colWelcome      = "welcome"
)

// Mapping says that the plan New takes the place of the plan Old, which users hold on site. An empty Old stands for no
// plan on site, a New of "-" for none.
type Mapping struct{ Old, New string }

// Waiver is a waiver that was given in this run.
type Waiver struct {
	At sheet.Place
	manifest.Waiver
}

// Choices are all choices of a run.
type Choices struct {
	Auto              bool
	MapPlan           []Mapping
	Users             []Choice // at most one for a user
	Set               []Choice // any number for a user
	WelcomeEmail      string   // "all", "none" or empty
	SummaryTo         *string  // address for the user summary, empty for none; nil changes nothing
	RemoveFromPersons *bool    // nil keeps what an earlier run removed
	Waivers           []Waiver

	How   string                         // "board" where a person settled all three reviews there; empty: the other fields tell
	By    string                         // who chooses, where the manifest names no migrator
	Now   time.Time                      // when; its time zone tells when a waiver ends
	Final func(rule string) (why string) // why no finding of a rule can be waived, or nothing; nil: all can
}

// ParseSet reads a value of --set: LOGIN:plan=…,username=…,confidential=…,welcome=…,admin=…. A value that holds a comma
// or begins with a quote is put into single or double quotes, and the quote is doubled inside: plan='Sales, Premium'.
// (Windows PowerShell drops double quotes inside an argument; single ones pass.)
func ParseSet(text string) (Choice, error) {
	login, rest, found := strings.Cut(text, ":")
	c := Choice{At: sheet.Place{File: "--set " + text}, Login: strings.TrimSpace(login)}
	if !found || c.Login == "" {
		return Choice{}, errors.New("want LOGIN:plan=…,username=…")
	}
	given := map[string]bool{}
	for more := true; more; {
		name, tail, found := strings.Cut(rest, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		cell := c.cell(name)
		switch {
		case !found:
			return Choice{}, fmt.Errorf("%q: want NAME=VALUE; put a value that holds a comma into quotes", rest)
		case cell == nil:
			return Choice{}, fmt.Errorf("%q is not one of plan, username, confidential, welcome, admin", name)
		case given[name]:
			return Choice{}, fmt.Errorf("%s is given twice", name)
		}
		given[name] = true
		value, next, err := cutValue(tail)
		if err != nil {
			return Choice{}, fmt.Errorf("%s: %w", name, err)
		}
		if *cell = strings.TrimSpace(value); *cell == "" {
			return Choice{}, fmt.Errorf("%s is empty, which changes nothing; use - for none or ? for undecided", name)
		}
		rest, more = strings.CutPrefix(next, ",")
	}
	return c, nil
}

// cell returns the place of a changeable column.
func (c *Choice) cell(column string) *string {
	switch column {
	case colPlan:
		return &c.Plan
	case colUsername:
		return &c.Username
	case colAdmin:
		return &c.Admin
	case colConfidential:
		return &c.Confidential
	case colWelcome:
		return &c.Welcome
	}
	return nil
}

// cutValue takes a value off, quoted or up to the next comma. rest is empty or begins with the comma.
func cutValue(text string) (value, rest string, err error) {
	if text == "" || text[0] != '"' && text[0] != '\'' {
		if i := strings.IndexByte(text, ','); i >= 0 {
			return text[:i], text[i:], nil
		}
		return text, "", nil
	}
	value, rest, err = cutQuoted(text)
	if err == nil && rest != "" && rest[0] != ',' {
		return "", "", fmt.Errorf("%q stands after the closing quote; want a comma", rest)
	}
	return value, rest, err
}

// cutQuoted takes a quoted value off.
func cutQuoted(text string) (value, rest string, err error) {
	quote := text[:1]
	var b strings.Builder
	for rest = text[1:]; ; {
		part, tail, found := strings.Cut(rest, quote)
		b.WriteString(part)
		if !found {
			return "", "", fmt.Errorf("the quote %s is not closed", quote)
		}
		if !strings.HasPrefix(tail, quote) {
			return b.String(), tail, nil
		}
		b.WriteString(quote)
		rest = tail[1:]
	}
}

// ParseMapping reads a value of --map-plan: OLD=NEW.
func ParseMapping(text string) (Mapping, error) {
	old, plan, found := strings.Cut(text, "=")
	m := Mapping{strings.TrimSpace(old), strings.TrimSpace(plan)}
	if !found || m.New == "" {
		return Mapping{}, errors.New("want OLD=NEW: the name of a plan on site and of a plan of the tenant, or - for none")
	}
	return m, nil
}

// ParseWaiver reads a value of --waive: RULE[:SUBJECT]=REASON. A subject that holds an equals sign, or begins with a quote,
// is put into single or double quotes, and the quote is doubled inside: file-size:'file:service:a=b'=known. A reason may hold
// any character.
func ParseWaiver(text string) (Waiver, error) {
	const want = "want RULE=REASON or RULE:SUBJECT=REASON"
	end := strings.IndexAny(text, ":=")
	if end < 0 {
		end = len(text)
	}
	rule, rest := text[:end], text[end:]
	subject, reason := "", strings.TrimPrefix(rest, "=")
	if tail, has := strings.CutPrefix(rest, ":"); has {
		var err error
		if subject, reason, err = cutSubject(tail); err != nil {
			return Waiver{}, fmt.Errorf("%w: %s", err, want)
		}
		if subject = strings.TrimSpace(subject); subject == "" {
			return Waiver{}, errors.New(want)
		}
	}
	w := Waiver{At: sheet.Place{File: "--waive " + text}, Waiver: manifest.Waiver{
		Rule: strings.TrimSpace(rule), Subject: subject, Reason: strings.TrimSpace(reason)}}
	switch {
	case w.Rule == "":
		return Waiver{}, errors.New(want)
	case w.Reason == "":
		return Waiver{}, errors.New("a waiver needs a reason: RULE=REASON or RULE:SUBJECT=REASON")
	}
	return w, nil
}

// cutSubject takes a subject off, quoted or up to the first equals sign, and returns what is behind that.
func cutSubject(text string) (subject, reason string, err error) {
	if text = strings.TrimLeft(text, " "); text == "" || text[0] != '"' && text[0] != '\'' {
		subject, reason, _ = strings.Cut(text, "=")
		return subject, reason, nil
	}
	subject, rest, err := cutQuoted(text)
	if err != nil {
		return "", "", err
	}
	reason, found := strings.CutPrefix(strings.TrimLeft(rest, " "), "=")
	if !found && rest != "" {
		return "", "", fmt.Errorf("%q stands behind the quoted subject", rest)
	}
	return subject, reason, nil
}

package plan

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/sheet"
	"github.com/openomt/omt/plugins/sdk/email"
)

// Input is what a manifest says before its choices are changed.
type Input struct {
	Plans    []manifest.Plan
	Users    []manifest.User
	Reviews  []manifest.Review
	Migrator manifest.Migrator // zero when there is none
}

// Result is what follows from the choices.
type Result struct {
	Users    []manifest.User // in the order of the input
	Reviews  []manifest.Review
	Removals []manifest.Removal // from cards of other users
	Findings []manifest.Finding // of username-address; of Run: all
	Summary  Summary

	names names
}

// Summary is what a person should know of a result.
type Summary struct {
	Plans     []PlanUse
	Unmatched []Unmatched      // plans held on site by undecided users that have no counterpart, most users first
	Undecided []manifest.User  // by id
	Notes     []string         // what was done or left that nobody asked for
	Blocks    []manifest.Block // what keeps it from being packed
	Kept      []manifest.Check // rules that were not completed in this run, and whose earlier results stand
}

// PlanUse is a plan with the users it was given to.
type PlanUse struct {
	manifest.Plan
	Used int
}

// Unmatched is a plan held on site; its Name is empty for users without one.
type Unmatched struct {
	Name  string
	Users int
}

// card is a user with what this run did.
type card struct {
	manifest.User
	before   manifest.User
	plan     *sheet.Place // where this run chose the plan, nil where it did not
	username *sheet.Place
	welcome  bool // this run chose it
}

// assignment is a run of Assign.
type assignment struct {
	in       Input
	choices  Choices
	cards    []card
	byID     map[int64]*card
	byLogin  map[string]*card
	plans    plans
	problems sheet.Problems
	notes    []string
	given    struct{ users, set, welcomeUsers, welcomeSet bool }
}

// Assign applies the choices. Its error is a *manifest.Error of status Usage around a *sheet.Problems that names every
// choice that cannot be; the result is then empty.
func Assign(in Input, c Choices) (Result, error) {
	a := begin(in, c)
	a.checkMappings()
	a.choose()
	a.checkSummary()
	a.checkWaivers()
	a.checkSeats()
	a.checkNames()
	if err := a.problems.Err(); err != nil {
		return Result{}, &manifest.Error{Status: manifest.Usage, Err: err, Hint: "nothing was written"}
	}
	if c.Auto {
		a.auto()
	}
	return a.result(), nil
}

// begin makes an assignment in which nothing is chosen yet.
func begin(in Input, c Choices) *assignment {
	a := &assignment{in: in, choices: c, plans: newPlans(in.Plans)}
	a.index()
	return a
}

// choose applies the choices of persons.
func (a *assignment) choose() {
	a.rows(a.choices.Users)
	a.welcomeAll()
	a.sets(a.choices.Set)
}

// index makes the tables of users.
func (a *assignment) index() {
	a.cards = make([]card, len(a.in.Users))
	a.byID = make(map[int64]*card, len(a.cards))
	a.byLogin = make(map[string]*card, len(a.cards))
	enter := func(key string, c *card) {
		if _, there := a.byLogin[key]; there {
			c = nil // found by neither: only the id tells them apart
		}
		a.byLogin[key] = c
	}
	for i, u := range a.in.Users {
		c := &a.cards[i]
		c.User, c.before = u, u
		a.byID[u.ID] = c
		enter(u.Login, c)
		enter(foldLogin(u.Login), c)
	}
}

// foldLogin brings a login into the form in which it is looked up when its exact form is not found. No login begins with
// a NUL.
func foldLogin(login string) string { return "\x00" + email.Key(login) }

// find looks a choice's user up.
func (a *assignment) find(c Choice) *card {
	if c.ID == "" {
		return a.findLogin(c)
	}
	id, err := strconv.ParseInt(c.ID, 10, 64)
	if err != nil {
		a.problems.Add(c.At.In(colID), "%q is no number", c.ID)
		return nil
	}
	u := a.byID[id]
	switch {
	case u == nil && c.Earlier:
		a.note("%s: user %q (id %d) is no longer there", c.At, c.Login, id)
	case u == nil:
		a.problems.Add(c.At.In(colID), "no user has the id %d", id)
	case c.Login != "" && foldLogin(c.Login) != foldLogin(u.Login):
		if c.Earlier {
			a.note("%s: user %q (id %d) is now %q; nothing is taken over", c.At, c.Login, id, u.Login)
		} else {
			a.problems.Add(c.At.In(colLogin), "id %d is user %q, not %q", id, u.Login, c.Login)
		}
		return nil
	}
	return u
}

func (a *assignment) findLogin(c Choice) *card {
	if c.Login == "" {
		a.problems.Add(c.At, "neither id nor login says which user it is")
		return nil
	}
	if u := a.byLogin[c.Login]; u != nil {
		return u
	}
	u, there := a.byLogin[foldLogin(c.Login)]
	switch {
	case u != nil:
	case there:
		a.problems.Add(c.At.In(colLogin), "%q: several users have this login but for letter case; give the id too, or the exact login",
			c.Login)
	default:
		a.problems.Add(c.At.In(colLogin), "user %q does not exist", c.Login)
	}
	return u
}

// welcomeAll applies --welcome-email.
func (a *assignment) welcomeAll() {
	if a.choices.WelcomeEmail == "" {
		return
	}
	all := a.choices.WelcomeEmail == "all"
	for i := range a.cards {
		a.cards[i].Welcome = &all
	}
}

// checkSummary judges the address of --summary-to.
func (a *assignment) checkSummary() {
	to := a.choices.SummaryTo
	if to == nil || *to == "" {
		return
	}
	if err := email.Check(*to); err != nil {
		a.problems.Add(sheet.Place{File: "--summary-to"}, "%q is no e-mail address: %w", *to, err)
	}
}

// checkSeats finds plans that the rows of this run fill beyond their seats, and names the rows that are too many.
func (a *assignment) checkSeats() {
	for _, p := range a.in.Plans {
		if p.Unlimited {
			continue
		}
		var added []*card
		used := 0
		for i := range a.cards {
			c := &a.cards[i]
			if c.Plan == nil || *c.Plan != p.Name {
				continue
			}
			used++
			if c.before.Plan == nil || *c.before.Plan != p.Name { // so a row of this run gave it
				added = append(added, c)
			}
		}
		free := max(0, p.Seats-(used-len(added)))
		seats := "seats"
		if p.Seats == 1 {
			seats = "seat"
		}
		for _, c := range added[min(free, len(added)):] {
			a.problems.Add(c.plan.In(colPlan), "plan %q is full: %d users for %d %s", p.Name, used, p.Seats, seats)
		}
	}
}

// checkNames finds user names that the rows of this run give and that are invalid or taken.
func (a *assignment) checkNames() {
	users := make([]manifest.User, len(a.cards))
	for i := range a.cards {
		users[i] = a.cards[i].User
	}
	groups := sameName(users)
	for i := range a.cards {
		c := &a.cards[i]
		if c.username == nil || c.Username == "" || email.Key(c.Username) == email.Key(c.before.Username) {
			continue
		}
		if err := email.Check(c.Username); err != nil {
			a.problems.Add(c.username.In(colUsername), "%q is no e-mail address: %w", c.Username, err)
			continue
		}
		if group := groups[email.Key(c.Username)]; len(group) > 1 {
			a.problems.Add(c.username.In(colUsername), "%s", alsoUsed(users, i, group))
		}
	}
}

// sameName groups the indexes of users by the key of their user names.
func sameName(users []manifest.User) map[string][]int {
	groups := make(map[string][]int, len(users))
	for i, u := range users {
		if u.Username != "" {
			key := email.Key(u.Username)
			groups[key] = append(groups[key], i)
		}
	}
	return groups
}

// maxNamed is how many users or persons a text names.
const maxNamed = 10

// alsoUsed is "HH: user name 'x' is also used by HUH", the wording of the vendor's wizard.
func alsoUsed(users []manifest.User, i int, group []int) string {
	var others []string
	for _, j := range group {
		if j != i {
			others = append(others, users[j].Login)
		}
	}
	return users[i].Login + ": user name '" + users[i].Username + "' is also used by " + enumerate(others)
}

// enumerate joins names, the first ten of them.
func enumerate(list []string) string {
	if more := len(list) - maxNamed; more > 0 {
		return strings.Join(list[:maxNamed], ", ") + " and " + strconv.Itoa(more) + " more"
	}
	return strings.Join(list, ", ")
}

// result gathers what follows.
func (a *assignment) result() Result {
	r := Result{Users: make([]manifest.User, len(a.cards))}
	for i, c := range a.cards {
		r.Users[i] = c.User
	}
	r.names = namesOf(r.Users)
	r.Reviews = a.reviews()
	r.Removals, r.Findings = removalsFromUsers(r.Users, r.names)
	r.Summary = a.summary(r.Users)
	return r
}

// summary counts.
func (a *assignment) summary(users []manifest.User) Summary {
	s := Summary{Notes: a.notes}
	used := given(users)
	unmatched := map[string]*Unmatched{}
	for _, u := range users {
		if u.Plan != nil {
			continue
		}
		s.Undecided = append(s.Undecided, u)
		if _, ok := a.counterpart(u.Onsite); ok {
			continue
		}
		key := strings.ToLower(u.Onsite)
		if unmatched[key] == nil {
			unmatched[key] = &Unmatched{Name: u.Onsite}
		}
		unmatched[key].Users++
	}
	for _, p := range a.in.Plans {
		s.Plans = append(s.Plans, PlanUse{p, used[p.Name]})
	}
	for _, u := range unmatched {
		s.Unmatched = append(s.Unmatched, *u)
	}
	slices.SortFunc(s.Unmatched, func(x, y Unmatched) int {
		return cmp.Or(cmp.Compare(y.Users, x.Users), cmp.Compare(x.Name, y.Name))
	})
	slices.SortStableFunc(s.Undecided, func(x, y manifest.User) int { return cmp.Compare(x.ID, y.ID) })
	return s
}

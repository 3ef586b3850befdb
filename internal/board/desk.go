package board

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/plan"
)

// errOld says that an edit was made on what is no longer so.
var errOld = errors.New("this was changed in another tab meanwhile; the page shows it now, and your last step was not made")

// errOffered says that something must be decided first.
var errOffered = errors.New("say first what becomes of the earlier work")

// errEnded says that the board has ended.
var errEnded = errors.New("the board has ended")

// desk is a session that several tabs work on.
type desk struct {
	o   Options
	hub *hub

	mu       sync.Mutex
	s        *session
	cards    []card // as they were last sent
	journal  *journal
	keeping  string // why nothing is kept
	offered  []entry
	notes    []string
	findings []manifest.Finding // of the rules beside ours
	checked  int                // the revision they are of
	failed   error              // why the rules could not be run
	ended    bool

	recheck chan struct{}
	outcome chan outcome
}

// outcome is how the board ended.
type outcome struct {
	choices plan.Choices
	err     error
	forget  bool // nothing is left to be offered again
}

func newDesk(in plan.Input, o Options) *desk {
	d := &desk{o: o, hub: newHub(), s: newSession(in, o.Base), notes: o.Notes, findings: othersOnly(o.Survey.Findings),
		recheck: make(chan struct{}, 1), outcome: make(chan outcome, 1)}
	d.cards = d.s.cards()
	d.checked = d.s.revision
	if o.Findings != nil {
		d.checked = 0
		d.recheck <- struct{}{}
	}
	if o.StateDir == "" {
		return d
	}
	var err error
	if d.journal, err = openJournal(o.StateDir, o.Survey.Header.ID); err != nil {
		d.keeping = "the work is not kept against a crash: " + err.Error()
		return d
	}
	d.offered = d.journal.entries
	return d
}

// othersOnly leaves out what the marks say.
func othersOnly(list []manifest.Finding) []manifest.Finding {
	return slices.DeleteFunc(slices.Clone(list), func(f manifest.Finding) bool { return itemOf(f.Rule) != "findings" })
}

// view is everything, for a page that begins.
func (d *desk) view() view {
	d.mu.Lock()
	defer d.mu.Unlock()
	v := view{news: d.news(nil), Owner: d.o.Survey.Installation.Owner, Serial: d.o.Survey.Installation.Serial,
		Test: d.o.Survey.Header.Migration != "live", Migrator: d.s.in.Migrator.Email, Plans: columns(d.s.in), Notes: append([]string{}, d.notes...)}
	v.Users = make([]card, len(d.cards))
	for i, c := range d.cards {
		c.Fixed = fixedOf(d.s.in.Users[i])
		v.Users[i] = c
	}
	if len(d.offered) > 0 {
		v.Offer = &offer{At: d.offered[len(d.offered)-1].At.Format(time.RFC3339), Steps: len(d.offered)}
	}
	return v
}

// news is what a page must know after a step; mu is held.
func (d *desk) news(users []card) news {
	n := news{Revision: d.s.revision, Users: users, Checklist: d.checklist(), Checking: d.checked != d.s.revision,
		Summary: d.s.summaryTo(), Keeping: d.keeping}
	n.Undo, n.Redo = d.s.labels()
	if r := d.s.choices().RemoveFromPersons; r != nil {
		n.RemoveFromPersons = *r
	}
	if n.Users == nil {
		n.Users = []card{}
	}
	return n
}

// checklist weighs everything that is wrong; mu is held.
func (d *desk) checklist() []item {
	all := append(slices.Clone(d.s.marks.Findings), d.findings...)
	all = plan.Weigh(all, d.o.Survey.Waivers, d.s.choices(), d.s.in.Migrator)
	return checklist(d.s.result.Users, all, d.s.summaryTo(), d.failed)
}

// step does one thing to the session of a revision, keeps it, and tells the other tabs.
func (d *desk) step(revision int, do string, e *Edit) (news, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.ended:
		return news{}, errEnded
	case len(d.offered) > 0:
		return news{}, errOffered
	case revision != d.s.revision:
		return news{}, errOld
	}
	var err error
	switch do {
	case "undo":
		d.s.undo()
	case "redo":
		d.s.redo()
	default:
		err = d.s.apply(*e)
	}
	if err != nil || d.s.revision == revision {
		return news{}, err
	}
	d.keep(entry{At: d.o.Now().UTC(), Do: do, Edit: e})
	return d.changed(), nil
}

// keep writes a step into the journal. Work goes on without it when that fails, and the page says so.
func (d *desk) keep(e entry) {
	if d.journal == nil {
		return
	}
	if err := d.journal.add(e); err != nil {
		d.keeping = "the work is not kept against a crash: " + err.Error()
	}
}

// changed finds the cards that a step changed, and lets everybody know; mu is held.
func (d *desk) changed() news {
	after := d.s.cards()
	var users []card
	for i, c := range after {
		if c.differs(d.cards[i]) {
			users = append(users, c)
		}
	}
	d.cards = after
	if d.o.Findings == nil {
		d.checked = d.s.revision
	} else {
		select {
		case d.recheck <- struct{}{}:
		default:
		}
	}
	d.hub.send(event{Revision: d.s.revision})
	return d.news(users)
}

// take goes on with the work of an earlier session, or forgets it.
func (d *desk) take(yes bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.offered) == 0 {
		return nil
	}
	if yes {
		if left := d.s.replay(d.offered); left > 0 {
			d.notes = append(slices.Clone(d.notes), "the earlier work named "+people(left, "or plan that is no longer there", "or plans that are no longer there")+"; that was left out")
		}
	} else if err := d.journal.clear(); err != nil {
		return err
	}
	d.offered = nil
	d.changed()
	return nil
}

// check runs the rules over what changed, a moment after the last step, until ctx ends.
func (d *desk) check(ctx context.Context) {
	const calm = 300 * time.Millisecond
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.recheck:
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(calm):
		}
		d.mu.Lock()
		revision, users, plans := d.s.revision, d.s.result.Users, d.s.in.Plans
		d.mu.Unlock()
		found, err := d.o.Findings(ctx, users, plans)
		if ctx.Err() != nil {
			return
		}
		d.mu.Lock()
		if d.s.revision == revision {
			d.checked, d.failed = revision, err
			if err == nil {
				d.findings = othersOnly(found)
			}
			d.hub.send(event{Revision: revision, Checked: true})
		}
		d.mu.Unlock()
	}
}

// ok ends the board when nothing blocks; else it says what does.
func (d *desk) ok(ctx context.Context, revision int) (blocks []string, err error) {
	if err := d.settled(ctx, revision); err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.ended:
		return nil, errEnded
	case len(d.offered) > 0:
		return nil, errOffered
	case revision != d.s.revision:
		return nil, errOld
	}
	if blocks = blocking(d.checklist()); len(blocks) > 0 {
		return blocks, nil
	}
	c := d.s.choices()
	if _, err := plan.Assign(d.s.in, c); err != nil {
		return []string{err.Error()}, nil
	}
	d.end(outcome{choices: c})
	return nil, nil
}

// settled waits until the rules have looked at a revision.
func (d *desk) settled(ctx context.Context, revision int) error {
	news, stop := d.hub.subscribe()
	defer stop()
	for {
		d.mu.Lock()
		wait := d.checked != d.s.revision && revision == d.s.revision
		d.mu.Unlock()
		if !wait {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-news:
		}
	}
}

// cancel ends the board; nothing is written.
func (d *desk) cancel(keep bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended {
		return errEnded
	}
	d.end(outcome{forget: !keep, err: manifest.Errorf(manifest.Interrupted, "cancelled on the board; nothing was written")})
	return nil
}

// end settles the outcome; mu is held.
func (d *desk) end(out outcome) {
	d.ended = true
	d.outcome <- out
	how := "ok"
	if out.err != nil {
		how = "cancelled"
	}
	d.hub.send(event{Revision: d.s.revision, Ended: how})
}

// removals are what follows from the user names, for a person to see before it is done.
func (d *desk) removals(ctx context.Context) (removals, error) {
	d.mu.Lock()
	r, choice, revision := d.s.result, d.s.choices().RemoveFromPersons, d.s.revision
	d.mu.Unlock()
	out := removals{Revision: revision, Users: []removal{}, Persons: []removal{}, UsersTotal: len(r.Removals)}
	for _, x := range r.Removals[:min(len(r.Removals), maxRemovals)] {
		out.Users = append(out.Users, removal{Owner: x.User, Person: x.Person, Other: d.userOf(x.Person), Email: x.Email, Removed: true})
	}
	if d.o.Persons == nil {
		return out, nil
	}
	list, err := d.o.Persons(ctx, r, choice)
	if err != nil {
		return out, err
	}
	out.PersonsTotal = len(list)
	for _, x := range list {
		if x.Removed {
			out.PersonsRemoved++
		}
	}
	for _, x := range list[:min(len(list), maxRemovals)] {
		out.Persons = append(out.Persons, removal{Owner: x.User, Person: x.Person, Email: x.Email, Removed: x.Removed})
	}
	return out, nil
}

// maxRemovals bounds the lists that a page shows; it is told how many there are.
const maxRemovals = 500

// removal is an address that a user name takes from a card.
type removal struct {
	Owner   int64  `json:"owner"`           // the user whose name it is
	Person  int64  `json:"person"`          // whose card
	Other   int64  `json:"other,omitempty"` // the user of that card
	Email   string `json:"email"`
	Removed bool   `json:"removed"`
}

type removals struct {
	Revision       int       `json:"revision"`
	Users          []removal `json:"users"`
	UsersTotal     int       `json:"usersTotal"`
	Persons        []removal `json:"persons"`
	PersonsTotal   int       `json:"personsTotal"`
	PersonsRemoved int       `json:"personsRemoved"`
}

// userOf finds the user with a card.
func (d *desk) userOf(person int64) int64 {
	i := slices.IndexFunc(d.s.in.Users, func(u manifest.User) bool { return u.Person == person })
	if i < 0 {
		return 0
	}
	return d.s.in.Users[i].ID
}

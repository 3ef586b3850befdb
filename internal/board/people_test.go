package board

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/plan"
)

// start is what the tests' clock says.
func start() time.Time { return time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC) }

// some makes an input of n users and p plans, in which names repeat as they do in firms.
func some(n, p int) plan.Input {
	first := []string{"Gunn", "Hans", "Åse", "Jörg", "Ingrid", "François", "Mohammed", "Siri", "Łukasz", "Bjørn", "Anna", "Peder"}
	last := []string{"Schpaa", "Hansen", "Ødegård", "Müller", "Berg", "Dupont", "El-Amin", "Nygaard-Kristoffersen", "Wójcik", "Lie", "Vik"}
	in := plan.Input{Migrator: manifest.Migrator{Login: "KK", Name: "Karl Klopp", Email: "karl@example.com", Admin: "guessed"}}
	titles := []string{"Sales Premium", "Service Premium", "Marketing Essentials", "Complete CRM", "Sales Standard"}
	for i := range p {
		t := titles[i%len(titles)]
		name := strings.ReplaceAll(t, " ", "")
		if i >= len(titles) {
			name, t = fmt.Sprintf("%s%d", name, i), fmt.Sprintf("%s, region %d", t, i)
		}
		in.Plans = append(in.Plans, manifest.Plan{Name: name, Title: t, Onsite: fmt.Sprintf("ten-%d", i), Seats: n/p + 2, Source: "tenant"})
	}
	for i := range n {
		f, l := first[i%len(first)], last[(i/3)%len(last)]
		mail := fmt.Sprintf("%s.%s%d@example.com", plain(f), plain(l), i)
		u := manifest.User{ID: int64(i + 7), Login: fmt.Sprintf("U%d", i), Person: int64(1000 + i), Name: f + " " + l,
			Company: "Kalles Kontormøbler AS", Group: []string{"Sales", "Support", "Marketing"}[i%3], Role: fmt.Sprintf("User level %d", i%4),
			Position: []string{"Manager", "", "Consultant"}[i%3], Admin: i%40 == 0, Confidential: i%7 == 0,
			Emails: []string{mail, fmt.Sprintf("u%d@old.example.com", i)}, Onsite: fmt.Sprintf("ten-%d", i%max(p, 1))}
		in.Users = append(in.Users, u)
	}
	return in
}

// assigned gives every user a plan, a name and no welcome e-mail.
func assigned(in plan.Input) plan.Input {
	no := false
	for i := range in.Users {
		u := &in.Users[i]
		name := in.Plans[i%len(in.Plans)].Name
		u.Plan, u.Username, u.Welcome = &name, u.Emails[0], &no
	}
	return in
}

// lines collects what the terminal is told.
type lines struct {
	mu   sync.Mutex
	list []string
	more chan struct{}
}

func newLines() *lines { return &lines{more: make(chan struct{}, 100)} }

func (l *lines) tell(format string, args ...any) {
	l.mu.Lock()
	l.list = append(l.list, fmt.Sprintf(format, args...))
	l.mu.Unlock()
	select {
	case l.more <- struct{}{}:
	default:
	}
}

func (l *lines) all() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.list, "\n")
}

// wait returns the last address told once n lines with one are there.
func (l *lines) address(t testing.TB, n int) string {
	t.Helper()
	late := time.After(time.Minute)
	for {
		var found []string
		for word := range strings.FieldsSeq(l.all()) {
			if strings.HasPrefix(word, "http://") {
				found = append(found, strings.TrimSuffix(word, ","))
			}
		}
		if len(found) >= n {
			return found[n-1]
		}
		select {
		case <-l.more:
		case <-late:
			t.Fatalf("no address number %d in %q", n, l.all())
		}
	}
}

// running is a board that runs.
type running struct {
	*lines
	address string
	stop    context.CancelFunc
	done    chan struct{}
	out     *Outcome
	err     error
}

// run starts a board; the test's end stops it.
func run(t testing.TB, in plan.Input, o Options) *running {
	t.Helper()
	r := &running{lines: newLines(), done: make(chan struct{})}
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	o.Tell, o.Now = r.tell, start
	if o.Survey.Header.ID == "" {
		o.Survey.Header = manifest.Header{ID: "0192f0c1", Migration: "test"}
		o.Survey.Installation = manifest.Installation{Owner: "Kalles Kontormøbler AS", Serial: "1801830017"}
	}
	ctx, stop := context.WithCancel(context.Background())
	r.stop = stop
	go func() {
		defer close(r.done)
		r.out, r.err = Run(ctx, in, o)
	}()
	t.Cleanup(func() {
		stop()
		<-r.done
		if err := r.out.Close(); err != nil {
			t.Error(err)
		}
	})
	r.address = r.lines.address(t, 1)
	return r
}

// wait waits for the board's end.
func (r *running) wait(t testing.TB) (*Outcome, error) {
	t.Helper()
	select {
	case <-r.done:
	case <-time.After(time.Minute):
		t.Fatal("the board does not end")
	}
	return r.out, r.err
}

package board

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/plan"
)

// Options are what a board needs beside users and plans.
type Options struct {
	Listen string             // what ParseListen gave
	Open   func(string) error // opens a browser; nil: the address is told and no more
	Tell   func(format string, args ...any)
	Now    func() time.Time

	Base     plan.Choices // what the choices begin with: who, when, waivers and removals asked for by flags
	Survey   plan.Survey
	Notes    []string // what was done or left before, for the page
	StateDir string   // where work in progress is kept; empty: nowhere

	// Findings runs the rules over users and plans as they would be, and returns all findings about people; nil: those of
	// the survey stand.
	Findings func(ctx context.Context, users []manifest.User, plans []manifest.Plan) ([]manifest.Finding, error)
	// Persons finds the user names on cards of persons who are no users; nil: nobody knows.
	Persons func(ctx context.Context, r plan.Result, remove *bool) ([]plan.PersonRemoval, error)

	// Away is how long the last page may be closed before the terminal says so; 0: 15 seconds.
	Away time.Duration
}

// Outcome is what was chosen.
type Outcome struct {
	Choices plan.Choices
	journal *journal
}

// Forget removes the work in progress. It is called when what was chosen is written, and not when that fails: then the
// work is offered again.
func (o *Outcome) Forget() error { return o.end(true) }

// Close keeps the work in progress, unless it was forgotten.
func (o *Outcome) Close() error { return o.end(false) }

func (o *Outcome) end(forget bool) error {
	if o == nil || o.journal == nil {
		return nil
	}
	j := o.journal
	o.journal = nil
	return j.close(forget)
}

// Run serves the board until a person says OK. Its error is of status Interrupted when a person cancels, or ctx's.
func Run(ctx context.Context, in plan.Input, o Options) (*Outcome, error) {
	l, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return nil, manifest.Errorf(manifest.Usage, "--listen %q: %w", o.Listen, err)
	}
	d := newDesk(in, o)
	out, err := d.serve(ctx, l)
	if err != nil || out.err != nil {
		if d.journal != nil {
			err = errors.Join(err, d.journal.close(out.forget))
		}
		if out.err != nil {
			return nil, out.err
		}
		return nil, err
	}
	return &Outcome{Choices: out.choices, journal: d.journal}, nil
}

// serve works on l until the board ends.
func (d *desk) serve(ctx context.Context, l net.Listener) (outcome, error) {
	addr := l.Addr().(*net.TCPAddr) // of a listener on "tcp"
	host := "http://" + addr.String()
	var g *guard
	address := func() string { return host + "/?token=" + g.token() }
	again := newLimit(10 * time.Second)
	g = newGuard(addr, func() {
		if again.pass(time.Now()) { //nolint:forbidigo // how often a line may be printed is no part of a result
			d.o.Tell("the address was used already; a new one for this browser: %s", address())
		}
	})
	h, err := d.handler()
	if err != nil {
		return outcome{}, err
	}
	work, stop := context.WithCancel(ctx)
	defer stop()
	serving, hangUp := context.WithCancel(context.WithoutCancel(ctx)) // pages hear of the end before they are left
	defer hangUp()
	server := &http.Server{Handler: g.wrap(h), ReadHeaderTimeout: 10 * time.Second,
		BaseContext: func(net.Listener) context.Context { return serving }}
	var tasks errgroup.Group
	tasks.Go(func() error {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			stop()
			return fmt.Errorf("serving the board: %w", err)
		}
		return nil
	})
	if d.o.Findings != nil {
		tasks.Go(func() error { d.check(work); return nil })
	}
	tasks.Go(func() error {
		d.hub.watch(work, d.away(), func() {
			d.o.Tell("the page was closed; nothing is lost. Go on at %s, or press Ctrl+C to end without writing anything", address())
		})
		return nil
	})
	d.announce(address())
	var out outcome
	select {
	case out = <-d.outcome:
	case <-work.Done():
		d.hub.send(event{Ended: "stopped"})
	}
	last, done := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer done()
	if server.Shutdown(last) != nil { // answers and the last events are out, or nobody reads them
		_ = server.Close() // there is nothing more to be done about it
	}
	hangUp()
	stop()
	if err := tasks.Wait(); err != nil {
		return outcome{}, err
	}
	return out, ctx.Err()
}

func (d *desk) away() time.Duration {
	if d.o.Away > 0 {
		return d.o.Away
	}
	return 15 * time.Second
}

// announce tells where the board is, and opens it.
func (d *desk) announce(address string) {
	d.o.Tell("the board is at %s", address)
	if d.keeping != "" {
		d.o.Tell("%s", d.keeping)
	}
	if n := len(d.offered); n > 0 {
		d.o.Tell("the board offers to go on with earlier work on this input (%d steps)", n)
	}
	d.o.Tell("it ends with OK or Cancel there, or with Ctrl+C here, which writes nothing; closing the page ends nothing")
	if d.o.Open == nil {
		return
	}
	go func() { // not waited for: a browser that was started so may live longer than the board
		if err := d.o.Open(address); err != nil {
			d.o.Tell("no browser could be opened (%v); open the address yourself", err)
		}
	}()
}

// limit lets one call through in a while.
type limit struct {
	every time.Duration
	mu    sync.Mutex
	last  time.Time
}

func newLimit(every time.Duration) *limit { return &limit{every: every} }

func (l *limit) pass(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.last.IsZero() && now.Sub(l.last) < l.every {
		return false
	}
	l.last = now
	return true
}

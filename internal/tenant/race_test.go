package tenant_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/destination/azblob"
	"github.com/openomt/omt/internal/destination/destinationtest/servers"
	"github.com/openomt/omt/internal/destination/dir"
	"github.com/openomt/omt/internal/destination/s3"
	"github.com/openomt/omt/internal/destination/web"
	"github.com/openomt/omt/internal/tenant"
)

// pair is what happens at the same tenant at once.
type pair struct {
	name, holds   string
	first, second deed
	// what the one hears whom the other has overtaken; empty: both go through, in whatever order
	firstHears, secondHears string
}

func pairs() []pair {
	push := func(p push, r tenant.Recover, kind, input string) deed {
		p.recover, p.migration, p.input, p.spool = r, kind, input, "spool of "+input
		return deed{p: p}
	}
	accept := deed{p: push(a(), "", "live", "a").p, accept: true}
	idC := b()
	idC.id = strings.Replace(idB, "b", "c", 2)
	found := push(a(), tenant.RecoverAgain, "live", "found")
	found.p.base = 1
	elsewhere := push(a(), tenant.RecoverAgain, "live", "found elsewhere")
	elsewhere.p.base = 1
	seed := push(b(), "", "test", "seed")
	seed.p.phase = tenant.Preseed
	return []pair{
		{"two first ones", "", push(a(), "", "test", "a"), push(b(), "", "test", "b"), "holds migration|was committed", "holds migration"},
		{"two overwrite", "test", push(b(), "overwrite", "test", "b"), push(idC, "overwrite", "test", "c"), "migration " + idC.id + " was committed to|holds migration " + idC.id, "migration " + idB + " was committed to|holds migration " + idB},
		{"test and live overwrite", "test", push(b(), "overwrite", "test", "b"), push(idC, "overwrite", "live", "c"), "comes after a live one", "migration " + idB + " was committed to|holds migration " + idB},
		{"overwrite and next revision", "test", push(b(), "overwrite", "test", "b"), push(a(), "", "test", "again"), "", "migration " + idB + " was committed to|holds migration " + idB},
		{"two next revisions", "test", push(a(), "", "test", "again"), push(a(), "", "test", "once more"), "was not committed", "was not committed"},
		{"two add files", "live", found, elsewhere, "and this one adds files to revision 1|was not committed", "and this one adds files to revision 1|was not committed"},
		{"accept and add files", "live", accept, found, "revision 2 of migration " + idA, ""},
		{"accept and next revision", "live", accept, push(a(), "", "live", "again"), "revision 2 of migration " + idA, "its database is closed"},
		{"accept and preseed", "live", accept, seed, "", "no migration comes after it"},
		{"overwrite and preseed", "test", push(b(), "overwrite", "test", "b"), seed, "", ""},
	}
}

// check judges what the two have heard, where afterwards says that one began when the other could not fail any more. Whoever was overtaken was told so, and one at least went through.
func (p pair) check(t *testing.T, d destination.Destination, errFirst, errSecond error, afterwards bool) {
	t.Helper()
	if errFirst != nil && errSecond != nil {
		t.Errorf("both failed: %v; %v", errFirst, errSecond)
	}
	for _, heard := range []struct {
		err  error
		want string
	}{{errFirst, p.firstHears}, {errSecond, p.secondHears}} {
		if heard.err == nil {
			continue
		}
		if heard.want == "" {
			t.Errorf("error is %v", heard.err)
			continue
		}
		text := heard.want
		for _, part := range strings.Split(heard.want, "|") {
			if strings.Contains(heard.err.Error(), part) {
				text = part
			}
		}
		wantRefused(t, heard.err, text)
	}
	s, err := tenant.Open(d).State(t.Context())
	check(t, err)
	if s.Pending != nil || s.Seeding != nil {
		t.Errorf("something is on its way: %+v", s)
	}
	for _, e := range []struct {
		deed
		err error
	}{{p.first, errFirst}, {p.second, errSecond}} {
		c, err := tenant.Open(d).Last(t.Context(), e.p.phase, e.p.id)
		stands := err == nil && c.Input == e.p.inputDigest()
		if e.accept {
			continue
		}
		if e.err == nil && !stands && (p.firstHears != "" || p.secondHears != "") && p.first.p.id != p.second.p.id {
			t.Errorf("the push of %q went through, and is not there: %v", e.p.input, err)
		}
		if e.err != nil && stands {
			t.Errorf("the push of %q was refused (%v), and is there", e.p.input, e.err)
		}
	}
	if m := s.Migration; m != nil && p.first.p.phase == tenant.Full && p.second.p.phase == tenant.Full {
		if last, err := tenant.Open(d).Last(t.Context(), tenant.Full, m.ID); err != nil || last.Revision != m.Revision {
			t.Errorf("the tenant's migration is revision %d, and the highest is %d, error %v", m.Revision, last.Revision, err)
		}
	}
	both := errFirst == nil && errSecond == nil
	if both && !afterwards && p.name != "two next revisions" && // one may claim its number when the other has committed
		p.firstHears != "" && p.secondHears != "" {
		t.Error("both went through")
	}
	if p.first.accept && errFirst == nil && s.State != tenant.Running {
		t.Errorf("it was accepted, and is %s", s.State)
	}
}

// between runs something before the n-th change of a destination.
type between struct {
	destination.Destination
	mu    sync.Mutex
	left  int
	gate  int // what was left at the first state record
	event func()
}

func (d *between) step() {
	d.mu.Lock()
	d.left--
	due := d.left == 0
	d.mu.Unlock()
	if due {
		d.event()
	}
}

func (d *between) Create(ctx context.Context, name string, data []byte) error {
	d.step()
	if d.gate == 0 && strings.HasPrefix(name, "state/") {
		d.gate = d.left
	}
	return d.Destination.Create(ctx, name, data)
}

func (d *between) Replace(ctx context.Context, name string, data []byte) error {
	d.step()
	return d.Destination.Replace(ctx, name, data)
}

func (d *between) Upload(ctx context.Context, name string, size int64, sum [32]byte) (destination.Upload, error) {
	d.step()
	return d.Destination.Upload(ctx, name, size, sum)
}

// The second happens, whole, before any step of the first one, and the other way round.
func TestInBetween(t *testing.T) {
	for _, p := range pairs() {
		for _, swapped := range []bool{false, true} {
			outer, inner := p.first, p.second
			if swapped {
				outer, inner = inner, outer
			}
			n, gate := calls(t, p.holds, outer)
			for step := 1; step <= n; step++ {
				t.Run(fmt.Sprintf("%s, swapped %v, before step %d", p.name, swapped, step), func(t *testing.T) {
					t.Parallel()
					d := holding(t, p.holds, false, false)
					var errInner error
					d2 := &between{Destination: d, left: step, event: func() { errInner = inner.run(t.Context(), d) }}
					errOuter := outer.run(t.Context(), d2) // behind its gate, the inner one has judged what passed it
					if d2.left > 0 {
						t.Fatalf("there is no step %d", step)
					}
					if swapped {
						errOuter, errInner = errInner, errOuter
					}
					p.check(t, d, errOuter, errInner, step > gate)
				})
			}
		}
	}
}

// calls is the number of calls that change something, and which one is the gate.
func calls(t *testing.T, holds string, e deed) (n, gate int) {
	t.Helper()
	d := &between{Destination: holding(t, holds, false, false)}
	check(t, e.run(t.Context(), d))
	return -d.left, -d.gate
}

// places are destinations of every kind, each new. Those that are services are opened twice, as from two machines.
func places(t *testing.T) map[string]func(t *testing.T) (one, two destination.Destination) {
	t.Helper()
	list := map[string]func(t *testing.T) (one, two destination.Destination){
		"dir": func(t *testing.T) (one, two destination.Destination) {
			_, path := folder(t)
			return twice(t, func() (destination.Destination, error) { return dir.Open(path, time.Now) })
		},
	}
	if os.Getenv("OMT_TEST_AZURITE") != "" {
		server := servers.StartAzurite(t)
		list["azblob"] = func(t *testing.T) (one, two destination.Destination) {
			url := server.SAS(t, server.Container(t), "rcwld", time.Hour)
			return twice(t, func() (destination.Destination, error) {
				p, err := azblob.Parse(url, os.Getenv)
				if err != nil {
					return nil, err
				}
				return azblob.Open(p, azblob.Options{Client: httpClient(t), Getenv: os.Getenv, Now: time.Now})
			})
		}
	}
	if os.Getenv("OMT_TEST_VERSITYGW") != "" {
		server := servers.StartVersityGW(t)
		list["s3"] = func(t *testing.T) (one, two destination.Destination) {
			bucket := server.Bucket(t)
			return twice(t, func() (destination.Destination, error) {
				p, err := s3.Parse(server.URL(bucket, "kalles"), server.Getenv)
				if err != nil {
					return nil, err
				}
				return s3.Open(p, s3.Options{Client: httpClient(t), Now: time.Now})
			})
		}
	}
	return list
}

func twice(t *testing.T, open func() (destination.Destination, error)) (one, two destination.Destination) {
	t.Helper()
	one, err := open()
	check(t, err)
	two, err = open()
	check(t, err)
	t.Cleanup(func() {
		one.Close()
		two.Close()
	})
	return one, two
}

// Two machines at once at every kind of destination: one wins, the other is told so.
func TestTwoMachines(t *testing.T) {
	for name, open := range places(t) {
		for _, p := range pairs() {
			t.Run(name+" "+p.name, func(t *testing.T) {
				for range 2 {
					one, two := open(t)
					if p.holds != "" {
						former := a()
						former.migration = p.holds
						_, _, err := former.run(t.Context(), quick().Wrap(one))
						check(t, err)
					}
					var wg sync.WaitGroup
					var errs [2]error
					var judged sync.WaitGroup // so that both are under way at once
					judged.Add(2)
					for i, e := range []deed{p.first, p.second} {
						d := quick().Wrap([]destination.Destination{one, two}[i])
						e.p.judged = func() { judged.Done(); judged.Wait() }
						if e.accept {
							judged.Done()
						}
						wg.Go(func() { errs[i] = e.run(t.Context(), d) })
					}
					wg.Wait()
					p.check(t, quick().Wrap(one), errs[0], errs[1], false)
					wantReadable(t, quick().Wrap(two))
				}
			})
		}
	}
}

// wantReadable checks that what the tenant holds can be read, and that records have no gap.
func wantReadable(t *testing.T, d destination.Destination) {
	t.Helper()
	tn := tenant.Open(d)
	c, err := tn.LastCommitted(t.Context())
	check(t, err)
	rc, err := tn.OpenManifest(t.Context(), *c)
	check(t, err)
	defer rc.Close()
	_, err = io.Copy(io.Discard, rc)
	check(t, err)
	s, err := tn.State(t.Context())
	check(t, err)
	n := int64(0)
	check(t, d.List(t.Context(), "state/", func(destination.Info) error { n++; return nil }))
	if n != s.Number {
		t.Errorf("there are %d records, and the highest is number %d", n, s.Number)
	}
}

func httpClient(t testing.TB) *http.Client {
	t.Helper()
	c, err := web.Client(web.Options{Getenv: os.Getenv, Now: time.Now})
	check(t, err)
	return c
}

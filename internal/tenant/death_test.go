package tenant_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/destination/destinationtest"
	"github.com/openomt/omt/internal/destination/dir"
	"github.com/openomt/omt/internal/tenant"
)

// deed is a push or an accept at a tenant that holds something.
type deed struct {
	name   string
	holds  string // the kind of migration A that is there, or nothing
	is     tenant.StateName
	p      push // pushed, or accepted
	accept bool
	shut   bool
}

func deeds() []deed {
	seed := a()
	seed.phase = tenant.Preseed
	over, live, adds, accepts := b(), b(), a(), a()
	over.recover = tenant.RecoverOverwrite
	live.recover, live.migration = tenant.RecoverOverwrite, "live"
	adds.migration, adds.recover, adds.base, adds.input = "live", tenant.RecoverAgain, 1, "found"
	accepts.migration = "live"
	return []deed{
		{name: "first", is: tenant.OfflineMaintenance, p: a()},
		{name: "preseed", is: tenant.Unknown, p: seed},
		{name: "overwrite", holds: "test", is: tenant.OfflineMaintenance, p: over},
		{name: "live over test", holds: "test", is: tenant.OfflineMaintenance, p: live},
		{name: "files", holds: "live", is: tenant.OfflineMaintenance, p: adds},
		{name: "accept", holds: "live", is: tenant.Running, p: accepts, accept: true, shut: true},
	}
}

func (e deed) run(ctx context.Context, d destination.Destination) error {
	if e.accept {
		_, _, err := tenant.Open(d).Accept(ctx, "omt-push 0.1.0", e.p.time(), e.shut)
		return err
	}
	_, _, err := e.p.run(ctx, d)
	return err
}

// steps is the number of changes that a deed makes to the tenant.
func steps(t *testing.T, e deed) int {
	f := destinationtest.NewFaulty(t, holding(t, e.holds, false, false))
	check(t, e.run(t.Context(), f))
	return f.Calls(destinationtest.OpChange)
}

// What dies at any step, before or after the step took effect, is finished by running it again. Until then the former
// migration is the tenant's, and can be read.
func TestDeathAtEveryStep(t *testing.T) {
	for _, e := range deeds() {
		n := steps(t, e)
		if n < 5 && !e.accept || n < 2 {
			t.Fatalf("%s has %d steps", e.name, n)
		}
		for step := 1; step <= n; step++ {
			for _, late := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s %d late=%v", e.name, step, late), func(t *testing.T) {
					t.Parallel()
					d := holding(t, e.holds, false, false)
					dies := destinationtest.NewFaulty(t, d, destinationtest.Fault{Op: destinationtest.OpChange, Call: step, Late: late, Die: true})
					if err := e.run(t.Context(), dies); !errors.Is(err, destinationtest.ErrDied) {
						t.Fatalf("error is %v", err)
					}
					wantWhole(t, d, e)
					again := e
					again.p.at = 7 // it is later, and only a claim may tell
					check(t, again.run(t.Context(), d))
					s, err := tenant.Open(d).State(t.Context())
					check(t, err)
					if s.State != e.is || s.Closed != e.shut {
						t.Errorf("the state is %+v, want %s", s, e.is)
					}
					if e.p.phase == tenant.Full {
						wantTenant(t, d, e.p)
					}
					wantRevisions(t, d, e)
				})
			}
		}
	}
}

// wantWhole checks that somebody who reads finds the former migration or the new one, whole.
func wantWhole(t testing.TB, d destination.Destination, e deed) {
	t.Helper()
	c, err := tenant.Open(d).LastCommitted(t.Context())
	check(t, err)
	if c == nil {
		if e.holds != "" {
			t.Fatal("the tenant holds nothing any more")
		}
		return
	}
	rc, err := tenant.Open(d).OpenManifest(t.Context(), *c)
	check(t, err)
	defer rc.Close()
	got, err := io.ReadAll(rc)
	if err != nil || string(got) != "manifest of a\n" && string(got) != "manifest of "+e.p.input+"\n" {
		t.Errorf("its manifest is %q, error %v", got, err)
	}
}

// wantRevisions checks that a deed has left nothing twice.
func wantRevisions(t testing.TB, d destination.Destination, e deed) {
	t.Helper()
	want := map[string]int{e.p.id: 1}
	if e.holds != "" {
		want[idA] = 1
	}
	if e.p.base > 0 {
		want[idA] = 2
	}
	for _, p := range []tenant.Phase{tenant.Full, tenant.Preseed} {
		revisions, err := tenant.Open(d).Revisions(t.Context(), p, "")
		check(t, err)
		for _, r := range revisions {
			if !r.Finished || !r.Stored || !r.Claimed {
				t.Errorf("%+v is left", r)
			}
			want[r.ID]--
		}
	}
	for id, n := range want {
		if n != 0 {
			t.Errorf("%s has %d revisions too few", id, n)
		}
	}
}

// A push that died at any step may be followed by another migration. It wins unless the first had passed the gate, and
// then it finishes it and is refused; the first one, run again, hears the same.
func TestDeathThenAnother(t *testing.T) {
	n := steps(t, deed{p: a()})
	passed := 0
	for step := 1; step <= n; step++ {
		for _, late := range []bool{false, true} {
			d, _ := folder(t)
			dies := destinationtest.NewFaulty(t, d, destinationtest.Fault{Op: destinationtest.OpChange, Call: step, Late: late, Die: true})
			_, _, err := a().run(t.Context(), dies)
			if !errors.Is(err, destinationtest.ErrDied) {
				t.Fatalf("error is %v", err)
			}
			_, _, errB := b().run(t.Context(), d)
			_, _, errA := a().run(t.Context(), d)
			winner := b()
			if errB != nil {
				winner = a()
				passed++
				wantRefused(t, errB, "holds migration "+idA)
				check(t, errA)
			} else {
				wantRefused(t, errA, "holds migration "+idB)
			}
			wantTenant(t, d, winner)
			wantOne(t, d, winner.id)
		}
	}
	if passed == 0 || passed == 2*n {
		t.Errorf("the first one passed the gate in %d of %d deaths", passed, 2*n)
	}
}

// Many pushes at once, of two migrations: one migration wins, and its pushes succeed.
func TestRace(t *testing.T) {
	for range 5 {
		d, path := folder(t)
		var wg sync.WaitGroup
		const n = 6
		errs := make([]error, n)
		start := make(chan struct{})
		for i := range n {
			p := a()
			if i%2 == 1 {
				p = b()
			}
			p.spool, p.at = fmt.Sprint("spool ", i), i
			own, err := dir.Open(path, time.Now)
			check(t, err)
			wg.Go(func() {
				<-start
				_, _, errs[i] = p.run(t.Context(), own)
			})
		}
		close(start)
		wg.Wait()
		s, err := tenant.Open(d).State(t.Context())
		check(t, err)
		winner := map[string]int{idA: 0, idB: 1}[s.Migration.ID]
		for i, err := range errs {
			if i%2 == winner {
				check(t, err)
			} else {
				wantRefused(t, err, "holds migration")
			}
		}
		wantTenant(t, d, []push{a(), b()}[winner])
		wantOne(t, d, s.Migration.ID)
	}
}

func TestTemporaryFailures(t *testing.T) {
	for _, op := range []destinationtest.Op{
		destinationtest.OpCreate, destinationtest.OpList, destinationtest.OpOpen, destinationtest.OpRead, destinationtest.OpReplace,
		destinationtest.OpUpload, destinationtest.OpSend, destinationtest.OpCommit,
	} {
		for _, late := range []bool{false, true} {
			d, _ := folder(t)
			if op == destinationtest.OpOpen || op == destinationtest.OpRead { // something must be there to be read
				p := a()
				p.phase = tenant.Preseed
				_, _, err := p.run(t.Context(), d)
				check(t, err)
			}
			f := destinationtest.NewFaulty(t, d, destinationtest.Fault{Op: op, Call: 1, Late: late})
			if _, _, err := a().run(t.Context(), quick().Wrap(f)); err != nil {
				t.Errorf("%s, late %v: %v", op, late, err)
			}
			wantTenant(t, d, a())
			wantOne(t, d, idA)
		}
	}
}

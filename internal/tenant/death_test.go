package tenant_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/destination/destinationtest"
	"github.com/openomt/omt/internal/destination/dir"
	"github.com/openomt/omt/internal/tenant"
)

// steps is the number of changes that a push makes to the tenant.
func steps(t *testing.T, p push) int {
	d, _ := folder(t)
	f := destinationtest.NewFaulty(t, d)
	_, _, err := p.run(t.Context(), f)
	check(t, err)
	return f.Calls(destinationtest.OpChange)
}

// A push that dies at any step, before or after the step took effect, is finished by running it again.
func TestDeathAtEveryStep(t *testing.T) {
	for _, phase := range []tenant.Phase{tenant.Full, tenant.Preseed} {
		p := a()
		p.phase = phase
		n := steps(t, p)
		if n < 5 {
			t.Fatalf("a push has %d steps", n)
		}
		for step := 1; step <= n; step++ {
			for _, late := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s %d late=%v", phase, step, late), func(t *testing.T) {
					d, _ := folder(t)
					dies := destinationtest.NewFaulty(t, d, destinationtest.Fault{Op: destinationtest.OpChange, Call: step, Late: late, Die: true})
					if _, _, err := p.run(t.Context(), dies); !errors.Is(err, destinationtest.ErrDied) {
						t.Fatalf("error is %v", err)
					}
					again := p
					again.at = 7 // it is later, and only a claim may tell
					c, _, err := again.run(t.Context(), d)
					check(t, err)
					if c.Revision != 1 {
						t.Errorf("it became revision %d", c.Revision)
					}
					if phase == tenant.Full {
						wantTenant(t, d, p)
						wantOne(t, d, p.id)
					}
				})
			}
		}
	}
}

// A push that died at any step may be followed by another migration. It wins unless the first had passed the gate, and
// then it finishes it and is refused; the first one, run again, hears the same.
func TestDeathThenAnother(t *testing.T) {
	n := steps(t, a())
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

// between runs something before the n-th change of a destination.
type between struct {
	destination.Destination
	mu    sync.Mutex
	left  int
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

// Another push, whole, happens before any step of the first one: one wins, the other is told so, and what is there is
// whole.
func TestAnotherInBetween(t *testing.T) {
	sameInput, packedAgain := a(), a()
	sameInput.spool, sameInput.at = "another spool", 3
	packedAgain.spool, packedAgain.input, packedAgain.at = "another spool", "packed again", 3
	for name, other := range map[string]push{"another migration": b(), "same input": sameInput, "packed again": packedAgain} {
		for step := 1; step <= 6; step++ {
			t.Run(fmt.Sprintf("%s before step %d", name, step), func(t *testing.T) {
				d, _ := folder(t)
				var errOther error
				d2 := &between{Destination: d, left: step, event: func() { _, _, errOther = other.run(t.Context(), d) }}
				c, mine, err := a().run(t.Context(), d2)
				if d2.left > 0 {
					t.Fatalf("there is no step %d", step)
				}
				switch {
				case name == "same input":
					check(t, err)
					check(t, errOther)
					wantTenant(t, d, a())
				case err == nil && errOther == nil: // two revisions of one migration
					if name != "packed again" || !mine {
						t.Fatalf("both went through: %+v", c)
					}
					wantLatest(t, d)
				case err == nil:
					wantRefused(t, errOther, "holds migration "+idA)
					wantTenant(t, d, a())
				default:
					check(t, errOther)
					wantRefused(t, err, map[bool]string{true: "another push", false: "holds migration"}[step > 1])
					wantTenant(t, d, other)
				}
				if name != "packed again" {
					s, err := tenant.Open(d).State(t.Context())
					check(t, err)
					wantOne(t, d, s.Migration.ID)
				}
			})
		}
	}
}

// wantLatest checks that the tenant's migration is the highest committed revision.
func wantLatest(t *testing.T, d destination.Destination) {
	t.Helper()
	last, err := tenant.Open(d).Last(t.Context(), tenant.Full, idA)
	check(t, err)
	p := a()
	if last.Input != p.inputDigest() {
		p.input = "packed again"
	}
	// The convenience copy is put right by whoever comes next.
	_, _, err = tenant.Open(d).Committed(t.Context(), tenant.Full, idA, p.inputDigest())
	check(t, err)
	if s := wantTenant(t, d, p); s.Migration.Revision != 2 {
		t.Errorf("the tenant's migration is revision %d", s.Migration.Revision)
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

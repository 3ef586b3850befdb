package push

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/destination/destinationtest"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/tenant"
)

// collectAt gives options of a collect at a folder. Everything is old to it when olderThan is 0.
func (at place) collectAt(t testing.TB, olderThan time.Duration) CollectOptions {
	t.Helper()
	o := collectFrom(&actor{}, olderThan)
	o.To, o.Retry, o.Now = nil, at.base(nil).Retry, time.Now
	if at.to != "" {
		o.To = at.destination(t)
	}
	o.Notice, o.Workers = at.notices.add, 4
	return o
}

// age makes an object older.
func (at place) age(t testing.TB, name string, by time.Duration) {
	t.Helper()
	file := filepath.Join(at.to, filepath.FromSlash(name))
	when := time.Now().Add(-by)
	check(t, os.Chtimes(file, when, when))
}

func (at place) there(t testing.TB, names []string) (n int) {
	t.Helper()
	listed := destinationtest.Listed(t, at.destination(t), "chunks/")
	for _, name := range names {
		if _, ok := listed[name]; ok {
			n++
		}
	}
	return n
}

// lots is a packed manifest with chunks of its own.
func lots(id string, seed int) packed {
	p := small()
	p.id, p.seed, p.missing = id, seed, 0
	return p
}

func (at place) pushed(t testing.TB, p packed) {
	t.Helper()
	p.fill(t, at.spool)
	_, err := at.push(t, p.bytes(t))
	check(t, err)
}

// What the tenant's migration refers to stays, and until it is accepted what went ahead; all else goes that is old.
func TestCollect(t *testing.T) {
	first, seed := lots(idA, 0), lots(idB, 1)
	seed.phase = "preseed"
	first.migration = "live"
	at := newPlace(t, first)
	at.pushed(t, first)
	at.pushed(t, seed)
	next := lots(idA, 2)
	next.migration = "live"
	at.pushed(t, next)
	foreign := "chunks/readme"
	check(t, at.destination(t).Create(t.Context(), foreign, []byte("x")))

	week := 7 * 24 * time.Hour
	old := first.names()[1]
	at.age(t, old, week+time.Hour)
	at.age(t, first.names()[2], week-time.Hour)
	for _, name := range slices.Concat(seed.names(), next.names(), []string{foreign}) {
		at.age(t, name, 100*week)
	}
	dry := at.collectAt(t, week)
	dry.DryRun = true
	before := destinationtest.Listed(t, at.destination(t), "")
	planned, err := Collect(t.Context(), dry)
	check(t, err)
	if after := destinationtest.Listed(t, at.destination(t), ""); !maps.Equal(before, after) {
		t.Errorf("a dry run changed %v to %v", before, after)
	}
	done, err := Collect(t.Context(), at.collectAt(t, week))
	check(t, err)
	want := Collected{Destination: at.destination(t).URL(), OlderThan: "7d", Manifests: 2, Kept: Amount{6, 6006}, Young: Amount{2, 2002}, Deleted: Amount{1, 1001}}
	if done != want {
		t.Errorf("collected %+v, want %+v", done, want)
	}
	if want.DryRun = true; planned != want {
		t.Errorf("planned %+v, want %+v", planned, want)
	}
	if at.there(t, []string{old}) != 0 || at.there(t, slices.Concat(first.names(), seed.names(), next.names())) != 8 {
		t.Error("something else was deleted than what nothing refers to")
	}
	s, text, _ := at.look(t)
	wantLines(t, text, "000001 full "+idA+" ", "former", "current", "ahead")
	if s.State != tenant.OfflineMaintenance || !s.Collecting.IsZero() || s.Number != 8 {
		t.Errorf("the state is %+v", s)
	}
	at.wantPushed(t, next)

	// Once it was accepted, nothing goes ahead of it any more.
	var b bytes.Buffer
	check(t, Accept(t.Context(), AcceptOptions{To: at.destination(t), Tool: "omt-push 0.1.0", At: manifest.At(long)}, &b))
	if done, err = Collect(t.Context(), at.collectAt(t, 0)); err != nil || done.Deleted.Chunks != 5 || done.Manifests != 1 || done.Kept.Chunks != 3 {
		t.Errorf("collected %+v, error %v", done, err)
	}
	if at.there(t, seed.names()) != 0 || at.there(t, next.names()) != 3 || at.there(t, first.names()) != 0 {
		t.Error("something else was deleted than what nothing refers to")
	}
	if _, err := os.Stat(filepath.Join(at.to, "chunks", "readme")); err != nil {
		t.Error(err)
	}
	// Nothing is left to do, and doing it changes nothing but records.
	if done, err = Collect(t.Context(), at.collectAt(t, 0)); err != nil || done.Deleted.Chunks != 0 {
		t.Errorf("collected %+v, error %v", done, err)
	}
}

// A push that has not committed yet keeps what it refers to, as long as it is young enough to be alive.
func TestCollectBesideClaims(t *testing.T) {
	p := lots(idA, 0)
	for _, c := range []struct {
		name  string
		call  int // which creation it died at: of the claim's manifest, or of the gate
		old   bool
		left  int
		error string
	}{
		{"no manifest yet", 1, false, 3, "has claimed revision 1 and not said yet what it refers to"},
		{"no manifest yet, and old", 1, true, 0, ""},
		{"with its manifest", 2, false, 3, ""},
		{"with its manifest, and old", 2, true, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			at := newPlace(t, p)
			o := at.options(t, p.bytes(t))
			o.Keep = true
			fault := destinationtest.Fault{Op: destinationtest.OpCreate, Call: c.call, Die: true, Late: c.call == 1}
			o.To = destinationtest.NewFaulty(t, at.destination(t), fault)
			if _, err := run1(t.Context(), o); !errors.Is(err, destinationtest.ErrDied) {
				t.Fatal(err)
			}
			for _, name := range p.names() {
				at.age(t, name, time.Hour)
			}
			if c.old {
				at.age(t, "migrations/"+idA+"/000001/open.json", time.Hour)
			}
			for _, dry := range []bool{true, false} {
				o := at.collectAt(t, time.Minute)
				o.DryRun = dry
				_, err := Collect(t.Context(), o)
				if c.error != "" {
					wantError(t, err, manifest.Refused, c.error)
				} else {
					check(t, err)
				}
			}
			if n := at.there(t, p.names()); n != c.left {
				t.Errorf("%d chunks are left, want %d", n, c.left)
			}
			o = at.options(t, p.bytes(t)) // it goes on, and finds out what is gone
			_, err := run1(t.Context(), o)
			check(t, err)
			at.wantPushed(t, p)
		})
	}
}

// A stored manifest that cannot be read is no reason to delete what it may name.
func TestCollectDamagedManifest(t *testing.T) {
	p := lots(idA, 0)
	at := newPlace(t, p)
	at.pushed(t, p)
	name := filepath.Join(at.to, "migrations", idA, "000001", "manifest.jsonl.zst")
	data, err := os.ReadFile(name)
	check(t, err)
	check(t, os.WriteFile(name, data[:len(data)-9], 0o600))
	_, err = Collect(t.Context(), at.collectAt(t, 0))
	wantError(t, err, manifest.Failed, "nothing was deleted: ")
	if at.there(t, p.names()) != 3 {
		t.Error("chunks were deleted")
	}
	if s, err := tenant.Open(at.destination(t)).State(t.Context()); err != nil || s.Collecting != nil {
		t.Errorf("the state is %+v, error %v", s, err)
	}
}

// A collect that dies at any step, before or after it took effect, is finished by the next one, which waits for it; so
// is it by a push.
func TestCollectDies(t *testing.T) {
	first, next := lots(idA, 0), lots(idA, 1)
	prepared := func(t *testing.T) place {
		at := newPlace(t, first)
		at.pushed(t, first)
		at.pushed(t, next)
		return at
	}
	at := prepared(t)
	counter := destinationtest.NewFaulty(t, at.destination(t))
	o := at.collectAt(t, 0)
	o.To, o.Workers = counter, 1
	_, err := Collect(t.Context(), o)
	check(t, err)
	steps := counter.Calls(destinationtest.OpChange)
	if steps != 1+1+3+1+1 { // whether it may, the record, three chunks, the record that ends it, the copy
		t.Fatalf("a collect has %d steps", steps)
	}
	for step := 1; step <= steps; step++ {
		for _, late := range []bool{false, true} {
			for _, follower := range []string{"collect", "push", "accept"} {
				t.Run(fmt.Sprintf("%d late=%v %s", step, late, follower), func(t *testing.T) {
					t.Parallel()
					at := prepared(t)
					o := at.collectAt(t, 0)
					o.To = destinationtest.NewFaulty(t, at.destination(t), destinationtest.Fault{Op: destinationtest.OpChange, Call: step, Late: late, Die: true})
					o.Workers = 1
					if _, err := Collect(t.Context(), o); !errors.Is(err, destinationtest.ErrDied) {
						t.Fatalf("error is %v", err)
					}
					at.wantPushed(t, next)
					switch follower {
					case "push":
						at.pushed(t, lotsAgain()) // refers to what was being removed
						at.wantPushed(t, lotsAgain())
					case "accept":
						err := Accept(t.Context(), AcceptOptions{To: at.destination(t), Retry: o.Retry, Tool: "omt-push 0.1.0", At: manifest.At(long), Notice: at.notices.add}, io.Discard)
						wantError(t, err, manifest.Refused, "a test is never accepted")
						_, err = Collect(t.Context(), at.collectAt(t, 0))
						check(t, err)
					default:
						_, err := Collect(t.Context(), at.collectAt(t, 0))
						check(t, err)
						if n := at.there(t, first.names()); n != 0 {
							t.Errorf("%d chunks are left", n)
						}
						at.wantPushed(t, next)
					}
					s, err := tenant.Open(at.destination(t)).State(t.Context())
					check(t, err)
					if s.Collecting != nil {
						t.Errorf("the state is %+v", s)
					}
				})
			}
		}
	}
}

// Without the right to delete nothing is begun; where it is lost on the way, what was done is told.
func TestCollectDenied(t *testing.T) {
	first, next := lots(idA, 0), lots(idA, 1)
	for call, want := range map[int]string{1: "deleting there: ", 3: "collecting: removing chunk "} {
		at := newPlace(t, first)
		at.pushed(t, first)
		at.pushed(t, next)
		o := at.collectAt(t, 0)
		o.Workers = 1
		o.To = destinationtest.NewFaulty(t, at.destination(t), destinationtest.Fault{Op: destinationtest.OpRemove, Call: call, Err: destination.ErrDenied})
		_, err := Collect(t.Context(), o)
		wantError(t, err, manifest.Failed, want)
		if !strings.Contains(manifest.HintOf(err), "sp=rcwld") || strings.Contains(err.Error(), "\n") {
			t.Errorf("the hint is %q", manifest.HintOf(err))
		}
		if got := at.notices.text(); (got == "deleted before it stopped: 1 chunk, 1.0 kB") != (call == 3) {
			t.Errorf("people were told %q", got)
		}
		s, err := tenant.Open(at.destination(t)).State(t.Context())
		if check(t, err); s.Collecting != nil {
			t.Errorf("it is left collecting: %+v", s)
		}
	}
}

// Interrupted, it lets others go on at once.
func TestCollectInterrupted(t *testing.T) {
	first, next := lots(idA, 0), lots(idA, 1)
	at := newPlace(t, first)
	at.pushed(t, first)
	at.pushed(t, next)
	ctx, cancel := context.WithCancel(t.Context())
	o := at.collectAt(t, 0)
	o.To = &onRemove{Destination: at.destination(t), call: 2, do: cancel}
	o.Workers = 1
	if _, err := Collect(ctx, o); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
	s, err := tenant.Open(at.destination(t)).State(t.Context())
	if check(t, err); s.Collecting != nil || at.there(t, first.names()) == 0 {
		t.Errorf("the state is %+v", s)
	}
}

// onRemove does something before or after the n-th removal.
type onRemove struct {
	destination.Destination
	call int
	do   func()
	late bool // after it
}

func (d *onRemove) Remove(ctx context.Context, name string) error {
	d.call--
	if d.call == 0 && !d.late {
		d.do()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	err := d.Destination.Remove(ctx, name)
	if d.call == 0 && d.late {
		d.do()
	}
	return err
}

// A machine that slept does not delete what others may refer to by then.
func TestCollectStoodStill(t *testing.T) {
	first, next := lots(idA, 0), lots(idA, 1)
	at := newPlace(t, first)
	at.pushed(t, first)
	at.pushed(t, next)
	var slept atomic.Int64
	o := at.collectAt(t, 0)
	o.Now = func() time.Time { return time.Now().Add(time.Duration(slept.Load())) }
	o.Workers = 1
	o.To = &onRemove{Destination: at.destination(t), call: 2, late: true, do: func() {
		slept.Store(int64(6 * time.Minute))
		s, err := tenant.Open(at.destination(t)).State(t.Context())
		check(t, err)
		if s.Collecting == nil {
			t.Errorf("the state is %+v", s)
		}
		_, _, err = tenant.Open(at.destination(t)).Waits(o.Retry.Sleep, nil).Accept(t.Context(), "omt-push 0.1.0", manifest.At(long), false)
		wantError(t, err, manifest.Refused, "a test is never accepted")
		at.pushed(t, lotsAgain())
	}}
	done, err := Collect(t.Context(), o)
	check(t, err)
	// One of the former's was deleted, and sent again by the push that refers to it; then those that it has replaced.
	if done.Deleted.Chunks != 1+3 || at.there(t, first.names()) != 3 || at.there(t, next.names()) != 0 {
		t.Errorf("collected %+v", done)
	}
	at.wantPushed(t, lotsAgain())
}

// lotsAgain is another revision that refers to the chunks of lots(idA, 0).
func lotsAgain() packed {
	p := lots(idA, 0)
	p.more = []manifest.Record{manifest.Check{Rule: "version", Plugin: "crm 0.1.0", Tool: "omt-pack 0.1.0", Status: manifest.CheckDone}}
	return p
}

// A long one renews its record, and nobody gets between.
func TestCollectTakesLong(t *testing.T) {
	first, next := lots(idA, 0), lots(idA, 1)
	first.chunks = 30
	at := newPlace(t, first)
	at.pushed(t, first)
	at.pushed(t, next)
	var passed atomic.Int64
	o := at.collectAt(t, 0)
	o.Now = func() time.Time { return long.Add(time.Duration(passed.Add(int64(7 * time.Second)))) }
	done, err := Collect(t.Context(), o)
	check(t, err)
	s, err := tenant.Open(at.destination(t)).State(t.Context())
	check(t, err)
	if done.Deleted.Chunks != 30 || s.Collecting != nil || s.Number < 4+1+3+1 || len(s.History) != 2 {
		t.Errorf("collected %+v, state %+v", done, s)
	}
}

// Pushes and collects all at once, from spools of their own: what is committed is whole.
func TestCollectStress(t *testing.T) {
	for round := range 3 {
		base := lots(idA, 0)
		at := newPlace(t, base)
		at.pushed(t, base)
		left := lots(idA, 7)
		for i, name := range left.names() {
			check(t, at.destination(t).Create(t.Context(), name, left.chunk(i)))
			at.age(t, name, time.Hour)
		}
		var collecting atomic.Int32
		look := tenant.Open(at.destination(t))
		patient := destination.Retry{Sleep: func(ctx context.Context, _ time.Duration) error {
			for ctx.Err() == nil { // nobody runs out of patience while one is at work
				s, err := look.State(ctx)
				if err == nil && s.Collecting == nil || collecting.Load() == 0 {
					return nil
				}
				time.Sleep(2 * time.Millisecond)
			}
			return ctx.Err()
		}}
		var wg sync.WaitGroup
		stop := make(chan struct{})
		for range 2 {
			collecting.Add(1)
			wg.Go(func() {
				defer collecting.Add(-1)
				for {
					o := at.collectAt(t, time.Minute)
					o.Retry = patient
					_, err := Collect(t.Context(), o)
					if err != nil && manifest.StatusOf(err) != manifest.Refused {
						t.Error(err)
					}
					select {
					case <-stop:
						return
					default:
					}
				}
			})
		}
		var pushes sync.WaitGroup
		for i := range 3 {
			own := at
			own.spool = filepath.Join(t.TempDir(), "spool")
			p := lots(idA, 7)
			p.more = []manifest.Record{manifest.Check{Rule: manifest.RequiredRules()[i], Plugin: "crm 0.1.0", Tool: "omt-pack 0.1.0", Status: manifest.CheckDone}}
			if i == 2 {
				p.id, p.phase = idB, "preseed"
			}
			p.fill(t, own.spool)
			o := own.options(t, p.bytes(t))
			o.Retry, o.Keep = patient, true
			pushes.Go(func() {
				if _, err := run1(t.Context(), o); err != nil && !strings.Contains(err.Error(), "another push has committed") {
					t.Error(err)
				}
			})
		}
		pushes.Wait()
		close(stop)
		wg.Wait()
		s, err := look.State(t.Context())
		check(t, err)
		if s.Migration.Revision == 1 || s.Collecting != nil || s.Pending != nil || s.Seeding != nil {
			t.Errorf("round %d: the state is %+v", round, s)
		}
		if n := at.there(t, left.names()); n != 3 {
			t.Errorf("round %d: only %d chunks of 3 that are referred to are there", round, n)
		}
	}
}

func TestCollectedText(t *testing.T) {
	c := Collected{Destination: "x:", OlderThan: "7d", Manifests: 2, Kept: Amount{1234567, 5_000_000_000}, Young: Amount{1, 1000}, Deleted: Amount{2, 2000}}
	var text, asJSON bytes.Buffer
	check(t, c.WriteText(&text))
	check(t, c.WriteJSON(&asJSON))
	want := "x:: 2 chunks, 2.0 kB deleted\nkept: 1 chunk, 1.0 kB that nothing refers to, younger than 7d\nkept: 1,234,567 chunks, 5.0 GB that 2 manifests refer to\n"
	if text.String() != want {
		t.Errorf("got\n%s\nwant\n%s", text.String(), want)
	}
	var back Collected
	if err := json.Unmarshal(asJSON.Bytes(), &back); err != nil || back != c {
		t.Errorf("%s: %v", asJSON.String(), err)
	}
}

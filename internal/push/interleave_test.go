package push

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/progress"
	"github.com/openomt/omt/internal/tenant"
)

// light is a push as the tenant and its chunks see it: it lists what is there, sends what is not, and commits.
type light struct {
	id, kind string
	phase    tenant.Phase
	recover  tenant.Recover
	spool    string
	accept   bool // the tenant's migration is accepted before
	base     int
	chunks   []string // their content

	made *lightManifest // the manifest, once it was made
}

type lightManifest struct {
	data []byte
	end  manifest.End
}

func (p light) chunk(text string) (name string, data []byte) {
	data = []byte("chunk " + text)
	return tenant.ChunkName(sha256.Sum256(data), manifest.ChunkTar), data
}

// manifest gives the stored manifest.
func (p light) manifest(t testing.TB) ([]byte, manifest.End) {
	t.Helper()
	var b bytes.Buffer
	z, err := tenant.NewManifestWriter(&b)
	check(t, err)
	w := manifest.NewWriter(z, "omt-push 0.1.0")
	check(t, w.Write(manifest.Header{Format: manifest.Format, ID: p.id, Tool: "omt-scan 0.1.0", Migration: p.kind, Phase: string(p.phase)}))
	for _, text := range p.chunks {
		_, data := p.chunk(text)
		check(t, w.Write(manifest.Chunk{SHA256: sha256.Sum256(data), Type: manifest.ChunkTar, Area: manifest.Document, Role: manifest.RoleContent, Bytes: int64(len(data)), Items: 1}))
	}
	end, err := w.End()
	check(t, err)
	check(t, z.Close())
	return b.Bytes(), end
}

// prepared has its manifest.
func (p light) prepared(t testing.TB) light {
	data, end := p.manifest(t)
	p.made = &lightManifest{data, end}
	return p
}

// ensure sends what is not there.
func (p light) ensure(ctx context.Context, d destination.Destination) error {
	there := map[string]bool{}
	if err := d.List(ctx, "chunks/", func(i destination.Info) error { there[i.Name] = true; return nil }); err != nil {
		return err
	}
	for _, text := range p.chunks {
		name, data := p.chunk(text)
		if there[name] {
			continue
		}
		if err := d.Create(ctx, name, data); err != nil {
			return err
		}
	}
	return nil
}

func (p light) run(t testing.TB, ctx context.Context, d destination.Destination, sleep func(context.Context, time.Duration) error, at time.Time) error {
	tn := tenant.Open(d).Waits(sleep, nil)
	if p.accept {
		if _, _, err := tn.Accept(ctx, "omt-push 0.1.0", manifest.At(at), false); err != nil {
			return err
		}
	}
	if p.made == nil {
		p = p.prepared(t)
	}
	stored, end := p.made.data, p.made.end
	claim := tenant.Claim{
		ID: p.id, Phase: p.phase, Migration: p.kind, Company: "Kalles", Serial: "18", Input: end.SHA256, Spool: p.spool, Base: p.base,
		Manifest: tenant.Stored{SHA256: sha256.Sum256(stored), Bytes: int64(len(stored))}, Tool: "omt-push 0.1.0", At: manifest.At(at),
	}
	v, err := tn.Judge(ctx, claim, p.recover)
	if err != nil {
		return err
	}
	if c, _, err := tn.Committed(ctx, p.phase, p.id, claim.Input); c != nil || err != nil {
		return err
	}
	if err := p.ensure(ctx, d); err != nil {
		return err
	}
	if claim, err = tn.Begin(ctx, claim.Under(v, p.recover)); err != nil {
		return err
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(stored)), nil }
	if err := tn.PutManifest(ctx, destination.Retry{}, claim, open, nil); err != nil {
		return err
	}
	_, err = tn.Commit(ctx, claim, tenant.Commit{
		ID: p.id, Revision: claim.Revision, Phase: p.phase, Migration: p.kind, Mode: v.Mode, Company: claim.Company, Serial: claim.Serial,
		Manifest: claim.Manifest, End: end.SHA256, Input: claim.Input, Chunks: int64(len(p.chunks)), Tool: claim.Tool, At: claim.At,
	}, func(ctx context.Context) error { return p.ensure(ctx, d) })
	return err
}

// former is the tenant's migration in what follows.
func former() light {
	return light{id: idA, kind: "test", phase: tenant.Full, spool: "a", chunks: []string{"of both", "of the former one"}}
}

// coming is a push that refers to chunks of the former one, to an old one that nothing refers to, and to a new one.
func coming() light {
	return light{id: idA, kind: "test", phase: tenant.Full, spool: "b", chunks: []string{"of both", "left over", "new"}}
}

var long = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// before is a destination that holds the former migration and left-overs, all of it old.
func before(t testing.TB, kind string) *memory {
	t.Helper()
	m := &memory{objects: map[string]object{}, now: long}
	alone := newActor(m)
	alone.start(func() {
		p := former()
		p.kind = kind
		if err := p.run(t, t.Context(), alone, alone.sleep, long); err != nil {
			t.Error(err)
		}
	})
	for !alone.ended {
		alone.step()
	}
	for _, text := range []string{"left over", "never again"} {
		name, data := former().chunk(text)
		check(t, m.create(name, data))
	}
	m.now = long.Add(30 * 24 * time.Hour)
	return m
}

// collectFrom gives options of a collect by an actor.
func collectFrom(a *actor, olderThan time.Duration) CollectOptions {
	return CollectOptions{
		To: a, Retry: destination.Retry{Sleep: a.sleep}, OlderThan: olderThan, Workers: 1, Tool: "omt-push 0.1.0",
		Now: a.clock, NewID: func() string { return "run" }, Progress: progress.None{}, Log: slog.New(slog.DiscardHandler),
		Notice: func(string, ...any) {},
	}
}

// schedule says who goes on: the first one, but at some steps the other one takes over.
type schedule struct {
	first int
	turn  func(step int) bool
}

// race lets a push and a collect run at once, and gives what they returned and how many steps there were.
func race(t testing.TB, m *memory, p light, olderThan time.Duration, s schedule) (steps int, errPush, errCollect error) {
	t.Helper()
	actors := [2]*actor{newActor(m), newActor(m)}
	at := m.now
	actors[0].start(func() { errPush = p.run(t, t.Context(), actors[0], actors[0].sleep, at) })
	actors[1].start(func() { _, errCollect = Collect(t.Context(), collectFrom(actors[1], olderThan)) })
	now := s.first
	for !actors[0].ended || !actors[1].ended {
		if s.turn(steps) {
			now = 1 - now
		}
		other := actors[1-now]
		// A request to remove takes effect in time: nobody sleeps for minutes while one is on its way.
		if actors[now].ended || !other.ended && other.removing && actors[now].wake.After(m.now) {
			now = 1 - now
		}
		actors[now].step()
		steps++
	}
	return steps, errPush, errCollect
}

// wantAllThere checks that every chunk is there that a manifest names that counts, and that nothing is half done.
func wantAllThere(t testing.TB, m *memory, p light, errPush, errCollect error) {
	t.Helper()
	if errPush != nil {
		t.Errorf("push: %v", errPush)
	}
	if errCollect != nil && !strings.Contains(errCollect.Error(), "not said yet what it refers to") {
		t.Errorf("collect: %v", errCollect)
	}
	must := append([]string{}, p.chunks...)
	if p.id != idA || p.phase == tenant.Preseed {
		if p.phase == tenant.Preseed {
			must = append(must, former().chunks...)
		}
	}
	for _, text := range must {
		if name, _ := p.chunk(text); m.objects[name].data == nil {
			t.Errorf("the chunk %q is gone", text)
		}
	}
	if name, _ := p.chunk("never again"); errCollect == nil && m.objects[name].data != nil {
		t.Error("what nothing refers to was not collected")
	}
	look := newActor(m)
	look.start(func() {
		s, err := tenant.Open(look).State(t.Context())
		if err != nil || s.Pending != nil || s.Seeding != nil || s.Collecting != nil && errCollect == nil {
			t.Errorf("the state is %+v, error %v", s, err)
		}
		if p.phase == tenant.Full && (s.Migration == nil || s.Migration.ID != p.id || s.Migration.Chunks != int64(len(p.chunks))) {
			t.Errorf("the tenant's migration is %+v", s.Migration)
		}
	})
	for !look.ended {
		look.step()
	}
}

// racers are pushes that meet a collect.
func racers() map[string]light {
	over, seed := coming(), coming()
	over.id, over.recover = idB, tenant.RecoverOverwrite
	seed.id, seed.phase = idB, tenant.Preseed
	accepts := coming()
	accepts.kind, accepts.accept, accepts.recover, accepts.base = "live", true, tenant.RecoverAgain, 1
	return map[string]light{"accept": accepts, "next revision": coming(), "overwrite": over, "preseed": seed}
}

// However a push and a collect take turns, no chunk is gone that a committed manifest names: every order in which they
// change twice, and many in which they change often.
func TestCollectInterleaved(t *testing.T) {
	for name, p := range racers() {
		for _, olderThan := range []time.Duration{0, 7 * 24 * time.Hour} {
			t.Run(fmt.Sprintf("%s %s", name, age(olderThan)), func(t *testing.T) {
				t.Parallel()
				base, p, runs := before(t, p.kind), p.prepared(t), 0
				try := func(first int, what string, at func(int) bool) int {
					m := base.clone()
					n, errPush, errCollect := race(t, m, p, olderThan, schedule{first, at})
					wantAllThere(t, m, p, errPush, errCollect)
					if t.Failed() {
						t.Fatalf("first %d, %s", first, what)
					}
					runs++
					return n
				}
				for first := range 2 {
					n := try(first, "one after the other", func(int) bool { return false })
					for i := range n {
						n := try(first, fmt.Sprint("change at ", i), func(s int) bool { return s == i })
						for j := i + 1; j < n && olderThan == 0 && name != "overwrite"; j++ {
							try(first, fmt.Sprint("changes at ", i, " and ", j), func(s int) bool { return s == i || s == j })
						}
					}
				}
				for seed := range uint64(200) {
					random := rand.New(rand.NewPCG(seed, 1))
					often := 2 + random.IntN(12)
					try(0, fmt.Sprint("random ", seed), func(int) bool { return random.IntN(often) == 0 })
				}
				t.Logf("%d orders", runs)
			})
		}
	}
}

package push

import (
	"bytes"
	"context"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/openomt/omt/internal/destination"
)

// memory is a destination that two actors share, of whom one runs at a time.
type memory struct {
	objects map[string]object
	now     time.Time
}

type object struct {
	data []byte
	at   time.Time
}

func (m *memory) clone() *memory { return &memory{objects: maps.Clone(m.objects), now: m.now} }

// actor is one who uses the memory. Before each of its calls it gives the other one a chance.
type actor struct {
	m        *memory
	turn     chan struct{} // it may go on
	parked   chan struct{} // it waits for its turn, or has ended
	ended    bool
	wake     time.Time // when it will have slept
	removing bool      // it waits with a request to remove on its lips
}

func newActor(m *memory) *actor {
	return &actor{m: m, turn: make(chan struct{}), parked: make(chan struct{})}
}

func (a *actor) yield() {
	a.parked <- struct{}{}
	<-a.turn
}

func (a *actor) sleep(ctx context.Context, d time.Duration) error {
	a.wake = a.m.now.Add(d)
	a.yield()
	a.wake = time.Time{}
	return ctx.Err()
}

func (a *actor) clock() time.Time { return a.m.now }

// step lets it do one call. One that sleeps wakes up.
func (a *actor) step() {
	if a.wake.After(a.m.now) {
		a.m.now = a.wake
	}
	a.turn <- struct{}{}
	<-a.parked
}

// start begins what the actor does; it stops before its first call.
func (a *actor) start(do func()) {
	go func() {
		<-a.turn
		do()
		a.ended = true
		a.parked <- struct{}{}
	}()
}

// URL implements destination.Destination, as all that follows.
func (a *actor) URL() string { return "memory:" }

func (a *actor) Stat(_ context.Context, name string) (destination.Info, error) {
	a.yield()
	o, ok := a.m.objects[name]
	if !ok {
		return destination.Info{}, destination.ErrNotExist
	}
	return destination.Info{Name: name, Size: int64(len(o.data)), Modified: o.at}, nil
}

func (a *actor) List(_ context.Context, prefix string, fn func(destination.Info) error) error {
	a.yield()
	for _, name := range slices.Sorted(maps.Keys(a.m.objects)) {
		if o := a.m.objects[name]; strings.HasPrefix(name, prefix) {
			if err := fn(destination.Info{Name: name, Size: int64(len(o.data)), Modified: o.at}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a *actor) Open(_ context.Context, name string, off, n int64) (io.ReadCloser, error) {
	a.yield()
	o, ok := a.m.objects[name]
	if !ok {
		return nil, destination.ErrNotExist
	}
	data := o.data[min(off, int64(len(o.data))):]
	if n >= 0 {
		data = data[:min(n, int64(len(data)))]
	}
	return io.NopCloser(bytes.NewReader(data)), nil
}

func (a *actor) Create(_ context.Context, name string, data []byte) error {
	a.yield()
	return a.m.create(name, data)
}

func (m *memory) create(name string, data []byte) error {
	if _, ok := m.objects[name]; ok {
		return destination.ErrExists
	}
	m.objects[name] = object{data, m.now}
	return nil
}

func (a *actor) Replace(_ context.Context, name string, data []byte) error {
	a.yield()
	a.m.objects[name] = object{data, a.m.now}
	return nil
}

func (a *actor) Remove(_ context.Context, name string) error {
	a.removing = true
	a.yield()
	a.removing = false
	delete(a.m.objects, name)
	return nil
}

func (a *actor) Upload(_ context.Context, name string, size int64, _ [32]byte) (destination.Upload, error) {
	a.yield()
	if _, ok := a.m.objects[name]; ok {
		return nil, destination.ErrExists
	}
	return &memoryUpload{a: a, name: name}, nil
}

func (a *actor) Close() error { return nil }

type memoryUpload struct {
	a    *actor
	name string
	data []byte
}

func (u *memoryUpload) Offset(context.Context) (int64, error) { return int64(len(u.data)), nil }

func (u *memoryUpload) Send(_ context.Context, _ int64, src io.Reader) (int64, error) {
	b, err := io.ReadAll(src)
	u.data = append(u.data, b...)
	return int64(len(b)), err
}

func (u *memoryUpload) Commit(context.Context) error {
	u.a.yield()
	return u.a.m.create(u.name, u.data)
}

func (u *memoryUpload) Close() error { return nil }

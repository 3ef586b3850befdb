package pack

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/spool"
)

func TestRoomWaitsForAPushAlone(t *testing.T) {
	s := newSite(t)
	s.put("bob/2002.1/1.doc", s.bytes(5000))
	s.pack(1)
	sp, err := spool.Open(s.spool)
	if err != nil {
		t.Fatal(err)
	}
	var slept time.Duration
	r := room{spool: sp, limit: 100, wait: 30 * time.Second, sleep: func(_ context.Context, d time.Duration) error { slept += d; return nil }}
	err = r.take(context.Background(), 1)
	if manifest.StatusOf(err) != manifest.Failed || !strings.Contains(manifest.HintOf(err), "PowerShell 5.1") || slept < 29*time.Second {
		t.Fatalf("after %s: %v (%q)", slept, err, manifest.HintOf(err))
	}
	lock, err := sp.LockPush(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Unlock()
	waits := 0
	r.sleep = func(context.Context, time.Duration) error {
		if waits++; waits == 1000 {
			return os.RemoveAll(filepath.Join(s.spool, "chunks"))
		}
		return nil
	}
	if err := r.take(context.Background(), 1<<40); err != nil || waits != 1000 {
		t.Fatalf("with a push at work: %v after %d waits", err, waits)
	}
}

func openSpool(t *testing.T, dir string) *spool.Spool {
	t.Helper()
	sp, err := spool.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return sp
}

// What is reserved counts, though nothing of it lies in the spool yet, until it is given back.
func TestRoomReserves(t *testing.T) {
	stop := errors.New("waited")
	r := room{spool: openSpool(t, t.TempDir()), limit: 100, wait: time.Second, sleep: func(context.Context, time.Duration) error { return stop }}
	ctx := context.Background()
	steps := []struct {
		free, take int64
		want       error
	}{
		{0, 60, nil}, {0, 41, stop}, {0, 40, nil}, {0, 1, stop}, {60, 60, nil}, {100, 500, nil}, {0, 1, stop}, {500, 1, nil},
	}
	for i, s := range steps {
		r.free(s.free)
		if err := r.take(ctx, s.take); !errors.Is(err, s.want) {
			t.Fatalf("step %d: taking %d: %v, want %v", i, s.take, err, s.want)
		}
	}
}

// Chunks that an earlier run left and this one does not make count for nothing; those that it does make count.
func TestRoomLeavesOldChunksOut(t *testing.T) {
	s := newSite(t)
	s.put("bob/2002.1/1.doc", s.bytes(5000))
	c := s.pack(1).chunks()[0]
	stop := errors.New("waited")
	r := room{spool: openSpool(t, s.spool), limit: 100, wait: time.Hour, sleep: func(context.Context, time.Duration) error { return stop }}
	old, err := r.begin()
	if err != nil || old != c.Bytes || !r.spool.Limited() {
		t.Fatalf("%d bytes are old, want %d (limited %v): %v", old, c.Bytes, r.spool.Limited(), err)
	}
	if err := r.take(context.Background(), 100); err != nil {
		t.Fatalf("an old chunk counted: %v", err)
	}
	r.free(100)
	r.own(c.SHA256)
	r.own(c.SHA256)
	if err := r.take(context.Background(), 1); !errors.Is(err, stop) {
		t.Fatalf("a chunk of this run did not count: %v", err)
	}
	r.limit = 0
	if _, err := r.begin(); err != nil || r.spool.Limited() {
		t.Fatalf("the spool is still limited: %v", err)
	}
}

// A run under a limit ends when a push takes the chunks away, and gives back all that it reserved.
func TestPackUnderALimit(t *testing.T) {
	s := newSite(t)
	s.many()
	want := s.pack(2)
	s.spool = filepath.Join(t.TempDir(), "spool")
	lock, err := openSpool(t, s.spool).LockPush(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Unlock()
	waits, p := 0, (*packer)(nil)
	s.tune = func(made *packer) {
		p = made
		p.room = room{spool: p.spool, limit: 1 << 20, wait: time.Second, sleep: func(context.Context, time.Duration) error {
			waits++
			list, err := filepath.Glob(p.spool.Path("chunks", "*", "*"))
			for _, name := range list {
				err = errors.Join(err, os.Remove(name))
			}
			return err
		}}
	}
	got := s.pack(2)
	if waits == 0 || p.room.reserved != 0 {
		t.Errorf("waited %d times, and %d bytes are still reserved", waits, p.room.reserved)
	}
	if len(got.chunks()) != len(want.chunks()) {
		t.Errorf("%d chunks, want %d", len(got.chunks()), len(want.chunks()))
	}
	for i, c := range got.chunks() {
		if c != want.chunks()[i] {
			t.Errorf("chunk %d is %+v, want %+v", i, c, want.chunks()[i])
		}
	}
}

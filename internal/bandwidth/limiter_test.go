package bandwidth

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"
)

// clock is a time that passes only while somebody waits.
type clock struct {
	mu   sync.Mutex
	now  time.Time
	most time.Duration // longest wait
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now, c.most = c.now.Add(d), max(c.most, d)
	return ctx.Err()
}

func limiter(t *testing.T, text string, from time.Time) (*Limiter, *clock) {
	c := &clock{now: from}
	return New(Options{Table: parse(t, text), Now: c.Now, Sleep: c.Sleep}), c
}

// take sends bytes in the pieces that are given.
func take(t testing.TB, l *Limiter, bytes int) {
	t.Helper()
	for bytes > 0 {
		n, err := l.Take(t.Context(), bytes)
		if err != nil || n < 1 || n > bytes {
			t.Fatalf("%d bytes of %d were given, error %v", n, bytes, err)
		}
		bytes -= n
	}
}

func TestRate(t *testing.T) {
	for text, rate := range map[string]int{"8kbit": 1000, "20Mbit": 20 * mbit, "8Gbit": 1_000_000_000} {
		l, c := limiter(t, text, at(9, 0))
		began := c.Now()
		take(t, l, 10*rate)
		if took := c.Now().Sub(began); took < 9900*time.Millisecond || took > 10100*time.Millisecond {
			t.Errorf("%s: ten seconds' worth took %v", text, took)
		}
		if c.most > time.Second {
			t.Errorf("%s: a wait of %v", text, c.most)
		}
	}
	l, c := limiter(t, "unlimited", at(9, 0))
	began := c.Now()
	take(t, l, 1<<30)
	if c.Now() != began {
		t.Error("no limit takes time")
	}
}

// Time in which nobody sent is not made up for afterwards.
func TestIdleTimeIsLost(t *testing.T) {
	l, c := limiter(t, "1MB/s", at(9, 0))
	take(t, l, 1_000_000)
	_ = c.Sleep(t.Context(), time.Hour)
	began := c.Now()
	take(t, l, 1_000_000)
	if took := c.Now().Sub(began); took < 850*time.Millisecond || took > time.Second {
		t.Errorf("a second's worth took %v after an hour's rest", took)
	}
}

// A change of the timetable takes effect in the middle of what is being sent.
func TestChange(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		from time.Time
		send int
		want time.Duration
	}{
		"faster":        {"08:00-17:00=1MB/s,10MB/s", time.Date(2026, 11, 26, 16, 59, 50, 0, time.UTC), 10_000_000 + 50_000_000, 15 * time.Second},
		"slower":        {"08:00-17:00=1MB/s,10MB/s", time.Date(2026, 11, 26, 7, 59, 58, 0, time.UTC), 20_000_000 + 5_000_000, 7 * time.Second},
		"from no limit": {"08:00-17:00=1MB/s", time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC), 5_000_000, 5 * time.Second},
		"to no limit":   {"08:00-17:00=8kbit", time.Date(2026, 11, 26, 16, 59, 55, 0, time.UTC), 1 << 30, 5 * time.Second},
		"over midnight": {"22:00-06:00=10MB/s,1MB/s", time.Date(2026, 11, 26, 21, 59, 58, 0, time.UTC), 2_000_000 + 30_000_000, 5 * time.Second},
	} {
		l, k := limiter(t, c.text, c.from)
		take(t, l, c.send)
		if took := k.Now().Sub(c.from); took < c.want-300*time.Millisecond || took > c.want+300*time.Millisecond {
			t.Errorf("%s: took %v, want %v", name, took, c.want)
		}
	}
}

// All who send share the rate.
func TestShared(t *testing.T) {
	const senders, seconds = 4, 20
	l, c := limiter(t, "1MB/s", at(9, 0))
	began := c.Now()
	var wg sync.WaitGroup
	sent := make([]int, senders)
	for i := range senders {
		wg.Go(func() {
			for c.Now().Sub(began) < seconds*time.Second {
				n, err := l.Take(t.Context(), 1<<20)
				if err != nil {
					t.Error(err)
					return
				}
				sent[i] += n
			}
		})
	}
	wg.Wait()
	sum := 0
	for _, n := range sent {
		sum += n
	}
	if limit := (seconds + 1) * 1_000_000; sum > limit || sum < (seconds-1)*1_000_000 {
		t.Errorf("%d bytes were sent in %d s", sum, seconds)
	}
}

func TestTakeEnds(t *testing.T) {
	l, c := limiter(t, "8kbit", at(9, 0))
	ctx, cancel := context.WithCancel(t.Context())
	take(t, l, 100)
	l.turn <- struct{}{} // somebody waits for his piece
	done := make(chan error)
	go func() {
		_, err := l.Take(ctx, 1)
		done <- err
	}()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("in line: error is %v", err)
	}
	<-l.turn
	if _, err := l.Take(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: error is %v", err)
	}
	// What was not sent after all counts for nobody.
	began := c.Now()
	take(t, l, 1000)
	if took := c.Now().Sub(began); took > 1010*time.Millisecond {
		t.Errorf("a second's worth took %v", took)
	}
}

// With the real clock, too: it never sends more than is allowed.
func TestRealClock(t *testing.T) {
	began := time.Now()
	l := New(Options{Table: parse(t, "2MB/s"), Now: time.Now})
	take(t, l, 600_000)
	if took := time.Since(began); took < 290*time.Millisecond {
		t.Errorf("took %v, want 300 ms", took)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	slow := New(Options{Table: parse(t, "8kbit"), Now: time.Now})
	if _, err := slow.Take(ctx, 1000); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error is %v", err)
	}
}

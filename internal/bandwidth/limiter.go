package bandwidth

import (
	"context"
	"time"

	"golang.org/x/time/rate"
)

// Options are what a limiter works with. Now must be set.
type Options struct {
	Table Timetable
	Now   func() time.Time // in the location whose wall clock counts
	// Sleep waits, or returns the context's error; nil: the real clock.
	Sleep func(ctx context.Context, d time.Duration) error
}

// Limiter holds all who send to one timetable. It is safe for concurrent use.
type Limiter struct {
	o       Options
	turn    chan struct{} // holds the one whose turn it is
	limit   int64         // of bucket
	bucket  *rate.Limiter // nil without a limit
	started bool
}

// New makes a limiter.
func New(o Options) *Limiter {
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	return &Limiter{o: o, turn: make(chan struct{}, 1)}
}

const (
	leastPiece = 512
	mostPiece  = 64 << 10
)

// piece is how much is sent at once.
func piece(limit int64) int { return int(min(max(limit/8, leastPiece), mostPiece)) }

// Take waits until some of n bytes may be sent, and returns how many: at least one of them. It ends with ctx.
func (l *Limiter) Take(ctx context.Context, n int) (int, error) {
	select {
	case l.turn <- struct{}{}:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	defer func() { <-l.turn }()
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	now := l.o.Now()
	l.adjust(now)
	if l.bucket == nil {
		return min(n, mostPiece), nil
	}
	n = min(n, piece(l.limit))
	r := l.bucket.ReserveN(now, n)
	if wait := r.DelayFrom(now); wait > 0 {
		if err := l.o.Sleep(ctx, wait); err != nil {
			r.CancelAt(now)
			return 0, err
		}
	}
	return n, nil
}

// adjust makes the bucket anew when another rate holds. It begins empty, so that a change gives nothing away.
func (l *Limiter) adjust(now time.Time) {
	limit := l.o.Table.At(now)
	if l.started && limit == l.limit {
		return
	}
	l.started, l.limit, l.bucket = true, limit, nil
	if limit > 0 {
		burst := max(piece(limit), int(min(limit/10, 1<<30)))
		l.bucket = rate.NewLimiter(rate.Limit(limit), burst)
		l.bucket.AllowN(now, burst)
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

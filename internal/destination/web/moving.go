package web

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/openomt/omt/internal/destination"
)

// moving is a connection on which something must move: each step puts off the moment at which it is given up. While our
// own limit keeps it waiting, it is not given up at all.
type moving struct {
	net.Conn
	now   func() time.Time
	stall time.Duration
	limit destination.Limiter // nil: none
	ctx   context.Context     // until it is closed
	close context.CancelFunc

	mu   sync.Mutex
	held int // writers that the limit keeps waiting
}

// newMoving wraps a connection, which outlives the call that it was dialled in.
func newMoving(ctx context.Context, c net.Conn, now func() time.Time, stall time.Duration, limit destination.Limiter) *moving {
	m := &moving{Conn: c, now: now, stall: stall, limit: limit}
	m.ctx, m.close = context.WithCancel(context.WithoutCancel(ctx))
	return m
}

// arm sets the moment at which the connection is given up.
func (c *moving) arm() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held > 0 {
		return c.SetDeadline(time.Time{})
	}
	return c.SetDeadline(c.now().Add(c.stall))
}

func (c *moving) hold(by int) error {
	c.mu.Lock()
	c.held += by
	c.mu.Unlock()
	return c.arm()
}

// Read implements net.Conn.
func (c *moving) Read(p []byte) (int, error) {
	if err := c.arm(); err != nil {
		return 0, err
	}
	n, err := c.Conn.Read(p)
	if n > 0 {
		err = errors.Join(err, c.arm())
	}
	return n, err
}

// Write implements net.Conn. It writes in pieces, so that a slow line is not taken for one that stands still.
func (c *moving) Write(p []byte) (n int, err error) {
	const piece = 64 << 10
	for n < len(p) && err == nil {
		want := min(piece, len(p)-n)
		if want, err = c.allowed(want); err != nil {
			break
		}
		if err = c.arm(); err == nil {
			var m int
			m, err = c.Conn.Write(p[n : n+want])
			n += m
		}
	}
	return n, err
}

// allowed waits until the limit lets some of n bytes through.
func (c *moving) allowed(n int) (int, error) {
	if c.limit == nil {
		return n, nil
	}
	if err := c.hold(1); err != nil {
		return 0, err
	}
	n, err := c.limit.Take(c.ctx, n)
	if herr := c.hold(-1); err == nil {
		err = herr
	}
	if c.ctx.Err() != nil {
		err = net.ErrClosed
	}
	return n, err
}

// Close implements net.Conn.
func (c *moving) Close() error {
	c.close()
	return c.Conn.Close()
}

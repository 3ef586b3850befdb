package destination

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"
)

// Retry is how often and how patiently calls that failed with ErrTransient are repeated. The zero value is usable.
type Retry struct {
	Attempts int           // tries in all without progress; 0: 8
	Base     time.Duration // longest pause before the second try, doubled for each one after; 0: 500 ms
	Max      time.Duration // longest pause of all; 0: 60 s

	// Sleep waits, or returns the context's error; nil: the real clock.
	Sleep func(ctx context.Context, d time.Duration) error
	// Jitter gives a number from 0 up to 1; a pause is between half and the whole of what is due. nil: random.
	Jitter func() float64
	// Notice hears of every failure that will be tried again; nil: nobody does.
	Notice func(name string, err error, wait time.Duration)
}

// Do calls f until it returns nil or an error that is not ErrTransient, or the attempts are used up. When f reports
// progress, the count begins anew. name is what it works on, for messages. An error with a method RetryAfter makes it wait
// at least as long, up to ten minutes.
func (r Retry) Do(ctx context.Context, name string, f func() (progress bool, err error)) error {
	attempts := r.Attempts
	if attempts <= 0 {
		attempts = 8
	}
	for try := 1; ; try++ {
		progress, err := f()
		if err == nil || !errors.Is(err, ErrTransient) {
			return err
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%w (after: %w)", ctx.Err(), err)
		}
		if progress {
			try = 1
		}
		if try >= attempts {
			return fmt.Errorf("giving up after %d tries: %w", try, err)
		}
		wait := max(r.pause(try), after(err))
		if r.Notice != nil {
			r.Notice(name, err, wait)
		}
		if err := r.sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// longestAsked bounds what a service can make us wait.
const longestAsked = 10 * time.Minute

// after is how long the far side asked to be left alone: an error may have a method RetryAfter.
func after(err error) time.Duration {
	var asks interface{ RetryAfter() time.Duration }
	if !errors.As(err, &asks) {
		return 0
	}
	return min(asks.RetryAfter(), longestAsked)
}

func (r Retry) pause(try int) time.Duration {
	base, limit := r.Base, r.Max
	if base <= 0 {
		base = 500 * time.Millisecond
	}
	if limit <= 0 {
		limit = time.Minute
	}
	for ; try > 1 && base < limit; try-- {
		base *= 2
	}
	jitter := r.Jitter
	if jitter == nil {
		jitter = rand.Float64
	}
	return time.Duration(float64(min(base, limit)) * (1 + jitter()) / 2)
}

func (r Retry) sleep(ctx context.Context, d time.Duration) error {
	if r.Sleep != nil {
		return r.Sleep(ctx, d)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Wrap gives d with every call repeated as r says. List may then call its function twice for one object. What Open
// returns goes on after a broken connection. Of an Upload only its beginning is repeated; Retry.Put does the rest.
func (r Retry) Wrap(d Destination) Destination { return &retrying{Destination: d, r: r} }

type retrying struct {
	Destination
	r Retry
}

func (d *retrying) inner() Destination { return d.Destination }

func (d *retrying) Stat(ctx context.Context, name string) (info Info, err error) {
	err = d.r.Do(ctx, name, func() (bool, error) {
		info, err = d.Destination.Stat(ctx, name)
		return false, err
	})
	return info, err
}

func (d *retrying) List(ctx context.Context, prefix string, fn func(Info) error) error {
	var own error // fn's, which is never a reason to begin again
	err := d.r.Do(ctx, prefix, func() (bool, error) {
		err := d.Destination.List(ctx, prefix, func(i Info) error {
			own = fn(i)
			return own
		})
		if own != nil {
			return false, nil
		}
		return false, err
	})
	if own != nil {
		return own
	}
	return err
}

func (d *retrying) Create(ctx context.Context, name string, data []byte) error {
	doubtful := false // an earlier try may have worked without our hearing of it
	return d.r.Do(ctx, name, func() (bool, error) {
		err := d.Destination.Create(ctx, name, data)
		if doubtful && errors.Is(err, ErrExists) {
			same, rerr := d.holds(ctx, name, data)
			if rerr != nil {
				return false, rerr
			}
			if same {
				return false, nil
			}
		}
		doubtful = doubtful || errors.Is(err, ErrTransient)
		return false, err
	})
}

func (d *retrying) holds(ctx context.Context, name string, data []byte) (bool, error) {
	rc, err := d.Destination.Open(ctx, name, 0, int64(len(data))+1)
	if err != nil {
		return false, err
	}
	defer rc.Close()
	got, err := io.ReadAll(rc)
	return err == nil && bytes.Equal(got, data), err
}

func (d *retrying) Replace(ctx context.Context, name string, data []byte) error {
	return d.r.Do(ctx, name, func() (bool, error) { return false, d.Destination.Replace(ctx, name, data) })
}

func (d *retrying) Remove(ctx context.Context, name string) error {
	return d.r.Do(ctx, name, func() (bool, error) { return false, d.Destination.Remove(ctx, name) })
}

func (d *retrying) Upload(ctx context.Context, name string, size int64, sum [32]byte) (u Upload, err error) {
	err = d.r.Do(ctx, name, func() (bool, error) {
		u, err = d.Destination.Upload(ctx, name, size, sum)
		return false, err
	})
	return u, err
}

func (d *retrying) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	r := &reopening{d: d, ctx: ctx, name: name, off: off, left: n}
	if err := d.r.Do(ctx, name, func() (bool, error) { return false, r.reopen() }); err != nil {
		return nil, err
	}
	return r, nil
}

// reopening reads an object and opens it again where it broke off.
type reopening struct {
	d    *retrying
	ctx  context.Context
	name string
	off  int64
	left int64 // negative: to the end
	rc   io.ReadCloser
}

func (r *reopening) reopen() (err error) {
	if r.rc != nil {
		r.rc.Close()
		r.rc = nil
	}
	r.rc, err = r.d.Destination.Open(r.ctx, r.name, r.off, r.left)
	return err
}

// Read implements io.Reader.
func (r *reopening) Read(p []byte) (n int, err error) {
	broken := r.rc == nil
	err = r.d.r.Do(r.ctx, r.name, func() (bool, error) {
		if broken {
			if err := r.reopen(); err != nil {
				return false, err
			}
		}
		n, err = r.rc.Read(p)
		broken = errors.Is(err, ErrTransient)
		if broken && n > 0 {
			return true, nil // deliver what came; the next call opens anew
		}
		return false, err
	})
	if broken && r.rc != nil {
		r.rc.Close()
		r.rc = nil
	}
	r.off += int64(n)
	if r.left >= 0 {
		r.left -= int64(n)
	}
	return n, err
}

// Close implements io.Closer.
func (r *reopening) Close() error {
	if r.rc == nil {
		return nil
	}
	rc := r.rc
	r.rc = nil
	return rc.Close()
}

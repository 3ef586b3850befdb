package s3

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/openomt/omt/internal/destination"
)

// single is an object that one PUT stores. The PUT begins with Send and ends with Commit, which gives it the last byte.
type single struct {
	d    *Bucket
	name string
	key  string
	size int64
	sum  [32]byte

	put    *putting // nil when none is under way
	closed bool
}

// putting is a PUT under way.
type putting struct {
	body   *io.PipeWriter
	cancel context.CancelFunc
	done   chan struct{}
	err    error // once done is closed
	h      hash.Hash
	last   []byte // what was held back
}

// begin starts a PUT, which outlives the call that it was begun in.
func (u *single) begin(ctx context.Context) *putting {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r, w := io.Pipe()
	p := &putting{body: w, cancel: cancel, done: make(chan struct{}), h: sha256.New()}
	go func() {
		defer close(p.done)
		ctx, seen := watch(ctx)
		_, err := u.d.c.PutObject(ctx, u.d.place.Bucket, u.key, struct{ io.Reader }{r}, u.size, "", hex.EncodeToString(u.sum[:]), putOptions(true))
		if err != nil {
			p.err = u.d.failed(ctx, seen, fmt.Sprintf("storing %q", u.name), err)
		}
		_ = r.CloseWithError(errAnswered)
	}()
	return p
}

// errAnswered says that the service does not read on.
var errAnswered = errors.New("the service has answered")

// drop ends a PUT that is not to be.
func (u *single) drop() {
	if p := u.put; p != nil {
		u.put = nil
		p.cancel()
		_ = p.body.CloseWithError(context.Canceled)
		<-p.done
	}
}

func (u *single) ready(ctx context.Context) error {
	if u.closed {
		return fmt.Errorf("storing %q: the upload is closed", u.name)
	}
	return ctx.Err()
}

// Offset implements destination.Upload.
func (u *single) Offset(ctx context.Context) (int64, error) {
	if err := u.ready(ctx); err != nil || u.put == nil {
		return 0, err
	}
	return u.size, nil
}

// Send implements destination.Upload. It takes all or nothing.
func (u *single) Send(ctx context.Context, off int64, src io.Reader) (int64, error) {
	at, err := u.Offset(ctx)
	if err == nil && off != at {
		err = fmt.Errorf("storing %q: asked to go on at %d, but it stands at %d", u.name, off, at)
	}
	if err != nil || off == u.size {
		return 0, err
	}
	p := u.begin(ctx)
	u.put = p
	stop := context.AfterFunc(ctx, func() { p.cancel(); _ = p.body.CloseWithError(context.Canceled) })
	defer stop()
	n, err := p.copy(io.LimitReader(src, u.size), u.size)
	if err == nil && n == u.size {
		return n, nil
	}
	u.drop()
	switch {
	case ctx.Err() != nil:
		err = fmt.Errorf("storing %q: %w", u.name, ctx.Err())
	case errors.Is(err, errAnswered):
		if err = p.err; err == nil {
			err = fmt.Errorf("%w: storing %q: the service answered before it had all", destination.ErrTransient, u.name)
		}
	}
	return 0, err
}

// copy passes on all but the last byte.
func (p *putting) copy(src io.Reader, size int64) (n int64, err error) {
	for buf := make([]byte, 128<<10); n < size; {
		m, rerr := src.Read(buf)
		p.h.Write(buf[:m])
		n += int64(m)
		out := buf[:m]
		if m > 0 && n == size {
			out, p.last = buf[:m-1], []byte{buf[m-1]}
		}
		if len(out) > 0 {
			if _, err := p.body.Write(out); err != nil {
				return n, err
			}
		}
		if errors.Is(rerr, io.EOF) {
			return n, nil
		}
		if rerr != nil {
			return n, rerr
		}
	}
	return n, nil
}

// Commit implements destination.Upload.
func (u *single) Commit(ctx context.Context) error {
	if err := u.ready(ctx); err != nil {
		return err
	}
	if u.size == 0 {
		if u.sum != sha256.Sum256(nil) {
			return fmt.Errorf("storing %q: %w: it is empty", u.name, destination.ErrMismatch)
		}
		return u.d.Create(ctx, u.name, nil)
	}
	p := u.put
	if p == nil {
		return fmt.Errorf("storing %q: 0 of %d bytes have arrived", u.name, u.size)
	}
	if got := [32]byte(p.h.Sum(nil)); got != u.sum {
		u.drop()
		return fmt.Errorf("storing %q: %w: what was sent has SHA-256 %x, want %x", u.name, destination.ErrMismatch, got, u.sum)
	}
	stop := context.AfterFunc(ctx, p.cancel)
	defer stop()
	_, werr := p.body.Write(p.last)
	_ = p.body.Close()
	<-p.done
	p.cancel()
	u.put = nil
	switch {
	case p.err == nil && werr == nil:
		u.closed = true
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("storing %q: %w", u.name, ctx.Err())
	case p.err == nil:
		return fmt.Errorf("%w: storing %q: the service answered before it had all", destination.ErrTransient, u.name)
	}
	return u.d.exists(ctx, u.name, p.err)
}

// Close implements destination.Upload.
func (u *single) Close() error {
	u.drop()
	u.closed = true
	return nil
}

package destination

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"sync"
)

// Object is what Put stores: a name with the size and SHA-256 of its content.
type Object struct {
	Name string
	Size int64
	Sum  [32]byte
	// There, which may be nil, hears how many bytes the far side has from before, so that they are not sent; negative when
	// they must be sent after all.
	There func(n int64)
}

// Teller is an Upload that tells what goes out while it goes, from any goroutine. What is told may be less or more than
// what Send says in the end, which counts. Of another Upload what it reads is taken for what it sends.
type Teller interface{ Tell(func(n int64)) }

// Passer is an Upload whose Send may pass over bytes that the far side has: Passed says how many of those that its last
// call accepted.
type Passer interface{ Passed() int64 }

// Put stores an object whose content open gives from its beginning, as often as it is called. It goes on where the far
// side stands, after a broken connection and in a later process, and reports false when the name was taken already.
//
// The content is hashed on its way, what the far side has already included: content without the digest of o is
// ErrSource and never becomes visible. Bytes of an earlier process that turn out wrong on the far side are sent again
// once; a second ErrMismatch is final. moved, which may be nil, hears how many bytes were sent (positive), while they are, or,
// once an upload must begin again, are to be sent again (negative). What moved and o.There hear adds up to the size in the end,
// or to nothing where the name was taken.
func (r Retry) Put(ctx context.Context, d Destination, o Object, open func() (io.ReadCloser, error), moved func(int64)) (bool, error) {
	if moved == nil {
		moved = func(int64) {}
	}
	if o.There == nil {
		o.There = func(int64) {}
	}
	p := &put{d: d, o: o, open: open, moved: moved}
	err := r.Do(ctx, o.Name, func() (bool, error) { return p.try(ctx) })
	if errors.Is(err, ErrMismatch) {
		p.restart()
		err = r.Do(ctx, o.Name, func() (bool, error) { return p.try(ctx) })
	}
	if errors.Is(err, ErrExists) {
		// A commit whose answer was lost has worked; or another sent the same meanwhile.
		if !p.doubtful {
			p.restart()
		}
		return p.doubtful, nil
	}
	return err == nil, err
}

type put struct {
	d        Destination
	o        Object
	open     func() (io.ReadCloser, error)
	moved    func(int64)
	sent     int64 // told to moved
	found    int64 // told to o.There
	begun    bool  // the far side was asked before
	stood    int64 // where it stood then
	told     int64 // where it stands by what it has accepted since
	doubtful bool  // a commit of ours may have worked without our hearing of it
}

func (p *put) restart() {
	p.count(-p.sent, -p.found)
	p.begun, p.doubtful = false, false
}

// count tells what was sent, and what was there from before.
func (p *put) count(sent, found int64) {
	p.sent += sent
	p.found += found
	if sent != 0 {
		p.moved(sent)
	}
	if found != 0 {
		p.o.There(found)
	}
}

// stands takes note of where the far side stands, and says whether that is farther than when it was asked before. What it had
// accepted and does not have any more, since it keeps whole objects alone, is to be sent again; what it has accepted without
// our hearing of it was sent.
func (p *put) stands(off int64) (progress bool) {
	progress = p.begun && off > p.stood
	switch {
	case !p.begun:
		p.count(0, off)
	case off >= p.told:
		p.count(off-p.told, 0)
	default:
		again := min(p.told-off, p.sent+p.found)
		sent := min(again, p.sent)
		p.count(-sent, sent-again)
	}
	p.begun, p.stood, p.told = true, off, off
	return progress
}

// try does as much as works in one go. It tells progress once the far side has confirmed it, so that an object whose end is
// never accepted is not sent for ever.
func (p *put) try(ctx context.Context) (progress bool, err error) {
	up, err := p.d.Upload(ctx, p.o.Name, p.o.Size, p.o.Sum)
	if err != nil {
		return false, err
	}
	defer up.Close() //nolint:errcheck // what counts is what Commit says
	off, err := up.Offset(ctx)
	if err != nil {
		return false, err
	}
	progress = p.stands(off)
	src, err := p.source(off)
	if err != nil {
		return progress, err
	}
	defer src.Close() //nolint:errcheck // it was read alone
	if off < p.o.Size {
		if err = p.send(ctx, up, off, src); err != nil {
			return progress, err
		}
	}
	if err := src.verify(p.o); err != nil {
		return progress, err
	}
	err = up.Commit(ctx)
	p.doubtful = p.doubtful || errors.Is(err, ErrTransient)
	return progress, err
}

// send sends the rest. An upload that accepts less than it was given may have read on, so it is to begin again where it
// says it stands.
func (p *put) send(ctx context.Context, up Upload, off int64, src *hashing) error {
	out := &outgoing{moved: p.moved}
	teller, tells := up.(Teller)
	if tells {
		teller.Tell(out.tell)
	} else {
		src.tell = out.tell
	}
	n, err := up.Send(ctx, off, src)
	src.tell = nil
	p.sent += out.end()
	var passed int64
	if u, ok := up.(Passer); ok {
		passed = u.Passed()
	}
	p.told = off + n
	p.count(n-passed-out.n, passed)
	switch {
	case err != nil || off+n == p.o.Size:
	case src.eof:
		err = fmt.Errorf("%w: it has %d bytes, want %d", ErrSource, src.n, p.o.Size)
	default:
		err = fmt.Errorf("%w: it accepted %d bytes of %d", ErrTransient, off+n, p.o.Size)
	}
	return err
}

// outgoing tells what goes out while Send lasts, and nothing of what is heard of later.
type outgoing struct {
	moved func(int64)

	mu   sync.Mutex
	n    int64
	over bool
}

func (o *outgoing) tell(n int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.over {
		o.n += n
		o.moved(n)
	}
}

func (o *outgoing) end() int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.over = true
	return o.n
}

// source opens the content and hashes what lies before off.
func (p *put) source(off int64) (*hashing, error) {
	rc, err := p.open()
	if err != nil {
		return nil, err
	}
	h := &hashing{rc: rc, h: sha256.New()}
	if n, err := io.CopyN(io.Discard, h, off); err != nil {
		_ = rc.Close()
		if errors.Is(err, io.EOF) {
			err = fmt.Errorf("%w: it has %d bytes, want %d", ErrSource, n, p.o.Size)
		}
		return nil, err
	}
	return h, nil
}

// hashing is the content on its way.
type hashing struct {
	rc  io.ReadCloser
	h   hash.Hash
	n   int64
	eof bool

	tell func(int64) // hears what is read; nil: nobody does
}

// Read implements io.Reader.
func (h *hashing) Read(p []byte) (int, error) {
	n, err := h.rc.Read(p)
	h.h.Write(p[:n])
	h.n += int64(n)
	h.eof = h.eof || err == io.EOF
	if h.tell != nil && n > 0 {
		h.tell(int64(n))
	}
	return n, err
}

// Close implements io.Closer.
func (h *hashing) Close() error { return h.rc.Close() }

// verify reads to the end and compares.
func (h *hashing) verify(o Object) error {
	if _, err := io.Copy(io.Discard, h); err != nil {
		return err
	}
	if h.n != o.Size {
		return fmt.Errorf("%w: it has %d bytes, want %d", ErrSource, h.n, o.Size)
	}
	if got := [32]byte(h.h.Sum(nil)); got != o.Sum {
		return fmt.Errorf("%w: its SHA-256 is %x, want %x", ErrSource, got, o.Sum)
	}
	return nil
}

package destinationtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/openomt/omt/internal/destination"
)

// Op is a kind of call to a destination or an upload.
type Op string

// The kinds of calls. Change is any of those that change what is stored: create, replace, remove, upload, send, commit.
const (
	OpStat    Op = "stat"
	OpList    Op = "list"
	OpOpen    Op = "open"
	OpRead    Op = "read" // of what open gave
	OpCreate  Op = "create"
	OpReplace Op = "replace"
	OpRemove  Op = "remove"
	OpUpload  Op = "upload"
	OpOffset  Op = "offset"
	OpSend    Op = "send"
	OpCommit  Op = "commit"
	OpChange  Op = "change"
)

// Fault is one thing that goes wrong. The zero value of what follows Call fails the call before it does anything.
type Fault struct {
	Op   Op
	Call int   // which call of this kind, counted from 1
	Err  error // what the call returns; nil: destination.ErrTransient

	Late   bool  // the call is made, and its answer lost
	Short  int64 // send: only so many bytes are taken, then Err
	Quiet  bool  // send: no error follows a short write
	Stall  bool  // the call hangs until its context ends
	Damage bool  // send, read: one bit is flipped on the way; nothing fails
	Die    bool  // this call and all later ones fail: the process died here (with Late: right after it)
}

// ErrDied is what a destination returns after a fault with Die.
var ErrDied = errors.New("the process died here")

// Faulty is a destination whose faults fire as asked.
type Faulty struct {
	destination.Destination

	mu     sync.Mutex
	faults []Fault
	calls  map[Op]int
	dead   bool
}

// NewFaulty gives d with faults. A fault that never fired fails the test at its end.
func NewFaulty(t testing.TB, d destination.Destination, faults ...Fault) *Faulty {
	f := &Faulty{Destination: d, faults: faults, calls: map[Op]int{}}
	t.Cleanup(func() {
		for _, fault := range f.Unfired() {
			t.Errorf("fault %+v never fired", fault)
		}
	})
	return f
}

// Unfired lists the faults that are still to come.
func (f *Faulty) Unfired() []Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]Fault(nil), f.faults...)
}

// UntilFired is a context that is cancelled once every fault has fired, for those that stall.
func (f *Faulty) UntilFired(t testing.TB) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for len(f.Unfired()) > 0 && ctx.Err() == nil {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	t.Cleanup(func() { cancel(); <-done })
	return ctx
}

// Calls is how many calls of a kind there were.
func (f *Faulty) Calls(op Op) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[op]
}

// next counts a call and returns the fault that is due, if any. err is what a dead destination says.
func (f *Faulty) next(ops ...Op) (fault *Fault, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.dead {
		return nil, ErrDied
	}
	for _, op := range ops {
		f.calls[op]++
	}
	for i, candidate := range f.faults {
		for _, op := range ops {
			if candidate.Op == op && candidate.Call == f.calls[op] {
				f.faults = append(f.faults[:i:i], f.faults[i+1:]...)
				f.dead = f.dead || candidate.Die
				return &candidate, nil
			}
		}
	}
	return nil, nil
}

func (fault *Fault) err(op Op) error {
	switch {
	case fault.Die:
		return ErrDied
	case fault.Err != nil:
		return fmt.Errorf("%s, call %d: %w", op, fault.Call, fault.Err)
	}
	return fmt.Errorf("%s, call %d: %w", op, fault.Call, destination.ErrTransient)
}

// around makes a call unless a fault keeps it from being made, and loses its answer where a fault says so.
func (f *Faulty) around(ctx context.Context, call func() error, ops ...Op) error {
	fault, err := f.next(ops...)
	switch {
	case err != nil:
		return err
	case fault == nil:
		return call()
	case fault.Stall:
		<-ctx.Done()
		return ctx.Err()
	case fault.Late:
		_ = call()
	}
	return fault.err(ops[0])
}

// Stat implements destination.Destination.
func (f *Faulty) Stat(ctx context.Context, name string) (info destination.Info, err error) {
	err = f.around(ctx, func() (err error) {
		info, err = f.Destination.Stat(ctx, name)
		return err
	}, OpStat)
	return info, err
}

// List implements destination.Destination; with Late it fails when it has listed all.
func (f *Faulty) List(ctx context.Context, prefix string, fn func(destination.Info) error) error {
	return f.around(ctx, func() error { return f.Destination.List(ctx, prefix, fn) }, OpList)
}

// Open implements destination.Destination.
func (f *Faulty) Open(ctx context.Context, name string, off, n int64) (rc io.ReadCloser, err error) {
	err = f.around(ctx, func() (err error) {
		rc, err = f.Destination.Open(ctx, name, off, n)
		return err
	}, OpOpen)
	if err != nil {
		if rc != nil {
			rc.Close()
		}
		return nil, err
	}
	return &faultyReader{ReadCloser: rc, f: f, ctx: ctx}, nil
}

type faultyReader struct {
	io.ReadCloser
	f   *Faulty
	ctx context.Context
}

// Read implements io.Reader.
func (r *faultyReader) Read(p []byte) (n int, err error) {
	fault, err := r.f.next(OpRead)
	switch {
	case err != nil:
		return 0, err
	case fault == nil:
		return r.ReadCloser.Read(p)
	case fault.Stall:
		<-r.ctx.Done()
		return 0, r.ctx.Err()
	case fault.Damage:
		n, err = r.ReadCloser.Read(p)
		flip(p[:n])
		return n, err
	case fault.Late: // something arrives, then it breaks
		if n, err = r.ReadCloser.Read(p[:(len(p)+1)/2]); err != nil {
			return n, err
		}
	}
	return n, fault.err(OpRead)
}

func flip(p []byte) {
	if len(p) > 0 {
		p[len(p)/2] ^= 0x10
	}
}

// Create implements destination.Destination.
func (f *Faulty) Create(ctx context.Context, name string, data []byte) error {
	return f.around(ctx, func() error { return f.Destination.Create(ctx, name, data) }, OpCreate, OpChange)
}

// Replace implements destination.Destination.
func (f *Faulty) Replace(ctx context.Context, name string, data []byte) error {
	return f.around(ctx, func() error { return f.Destination.Replace(ctx, name, data) }, OpReplace, OpChange)
}

// Remove implements destination.Destination.
func (f *Faulty) Remove(ctx context.Context, name string) error {
	return f.around(ctx, func() error { return f.Destination.Remove(ctx, name) }, OpRemove, OpChange)
}

// Upload implements destination.Destination.
func (f *Faulty) Upload(ctx context.Context, name string, size int64, sum [32]byte) (u destination.Upload, err error) {
	err = f.around(ctx, func() (err error) {
		u, err = f.Destination.Upload(ctx, name, size, sum)
		return err
	}, OpUpload, OpChange)
	if err != nil {
		if u != nil {
			_ = u.Close() // as if it had never been begun
		}
		return nil, err
	}
	return &faultyUpload{Upload: u, f: f}, nil
}

type faultyUpload struct {
	destination.Upload
	f *Faulty
}

// Offset implements destination.Upload.
func (u *faultyUpload) Offset(ctx context.Context) (off int64, err error) {
	err = u.f.around(ctx, func() (err error) {
		off, err = u.Upload.Offset(ctx)
		return err
	}, OpOffset)
	return off, err
}

// Send implements destination.Upload.
func (u *faultyUpload) Send(ctx context.Context, off int64, src io.Reader) (int64, error) {
	fault, err := u.f.next(OpSend, OpChange)
	switch {
	case err != nil:
		return 0, err
	case fault == nil:
		return u.Upload.Send(ctx, off, src)
	case fault.Stall:
		<-ctx.Done()
		return 0, ctx.Err()
	case fault.Damage:
		return u.Upload.Send(ctx, off, &damaged{r: src})
	}
	var n int64
	if fault.Late {
		n, err = u.Upload.Send(ctx, off, src)
	} else if fault.Short > 0 {
		n, err = u.Upload.Send(ctx, off, io.LimitReader(src, fault.Short))
	}
	if err != nil || fault.Quiet {
		return n, err
	}
	return n, fault.err(OpSend)
}

type damaged struct {
	r    io.Reader
	done bool
}

// Read implements io.Reader.
func (d *damaged) Read(p []byte) (int, error) {
	n, err := d.r.Read(p)
	if n > 0 && !d.done {
		flip(p[:n])
		d.done = true
	}
	return n, err
}

// Commit implements destination.Upload.
func (u *faultyUpload) Commit(ctx context.Context) error {
	return u.f.around(ctx, func() error { return u.Upload.Commit(ctx) }, OpCommit, OpChange)
}

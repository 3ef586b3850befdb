package sdk

import (
	"context"
	"sync"
	"time"

	"google.golang.org/grpc/stats"
)

// How long a plugin waits for a host.
const (
	waitFirst = 30 * time.Second // to connect after the start
	waitNext  = time.Second      // to come back after its last connection has ended: a host that was killed does not
)

// watch ends a plugin that no host is connected to. It is a stats.Handler of the gRPC server.
type watch struct {
	next time.Duration

	mu    sync.Mutex
	open  int
	timer *time.Timer
}

// newWatch calls end when nobody has connected in the first time, or nobody is connected for the next.
func newWatch(first, next time.Duration, end func()) *watch {
	return &watch{next: next, timer: time.AfterFunc(first, end)}
}

// HandleConn implements stats.Handler.
func (w *watch) HandleConn(_ context.Context, s stats.ConnStats) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch s.(type) {
	case *stats.ConnBegin:
		w.open++
		w.timer.Stop()
	case *stats.ConnEnd:
		if w.open--; w.open == 0 {
			w.timer.Reset(w.next)
		}
	}
}

// TagConn implements stats.Handler.
func (*watch) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

// TagRPC implements stats.Handler.
func (*watch) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

// HandleRPC implements stats.Handler.
func (*watch) HandleRPC(context.Context, stats.RPCStats) {}

package push

import (
	"context"
	"sync"
)

// queue hands chunks from the one who reads records to the workers. It holds pointers to what the survey holds anyway,
// so it is not bounded: a slow destination must not keep omt-pack from packing.
type queue struct {
	mu     sync.Mutex
	cond   sync.Cond
	items  []*item
	closed bool
	stop   func() bool
}

// newQueue makes a queue that also ends with ctx.
func newQueue(ctx context.Context) *queue {
	q := &queue{}
	q.cond.L = &q.mu
	q.stop = context.AfterFunc(ctx, q.close)
	return q
}

func (q *queue) put(it *item) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.items = append(q.items, it)
	q.cond.Signal()
}

// take waits for an item; ok is false when the queue is closed and empty.
func (q *queue) take() (it *item, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.items) == 0 && !q.closed {
		q.cond.Wait()
	}
	if len(q.items) == 0 {
		return nil, false
	}
	it = q.items[0]
	q.items = q.items[1:]
	return it, true
}

// close lets the workers end once the queue is empty.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.cond.Broadcast()
}

package preflight

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/preflight/wire"
	pb "github.com/openomt/omt/plugins/sdk/proto"
)

// part is one rule in a session.
type part struct {
	rule   *Rule
	state  partState
	reason string        // why it was not completed
	taken  int64         // the last batch it is through with
	owed   time.Duration // its own time so far
	found  kept
}

type partState int

const (
	live partState = iota
	done
	lost // not completed
)

// feed is one plugin in a session: a stream, who sends on it, who receives, and what its rules said.
type feed struct {
	run    *running
	most   int // findings of a rule
	stale  func()
	ctx    context.Context
	cancel context.CancelFunc
	stream grpc.BidiStreamingClient[pb.CheckRequest, pb.CheckResponse]
	queue  chan any      // never full: see push
	wake   chan struct{} // something changed that the feeding goroutine may wait for
	over   chan struct{} // the stream has ended and all is known

	batch   batch // being filled, by the feeding goroutine
	buffers *buffers

	mu       sync.Mutex
	parts    []*part
	byID     map[string]*part
	living   int
	number   int64 // of the last batch that was queued
	sent     int64 // of the last batch that was sent
	records  int64 // queued
	finished bool  // finish was queued
	stopped  bool  // we ended the stream
}

// begin opens the stream of a plugin for rules of it.
func (f *feed) begin(start *pb.Start, c codec) error {
	stream, err := f.run.rules.Check(f.ctx, grpc.ForceCodecV2(c))
	if err != nil {
		close(f.over)
		return err
	}
	f.stream = stream
	// 4 batches, start, finish, and a cancel for each rule.
	f.queue = make(chan any, window+2+len(f.parts))
	f.push(&pb.CheckRequest{Message: &pb.CheckRequest_Start{Start: start}})
	return nil
}

// push queues a message. There is always room: a rule that has not taken a batch keeps the queue from growing, and where
// none lives no batch is queued.
func (f *feed) push(m any) {
	select {
	case f.queue <- m:
	case <-f.ctx.Done():
	}
}

// send sends what is queued. Errors are the receiver's business: it gets the reason.
func (f *feed) send() {
	for {
		select {
		case <-f.ctx.Done():
			return
		case m := <-f.queue:
			if n, ok := m.(numbered); ok {
				f.mu.Lock()
				f.sent = n.number
				f.mu.Unlock()
				m = n.message
			}
			if f.stream.SendMsg(m) != nil {
				return
			}
			if r, ok := m.(*pb.CheckRequest); ok && r.GetFinish() != nil {
				_ = f.stream.CloseSend()
				return
			}
		}
	}
}

// numbered is a batch in the queue.
type numbered struct {
	number  int64
	message *encoded
}

// add puts a record into the batch. It waits while the plugin is too far behind.
func (f *feed) add(ctx context.Context, record []byte) error {
	if f.batch.buf != nil && !f.batch.holds(len(record)) {
		if err := f.flush(ctx); err != nil {
			return err
		}
	}
	if f.batch.buf == nil {
		f.batch = batch{buf: f.buffers.get()}
	}
	f.batch.add(record)
	if f.batch.full() {
		return f.flush(ctx)
	}
	return nil
}

// flush queues the batch.
func (f *feed) flush(ctx context.Context) error {
	if f.batch.buf == nil {
		return nil
	}
	buf, records := f.batch.buf, f.batch.records
	number, err := f.room(ctx, int64(records))
	if err != nil || number == 0 {
		f.buffers.put(buf)
		f.batch = batch{}
		return err
	}
	data := f.batch.message(number)
	f.batch = batch{}
	f.push(numbered{number, &encoded{data: data, back: func() { f.buffers.put(buf) }}})
	return nil
}

// room waits until the slowest rule that lives is near enough, and takes the number of a batch. It is 0 where no rule lives.
func (f *feed) room(ctx context.Context, records int64) (int64, error) {
	for {
		f.mu.Lock()
		if f.living == 0 {
			f.mu.Unlock()
			return 0, nil
		}
		if f.number-f.slowest() < window {
			f.number++
			f.records += records
			n := f.number
			f.mu.Unlock()
			return n, nil
		}
		f.mu.Unlock()
		select {
		case <-f.wake:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

func (f *feed) slowest() int64 {
	slowest := f.number
	for _, p := range f.parts {
		if p.state == live {
			slowest = min(slowest, p.taken)
		}
	}
	return slowest
}

// receive takes what the plugin says until the stream ends.
func (f *feed) receive() {
	defer close(f.over)
	for {
		m, err := f.stream.Recv()
		if err != nil {
			f.ended(err)
			return
		}
		f.take(m)
	}
}

func (f *feed) take(m *pb.CheckResponse) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch m := m.Message.(type) {
	case *pb.CheckResponse_Finding:
		if p := f.of(m.Finding.GetRule(), "a finding"); p != nil {
			f.finding(p, m.Finding)
		}
	case *pb.CheckResponse_Taken:
		if p := f.of(m.Taken.GetRule(), "that it took a batch"); p != nil && p.state == live {
			f.taken(p, m.Taken.GetNumber())
		}
	case *pb.CheckResponse_Done:
		switch p := f.of(m.Done.GetRule(), "that it is done"); {
		case p == nil:
		case p.state == live:
			f.settle(p, done, "")
		case p.state == done:
			f.settle(p, lost, "it said twice that it was done")
		}
	case *pb.CheckResponse_Failed:
		if p := f.of(m.Failed.GetRule(), "that it failed"); p != nil && p.state != lost {
			f.settle(p, lost, failure(m.Failed.GetReason()))
		}
	}
}

// failure is a reason that a plugin gave.
func failure(reason string) string {
	if reason = wire.Line(reason, maxWords); reason == "" {
		return "it failed and gave no reason"
	}
	return reason
}

// of finds the rule that a message is about. A message about another rule makes all that the plugin said doubtful.
func (f *feed) of(id, what string) *part {
	p := f.byID[id]
	if p == nil {
		f.loseAll(fmt.Sprintf("its plugin reported %s for rule %q, which it was not asked to run", what, wire.Line(id, maxName)))
		f.stop()
	}
	return p
}

func (f *feed) finding(p *part, m *pb.Finding) {
	switch {
	case p.state == done:
		f.settle(p, lost, "it reported a finding after it had said that it was done")
	case p.state == live:
		x, ok := wire.Finding(m)
		if !ok {
			f.settle(p, lost, fmt.Sprintf("it reported a finding of the unknown severity %d", m.GetSeverity()))
			return
		}
		if x.Message == "" {
			f.settle(p, lost, "it reported a finding that says nothing")
			return
		}
		if x.Severity == "" {
			x.Severity = p.rule.Severity
		}
		x.Final = x.Final || p.rule.Final != ""
		p.found.add(x, f.most)
	}
}

func (f *feed) taken(p *part, number int64) {
	if number <= p.taken || number > f.sent {
		f.settle(p, lost, fmt.Sprintf("it said that it took batch %d, when it had %d and %d were sent", number, p.taken, f.sent))
		return
	}
	p.taken = number
	f.tell()
}

// settle gives a rule its last state; f.mu is held.
func (f *feed) settle(p *part, s partState, reason string) {
	if p.state == live {
		f.living--
		f.stale()
	}
	p.state, p.reason = s, reason
	if s == lost {
		p.found = kept{}
	}
	f.tell()
}

func (f *feed) tell() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// loseAll makes every rule not completed that is not so already.
func (f *feed) loseAll(reason string) {
	for _, p := range f.parts {
		if p.state != lost {
			f.settle(p, lost, reason)
		}
	}
}

// stop ends the stream from this side; f.mu is held. What is not settled must be before.
func (f *feed) stop() {
	f.stopped = true
	f.cancel()
}

// ended settles what is open when the stream has ended. Where it broke before the plugin knew that it had seen all, what
// it said is worth nothing.
func (f *feed) ended(err error) {
	clean := errors.Is(err, io.EOF)
	why := ""
	if !clean {
		why = f.broken(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stopped {
		return
	}
	if clean {
		why = "its plugin ended the check without a word about it"
	} else {
		f.run.log.Warn("a plugin broke off a check", "error", err)
	}
	for _, p := range f.parts {
		if p.state == live || p.state == done && !clean && !f.finished {
			f.settle(p, lost, why)
		}
	}
	f.tell()
}

// broken says why a stream broke: because the process ended, most often.
func (f *feed) broken(err error) string {
	switch status.Code(err) {
	case codes.Canceled:
		return "the run was stopped"
	case codes.ResourceExhausted, codes.Internal:
		return "its plugin sent what cannot be read: " + wire.Line(plain(err), maxWords)
	}
	select {
	case <-f.run.proc.exited:
	case <-time.After(2 * linger):
		return "its plugin broke off: " + wire.Line(plain(err), maxWords)
	}
	_, state, last := f.run.proc.said()
	why := "its plugin ended in the middle (" + state + ")"
	if last != "" {
		why += ": " + last
	}
	return why
}

// results are the checks and findings of the rules, by id.
func (f *feed) results(tool string, into map[string]result) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.parts {
		r := result{check: manifest.Check{Rule: p.rule.ID, Plugin: p.rule.Plugin, Tool: tool, Status: manifest.CheckDone}}
		if p.state == done {
			r.findings = p.found.all(p.rule.ID)
		} else {
			r.check.Status, r.check.Reason = manifest.CheckNotCompleted, p.reason
		}
		into[p.rule.ID] = r
	}
}

// result is what a rule came to.
type result struct {
	check    manifest.Check
	findings []manifest.Finding
}

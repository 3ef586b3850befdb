package sdk

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/openomt/omt/plugins/sdk/proto"
)

// batch is some records that all rules share.
type batch struct {
	number  int64
	records []Record
}

// runner is one rule in a run.
type runner struct {
	stream *stream
	rule   *Rule
	wants  func(Record) bool
	queue  chan *batch
	ctx    context.Context
	cancel context.CancelFunc
	done   chan struct{} // closed with the last word

	// Of the goroutine that runs the rule.
	batch *batch
	at    int

	finished bool // under stream.mu: the last word was had
}

// run runs the rule and says how it ended.
func (r *runner) run(now time.Time, tool string, log func(string, ...any)) {
	defer r.cancel()
	if err := r.protected(now, tool, log); err != nil {
		r.last(failed(r.rule.ID, err.Error()))
		return
	}
	// Where the rule ended because the host went, the stream is closed, or its rule has had its last word: nothing is sent.
	r.last(&proto.CheckResponse{Message: &proto.CheckResponse_Done{Done: &proto.Done{Rule: r.rule.ID}}})
}

// protected makes an error of a panic.
func (r *runner) protected(now time.Time, tool string, log func(string, ...any)) (err error) {
	defer func() {
		if v := recover(); v != nil {
			log("rule %q: panic: %v\n%s", r.rule.ID, v, debug.Stack())
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	return r.rule.run(r.ctx, now, tool, r.next, r.report)
}

// next is the next record that the rule reads. Asking for what stands behind a batch says that the batch is taken.
func (r *runner) next() (Record, bool) {
	for {
		if r.batch != nil {
			for r.at < len(r.batch.records) {
				rec := r.batch.records[r.at]
				r.at++
				if r.wants(rec) {
					return rec, true
				}
			}
			r.send(&proto.CheckResponse{Message: &proto.CheckResponse_Taken{
				Taken: &proto.Taken{Rule: r.rule.ID, Number: r.batch.number}}})
			r.batch = nil
		}
		select {
		case <-r.ctx.Done():
			return nil, false
		default:
		}
		select {
		case b, ok := <-r.queue:
			if !ok {
				return nil, false
			}
			r.batch, r.at = b, 0
		case <-r.ctx.Done():
			return nil, false
		}
	}
}

// report sends a finding.
func (r *runner) report(f Finding) {
	r.send(&proto.CheckResponse{Message: &proto.CheckResponse_Finding{Finding: &proto.Finding{Rule: r.rule.ID,
		Severity: severity(f.Severity), Subjects: f.Subjects, Message: flat(f.Message), Final: f.Final}}})
}

// send sends a message of the rule, unless its last word was had.
func (r *runner) send(m *proto.CheckResponse) {
	r.stream.mu.Lock()
	defer r.stream.mu.Unlock()
	r.sendLocked(m)
}

// last sends the last word of the rule, once.
func (r *runner) last(m *proto.CheckResponse) {
	r.stream.mu.Lock()
	defer r.stream.mu.Unlock()
	if r.finished {
		return
	}
	r.sendLocked(m)
	r.finished = true
	close(r.done)
	if r.stream.open--; r.stream.open == 0 {
		close(r.stream.allDone)
	}
}

// sendLocked sends, with stream.mu held. Where it cannot, the host has gone, and the rule is ended.
func (r *runner) sendLocked(m *proto.CheckResponse) {
	if r.finished || r.stream.closed {
		return
	}
	if r.stream.conn.Send(m) != nil {
		r.cancel()
	}
}

package sdk

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/openomt/omt/plugins/sdk/proto"
)

// ahead is how many batches wait for a rule. The host sends fewer before the first of them is taken; one that sends more
// is slowed down to the slowest rule.
const ahead = 8

// stream is one run of rules over a manifest. One goroutine receives, every rule has its own, and they share the batches.
type stream struct {
	conn    grpc.BidiStreamingServer[proto.CheckRequest, proto.CheckResponse]
	rules   map[string]*runner
	wanted  map[string]bool // kinds that a rule of this run reads
	over    bool            // finish was received
	allDone chan struct{}   // closed when every rule has had its last word

	mu     sync.Mutex // of sending, and of what follows
	open   int        // rules that have not had their last word
	closed bool       // nothing can be sent any more
}

// Check implements proto.RulesServer.
func (s *server) Check(conn grpc.BidiStreamingServer[proto.CheckRequest, proto.CheckResponse]) error {
	ctx, cancel := context.WithCancel(conn.Context())
	defer cancel() // ends what rules may still be at
	first, err := conn.Recv()
	if err != nil {
		return err
	}
	c, now, err := s.start(ctx, conn, first.GetStart())
	if err != nil {
		return err
	}
	defer c.close()
	for _, r := range c.rules {
		go r.run(now, first.GetStart().GetTool(), s.log)
	}
	received := make(chan error, 1)
	go func() { received <- c.receive(ctx) }()
	select {
	case <-c.allDone:
		return nil
	case err := <-received:
		if err != nil {
			return err
		}
	}
	select {
	case <-c.allDone:
		return nil
	case <-ctx.Done():
		return status.FromContextError(ctx.Err()).Err()
	}
}

// start makes a run of what the host asks for.
func (s *server) start(ctx context.Context, conn grpc.BidiStreamingServer[proto.CheckRequest, proto.CheckResponse],
	m *proto.Start) (*stream, time.Time, error) {
	if m == nil {
		return nil, time.Time{}, status.Error(codes.InvalidArgument, "the first message must be start")
	}
	now, err := when(m.GetNow())
	if err != nil {
		return nil, now, status.Errorf(codes.InvalidArgument, "start: now: %v", err)
	}
	c := &stream{conn: conn, rules: make(map[string]*runner, len(m.GetRules())), wanted: map[string]bool{}, allDone: make(chan struct{})}
	for _, id := range m.GetRules() {
		rule := s.rules[id]
		if rule == nil {
			return nil, now, status.Errorf(codes.InvalidArgument, "start: there is no rule %q", id)
		}
		if c.rules[id] != nil {
			return nil, now, status.Errorf(codes.InvalidArgument, "start: rule %q is named twice", id)
		}
		r := &runner{stream: c, rule: rule, wants: rule.wants(), queue: make(chan *batch, ahead), done: make(chan struct{})}
		r.ctx, r.cancel = context.WithCancel(ctx)
		c.rules[id] = r
		for _, kind := range rule.Reads {
			c.wanted[kind] = true
		}
		if len(rule.Facts)+len(rule.Queries) > 0 {
			c.wanted[KindFact] = true
		}
	}
	if c.open = len(c.rules); c.open == 0 {
		close(c.allDone)
	}
	return c, now, nil
}

// receive takes what the host sends, until it has closed its side.
func (c *stream) receive(ctx context.Context) error {
	for {
		m, err := c.conn.Recv()
		switch {
		case errors.Is(err, io.EOF) && c.over:
			return nil
		case errors.Is(err, io.EOF):
			return status.Error(codes.Aborted, "the host closed its side before finish")
		case err != nil:
			return err
		}
		switch m := m.GetMessage().(type) {
		case *proto.CheckRequest_Batch:
			if err := c.feed(ctx, m.Batch); err != nil {
				return err
			}
		case *proto.CheckRequest_Finish:
			if c.over {
				return status.Error(codes.InvalidArgument, "finish came twice")
			}
			c.over = true
			for _, r := range c.rules {
				close(r.queue)
			}
		case *proto.CheckRequest_Cancel:
			if r := c.rules[m.Cancel.GetRule()]; r != nil {
				r.last(failed(r.rule.ID, "the host cancelled it"))
				r.cancel()
			}
		case *proto.CheckRequest_Start:
			return status.Error(codes.InvalidArgument, "start came twice")
		}
	}
}

// feed hands a batch to every rule.
func (c *stream) feed(ctx context.Context, m *proto.Batch) error {
	if c.over {
		return status.Error(codes.InvalidArgument, "a batch came behind finish")
	}
	records, err := convert(m.GetRecords(), c.wanted)
	if err != nil {
		return status.Errorf(codes.InvalidArgument, "batch %d: %v", m.GetNumber(), err)
	}
	b := &batch{m.GetNumber(), records}
	for _, r := range c.rules {
		select {
		case r.queue <- b:
		case <-r.done:
		case <-ctx.Done():
			return status.FromContextError(ctx.Err()).Err()
		}
	}
	return nil
}

// close keeps rules that go on behind the end of the stream from sending.
func (c *stream) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
}

// failed is the last word on a rule that could not do its work.
func failed(rule, reason string) *proto.CheckResponse {
	return &proto.CheckResponse{Message: &proto.CheckResponse_Failed{Failed: &proto.Failed{Rule: rule, Reason: flat(reason)}}}
}

// flat makes one line of a text.
func flat(s string) string {
	if !strings.ContainsAny(s, "\r\n") {
		return s
	}
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\r' || r == '\n' }), " ")
}

package preflight

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/preflight/wire"
	pb "github.com/openomt/omt/plugins/sdk/proto"
)

// Session is one run of the rules. It is fed by one goroutine.
type Session struct {
	host    *Host
	outer   context.Context // Begin's
	ctx     context.Context // until the session ends
	cancel  context.CancelFunc
	feeds   []*feed
	workers sync.WaitGroup
	buffers buffers

	encoder wire.Encoder
	buf     []byte
	stale   atomic.Bool // a rule lives no longer: who reads what has to be found anew
	kinds   map[manifest.Kind][]*feed
	facts   map[string][]*feed // by name; those of the queries by "query" and their id
	asked   map[string]asked   // what the manifest says of queries
}

// asked is the fact that says how a query went.
type asked struct {
	Status string `json:"status"`
	Reason string `json:"reason"`
}

// queryFact is the name of that fact.
const queryFact = "query"

// Begin starts a run of all rules over one manifest.
func (h *Host) Begin(ctx context.Context) (*Session, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s := &Session{host: h, outer: ctx, asked: map[string]asked{}}
	s.ctx, s.cancel = context.WithCancel(ctx)
	unhook := context.AfterFunc(h.ctx, s.cancel)
	h.sessions.Go(func() {
		<-s.ctx.Done()
		unhook()
		s.workers.Wait()
	})
	c := newCodec()
	for i := range h.plugins {
		if h.running != nil && h.running[i] != nil {
			if f := s.feed(h.running[i], h.plugins[i].Rules); f != nil {
				s.open(f, c)
			}
		}
	}
	s.workers.Go(s.watch)
	s.route()
	return s, nil
}

// feed makes the feed of a plugin; nil where it has no rule that can be run.
func (s *Session) feed(r *running, rules []Rule) *feed {
	f := &feed{run: r, most: s.host.o.MaxFindings, stale: func() { s.stale.Store(true) }, byID: map[string]*part{},
		wake: make(chan struct{}, 1), over: make(chan struct{}), buffers: &s.buffers}
	for i := range rules {
		if rules[i].Err == nil {
			p := &part{rule: &rules[i]}
			f.parts = append(f.parts, p)
			f.byID[p.rule.ID] = p
		}
	}
	if len(f.parts) == 0 {
		return nil
	}
	f.living = len(f.parts)
	f.ctx, f.cancel = context.WithCancel(s.ctx)
	return f
}

func (s *Session) open(f *feed, c codec) {
	s.feeds = append(s.feeds, f)
	start := &pb.Start{Tool: s.host.o.Tool, Now: s.host.o.Now().UTC().Format(time.RFC3339)}
	for _, p := range f.parts {
		start.Rules = append(start.Rules, p.rule.ID)
	}
	if err := f.begin(start, c); err != nil {
		f.loseAll(f.broken(err))
		return
	}
	s.workers.Go(f.send)
	s.workers.Go(f.receive)
}

// route finds out which plugins read what, by the rules of theirs that live.
func (s *Session) route() {
	s.stale.Store(false)
	s.kinds, s.facts = map[manifest.Kind][]*feed{}, map[string][]*feed{}
	for _, f := range s.feeds {
		f.mu.Lock()
		for _, p := range f.parts {
			if p.state != live {
				continue
			}
			for _, k := range p.rule.Reads {
				s.kinds[manifest.Kind(k)] = with(s.kinds[manifest.Kind(k)], f)
			}
			for _, name := range p.rule.Facts {
				s.facts[name] = with(s.facts[name], f)
			}
			for _, q := range p.rule.Queries {
				s.facts[q.Name] = with(s.facts[q.Name], f)
				s.facts[queryFact+" "+q.Name] = with(s.facts[queryFact+" "+q.Name], f)
			}
		}
		f.mu.Unlock()
	}
}

func with(list []*feed, f *feed) []*feed {
	if slices.Contains(list, f) {
		return list
	}
	return append(list, f)
}

// Observe takes one record of the manifest: its line and, where it was not copied, the record. It does not keep the line.
// It is what manifest.Writer.Observe is given. It waits while plugins are busy; its error is that of the context.
func (s *Session) Observe(l manifest.Line, rec manifest.Record) error {
	if s.stale.Load() {
		s.route()
	}
	if l.Kind == manifest.KindFact {
		return s.fact(l, rec)
	}
	feeds := s.kinds[l.Kind]
	if len(feeds) == 0 {
		return nil
	}
	buf, sent, err := s.encoder.Append(s.buf[:0], l, rec)
	if err != nil {
		spoil(feeds, s.reading(l.Kind), "a "+string(l.Kind)+" record", err)
		return nil
	}
	if s.buf = buf; !sent {
		return nil
	}
	return s.give(feeds, l.Kind)
}

// give hands the encoded record to feeds. Where it is too large the rules that read its kind are not completed.
func (s *Session) give(feeds []*feed, kind manifest.Kind) error {
	if len(s.buf)+headroom > maxRecord {
		spoil(feeds, s.reading(kind), "a "+string(kind)+" record",
			fmt.Errorf("it has %d bytes, more than the %d that a rule can be sent", len(s.buf), maxRecord))
		return nil
	}
	for _, f := range feeds {
		if err := f.add(s.ctx, s.buf); err != nil {
			return err
		}
	}
	return nil
}

// reading tells which rules read a kind.
func (s *Session) reading(kind manifest.Kind) func(*Rule) bool {
	if kind == manifest.KindFact {
		return func(r *Rule) bool { return len(r.Facts)+len(r.Queries) > 0 }
	}
	return func(r *Rule) bool { return slices.Contains(r.Reads, string(kind)) }
}

func spoil(feeds []*feed, reads func(*Rule) bool, what string, err error) {
	for _, f := range feeds {
		f.spoil(reads, fmt.Sprintf("it was not given %s: %s", what, wire.Line(err.Error(), maxWords)))
	}
}

// spoil makes the rules that read something not completed.
func (f *feed) spoil(reads func(*Rule) bool, reason string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.parts {
		if p.state != lost && reads(p.rule) {
			f.settle(p, lost, reason)
			f.giveUp(p)
		}
	}
}

// fact sends a fact to those who read facts of its name, and takes down what it says of a query.
func (s *Session) fact(l manifest.Line, rec manifest.Record) error {
	if name, ok := quickName(l.Raw); ok && string(name) != queryFact && len(s.facts[string(name)]) == 0 {
		return nil
	}
	m, err := s.encoder.Record(l, rec)
	if err == nil {
		s.buf, err = proto.MarshalOptions{}.MarshalAppend(s.buf[:0], m)
	}
	if err != nil {
		spoil(s.feeds, s.reading(l.Kind), "a fact", err)
		return nil
	}
	f := m.GetFact()
	feeds := s.facts[f.Name]
	if f.Name == queryFact {
		s.answered(f)
		for _, more := range s.facts[queryFact+" "+f.Id] {
			feeds = with(slices.Clip(feeds), more)
		}
	}
	return s.give(feeds, l.Kind)
}

// answered takes down how a query went.
func (s *Session) answered(f *pb.Fact) {
	var a asked
	if err := json.Unmarshal([]byte(f.Data), &a); err != nil {
		a = asked{Status: "failed", Reason: "what the manifest says of it cannot be read"}
	}
	s.asked[f.Id] = a
}

// quickName takes the name from a fact in our form.
func quickName(raw []byte) ([]byte, bool) {
	rest, ok := bytes.CutPrefix(raw, []byte(`{"kind":"fact","name":"`))
	if !ok {
		return nil, false
	}
	name, _, ok := bytes.Cut(rest, []byte(`"`))
	return name, ok && bytes.IndexByte(name, '\\') < 0
}

package preflight

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/stats"

	"github.com/openomt/omt/internal/preflight/wire"
	pb "github.com/openomt/omt/plugins/sdk/proto"
)

// The test binary is a plugin too, where go-plugin starts it under the name of a plugin below. These plugins are written
// against the contract and go-plugin alone, as one in another language is.
func TestMain(m *testing.M) {
	switch {
	case os.Getenv(wire.Handshake().MagicCookieKey) != "":
		serve(filepath.Base(os.Args[0]))
	case os.Getenv(hostDir) != "":
		runHost(os.Getenv(hostDir))
	default:
		os.Exit(m.Run())
	}
}

// fake is a plugin of the tests.
type fake struct {
	name    string // default: the file's
	version string
	rules   []rule
	begin   func() // before it serves
	server  []grpc.ServerOption
	mute    bool // never says what it holds
	deaf    bool // never reads what it is sent
	unwatch bool // does not watch its connection
	change  func(*pb.DescribeResponse)
}

// rule is what a rule of a fake does. What is nil is done as it should be.
type rule struct {
	id      string
	reads   []string
	facts   []string
	queries []*pb.Query
	final   string
	batch   func(c *call, b *pb.Batch)
	finish  func(c *call)
}

// call is one rule in one check.
type call struct {
	rule   string
	stream pb.Rules_CheckServer
	mu     *sync.Mutex
	ended  bool
	seen   []string // kinds of the records it was given
	texts  []string
}

func (c *call) send(m *pb.CheckResponse) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.stream.Send(m)
}

func (c *call) find(message string, subjects ...string) {
	c.finding(&pb.Finding{Rule: c.rule, Message: message, Subjects: subjects})
}

func (c *call) finding(f *pb.Finding) {
	c.send(&pb.CheckResponse{Message: &pb.CheckResponse_Finding{Finding: f}})
}

func (c *call) taken(n int64) {
	c.send(&pb.CheckResponse{Message: &pb.CheckResponse_Taken{Taken: &pb.Taken{Rule: c.rule, Number: n}}})
}

func (c *call) done() {
	c.ended = true
	c.send(&pb.CheckResponse{Message: &pb.CheckResponse_Done{Done: &pb.Done{Rule: c.rule}}})
}

func (c *call) failed(reason string) {
	c.ended = true
	c.send(&pb.CheckResponse{Message: &pb.CheckResponse_Failed{Failed: &pb.Failed{Rule: c.rule, Reason: reason}}})
}

// Describe and Check serve a fake.
type server struct {
	pb.UnimplementedRulesServer
	fake fake
}

func (s server) Describe(ctx context.Context, _ *pb.DescribeRequest) (*pb.DescribeResponse, error) {
	if s.fake.mute {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	r := &pb.DescribeResponse{Name: s.fake.name, Version: s.fake.version, Sdk: "test"}
	for _, x := range s.fake.rules {
		r.Rules = append(r.Rules, &pb.Rule{Id: x.id, Title: "title of " + x.id, Help: "help", Severity: pb.Severity_SEVERITY_WARNING,
			Reads: x.reads, Facts: x.facts, Queries: x.queries, Final: x.final})
	}
	if s.fake.change != nil {
		s.fake.change(r)
	}
	return r, nil
}

func (s server) Check(stream grpc.BidiStreamingServer[pb.CheckRequest, pb.CheckResponse]) error {
	if s.fake.deaf {
		<-stream.Context().Done()
		return stream.Context().Err()
	}
	var mu sync.Mutex
	var all sync.WaitGroup
	queues := map[string]chan *pb.CheckRequest{}
	closeAll := func() {
		for _, q := range queues {
			close(q)
		}
		all.Wait()
	}
	for {
		m, err := stream.Recv()
		if err != nil {
			closeAll()
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		if start := m.GetStart(); start != nil {
			for _, r := range s.fake.rules {
				if !slices.Contains(start.Rules, r.id) {
					continue
				}
				q := make(chan *pb.CheckRequest, 16)
				queues[r.id] = q
				all.Go(func() { r.run(&call{rule: r.id, stream: stream, mu: &mu}, q) })
			}
			continue
		}
		if id := m.GetCancel().GetRule(); queues[id] != nil { // it may never read again
			close(queues[id])
			delete(queues, id)
		}
		for _, q := range queues {
			q <- m
		}
	}
}

func (r rule) run(c *call, queue <-chan *pb.CheckRequest) {
	for m := range queue {
		switch b := m.GetBatch(); {
		case c.ended || m.GetCancel() != nil:
		case m.GetFinish() != nil && r.finish != nil:
			r.finish(c)
		case m.GetFinish() != nil:
			c.done()
		case r.batch != nil:
			r.batch(c, b)
		default:
			for _, rec := range b.GetRecords() {
				c.note(rec)
			}
			c.taken(b.GetNumber())
		}
	}
}

// note takes down what a record was.
func (c *call) note(rec *pb.Record) {
	kind := strings.TrimPrefix(fmt.Sprintf("%T", rec.Kind), "*proto.Record_")
	c.seen = append(c.seen, strings.ToLower(kind))
	if f := rec.GetFact(); f != nil {
		c.texts = append(c.texts, f.Name+"/"+f.Id)
	}
}

// served is a fake as go-plugin wants it.
type served struct {
	plugin.NetRPCUnsupportedPlugin
	fake fake
}

func (s served) GRPCServer(_ *plugin.GRPCBroker, g *grpc.Server) error {
	pb.RegisterRulesServer(g, server{fake: s.fake})
	return nil
}

func (served) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errors.New("a plugin asks nobody")
}

func serve(name string) {
	name = strings.TrimSuffix(name, ".exe")
	f, ok := fakes()[name]
	if !ok {
		f = honest()
	}
	if f.name == "" {
		f.name = name
	}
	if f.version == "" {
		f.version = "1.0"
	}
	if f.begin != nil {
		f.begin()
	}
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig:  wire.Handshake(),
		VersionedPlugins: map[int]plugin.PluginSet{wire.Version: {wire.Service: served{fake: f}}},
		GRPCServer: func(o []grpc.ServerOption) *grpc.Server {
			if !f.unwatch {
				o = append(o, grpc.StatsHandler(&watch{}))
			}
			return grpc.NewServer(append(o, f.server...)...)
		},
	})
}

// watch ends a plugin soon after its last connection.
type watch struct{ n atomic.Int64 }

func (*watch) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (*watch) HandleRPC(context.Context, stats.RPCStats)                         {}
func (*watch) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (w *watch) HandleConn(_ context.Context, s stats.ConnStats) {
	switch s.(type) {
	case *stats.ConnBegin:
		w.n.Add(1)
	case *stats.ConnEnd:
		if w.n.Add(-1) == 0 {
			time.AfterFunc(time.Second, func() { os.Exit(1) })
		}
	}
}

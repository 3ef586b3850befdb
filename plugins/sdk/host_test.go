package sdk

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"github.com/openomt/omt/plugins/sdk/proto"
)

const patience = time.Minute

// connect serves a plugin in this process and connects to it.
func connect(t testing.TB, p Plugin) proto.RulesClient {
	t.Helper()
	if err := p.Validate(); err != nil {
		t.Fatal(err)
	}
	lis := bufconn.Listen(1 << 20)
	g := grpc.NewServer(grpc.MaxRecvMsgSize(maxMessage))
	proto.RegisterRulesServer(g, newServer(p, t.Logf))
	served := make(chan struct{})
	go func() { defer close(served); _ = g.Serve(lis) }()
	conn, err := grpc.NewClient("passthrough:rules", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return lis.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(); g.Stop(); <-served })
	return proto.NewRulesClient(conn)
}

// host is one run, from the host's side.
type host struct {
	t      testing.TB
	conn   grpc.BidiStreamingClient[proto.CheckRequest, proto.CheckResponse]
	cancel context.CancelFunc
}

// begin starts a run of the rules.
func begin(t testing.TB, p Plugin, ids ...string) *host {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	conn, err := connect(t, p).Check(ctx)
	if err != nil {
		t.Fatal(err)
	}
	h := &host{t, conn, cancel}
	h.send(&proto.CheckRequest{Message: &proto.CheckRequest_Start{
		Start: &proto.Start{Rules: ids, Tool: "omt-scan 9", Now: "2026-11-22T04:00:00Z"}}})
	return h
}

func (h *host) send(m *proto.CheckRequest) {
	h.t.Helper()
	if err := h.conn.Send(m); err != nil {
		h.t.Fatalf("sending: %v", err)
	}
}

func (h *host) batch(number int64, records ...*proto.Record) {
	h.t.Helper()
	h.send(&proto.CheckRequest{Message: &proto.CheckRequest_Batch{Batch: &proto.Batch{Number: number, Records: records}}})
}

func (h *host) finish() {
	h.t.Helper()
	h.send(&proto.CheckRequest{Message: &proto.CheckRequest_Finish{Finish: &proto.Finish{}}})
	if err := h.conn.CloseSend(); err != nil {
		h.t.Fatal(err)
	}
}

func (h *host) cancelRule(id string) {
	h.t.Helper()
	h.send(&proto.CheckRequest{Message: &proto.CheckRequest_Cancel{Cancel: &proto.Cancel{Rule: id}}})
}

// next is the next message, in short; or how the stream ended.
func (h *host) next() string {
	m, err := h.conn.Recv()
	if err != nil {
		if s, ok := status.FromError(err); ok {
			return s.Code().String() + ": " + s.Message()
		}
		return err.Error()
	}
	switch m := m.GetMessage().(type) {
	case *proto.CheckResponse_Finding:
		f := m.Finding
		final := ""
		if f.GetFinal() {
			final = " final"
		}
		return fmt.Sprintf("%s found %s %v: %s%s", f.GetRule(), f.GetSeverity(), f.GetSubjects(), f.GetMessage(), final)
	case *proto.CheckResponse_Taken:
		return fmt.Sprintf("%s took %d", m.Taken.GetRule(), m.Taken.GetNumber())
	case *proto.CheckResponse_Done:
		return m.Done.GetRule() + " done"
	case *proto.CheckResponse_Failed:
		return m.Failed.GetRule() + " failed: " + m.Failed.GetReason()
	}
	return "nothing"
}

// rest is everything up to the end.
func (h *host) rest() []string {
	var all []string
	for {
		s := h.next()
		if s == "EOF" {
			return all
		}
		all = append(all, s)
		if strings.Contains(s, ": ") && codeOf(s) {
			return all
		}
	}
}

func codeOf(s string) bool {
	for c := codes.Canceled; c <= codes.Unauthenticated; c++ {
		if strings.HasPrefix(s, c.String()+": ") {
			return true
		}
	}
	return false
}

// of are the messages of one rule.
func of(all []string, rule string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return !strings.HasPrefix(s, rule+" ") })
}

func same(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// rule makes a rule that reads users and files.
func rule(id string, check func(context.Context, *Input, Report) error) Rule {
	return Rule{ID: id, Title: id, Help: "None.", Severity: Warning, Reads: []string{KindUser, KindFile}, Check: check}
}

func pluginOf(rules ...Rule) Plugin { return Plugin{Name: "test", Version: "1", Rules: rules} }

// lister reports whatever it is given.
func lister(id string) Rule {
	return rule(id, func(_ context.Context, in *Input, report Report) error {
		for r := range in.Records() {
			switch r := r.(type) {
			case *User:
				report(Finding{Subjects: []string{UserSubject(r.ID)}, Message: r.Login})
			case *File:
				report(Finding{Severity: Info, Subjects: []string{FileSubject(r)}, Message: r.Title, Final: true})
			case *Fact:
				report(Finding{Severity: Error, Message: "fact " + r.Name})
			default:
				report(Finding{Severity: Error, Message: "read " + r.Kind()})
			}
		}
		return nil
	})
}

func userMessage(id int64, login string) *proto.Record {
	return &proto.Record{Kind: &proto.Record_User{User: &proto.User{Id: id, Login: login}}}
}

func fileMessage(id int64, title string) *proto.Record {
	return &proto.Record{Kind: &proto.Record_File{File: &proto.File{Area: "document", Id: id, Title: title}}}
}

func factMessage(name, id, data string) *proto.Record {
	return &proto.Record{Kind: &proto.Record_Fact{Fact: &proto.Fact{Name: name, Id: id, Data: data}}}
}

package preflight

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	pb "github.com/openomt/omt/plugins/sdk/proto"
)

// honest does all it should: each rule says what it saw.
func honest() fake {
	return fake{rules: []rule{
		{id: "saw-users", reads: []string{"user", "plan"}, finish: tell},
		{id: "saw-files", reads: []string{"file"}, finish: tell},
		{id: "saw-facts", facts: []string{"licence"}, finish: tell},
	}}
}

// tell reports what was seen, by kind, in the order of the first.
func tell(c *call) {
	count := map[string]int{}
	var order []string
	for _, k := range c.seen {
		if count[k]++; count[k] == 1 {
			order = append(order, k)
		}
	}
	var said []string
	for _, k := range order {
		said = append(said, fmt.Sprintf("%d %s", count[k], k))
	}
	c.find("saw "+strings.Join(append(said, c.texts...), ", "), "table:x")
	c.done()
}

func never(*call, *pb.Batch) { select {} }

// beside is a rule that does nothing wrong, in a plugin of which another rule does.
func beside(id string) rule { return rule{id: id, reads: []string{"user"}, finish: tell} }

// fakes are the plugins that do something wrong, by the name of their file.
func fakes() map[string]fake {
	one := func(id string, r rule) fake {
		r.id = id
		if r.reads == nil {
			r.reads = []string{"user"}
		}
		return fake{rules: []rule{r, beside(id + "-beside")}}
	}
	all := map[string]fake{
		"bench": bench(),
		"asks": {rules: []rule{
			{id: "asks-done", queries: []*pb.Query{{Name: "a", Sql: "SELECT 1"}}, finish: tell},
			{id: "asks-absent", queries: []*pb.Query{{Name: "a", Sql: "SELECT 1", MaxRows: 5, TimeoutMs: 1500}}},
			{id: "asks-failed", queries: []*pb.Query{{Name: "a", Sql: "SELECT 1"}}},
			{id: "asks-never", queries: []*pb.Query{{Name: "a", Sql: "SELECT 1"}}},
			{id: "asks-badly", queries: []*pb.Query{{Name: "a", Sql: "DROP TABLE x"}}},
		}},
		"half": {rules: []rule{
			{id: "half-done", reads: []string{"user"}, batch: func(c *call, _ *pb.Batch) { c.find("enough"); c.done() }},
			{id: "half-broken", reads: []string{"user"}, batch: func(c *call, b *pb.Batch) {
				if c.taken(b.Number); b.Number == 2 {
					panic("boom at the second")
				}
			}},
		}},
		"takes":      {rules: []rule{{id: "saw-users"}, {id: "travel"}, {id: "file-unreadable"}, {id: "takes-own"}}},
		"named-like": {name: "honest"},
		"mute":       {mute: true},
		"deaf":       {deaf: true, rules: []rule{{id: "deaf-rule", reads: []string{"user"}}}},
		"early":      {begin: func() { fmt.Println("hello from early") }},
		"quits":      {begin: func() { fmt.Fprintln(os.Stderr, "no such library"); os.Exit(3) }},
		"sleeps":     {begin: func() { time.Sleep(time.Hour) }},
		"far":        {begin: func() { fmt.Println("1|1|tcp|192.0.2.1:80|grpc"); time.Sleep(time.Hour) }},
		"oldway":     {begin: func() { fmt.Println("1|1|unix|/nowhere|netrpc"); time.Sleep(time.Hour) }},
		"newer":      {begin: func() { fmt.Println("1|99|unix|/nowhere|grpc"); time.Sleep(time.Hour) }},
		"endless":    {begin: func() { fmt.Print(strings.Repeat("x", 1<<20)); time.Sleep(time.Hour) }},
		"badlog":     {begin: func() { fmt.Fprintln(os.Stderr, `{"@message":5,"@level":7,"@timestamp":{}}`) }, rules: []rule{beside("badlog-rule")}},
		"unwatch":    {unwatch: true, rules: []rule{beside("unwatch-rule")}},
		"stubborn":   {server: []grpc.ServerOption{grpc.UnaryInterceptor(noShutdown)}, rules: []rule{beside("stubborn-rule")}},
		"garbage":    {server: []grpc.ServerOption{grpc.ForceServerCodecV2(newCodec())}, rules: []rule{{id: "garbage-rule", finish: sendBadUTF8}}},
	}
	for id, r := range wrongRules() {
		all[id] = one(id, r)
	}
	return all
}

// wrongRules are rules that do something wrong in a check.
func wrongRules() map[string]rule {
	return map[string]rule{
		"flood": {finish: func(c *call) {
			for i := range 50_000 {
				c.find(fmt.Sprintf("finding %d", i), "user:1")
			}
			c.done()
		}},
		"floods":   {batch: func(c *call, _ *pb.Batch) { endless(c) }},
		"hang":     {batch: never},
		"lasts":    {finish: func(*call) { select {} }},
		"crash":    {batch: func(*call, *pb.Batch) { panic("boom in the middle") }},
		"failing":  {finish: func(c *call) { c.failed("the tables\nare odd") }},
		"wordless": {finish: func(c *call) { c.ended = true }},
		"steals": {finish: func(c *call) {
			c.finding(&pb.Finding{Rule: "saw-users", Message: "stolen"})
			c.done()
		}},
		"late":   {finish: func(c *call) { c.done(); c.find("one more") }},
		"twice":  {finish: func(c *call) { c.done(); c.done() }},
		"ahead":  {batch: func(c *call, b *pb.Batch) { c.taken(b.Number + 7) }},
		"severe": {finish: func(c *call) { c.finding(&pb.Finding{Rule: c.rule, Severity: 99, Message: "x"}); c.done() }},
		"empty":  {finish: func(c *call) { c.finding(&pb.Finding{Rule: c.rule, Message: " \n"}); c.done() }},
		"huge":   {finish: func(c *call) { c.find(strings.Repeat("x", 5<<20)); c.done() }},
		"long": {finish: func(c *call) {
			subjects := make([]string, 300)
			for i := range subjects {
				subjects[i] = fmt.Sprintf("user:%d", i)
			}
			c.find("two\nlines \x1b[31mred "+strings.Repeat("ü", 3000), subjects...)
			c.done()
		}},
		"final": {final: "the law", finish: func(c *call) { c.find("always"); c.done() }},
		"onefinal": {finish: func(c *call) {
			c.finding(&pb.Finding{Rule: c.rule, Message: "this one", Final: true, Severity: pb.Severity_SEVERITY_ERROR})
			c.find("that one")
			c.done()
		}},
		"early-done": {batch: func(c *call, _ *pb.Batch) { c.find("seen enough"); c.done() }},
		"reader": {finish: func(c *call) {
			b, err := io.ReadAll(os.Stdin)
			c.find(fmt.Sprintf("stdin: %q, %v", b, err))
			c.done()
		}},
		"prints": {finish: func(c *call) {
			fmt.Println("to the replaced standard output")
			_, _ = os.NewFile(1, "stdout").WriteString("to the real standard output\n")
			c.done()
		}},
		"tells-env": {finish: func(c *call) {
			dir, _ := os.Getwd()
			b, _ := json.Marshal(append(os.Environ(), "in "+dir))
			for i := 0; i < len(b); i += 1500 {
				c.find(string(b[i:min(i+1500, len(b))]))
			}
			c.done()
		}},
	}
}

func endless(c *call) {
	for i := 0; ; i++ {
		c.find("again")
	}
}

// noShutdown never answers when it is told to end.
func noShutdown(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	if strings.HasSuffix(info.FullMethod, "/Shutdown") {
		select {}
	}
	return next(ctx, req)
}

// sendBadUTF8 sends a finding whose message is no UTF-8, which no library would.
func sendBadUTF8(c *call) {
	finding, _ := proto.Marshal(&pb.Finding{Rule: c.rule})
	finding = protowire.AppendBytes(protowire.AppendTag(finding, 4, protowire.BytesType), []byte("bad \xff\xfe"))
	m := protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), finding)
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.stream.SendMsg(&encoded{data: m, back: func() {}})
}

// bench has ten rules that look at every record and say nothing.
func bench() fake {
	var f fake
	reads := [][]string{{"file"}, {"file"}, {"file"}, {"file"}, {"file", "user"}, {"user"}, {"user", "plan"}, {"table"}, nil, nil}
	for i, kinds := range reads {
		r := rule{id: fmt.Sprintf("bench-%d", i), reads: kinds, batch: look}
		if kinds == nil {
			r.facts = []string{"licence"}
		}
		f.rules = append(f.rules, r)
	}
	return f
}

func look(c *call, b *pb.Batch) {
	n := 0
	for _, r := range b.Records {
		switch k := r.Kind.(type) {
		case *pb.Record_File:
			if len(k.File.Path) > 200 || k.File.State != "present" {
				n++
			}
		case *pb.Record_User:
			n += len(k.User.Emails)
		}
	}
	if n < 0 {
		c.find("impossible")
	}
	c.taken(b.Number)
}

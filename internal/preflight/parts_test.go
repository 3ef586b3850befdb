package preflight

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	pb "github.com/openomt/omt/plugins/sdk/proto"
)

// A batch that is put together is the message that a library would make.
func TestBatchIsTheMessageOfTheContract(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	pool := &buffers{}
	for round := range 200 {
		want := &pb.Batch{Number: random.Int64N(1 << (1 + round%40))}
		b := batch{buf: pool.get()}
		for range random.IntN(40) {
			r := &pb.Record{Kind: &pb.Record_Fact{Fact: &pb.Fact{Name: "n", Data: strings.Repeat("x", random.IntN(1<<(1+round%14)))}}}
			if random.IntN(10) == 0 {
				r = &pb.Record{}
			}
			raw, err := proto.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			want.Records = append(want.Records, r)
			b.add(raw)
		}
		if b.records != len(want.Records) {
			t.Fatalf("%d records counted", b.records)
		}
		var got pb.CheckRequest
		if err := proto.Unmarshal(b.message(want.Number), &got); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got.GetBatch(), protocmp.Transform()); d != "" {
			t.Fatal(d)
		}
		pool.put(b.buf)
	}
	if len(pool.free) != 1 {
		t.Errorf("%d buffers for one batch at a time", len(pool.free))
	}
	large := make([]byte, 3*batchBytes)
	if pool.put(&large); len(pool.free) != 1 {
		t.Error("a buffer of a large record is kept")
	}
}

func TestLimitsOfABatch(t *testing.T) {
	b := batch{buf: (&buffers{}).get()}
	for i := range batchRecords {
		if b.full() {
			t.Fatalf("full with %d records", i)
		}
		b.add([]byte("x"))
	}
	if !b.full() {
		t.Error("512 records are no batch")
	}
	b = batch{buf: (&buffers{}).get()}
	if !b.holds(10 * maxRecord) {
		t.Error("the first record always has a place: whether it can be sent is found out before")
	}
	if b.add(make([]byte, batchBytes)); !b.full() || !b.holds(maxRecord-batchBytes-200) || b.holds(maxRecord-batchBytes) {
		t.Errorf("1 MiB: full %t", b.full())
	}
}

func TestVariablesThatAreHanded(t *testing.T) {
	environ := []string{"PATH=/bin", "Path=c", "SystemRoot=w", "ProgramFiles(x86)=p", "LC_ALL=C", "OMT_PLUGIN_X=1", "TZ=UTC",
		"OMT_DB_PASSWORD=s", "OMT_PLUGINS=/d", "NODE_PATH=/x", "NODE_OPTIONS=-r x", "LD_PRELOAD=/x", "PYTHONPATH=/x", "AWS_SECRET_ACCESS_KEY=s",
		"SSH_AUTH_SOCK=x", "nothing", "=C:=C:\\", "LCX=1", "HTTPS_PROXY=http://u:p@h"}
	want := []string{"PATH=/bin", "Path=c", "SystemRoot=w", "ProgramFiles(x86)=p", "LC_ALL=C", "OMT_PLUGIN_X=1", "TZ=UTC"}
	if d := cmp.Diff(want, environment(environ)); d != "" {
		t.Error(d)
	}
}

func TestLinesOfStandardError(t *testing.T) {
	for _, tt := range []struct {
		line  string
		level slog.Level
		text  string
	}{
		{"plain", slog.LevelInfo, "plain"},
		{`{"@level":"warn","@message":"careful","x":1}`, slog.LevelWarn, "careful"},
		{`{"@level":"debug","@message":"plugin address"}`, slog.LevelDebug, "plugin address"},
		{`{"@level":"error","@message":"a\u001b[31mb"}`, slog.LevelError, "a[31mb"},
		{`{"@level":7,"@message":5}`, slog.LevelInfo, `{"@level":7,"@message":5}`},
		{`{"@message":"no level"}`, slog.LevelInfo, `{"@message":"no level"}`},
		{`{broken`, slog.LevelInfo, `{broken`},
		{strings.Repeat("x", 2000), slog.LevelInfo, strings.Repeat("x", maxWords)},
	} {
		if level, text := parseLog(tt.line); level != tt.level || text != tt.text {
			t.Errorf("%.60s: %s %.60q", tt.line, level, text)
		}
	}
}

func TestLastWords(t *testing.T) {
	var w words
	for _, x := range []struct {
		level slog.Level
		text  string
	}{{slog.LevelInfo, "first"}, {slog.LevelInfo, "second"}, {slog.LevelDebug, "chatter"}} {
		w.add(x.level, x.text)
	}
	if got := w.last(); got != "second" {
		t.Error(got)
	}
	for _, text := range []string{"panic: boom", "goroutine 1 [running]:", "panic: again"} {
		w.add(slog.LevelInfo, text)
	}
	if got := w.last(); got != "panic: boom" {
		t.Error(got)
	}
}

func TestALogHasABound(t *testing.T) {
	j := &journal{}
	log := slog.New(slog.NewTextHandler(j, nil))
	q := quota{left: 100}
	w := writer{log, &q, "standard output"}
	for i := range 1000 {
		if n, err := fmt.Fprintf(w, "line %d\nand \xff more\n\n", i); err != nil || n == 0 {
			t.Fatal(n, err)
		}
	}
	got := j.String()
	if strings.Count(got, "left out") != 1 || !strings.Contains(got, `text="line 4"`) || strings.Contains(got, "line 10") || !strings.Contains(got, "and ? more") {
		t.Error(got)
	}
}

func TestWhatGoPluginLogs(t *testing.T) {
	j := &journal{}
	b := newBridge(slog.New(slog.NewTextHandler(j, &slog.HandlerOptions{Level: slog.LevelDebug})))
	b = b.Named("x").With("plugin", "crm")
	b.Trace("a")
	b.Debug("b")
	b.Info("c", "k", "v")
	b.Warn("d")
	b.Error("e")
	b.Log(hclog.Error, "f")
	var got []string
	for line := range strings.Lines(j.String()) {
		_, rest, _ := strings.Cut(line, "level=")
		got = append(got, strings.TrimSpace(rest))
	}
	want := []string{`DEBUG msg="go-plugin: b" plugin=crm`, `DEBUG msg="go-plugin: c" plugin=crm k=v`, `INFO msg="go-plugin: d" plugin=crm`,
		`INFO msg="go-plugin: e" plugin=crm`, `INFO msg="go-plugin: f" plugin=crm`}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestWherePluginsMayListen(t *testing.T) {
	p := newProcess("x", slog.New(slog.DiscardHandler), nil)
	for addr, want := range map[string]bool{"127.0.0.1:50000": true, "[::1]:50000": true, "127.9.9.9:1": true,
		"192.0.2.1:1": false, "localhost:1": false, "evil.example:1": false, "0.0.0.0:1": false, ":1": false, "": false} {
		if _, _, err := p.PluginToHost("tcp", addr); (err == nil) != want {
			t.Errorf("%q: %v", addr, err)
		}
	}
	if n, a, err := p.PluginToHost("unix", "/tmp/x"); n != "unix" || a != "/tmp/x" || err != nil {
		t.Error(n, a, err)
	}
}

func TestAProcessThatIsNotWantedDoesNotStart(t *testing.T) {
	p := newProcess("x", slog.New(slog.DiscardHandler), nil)
	p.kill()
	p.cmd = hostProcess(t, "", "")
	if err := p.Start(context.Background()); err == nil || p.cmd.Process != nil {
		t.Errorf("error %v", err)
	}
}

func TestNamesOfFactsInLines(t *testing.T) {
	for line, want := range map[string]string{
		`{"kind":"fact","name":"licence","id":"1"}`: "licence", `{"kind":"fact","name":"","id":"1"}`: "",
		`{"kind":"fact","id":"1","name":"x"}`: "-", `{"kind":"fact","name":"a\"b"}`: "-", `{"kind":"fact","name":"a`: "-",
	} {
		name, ok := quickName([]byte(line))
		if got := string(name); ok != (want != "-") || ok && got != want {
			t.Errorf("%s: %q %t", line, got, ok)
		}
	}
}

package sdk_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/openomt/omt/internal/preflight/wire"
	"github.com/openomt/omt/plugins/sdk"
	"github.com/openomt/omt/plugins/sdk/proto"
)

// role says what the test's own executable is to be: the tests start it as a plugin, and as a host that is killed.
const role = "OMT_TEST_ROLE"

// What a plugin prints before main, as a package that it imports may do.
var _ = chatter("before main")

func chatter(when string) int {
	if os.Getenv(role) == "chatter" {
		fmt.Println("printed " + when)
		fmt.Print("1|no handshake, and no line end")
	}
	return 0
}

// noise prints while the plugin greets its host.
func noise() {
	for range 2000 {
		fmt.Print("noise ")
		time.Sleep(100 * time.Microsecond)
	}
}

func TestMain(m *testing.M) {
	switch os.Getenv(role) {
	case "plugin", "chatter":
		chatter("in main")
		if os.Getenv(role) == "chatter" {
			go noise()
		}
		sdk.Serve(talker)
	case "invalid":
		sdk.Serve(sdk.Plugin{Name: "No Name"})
	case "host":
		cmd, tls := exec.Command(os.Args[0]), true
		if other := os.Getenv("OMT_TEST_PLUGIN"); other != "" {
			cmd, tls = exec.Command(other), false
		}
		c := client(cmd, "plugin", os.TempDir(), func(c *plugin.ClientConfig) { c.AutoMTLS = tls })
		if _, err := c.Client(); err != nil {
			fmt.Println("failed:", err)
			os.Exit(1)
		}
		fmt.Println(c.ID())
		select {}
	}
	os.Exit(m.Run())
}

// talker prints while it checks.
var talker = sdk.Plugin{Name: "talker", Version: "1.0.0", Rules: []sdk.Rule{{
	ID: "talk", Title: "rules may print", Help: "It is no rule to follow.", Severity: sdk.Info, Reads: []string{sdk.KindUser},
	Check: func(_ context.Context, in *sdk.Input, report sdk.Report) error {
		for u := range sdk.Each[*sdk.User](in) {
			fmt.Println("to standard output:", u.Login)
			fmt.Fprintln(os.Stderr, "to standard error:", u.Login)
			if u.Login == "PANIC" {
				panic("as told")
			}
			report(sdk.Finding{Subjects: []string{sdk.UserSubject(u.ID)}, Message: u.Login})
		}
		return nil
	},
}}}

// rules is the host's side of the service.
type rules struct{ plugin.NetRPCUnsupportedPlugin }

func (rules) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error { return errors.New("no plugin") }

func (rules) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return proto.NewRulesClient(conn), nil
}

// client starts a plugin as a host does.
func client(cmd *exec.Cmd, as, temp string, change func(*plugin.ClientConfig)) *plugin.Client {
	cmd.Env = append(cmd.Env, "PATH="+os.Getenv("PATH"), "TMPDIR="+temp, "TEMP="+temp, role+"="+as)
	c := &plugin.ClientConfig{
		HandshakeConfig: wire.Handshake(), Plugins: plugin.PluginSet{wire.Service: rules{}}, Cmd: cmd, SkipHostEnv: true,
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC}, AutoMTLS: true, StartTimeout: time.Minute,
		MinPort: 50000, MaxPort: 65535, Logger: hclog.NewNullLogger(),
	}
	if change != nil {
		change(c)
	}
	return plugin.NewClient(c)
}

// dial starts a plugin and gives what a host calls.
func dial(t *testing.T, c *plugin.Client) proto.RulesClient {
	t.Helper()
	t.Cleanup(c.Kill)
	p, err := c.Client()
	if err != nil {
		t.Fatal(err)
	}
	service, err := p.Dispense(wire.Service)
	if err != nil {
		t.Fatal(err)
	}
	return service.(proto.RulesClient)
}

// check runs one rule over users and returns what the plugin said, one message a line.
func check(t *testing.T, c proto.RulesClient, rule string, records ...*proto.Record) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s, err := c.Check(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []*proto.CheckRequest{
		{Message: &proto.CheckRequest_Start{Start: &proto.Start{Rules: []string{rule}, Now: "2026-11-22T04:00:00Z", Tool: "test"}}},
		{Message: &proto.CheckRequest_Batch{Batch: &proto.Batch{Number: 1, Records: records}}},
		{Message: &proto.CheckRequest_Finish{Finish: &proto.Finish{}}},
	} {
		if err := s.Send(m); errors.Is(err, io.EOF) {
			break // the plugin has said all it had to say; what that was is received below
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if err := s.CloseSend(); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for {
		m, err := s.Recv()
		if errors.Is(err, io.EOF) {
			return strings.Join(lines, "\n")
		}
		if err != nil {
			t.Fatal(err)
		}
		switch m := m.GetMessage().(type) {
		case *proto.CheckResponse_Finding:
			lines = append(lines, "finding "+m.Finding.GetMessage())
		case *proto.CheckResponse_Taken:
			lines = append(lines, fmt.Sprint("taken ", m.Taken.GetNumber()))
		case *proto.CheckResponse_Done:
			lines = append(lines, "done")
		case *proto.CheckResponse_Failed:
			lines = append(lines, "failed: "+m.Failed.GetReason())
		}
	}
}

func userRecord(id int64, login string) *proto.Record {
	return &proto.Record{Kind: &proto.Record_User{User: &proto.User{Id: id, Login: login}}}
}

// buffer is a buffer for several goroutines.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) { b.mu.Lock(); defer b.mu.Unlock(); return b.b.Write(p) }

func (b *buffer) holds(t *testing.T, want string) {
	t.Helper()
	var got string
	for range 6000 {
		b.mu.Lock()
		got = b.b.String()
		b.mu.Unlock()
		if strings.Contains(got, want) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%q is not in %q", want, got)
}

// TestServe goes through go-plugin, as its host, with a plugin that prints at every time.
func TestServe(t *testing.T) {
	for _, as := range []string{"plugin", "chatter"} {
		for _, tls := range []bool{true, false} {
			t.Run(fmt.Sprint(as, ", tls ", tls), func(t *testing.T) {
				var early, stdout, stderr buffer
				c := client(exec.Command(os.Args[0]), as, t.TempDir(), func(c *plugin.ClientConfig) {
					c.AutoMTLS, c.Stderr, c.SyncStdout, c.SyncStderr = tls, &early, &stdout, &stderr
				})
				rules := dial(t, c)
				d, err := rules.Describe(t.Context(), &proto.DescribeRequest{Host: "test"})
				if err != nil || d.GetName() != "talker" || len(d.GetRules()) != 1 {
					t.Fatalf("got %v, %v", d, err)
				}
				if got, want := check(t, rules, "talk", userRecord(7, "GKS")), "finding GKS\ntaken 1\ndone"; got != want {
					t.Errorf("got %q, want %q", got, want)
				}
				if got, want := check(t, rules, "talk", userRecord(7, "PANIC")), "failed: panic: as told"; got != want {
					t.Errorf("got %q, want %q", got, want)
				}
				large := strings.Repeat("x", 15<<20) // a batch with one record that is this large
				if got := check(t, rules, "talk", &proto.Record{Kind: &proto.Record_User{User: &proto.User{Login: "L", Name: large}}}); got !=
					"finding L\ntaken 1\ndone" {
					t.Errorf("a large batch: got %q", got)
				}
				stdout.holds(t, "to standard output: GKS\n")
				stderr.holds(t, "to standard error: GKS\n")
				stderr.holds(t, "serve_test.go") // the stack of the panic
				if as == "chatter" {
					early.holds(t, "printed before main\n")
					early.holds(t, "printed in main\n")
				}
			})
		}
	}
}

// TestShutdown: a plugin ends when its host asks it to, without being killed, and leaves no socket behind.
func TestShutdown(t *testing.T) {
	temp := t.TempDir()
	shutdown(t, func() *exec.Cmd {
		cmd := exec.Command(os.Args[0])
		c := client(cmd, "plugin", temp, nil)
		dial(t, c)
		c.Kill()
		return cmd
	})
	noSockets(t, temp)
}

// shutdown has a plugin started and asked to end. go-plugin kills one that has not ended after two seconds, which a busy
// machine may take to let it run at all: so one of several must have ended by itself.
func shutdown(t *testing.T, once func() *exec.Cmd) {
	t.Helper()
	for range 5 {
		if cmd := once(); cmd.ProcessState != nil && cmd.ProcessState.Success() {
			return
		}
	}
	t.Error("it was killed, each time")
}

// TestHostKilled: a plugin whose host is killed ends by itself, and leaves no socket behind.
func TestHostKilled(t *testing.T) { hostKilled(t, t.TempDir()) }

// hostKilled starts a host that starts a plugin, kills it, and waits for the plugin to end.
func hostKilled(t *testing.T, temp string, env ...string) {
	t.Helper()
	if _, err := exec.LookPath("ps"); err != nil {
		t.Skip("no ps here, which tells whether a process is alive")
	}
	host := exec.Command(os.Args[0])
	host.Env = append(append(os.Environ(), role+"=host", "TMPDIR="+temp), env...)
	out, err := host.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := host.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Fscan(out, &pid); err != nil {
		t.Fatalf("the host did not start its plugin: %v", err)
	}
	if !alive(t, pid) {
		t.Fatal("the plugin has ended before its host")
	}
	if err := host.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = host.Wait()
	for from := time.Now(); alive(t, pid); time.Sleep(50 * time.Millisecond) {
		if time.Since(from) > time.Minute {
			t.Fatal("the plugin goes on without its host")
		}
	}
	noSockets(t, temp)
}

// alive says whether a process is there and not just waiting to be buried.
func alive(t *testing.T, pid int) bool {
	t.Helper()
	out, _ := exec.Command("ps", "-o", "stat=", "-p", fmt.Sprint(pid)).Output()
	stat := strings.TrimSpace(string(out))
	return stat != "" && !strings.HasPrefix(stat, "Z")
}

func noSockets(t *testing.T, dir string) {
	t.Helper()
	if left, _ := filepath.Glob(filepath.Join(dir, "plugin*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// byHand starts the executable without a host.
func byHand(t *testing.T, as string) (status int, stdout, stderr string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), role+"="+as)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

func TestByHand(t *testing.T) {
	status, stdout, stderr := byHand(t, "plugin")
	want := `talker 1.0.0 is a plugin of OMT. It holds rules that omt-scan, omt-assign and omt-pack run:

  talk  rules may print

To have them run, put this file into the folder "plugins" beside omt-scan, or into the one that --plugins or
OMT_PLUGINS names, and say that you trust it:

  omt-scan rules --lock
`
	if status != 1 || stdout != "" || stderr != want {
		t.Errorf("got status %d, standard output %q, standard error\n%s", status, stdout, stderr)
	}
	// What a program that no host started prints is its own.
	if _, stdout, _ = byHand(t, "chatter"); !strings.HasPrefix(stdout, "printed before main\n") {
		t.Errorf("standard output is %q", stdout)
	}
}

func TestInvalid(t *testing.T) {
	status, _, stderr := byHand(t, "invalid")
	if status != 1 || !strings.Contains(stderr, `the plugin is not valid:`) || !strings.Contains(stderr, `plugin "No Name" has no rules`) {
		t.Errorf("got status %d, standard error %q", status, stderr)
	}
}

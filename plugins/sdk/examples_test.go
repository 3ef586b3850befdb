package sdk_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/hashicorp/go-plugin"

	"github.com/openomt/omt/plugins/sdk/proto"
)

// TestExampleGo builds the example, which is a module of its own, and runs its rule through go-plugin.
func TestExampleGo(t *testing.T) {
	exe := filepath.Join(t.TempDir(), "house-rules")
	if runtime.GOOS == "windows" {
		exe += ".exe"
	}
	build := exec.Command("go", "build", "-o", exe, ".")
	build.Dir = filepath.Join("..", "example-go")
	build.Env = append(os.Environ(), "GOFLAGS=-mod=readonly", "GOPROXY=off") // what is missing in its go.sum is to be noticed
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	rules := dial(t, client(exec.Command(exe), "", t.TempDir(), nil))
	described(t, rules, "house-rules", "go 1", "shared-address")
	got := check(t, rules, "shared-address", loginRecord(7, "GKS", "gks@example.com"), loginRecord(8, "BO", "info@example.com"))
	want := `finding user "BO" () logs in with info@example.com, which looks like a mailbox that several people read` + "\ntaken 1\ndone"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func loginRecord(id int64, login, username string) *proto.Record {
	return &proto.Record{Kind: &proto.Record_User{User: &proto.User{Id: id, Login: login, Username: username}}}
}

func described(t *testing.T, c proto.RulesClient, name, sdk, rule string) {
	t.Helper()
	d, err := c.Describe(t.Context(), &proto.DescribeRequest{Host: "test"})
	if err != nil {
		t.Fatal(err)
	}
	if d.GetName() != name || d.GetVersion() != "1.0.0" || d.GetSdk() != sdk || len(d.GetRules()) != 1 || d.GetRules()[0].GetId() != rule ||
		d.GetRules()[0].GetSeverity() != proto.Severity_SEVERITY_WARNING || d.GetRules()[0].GetHelp() == "" {
		t.Errorf("got %v", d)
	}
}

// nodeFolder makes a folder of plugins with the example in JavaScript, as its README says, or skips the test.
func nodeFolder(t *testing.T) (plugin string) {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("no node here")
	}
	modules := filepath.Join(os.Getenv("OMT_TEST_NODE_GRPC"), "node_modules")
	if _, err := os.Stat(filepath.Join(modules, "@grpc", "grpc-js")); err != nil || !filepath.IsAbs(modules) {
		t.Skip("OMT_TEST_NODE_GRPC names no folder with gRPC for Node: make test installs it")
	}
	dir := t.TempDir()
	for _, from := range []string{"../example-node/address-rules", "../sdk/proto/rules.proto"} {
		text, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(from)), text, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.CopyFS(filepath.Join(dir, "node_modules"), os.DirFS(modules)); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "address-rules")
}

// TestExampleNode runs the example in JavaScript through go-plugin, without TLS, which it does not speak.
func TestExampleNode(t *testing.T) {
	exe := nodeFolder(t)
	temp := t.TempDir()
	c := client(exec.Command(exe), "", temp, func(c *plugin.ClientConfig) { c.AutoMTLS = false })
	rules := dial(t, c)
	described(t, rules, "address-rules", "node", "rare-domain")
	if p, err := c.Client(); err != nil || p.Ping() != nil {
		t.Errorf("it does not say that it is healthy: %v, %v", err, p.Ping())
	}
	var users []*proto.Record
	for id := range int64(10) {
		users = append(users, loginRecord(id, fmt.Sprint("U", id), fmt.Sprintf("u%d@example.com", id)))
	}
	users = append(users, loginRecord(10, "GKS", "gks@exmaple.com"), &proto.Record{}, fileRecord())
	got, want := check(t, rules, "rare-domain", users...), "taken 1\n"+
		`finding user "GKS" () is the only one who logs in with exmaple.com: gks@exmaple.com`+"\ndone"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := check(t, rules, "rare-domain", users[2:11]...), "taken 1\ndone"; got != want {
		t.Errorf("few users, in a second run: got %q, want %q", got, want)
	}
	nodeStreams(t, rules)
	c.Kill()
	shutdown(t, func() *exec.Cmd {
		cmd := exec.Command(exe)
		c := client(cmd, "", temp, func(c *plugin.ClientConfig) { c.AutoMTLS = false })
		dial(t, c)
		c.Kill()
		return cmd
	})
	noSockets(t, temp)
}

func fileRecord() *proto.Record {
	return &proto.Record{Kind: &proto.Record_File{File: &proto.File{Area: "document", Id: 1}}}
}

// nodeStreams are runs that do not end well.
func nodeStreams(t *testing.T, c proto.RulesClient) {
	t.Helper()
	start := &proto.CheckRequest{Message: &proto.CheckRequest_Start{Start: &proto.Start{Rules: []string{"rare-domain"}}}}
	stop := &proto.CheckRequest{Message: &proto.CheckRequest_Cancel{Cancel: &proto.Cancel{Rule: "rare-domain"}}}
	other := &proto.CheckRequest{Message: &proto.CheckRequest_Start{Start: &proto.Start{Rules: []string{"other"}}}}
	for name, sent := range map[string][]*proto.CheckRequest{
		"failed:rare-domain the host cancelled it":              {start, stop},
		"Aborted desc = the host closed its side before finish": {start},
		`InvalidArgument desc = there is no rule "other"`:       {other},
	} {
		s, err := c.Check(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range sent {
			if err := s.Send(m); err != nil && !errors.Is(err, io.EOF) {
				t.Fatal(err)
			}
		}
		if err := s.CloseSend(); err != nil {
			t.Fatal(err)
		}
		m, err := s.Recv()
		got := fmt.Sprint(err)
		if err == nil {
			got = "failed:" + m.GetFailed().GetRule() + " " + m.GetFailed().GetReason()
		}
		if !strings.Contains(got, name) {
			t.Errorf("got %q, want %q", got, name)
		}
	}
}

// TestExampleNodeByHand says what is missing where a host did not start it, or wants TLS.
func TestExampleNodeByHand(t *testing.T) {
	exe := nodeFolder(t)
	for want, env := range map[string][]string{
		"This is a plugin of OMT.":   nil,
		`plugins.lock "tls": "none"`: {"OMT_RULES_PLUGIN=0197f0c2-8a44-7b0e-a5d1-52a1c0b9e3f6", "PLUGIN_CLIENT_CERT=x"},
	} {
		cmd := exec.Command(exe)
		cmd.Env = append(os.Environ(), env...)
		out, err := cmd.CombinedOutput()
		if err == nil || cmd.ProcessState.ExitCode() != 1 || !strings.Contains(string(out), want) {
			t.Errorf("got %v, %q, want %q", err, out, want)
		}
	}
}

// TestExampleNodeHostKilled: it ends by itself where its host was killed.
func TestExampleNodeHostKilled(t *testing.T) {
	exe := nodeFolder(t)
	temp := t.TempDir()
	hostKilled(t, temp, "OMT_TEST_PLUGIN="+exe)
}

package preflight

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"
	"google.golang.org/grpc"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/preflight/wire"
	pb "github.com/openomt/omt/plugins/sdk/proto"
)

// running is a plugin's process with what it serves.
type running struct {
	file   string
	log    *slog.Logger
	proc   *process
	client *plugin.Client
	rules  pb.RulesClient
	says   *pb.DescribeResponse
}

// rules is the host's half of the service, as go-plugin wants it.
type rules struct{ plugin.NetRPCUnsupportedPlugin }

// GRPCServer implements plugin.GRPCPlugin.
func (rules) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error {
	return errors.New("a host serves no rules")
}

// GRPCClient implements plugin.GRPCPlugin.
func (rules) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return pb.NewRulesClient(conn), nil
}

const (
	maxAnswer = 4 << 20   // bytes of a message from a plugin
	minPort   = 50000     // Windows, where plugins listen on a port; lower ones are often taken
	maxPort   = 65535     //
	sendBlock = 128 << 10 // bytes that are written to a plugin at once
)

// launch starts a plugin and asks what it holds.
func (h *Host) launch(ctx context.Context, f found, e entry) (*running, error) {
	log := h.o.Log.With("plugin", f.name)
	path := filepath.Join(h.o.Dir, f.name)
	r := &running{file: f.name, log: log, proc: newProcess(path, log, h.job.adopt)}
	r.client = plugin.NewClient(h.config(r, path, e))
	start, cancel := context.WithTimeout(ctx, h.o.StartTimeout)
	defer cancel()
	stop := context.AfterFunc(start, r.proc.kill)
	err := r.greet(start, h.o.Tool)
	if !stop() && err == nil {
		err = start.Err()
	}
	if err == nil {
		return r, nil
	}
	late := errors.Is(start.Err(), context.DeadlineExceeded)
	r.proc.kill()
	r.client.Kill()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return nil, r.failure(err, late, h.o.StartTimeout)
}

func (h *Host) config(r *running, path string, e entry) *plugin.ClientConfig {
	return &plugin.ClientConfig{
		HandshakeConfig:  wire.Handshake(),
		VersionedPlugins: map[int]plugin.PluginSet{wire.Version: {wire.Service: rules{}}},
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		AutoMTLS:         tls(e) == tlsAuto,
		SkipHostEnv:      true,
		MinPort:          minPort,
		MaxPort:          maxPort,
		StartTimeout:     h.o.StartTimeout,
		Logger:           newBridge(r.log),
		SyncStdout:       writer{r.log, &r.proc.quota, "standard output"},
		SyncStderr:       writer{r.log, &r.proc.quota, "standard error"},
		UnixSocketConfig: &plugin.UnixSocketConfig{TempDir: h.temp},
		GRPCDialOptions: []grpc.DialOption{
			grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxAnswer)),
			grpc.WithIdleTimeout(0), // a plugin ends with its connection, and a scan may take hours
			grpc.WithDisableRetry(),
			grpc.WithWriteBufferSize(sendBlock),
		},
		// With a runner of our own go-plugin cannot compare the file with its lock itself: it does not know the path.
		RunnerFunc: func(_ hclog.Logger, cmd *exec.Cmd, _ string) (runner.Runner, error) {
			if err := h.secure(path, e); err != nil {
				return nil, err
			}
			own := exec.Command(path)
			own.Dir = h.o.Dir
			own.Env = append(environment(os.Environ()), cmd.Env...)
			r.proc.mu.Lock()
			r.proc.cmd = own
			r.proc.mu.Unlock()
			return r.proc, nil
		},
	}
}

// secure compares a plugin with its lock right before it is started.
func (h *Host) secure(path string, e entry) error {
	want, err := hex.DecodeString(e.SHA256)
	if err != nil {
		return err
	}
	c := plugin.SecureConfig{Checksum: want, Hash: sha256.New()}
	ok, err := c.Check(path)
	if err == nil && !ok {
		err = errors.New("it was changed since its digest was compared with its lock")
	}
	return err
}

// greet connects to the plugin and asks what it holds.
func (r *running) greet(ctx context.Context, tool string) error {
	if _, err := r.client.Start(); err != nil {
		return err
	}
	conn, err := r.client.Client()
	if err != nil {
		return err
	}
	raw, err := conn.Dispense(wire.Service)
	if err != nil {
		return err
	}
	var ok bool
	if r.rules, ok = raw.(pb.RulesClient); !ok {
		return fmt.Errorf("it serves %T", raw)
	}
	r.says, err = r.rules.Describe(ctx, &pb.DescribeRequest{Host: tool})
	return err
}

// failure says why a plugin takes no part.
func (r *running) failure(err error, late bool, limit time.Duration) error {
	first, state, last := r.proc.said()
	greeted := strings.Count(first, "|") >= 4
	why := ""
	switch {
	case first != "" && !greeted:
		why = fmt.Sprintf("it writes %q where its greeting has to stand; a plugin must not write to its standard output", first)
	case late && greeted:
		why = fmt.Sprintf("it did not say within %s what it holds", limit)
	case late:
		why = fmt.Sprintf("it did not greet within %s", limit)
	case state != "" && !strings.Contains(state, "kill"):
		why = "it ended at once (" + state + ")"
	default:
		why = wire.Line(plain(err), maxWords)
		if errors.Is(err, syscall.ENOEXEC) || strings.Contains(why, "not a valid Win32 application") {
			why += " (it is no program for " + runtime.GOOS + "/" + runtime.GOARCH + ")"
		}
	}
	if last != "" {
		why += "; its last words: " + last
	}
	return manifest.Errorf(manifest.Failed, "starting plugin %q: %s", r.file, why)
}

// close ends a plugin: it is asked to, and soon after made to.
func (r *running) close() {
	timer := time.AfterFunc(patience, r.proc.kill)
	defer timer.Stop()
	r.client.Kill()
}

// patience is how long a plugin has to end by itself.
const patience = 500 * time.Millisecond

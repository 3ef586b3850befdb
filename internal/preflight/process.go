package preflight

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/openomt/omt/internal/preflight/wire"
)

// process is a plugin's process, as go-plugin's runner.Runner. It differs from go-plugin's own in what a plugin can do to
// its host: the process reads from the null device, what it writes is bounded and read whatever it is, and it ends with
// the host.
type process struct {
	path  string
	log   *slog.Logger
	adopt func(*os.Process) error

	mu     sync.Mutex
	cmd    *exec.Cmd
	killed bool
	reaped bool   // its number may be another's
	first  string // what it wrote to its standard output first
	words  words  // what it wrote to its standard error

	greeting *io.PipeReader
	hello    *io.PipeWriter
	exited   chan struct{}
	quota    quota
	state    string // after exited: "exit status 2"
}

// linger is how long output is read after the process has ended: another process may hold it open for ever.
const linger = 200 * time.Millisecond

func newProcess(path string, log *slog.Logger, adopt func(*os.Process) error) *process {
	p := &process{path: path, log: log, adopt: adopt, exited: make(chan struct{}), quota: quota{left: maxLogged}}
	p.greeting, p.hello = io.Pipe()
	return p
}

// Start starts the process. Its thread lives as long as the process, since on Linux the kernel ends a process with the
// thread that started it.
func (p *process) Start(context.Context) error {
	stdout, stdoutW, err := os.Pipe()
	if err != nil {
		return err
	}
	stderr, stderrW, err := os.Pipe()
	if err != nil {
		_, _ = stdout.Close(), stdoutW.Close()
		return err
	}
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = nil, stdoutW, stderrW
	contain(p.cmd)
	started := make(chan error)
	go p.live(started, stdout, stderr)
	err = <-started
	_, _ = stdoutW.Close(), stderrW.Close()
	if err != nil {
		_, _ = stdout.Close(), stderr.Close()
		return fmt.Errorf("starting it: %w", err)
	}
	return nil
}

func (p *process) live(started chan<- error, stdout, stderr *os.File) {
	runtime.LockOSThread()
	p.mu.Lock()
	err := error(nil)
	if p.killed {
		err = errors.New("it is wanted no longer")
	} else {
		err = p.cmd.Start()
	}
	p.mu.Unlock()
	started <- err
	if err != nil {
		return
	}
	if err := p.adopt(p.cmd.Process); err != nil {
		p.log.Warn("a plugin is not tied to this process and may outlive it", "error", err)
	}
	var readers sync.WaitGroup
	readers.Go(func() { p.readOutput(stdout) })
	readers.Go(func() { p.readErrors(stderr) })
	_ = p.cmd.Wait()
	p.mu.Lock()
	p.reaped = true
	end(p.cmd.Process) // what it left behind
	p.mu.Unlock()
	read := make(chan struct{})
	go func() { readers.Wait(); close(read) }()
	select {
	case <-read:
	case <-time.After(linger):
	}
	_, _ = stdout.Close(), stderr.Close()
	_ = p.hello.Close()
	p.mu.Lock()
	p.state = p.cmd.ProcessState.String()
	p.mu.Unlock()
	close(p.exited)
}

// maxGreeting bounds the first line of a plugin; a certificate stands in it.
const maxGreeting = 16 << 10

// readOutput hands the first line on, which is the greeting, and puts all that follows into the log.
func (p *process) readOutput(r io.Reader) {
	b := bufio.NewReaderSize(r, maxGreeting)
	line, err := b.ReadSlice('\n')
	p.mu.Lock()
	p.first = wire.Line(strings.ToValidUTF8(string(line), "?"), maxWords)
	p.mu.Unlock()
	if err == nil {
		_, _ = p.hello.Write(line)
	} else {
		_, _ = p.hello.Write(append(bytes.Clone(line), '\n'))
	}
	_ = p.hello.Close()
	p.readLines(b, func(line string) { p.quota.log(p.log, slog.LevelDebug, "standard output", line) })
}

func (p *process) readErrors(r io.Reader) {
	p.readLines(bufio.NewReaderSize(r, maxGreeting), func(line string) {
		level, text := parseLog(line)
		p.mu.Lock()
		p.words.add(level, text)
		p.mu.Unlock()
		p.quota.log(p.log, level, "standard error", text)
	})
}

// readLines reads to the end; lines longer than the buffer come in pieces.
func (p *process) readLines(b *bufio.Reader, each func(string)) {
	for {
		line, _, err := b.ReadLine()
		if err != nil {
			return
		}
		if s := wire.Line(strings.ToValidUTF8(string(line), "?"), maxGreeting); s != "" {
			each(s)
		}
	}
}

// Wait implements runner.Runner.
func (p *process) Wait(context.Context) error {
	<-p.exited
	return nil
}

// Kill implements runner.Runner.
func (p *process) Kill(context.Context) error {
	p.kill()
	return nil
}

func (p *process) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.killed = true
	if p.cmd != nil && p.cmd.Process != nil && !p.reaped {
		end(p.cmd.Process)
	}
}

// Stdout implements runner.Runner: the greeting and nothing else.
func (p *process) Stdout() io.ReadCloser { return p.greeting }

// Stderr implements runner.Runner: nothing, since go-plugin's reader panics on some lines.
func (p *process) Stderr() io.ReadCloser { return io.NopCloser(strings.NewReader("")) }

// Name implements runner.Runner.
func (p *process) Name() string { return filepath.Base(p.path) }

// ID implements runner.Runner.
func (p *process) ID() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil || p.cmd.Process == nil {
		return ""
	}
	return strconv.Itoa(p.cmd.Process.Pid)
}

// Diagnose implements runner.Runner.
func (p *process) Diagnose(context.Context) string { return "" }

// PluginToHost implements runner.Runner. A plugin listens on this machine or not at all.
func (p *process) PluginToHost(network, addr string) (string, string, error) {
	if network != "tcp" {
		return network, addr, nil
	}
	host, _, err := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
		return "", "", fmt.Errorf("it listens on %q, which is not this machine alone", addr)
	}
	return network, addr, nil
}

// HostToPlugin implements runner.Runner.
func (p *process) HostToPlugin(network, addr string) (string, string, error) {
	return network, addr, nil
}

// said is what a plugin wrote first, how it ended (empty where it lives) and its last words.
func (p *process) said() (first, state, last string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.first, p.state, p.words.last()
}

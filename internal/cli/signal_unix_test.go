//go:build !windows

package cli_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/openomt/omt/internal/cli"
	"github.com/openomt/omt/internal/cli/clitest"
	"github.com/openomt/omt/internal/manifest"
)

// TestMain lets the test binary be a real program, for what only a process can show.
func TestMain(m *testing.M) {
	if kind := os.Getenv("OMT_TEST_CHILD"); kind != "" {
		os.Exit(cli.Main("omt-x", append([]string{"omt-x"}, os.Args[1:]...), child(kind)))
	}
	os.Exit(m.Run())
}

// child is a stage that says "ready" on standard error and then does what kind says.
func child(kind string) func(context.Context, *cli.Env) error {
	return func(ctx context.Context, env *cli.Env) error {
		c := &cli.Command{Usage: "try", Writes: true, Reads: kind == "read", Action: func(ctx context.Context, j *cli.Job) error {
			return j.Stage(ctx, func(ctx context.Context, in *cli.Input, out *manifest.Writer) error {
				if in == nil {
					if err := out.Write(manifest.Header{Format: manifest.Format, ID: env.NewID(), Tool: j.Tool, Created: manifest.At(env.Now())}); err != nil {
						return err
					}
				}
				fmt.Fprintln(env.Stderr, "ready")
				switch kind {
				case "wait":
					<-ctx.Done()
					return fmt.Errorf("waiting: %w", context.Cause(ctx))
				case "hang":
					select {}
				case "read":
					return copier(nil)(ctx, in, out)
				case "write":
					for ctx.Err() == nil {
						if err := out.Write(manifest.Plan{Name: "x", Source: "tenant"}); err != nil {
							return err
						}
					}
				}
				return nil
			})
		}}
		return c.Run(ctx, env)
	}
}

// process is a running child. Its temporary directory is dir.
type process struct {
	*exec.Cmd
	dir    string
	stdout bytes.Buffer
	stderr *bufio.Reader
}

func startChild(t *testing.T, kind string, stdin io.Reader, stdout io.Writer, args ...string) *process {
	t.Helper()
	p := &process{Cmd: exec.Command(os.Args[0], args...), dir: t.TempDir()}
	p.Env = append(os.Environ(), "OMT_TEST_CHILD="+kind, "TMPDIR="+p.dir)
	p.Stdin, p.Stdout = stdin, stdout
	if stdout == nil {
		p.Stdout = &p.stdout
	}
	stderr, err := p.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.stderr = bufio.NewReader(stderr)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	kill := time.AfterFunc(time.Minute, func() { _ = p.Process.Kill() })
	t.Cleanup(func() { kill.Stop(); _ = p.Process.Kill() })
	p.expect(t, "ready\n")
	return p
}

func (p *process) expect(t *testing.T, want string) {
	t.Helper()
	if line, err := p.stderr.ReadString('\n'); line != want {
		t.Fatalf("standard error %q, %v, want %q", line, err, want)
	}
}

// end waits for the child: its status, and the rest of standard error.
func (p *process) end(t *testing.T) (int, string) {
	t.Helper()
	rest, err := io.ReadAll(p.stderr)
	if err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := p.Wait(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return p.ProcessState.ExitCode(), string(rest)
}

const (
	stopping    = "omt-x: stopping; again to end now\n"
	interrupted = "omt-x: interrupted; run the same command again to go on\n"
)

func TestFirstSignalStopsCleanly(t *testing.T) {
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		p := startChild(t, "wait", nil, nil)
		if err := p.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
		status, rest := p.end(t)
		if last := lastLine(p.stdout.String()); status != 130 || rest != stopping+interrupted || last != abortLine(130, "interrupted; run the same command again to go on") {
			t.Errorf("%v: status %d, %q, last line %s", s, status, rest, last)
		}
	}
}

func TestSecondSignalEndsAtOnce(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	if err := os.WriteFile(out, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := startChild(t, "hang", nil, nil, "--out", out)
	if err := p.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	p.expect(t, stopping) // two signals that arrive together would be one
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if status, rest := p.end(t); status != 130 || rest != "" || p.stdout.Len() > 0 {
		t.Errorf("status %d, %q, standard output %q", status, rest, p.stdout.String())
	}
	// The next run finds what this one left, and ends.
	q := clitest.New(t, "omt-x", "--out", out)
	q.Stdin = manifestOf(t, 1)
	if status := q.Run(context.Background(), stage(copier(nil))); status != 0 {
		t.Errorf("status %d, %s", status, q.Stderr.String())
	}
	if left := files(t, dir); len(left) != 1 || !strings.Contains(left["out"], `"kind":"end"`) {
		t.Errorf("files %v", left)
	}
}

// A stage that waits for the stage before it can be stopped, too.
func TestSignalWhileReading(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	p := startChild(t, "read", r, nil)
	r.Close()
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if status, rest := p.end(t); status != 130 || rest != stopping+interrupted {
		t.Errorf("status %d, %q", status, rest)
	}
}

// The reader of standard output ends: no signal kills the process, nothing is printed, the log says why.
func TestBrokenPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p := startChild(t, "write", nil, w)
	w.Close()
	r.Close()
	if status, rest := p.end(t); status != 1 || rest != "" {
		t.Errorf("status %d, %q", status, rest)
	}
	logs, err := filepath.Glob(filepath.Join(p.dir, "SoMigration", "omt-x-*.log"))
	if err != nil || len(logs) != 1 {
		t.Fatalf("logs %q, %v", logs, err)
	}
	if b, err := os.ReadFile(logs[0]); err != nil || !strings.Contains(string(b), "the reader of standard output has gone") {
		t.Errorf("log %s, %v", b, err)
	}
}

// What is no file is written through: nothing is renamed onto it, and it is not moved away when the run fails.
func TestOutIsNoFile(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := errors.Join(syscall.Mkfifo("pipe", 0o600), os.Symlink("pipe", "link")); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		out    string
		err    error
		status int
		last   string
	}{
		{"pipe", nil, 0, ""}, {"link", nil, 0, ""},
		{"pipe", errors.New("disk full"), 1, "disk full"}, {"link", errors.New("disk full"), 1, "disk full"},
	} {
		read := make(chan string)
		go func() {
			b, _ := os.ReadFile(tt.out)
			read <- string(b)
		}()
		p := clitest.New(t, "omt-x", "--out", tt.out)
		p.Stdin = manifestOf(t, 2)
		status := p.Run(context.Background(), stage(copier(tt.err)))
		got := <-read
		if _, err := manifest.Verify(strings.NewReader(got), manifest.ReadOptions{}); status != tt.status || (err == nil) != (tt.last == "") {
			t.Errorf("%s: status %d, %s, %q", tt.out, status, p.Stderr.String(), got)
		}
		if tt.last != "" && lastLine(got) != abortLine(1, tt.last) {
			t.Errorf("%s: last line %q", tt.out, lastLine(got))
		}
		entries, err := os.ReadDir(".")
		if err != nil || len(entries) != 2 {
			t.Errorf("%s: folder %v, %v", tt.out, entries, err)
		}
		if info, err := os.Stat(tt.out); err != nil || info.Mode()&os.ModeNamedPipe == 0 {
			t.Errorf("%s is no pipe any more", tt.out)
		}
	}
}

// A named pipe as --in is a stream.
func TestInIsNoFile(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := syscall.Mkfifo("pipe", 0o600); err != nil {
		t.Fatal(err)
	}
	go func() { _ = os.WriteFile("pipe", []byte(manifestOf(t, 2)), 0o600) }()
	p := clitest.New(t, "omt-x", "--in", "pipe")
	status := p.Run(context.Background(), stage(func(ctx context.Context, in *cli.Input, out *manifest.Writer) error {
		if in.File() || in.Name != `"pipe"` {
			t.Errorf("input %+v", in)
		}
		return copier(nil)(ctx, in, out)
	}))
	if status != 0 || !strings.Contains(p.Stdout.String(), "plan000001") {
		t.Errorf("status %d, %s", status, p.Stderr.String())
	}
}

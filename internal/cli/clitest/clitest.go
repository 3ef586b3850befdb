// Package clitest runs commands in process, for the tests of package cli and of every command: streams in memory, a clock
// and identifiers that repeat, no variables of the environment the test runs in.
package clitest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/openomt/omt/internal/cli"
)

// Process is one run of a command. Its fields may be changed before Run.
type Process struct {
	Env    *cli.Env
	Vars   map[string]string // the environment
	Stdin  string
	Stdout bytes.Buffer
	Stderr Buffer

	StdinTerminal, StderrTerminal bool
	Console                       *Console // nil: there is none
}

// Start is what the clock of every Process says; it stands still.
func Start() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }

// New makes a run of the program name with args (without the program's name).
func New(t testing.TB, name string, args ...string) *Process {
	t.Helper()
	p := &Process{Vars: map[string]string{}}
	var ids int
	p.Env = &cli.Env{
		Name: name, Version: cli.Version, Args: append([]string{name}, args...),
		Getenv:     func(v string) string { return p.Vars[v] },
		IsTerminal: p.isTerminal,
		OpenConsole: func() (cli.Console, error) {
			if p.Console == nil {
				return nil, cli.ErrNoConsole
			}
			return p.Console, nil
		},
		Now: Start,
		NewID: func() string {
			ids++
			return fmt.Sprintf("019b7d00-0000-7000-8000-%012d", ids)
		},
		TempDir: t.TempDir(),
		PID:     4711,
		Stdout:  &p.Stdout,
		Stderr:  &p.Stderr,
	}
	return p
}

func (p *Process) isTerminal(stream any) bool {
	switch stream {
	case p.Env.Stdin:
		return p.StdinTerminal
	default:
		return stream == any(&p.Stderr) && p.StderrTerminal
	}
}

// Run runs the command that build makes, and returns its exit status.
func (p *Process) Run(ctx context.Context, build func(*cli.Env) *cli.Command) int {
	if p.Env.Stdin == nil {
		p.Env.Stdin = strings.NewReader(p.Stdin)
	}
	return cli.Run(ctx, p.Env, func(ctx context.Context, env *cli.Env) error { return build(env).Run(ctx, env) })
}

// Buffer is a bytes.Buffer for more than one goroutine.
type Buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write appends.
func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

// String returns what was written.
func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// Console answers prompts from a list, and keeps them.
type Console struct {
	Answers []string
	Prompts []string
	Hidden  []bool // which of the prompts hid what was typed
}

// Ask gives the next answer; after the last one, io.EOF.
func (c *Console) Ask(_ context.Context, prompt string) (string, error) { return c.next(prompt, false) }

// AskHidden does the same and notes that it was hidden.
func (c *Console) AskHidden(_ context.Context, prompt string) (string, error) {
	return c.next(prompt, true)
}

func (c *Console) next(prompt string, hide bool) (string, error) {
	c.Prompts, c.Hidden = append(c.Prompts, prompt), append(c.Hidden, hide)
	if len(c.Answers) == 0 {
		return "", io.EOF
	}
	answer := c.Answers[0]
	c.Answers = c.Answers[1:]
	return answer, nil
}

// Close does nothing.
func (c *Console) Close() error { return nil }

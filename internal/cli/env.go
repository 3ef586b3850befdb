package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/term"

	"github.com/openomt/omt/internal/manifest"
)

// Version is the version of all commands; they are released together.
const Version = "0.1.0"

// Env is everything that a command takes from the process it runs in, so that a test can give it something else.
type Env struct {
	Name    string   // "omt-pack"
	Version string   // "0.1.0"
	Args    []string // the arguments, with the program's name first

	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer // while bars are shown, what is written here appears above them

	Getenv      func(name string) string
	IsTerminal  func(stream any) bool
	OpenConsole func() (Console, error)
	Now         func() time.Time
	NewID       func() string // a new uuid v7
	TempDir     string
	PID         int

	mu       sync.Mutex
	prepared bool
	screen   *screen
	raw      io.Writer // standard output as it was given
	secrets  redactor
	log      *slog.Logger // of the job, once it began
	logFile  string
	hints    []string // lines that the framework adds below the error
}

// processEnv is the Env of this process.
func processEnv(name string, args []string) *Env {
	return &Env{
		Name: name, Version: Version, Args: args,
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Getenv: os.Getenv, IsTerminal: isTerminal, OpenConsole: openConsole,
		Now: time.Now, NewID: func() string { return uuid.Must(uuid.NewV7()).String() },
		TempDir: os.TempDir(), PID: os.Getpid(),
	}
}

func isTerminal(stream any) bool {
	f, ok := stream.(interface{ Fd() uintptr })
	return ok && term.IsTerminal(int(f.Fd()))
}

// Tool returns what stands in the records that this program writes: "omt-pack 0.1.0".
func (e *Env) Tool() string { return e.Name + " " + e.Version }

// columns is how many characters a line of the terminal has that standard output is, 0 where it is none.
func (e *Env) columns() int {
	f, ok := e.raw.(interface{ Fd() uintptr })
	if !ok || !e.IsTerminal(e.raw) {
		return 0
	}
	n, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return n
}

// Hide makes secret unreadable, from now on, in everything that this run logs, prints as an error or writes as an abort
// record. Secrets shorter than four characters are not hidden: they would blank ordinary words.
func (e *Env) Hide(secret string) { e.secrets.hide(secret) }

// Redact returns s without secrets: what [Redact] recognises and what was given to Hide.
func (e *Env) Redact(s string) string { return e.secrets.redact(s) }

// Run runs a command in env and returns its exit status. It does everything that Main does but signals: what the
// command returned is printed, and mapped to a status.
func Run(ctx context.Context, env *Env, run func(ctx context.Context, env *Env) error) int {
	env.prepare()
	err := guard(func() error { return run(ctx, env) })
	status := env.Status(ctx, err)
	env.report(status, err)
	return int(status)
}

// prepare puts the streams behind what this package promises of them; a second call does nothing.
func (e *Env) prepare() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.prepared {
		return
	}
	e.prepared = true
	e.screen = newScreen(e.Stderr, e.IsTerminal(e.Stderr))
	e.Stderr = e.screen
	e.raw = e.Stdout
	e.Stdout = &stdout{w: e.Stdout}
	e.log = slog.New(slog.DiscardHandler)
	e.Hide(e.Getenv("OMT_DB_PASSWORD"))
}

// Status returns the exit status that err ends a run with. It is the one place where errors become numbers; ctx is the
// run's, and tells an interrupt from a failure.
func (e *Env) Status(ctx context.Context, err error) manifest.Status {
	status := manifest.StatusOf(err)
	switch {
	case err == nil:
		return manifest.OK
	case errors.Is(err, context.Canceled), status == manifest.Failed && ctx.Err() != nil:
		// Drivers word a cancelled call in their own ways, so a plain failure after an interrupt is the interrupt.
		return manifest.Interrupted
	case status < manifest.OK || status > manifest.Refused && status != manifest.Interrupted:
		return manifest.Failed
	default:
		return status
	}
}

// message returns the text of err for people, one line or several, without secrets.
func (e *Env) message(status manifest.Status, err error) string {
	if status == manifest.Interrupted && (errors.Is(err, context.Canceled) || manifest.StatusOf(err) == manifest.Failed) {
		return "interrupted; run the same command again to go on"
	}
	return e.Redact(err.Error())
}

func (e *Env) report(status manifest.Status, err error) {
	if err == nil || errors.Is(err, errReaderGone) {
		return
	}
	for line := range strings.Lines(e.message(status, err)) {
		if line = strings.TrimRight(line, "\r\n"); line != "" {
			e.tell("%s", line)
		}
	}
	hints := e.hints
	if h := manifest.HintOf(err); h != "" {
		hints = append([]string{h}, hints...)
	}
	var p *panicError
	if errors.As(err, &p) && e.logFile != "" {
		hints = append(hints, fmt.Sprintf("this is a mistake in the program; send the log %q to whoever maintains it", e.logFile))
	}
	for _, h := range hints {
		e.tell("hint: %s", e.Redact(oneLine(h)))
	}
}

// tell prints one line on standard error, after the program's name.
func (e *Env) tell(format string, args ...any) {
	fmt.Fprintf(e.Stderr, "%s: %s\n", e.Name, fmt.Sprintf(format, args...))
}

// panicError is a panic that became an error; its stack is for the log.
type panicError struct {
	value any
	stack []byte
}

func (p *panicError) Error() string { return fmt.Sprintf("internal error: %v", p.value) }

// guard calls fn and turns a panic into an error.
func guard(fn func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &panicError{value: v, stack: debug.Stack()}
		}
	}()
	return fn()
}

// oneLine makes one line of s, as an abort record needs it.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
}

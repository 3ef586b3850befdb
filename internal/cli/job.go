package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/progress"
)

// Job is one run of a command whose command line was understood.
type Job struct {
	Common
	Tool     string // "omt-pack 0.1.0", as records name it
	Log      *slog.Logger
	Progress progress.Reporter

	env     *Env
	command *Command
	sink    *logSink
	meters  *meters
	wrote   bool // a new file stands at --out
}

// Env returns what the command was started with.
func (j *Job) Env() *Env { return j.env }

// start checks what the flags say and opens the log and the progress lines.
func (j *Job) start(path []string) error {
	if err := j.check(j.env); err != nil {
		return err
	}
	if validate := j.command.Validate; validate != nil {
		if err := validate(); err != nil {
			return asUsage(err)
		}
	}
	sink, err := openLog(j.env, j.Common.Log)
	if err != nil {
		return usagef("--log %q: %w", j.Common.Log, reason(err))
	}
	j.sink = sink
	j.Log = slog.New(slog.NewMultiHandler(sink.handler(j.env), newConsoleHandler(j.env, j.Quiet)))
	j.env.log, j.env.logFile = j.Log, sink.name
	j.meters = newMeters(j.env, meterMode(j), j.Log)
	j.Progress = j.meters
	j.Log.Info("start", "tool", j.Tool, "command", strings.Join(path, " "), "args", hideArgs(j.env.Args[min(1, len(j.env.Args)):]))
	return nil
}

// finish ends what start began, and sees to it that a run that did not finish leaves no old --out standing.
func (j *Job) finish(ctx context.Context, err error) {
	status := j.env.Status(ctx, err)
	if j.meters != nil {
		j.meters.stop()
	}
	if status != manifest.OK && status != manifest.Remarks && !j.wrote {
		j.retire()
	}
	if j.sink == nil {
		return
	}
	level, attrs := slog.LevelInfo, []any{"status", int(status)}
	if err != nil {
		attrs = append(attrs, "reason", oneLine(err.Error()))
		if status != manifest.Remarks {
			level = slog.LevelError
		}
	}
	var p *panicError
	if errors.As(err, &p) {
		attrs = append(attrs, "stack", string(p.stack))
	}
	j.Log.Log(context.WithoutCancel(ctx), level, "end", attrs...)
	if cerr := j.sink.close(); cerr != nil && j.Common.Log != "" {
		j.env.tell("the log %q is not complete: %v", j.sink.name, reason(cerr))
	}
}

// retire renames the --out of an earlier run, so that a script that goes on does not take it for this run's.
func (j *Job) retire() {
	if !j.command.Writes || standard(j.Out) || j.command.Dry != nil && j.command.Dry() {
		return
	}
	info, err := os.Lstat(j.Out)
	if err != nil || info.IsDir() || !info.Mode().IsRegular() && info.Mode()&os.ModeSymlink == 0 {
		return
	}
	if target, err := os.Stat(j.Out); err == nil && !target.Mode().IsRegular() {
		return // a link to a device or a folder
	}
	if err := rename(j.Out, j.Out+".old"); err != nil {
		j.env.hints = append(j.env.hints, fmt.Sprintf("%q is of an earlier run and could not be renamed: %v", j.Out, reason(err)))
		return
	}
	j.env.hints = append(j.env.hints, fmt.Sprintf("%q, of an earlier run, is now %q", j.Out, j.Out+".old"))
}

// Say prints a line for the person in front of a terminal: what was found, what to do next. Off a terminal and with
// --quiet it goes to the log alone, since Windows PowerShell takes anything on standard error for a failure.
func (j *Job) Say(format string, args ...any) {
	line := j.env.Redact(fmt.Sprintf(format, args...))
	j.Log.Info(line)
	if !j.Quiet && j.env.screen.terminal {
		fmt.Fprintln(j.env.Stderr, line)
	}
}

// Remark prints a line that a person should read wherever standard error goes: what goes with status 3, and choices
// that were made for them. It is logged too.
func (j *Job) Remark(format string, args ...any) {
	line := j.env.Redact(fmt.Sprintf(format, args...))
	j.Log.Info(line)
	j.env.tell("%s", line)
}

// Columns is how many characters a line for people has: those of the terminal that standard output is, 0 (any number) where
// what is written goes elsewhere.
func (j *Job) Columns() int {
	if !standard(j.Out) {
		return 0
	}
	return j.env.columns()
}

// Limit tells the progress lines what sending is held to: bytes in a second at a time, 0 for no limit.
func (j *Job) Limit(at func(time.Time) int64) { j.meters.hold(at) }

// Again reads the value of a flag anew where it comes from a file (@PATH), for a SAS that was renewed while the run goes
// on. ok is false where it does not, or where no such flag is.
func (j *Job) Again(flag string) (value string, ok bool, err error) {
	for _, f := range j.command.AllFlags() {
		if f.name == flag {
			return f.again(j.env.Getenv)
		}
	}
	return "", false, nil
}

// FileOf names the file that the value of a flag comes from, as it was typed (@FILE), or is empty.
func (j *Job) FileOf(flag string) string {
	for _, f := range j.command.AllFlags() {
		if f.name != flag || len(f.raw) == 0 {
			continue
		}
		if text := f.raw[len(f.raw)-1]; strings.HasPrefix(text, "@") && !strings.HasPrefix(text, "@@") {
			return text
		}
	}
	return ""
}

// Console opens the console to ask on. Without one the error is a usage error that names the flags to give instead.
func (j *Job) Console(instead string) (Console, error) {
	c, err := j.env.OpenConsole()
	if errors.Is(err, ErrNoConsole) {
		return nil, usagef("%w", ErrNoConsole).WithHint("give %s", instead)
	}
	if err != nil {
		return nil, fmt.Errorf("opening the console: %w", err)
	}
	return c, nil
}

// asUsage gives err status 2 unless it has a status.
func asUsage(err error) error {
	var e *manifest.Error
	if errors.As(err, &e) {
		return err
	}
	return usagef("%w", err)
}

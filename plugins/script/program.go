package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/openomt/omt/plugins/sdk"
)

// program is what a rule runs.
type program struct {
	dir     string // of the rules, and of its work
	run     []string
	timeout time.Duration // how long it may keep its reader waiting; 0: as long as the host lets it
}

// patience is how long a program that has ended may leave its output open to another that it started.
const patience = 2 * time.Second

var (
	errTime   = errors.New("its time is over")
	errOutput = errors.New("its output was wrong")
)

// check runs the program over the records.
func (p program) check(ctx context.Context, in *sdk.Input, report sdk.Report) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	path, err := p.path()
	if err != nil {
		return err
	}
	var said tail
	out := &output{report: report, stop: func() { cancel(errOutput) }}
	cmd := exec.CommandContext(ctx, path, p.run[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr, cmd.WaitDelay = p.dir, environment(os.Environ()), out, &said, patience
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("making a pipe: %w", err)
	}
	ended, err := start(cmd, cancel)
	if err != nil {
		return fmt.Errorf("starting %q: %w", p.run[0], err)
	}
	watch := func() (stop func() bool) {
		if p.timeout == 0 {
			return func() bool { return true }
		}
		return time.AfterFunc(p.timeout, func() { cancel(errTime) }).Stop
	}
	badRecord := feed(stdin, in, watch)
	stop := watch()
	err = <-ended
	stop()
	return p.outcome(ctx, badRecord, out.close(), err, said.last())
}

// start starts a program and waits for it; ended has how it ended when nothing of it runs any more.
func start(cmd *exec.Cmd, cancel context.CancelCauseFunc) (ended chan error, err error) {
	group := contain(cmd)
	cmd.Cancel = func() error { return group.end(cmd.Process) }
	ended = make(chan error, 1)
	started := make(chan error)
	go func() {
		defer holdThread()()
		defer group.close()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		if err := group.adopt(cmd.Process); err != nil {
			cancel(err)
		}
		err = cmd.Wait()
		_ = group.end(cmd.Process) // what it has left running
		ended <- err
	}()
	return ended, <-started
}

// feed writes the records. A program that does not want them all is left alone. watch is about every moment in which the
// program keeps us waiting.
func feed(stdin io.WriteCloser, in *sdk.Input, watch func() func() bool) error {
	defer stdin.Close()
	w := bufio.NewWriterSize(stdin, 64<<10)
	waiting := func(write func() error) error {
		stop := watch()
		defer stop()
		return write()
	}
	for r := range in.Records() {
		line, err := recordLine(r)
		if err != nil {
			return fmt.Errorf("writing a %s record: %w", r.Kind(), err)
		}
		write := func() error { _, err := w.Write(line); return err }
		if len(line) > w.Available() {
			err = waiting(write)
		} else {
			err = write()
		}
		if err != nil {
			return nil
		}
	}
	_ = waiting(w.Flush) // it may have seen enough
	return nil
}

// outcome says how the run went: the first cause, not what followed from it.
func (p program) outcome(ctx context.Context, record, output, exit error, said string) error {
	var code *exec.ExitError
	switch {
	case record != nil:
		return record
	case errors.Is(context.Cause(ctx), errTime):
		return fmt.Errorf("%s kept its reader waiting for more than %v", p.name(), p.timeout)
	case output != nil:
		return fmt.Errorf("%s: %w", p.name(), output)
	case ctx.Err() != nil:
		return fmt.Errorf("%s was ended: %w", p.name(), context.Cause(ctx))
	case errors.Is(exit, exec.ErrWaitDelay):
		return fmt.Errorf("%s has ended, and another program that it started holds its output open", p.name())
	case errors.As(exit, &code) && said != "":
		return fmt.Errorf("%s ended with %s: %s", p.name(), code.ProcessState, said)
	case errors.As(exit, &code):
		return fmt.Errorf("%s ended with %s, and said nothing on standard error", p.name(), code.ProcessState)
	case exit != nil:
		return fmt.Errorf("running %s: %w", p.name(), exit)
	}
	return nil
}

// name is the program with its script, for messages.
func (p program) name() string {
	name := p.run[0]
	for _, arg := range p.run[1:] {
		if slices.Contains(scripts, strings.ToLower(filepath.Ext(arg))) {
			return fmt.Sprintf("%q", name+" "+arg)
		}
	}
	return fmt.Sprintf("%q", name)
}

// path finds the program: in the folder of the rules, where it is locked, else on PATH.
func (p program) path() (string, error) {
	name := p.run[0]
	if isAbs(name) {
		return name, nil
	}
	if inFolder(p.dir, name) == nil {
		return filepath.Join(p.dir, filepath.FromSlash(strings.ReplaceAll(name, `\`, "/"))), nil
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("program %q is neither in the folder of the rules nor on PATH", name)
	}
	return path, nil
}

// environment is what a program is given: not what host and plugin tell each other.
func environment(environ []string) []string {
	return slices.DeleteFunc(slices.Clone(environ), func(v string) bool {
		v = strings.ToUpper(v)
		return strings.HasPrefix(v, "PLUGIN_") || strings.HasPrefix(v, "OMT_RULES_")
	})
}

package cli

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/openomt/omt/internal/manifest"
)

// memoryLimit is what the collector is told to keep a process below, so that no tool needs more than 256 MiB: what a
// tool holds is well below it, and without a limit garbage may be as much again. GOMEMLIMIT overrides it.
const memoryLimit = 192 << 20

// Main runs the command name with args (os.Args) in this process and returns the status to exit with. The first
// SIGINT or SIGTERM cancels the context, and the run is expected to end cleanly; the second ends the process with 130
// without waiting for anything.
func Main(name string, args []string, run func(ctx context.Context, env *Env) error) int {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
	env := processEnv(name, args)
	env.prepare()
	keepBrokenPipe()
	ctx, stop := interruptible(env)
	defer stop()
	return Run(ctx, env, run)
}

// announce says that the run is stopping, before anything says that it has. A standard error that nobody reads must not
// keep it from stopping.
func announce(env *Env) {
	told := make(chan struct{})
	go func() {
		env.tell("stopping; again to end now")
		close(told)
	}()
	select {
	case <-told:
	case <-time.After(100 * time.Millisecond):
	}
}

// interruptible returns a context that the first signal cancels. stop ends listening.
func interruptible(env *Env) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		for count := 0; ; count++ {
			select {
			case <-done:
				return
			case <-signals:
			}
			if count > 0 {
				os.Exit(int(manifest.Interrupted))
			}
			announce(env)
			cancel()
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		cancel()
	}
}

package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/openomt/omt/internal/manifest"
)

// Main runs the command name with args (os.Args) in this process and returns the status to exit with. The first
// SIGINT or SIGTERM cancels the context, and the run is expected to end cleanly; the second ends the process with 130
// without waiting for anything.
func Main(name string, args []string, run func(ctx context.Context, env *Env) error) int {
	env := processEnv(name, args)
	env.prepare()
	keepBrokenPipe()
	ctx, stop := interruptible(env)
	defer stop()
	return Run(ctx, env, run)
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
			cancel()
			env.tell("stopping; again to end now")
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		cancel()
	}
}

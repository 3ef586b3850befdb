package preflight

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/openomt/omt/internal/manifest"
)

// atOnce is how many plugins are started at a time.
const atOnce = 4

// Host runs plugins. Close ends them.
type Host struct {
	o       Options
	temp    string // of sockets
	plugins []Plugin
	running []*running // by plugin; nil where it takes no part

	ctx      context.Context // until Close
	cancel   context.CancelFunc
	sessions sync.WaitGroup

	job job
}

// Open checks the folder against its lock file and starts every plugin in it. A file that differs from its entry or has
// none is an error of status Refused; a plugin that does not start is not an error: its Err says why, and rules that only
// it holds are not run. A folder that is not there is an error of status Usage.
func Open(ctx context.Context, o Options) (*Host, error) {
	o.complete()
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, manifest.Errorf(manifest.Usage, "looking for plugins: %w", err)
	}
	o.Dir = dir
	files, err := list(dir)
	if err != nil {
		return nil, err
	}
	l, err := readLock(dir)
	if err != nil {
		return nil, manifest.Errorf(manifest.Refused, "reading the lock file of the plugins: %w", err).
			WithHint("if you trust what lies in the folder, delete the lock file and write it anew: omt-scan rules --lock")
	}
	if err := Refusal(dir, o.Given, compare(files, l)); err != nil {
		return nil, err
	}
	h := &Host{o: o}
	h.ctx, h.cancel = context.WithCancel(context.Background())
	h.warnWritable(ctx)
	if err := h.start(ctx, files, l); err != nil {
		h.Close()
		return nil, err
	}
	return h, nil
}

// start starts the plugins and takes down what they hold.
func (h *Host) start(ctx context.Context, files []found, l lock) error {
	files = slices.DeleteFunc(files, func(f found) bool { return !f.launch })
	if len(files) == 0 {
		return nil
	}
	var err error
	if h.temp, err = os.MkdirTemp(socketBase(), "omt-plugins-"); err != nil {
		return manifest.Errorf(manifest.Failed, "starting plugins: making a folder for their sockets: %w", err)
	}
	h.running = make([]*running, len(files))
	failed := make([]error, len(files))
	var g errgroup.Group
	g.SetLimit(atOnce)
	for i, f := range files {
		g.Go(func() error {
			h.running[i], failed[i] = h.launch(ctx, f, l.Files[f.name])
			return nil
		})
	}
	_ = g.Wait() // nothing above returns an error
	if err := ctx.Err(); err != nil {
		return err
	}
	// Everybody is connected. Without the sockets nobody else can be, and nothing is left where this process is killed.
	_ = os.RemoveAll(h.temp)
	held := holders{by: map[string]string{}, reserved: h.o.Reserved}
	for i, f := range files {
		p := Plugin{File: f.name, Lock: Locked, Err: failed[i]}
		if p.Err == nil {
			h.describe(&p, i, held)
		}
		if p.Err != nil {
			h.o.Log.WarnContext(ctx, "a plugin takes no part", "plugin", p.File, "error", p.Err)
		}
		h.plugins = append(h.plugins, p)
	}
	return nil
}

func (h *Host) describe(p *Plugin, i int, held holders) {
	says := h.running[i].says
	if err := identify(p, says, h.plugins); err != nil {
		p.Err = manifest.Errorf(manifest.Failed, "plugin %q takes no part: %w", p.File, err)
		h.running[i].close()
		h.running[i] = nil
		return
	}
	for _, r := range says.Rules {
		p.Rules = append(p.Rules, held.take(p, r, h.o.CheckQuery))
	}
}

// Plugins are the plugins found, by file name.
func (h *Host) Plugins() []Plugin { return slices.Clone(h.plugins) }

// Rules are the rules of all plugins, by plugin and in its order.
func (h *Host) Rules() []Rule {
	var all []Rule
	for _, p := range h.plugins {
		all = append(all, p.Rules...)
	}
	return all
}

// Queries are the queries of the rules that can be run.
func (h *Host) Queries() []Query {
	var all []Query
	for _, r := range h.Rules() {
		if r.Err == nil {
			all = append(all, r.Queries...)
		}
	}
	return all
}

// Close ends all plugins and what is left of sessions. It may be called more than once.
func (h *Host) Close() {
	h.cancel()
	var g sync.WaitGroup
	for _, r := range h.running {
		if r != nil {
			g.Go(r.close)
		}
	}
	g.Wait()
	h.sessions.Wait()
	h.running = nil
	if h.temp != "" {
		_ = os.RemoveAll(h.temp)
	}
	h.job.close()
}

// plain is the text of an error of gRPC without its frame.
func plain(err error) string {
	if s, ok := status.FromError(err); ok && s.Code() != codes.OK {
		return s.Message()
	}
	if errors.Is(err, context.Canceled) {
		return "it was stopped"
	}
	return err.Error()
}

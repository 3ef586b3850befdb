package rules

import (
	"cmp"
	"context"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/openomt/omt/internal/cli"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/preflight"
	"github.com/openomt/omt/internal/source"
	"github.com/openomt/omt/internal/sqlselect"
)

// Run is the rules of one run of a command.
type Run struct {
	job   *cli.Job
	dir   folder
	lacks string

	opened chan struct{} // closed when host and err are settled
	stop   context.CancelFunc
	host   *preflight.Host
	err    error
	close  sync.Once

	session *preflight.Session
	out     *manifest.Writer
	apart   []string // files of plugins that take no part, and rules
}

// Start begins to start the plugins, beside whatever the command does meanwhile. The caller closes the Run in any case.
func (f *Flags) Start(ctx context.Context, j *cli.Job) (*Run, error) {
	r := &Run{job: j, opened: make(chan struct{}), stop: func() {}}
	var err error
	if r.dir, r.lacks, err = f.find(); err != nil {
		return nil, err
	}
	if r.dir.path == "" {
		close(r.opened)
		return r, nil
	}
	ctx, r.stop = context.WithCancel(ctx)
	go func() {
		defer close(r.opened)
		r.host, r.err = preflight.Open(ctx, options(j, r.dir))
	}()
	return r, nil
}

// options are how plugins are run by our commands.
func options(j *cli.Job, dir folder) preflight.Options {
	return preflight.Options{
		Dir: dir.path, Given: dir.given, Tool: j.Tool, Now: j.Env().Now, Log: j.Log, Reserved: reserved(),
		CheckQuery: func(sql string) error {
			_, err := sqlselect.Parse(sql)
			return err
		},
	}
}

// Begin waits for the plugins, tells which take no part, and has the rules see all that is written to out from now on.
func (r *Run) Begin(ctx context.Context, out *manifest.Writer) error {
	select {
	case <-r.opened:
	case <-ctx.Done():
		return ctx.Err()
	}
	if r.err != nil {
		return r.err
	}
	if r.host == nil {
		r.job.Remark("no preflight rules are run, since there are no plugins at %s; --plugins DIR names their folder, and packing needs what they say", r.lacks)
		return nil
	}
	r.tell()
	var err error
	if r.session, err = r.host.Begin(ctx); err != nil {
		return err
	}
	r.out = out
	out.Observe(r.session.Observe)
	return nil
}

// tell says which plugins and rules take no part. A rule that its own plugin keeps from being run has a check that says so.
func (r *Run) tell() {
	plugins := r.host.Plugins()
	for _, p := range plugins {
		if p.Err != nil {
			r.job.Remark("%v", p.Err)
			r.apart = append(r.apart, p.File)
			continue
		}
		r.job.Log.Info("plugin", "file", p.File, "name", p.Name, "version", p.Version, "rules", len(p.Rules), "sdk", p.SDK)
		for _, rule := range p.Rules {
			if rule.Err != nil {
				r.job.Remark("rule %s of plugin %q is not run: %v", rule.ID, p.File, rule.Err)
				r.apart = append(r.apart, rule.ID)
			}
		}
	}
	if len(plugins) == 0 {
		r.job.Remark("no preflight rules are run, since there are no plugins in %s; packing needs what they say", r.dir.path)
	}
}

// Rules ends the run of the rules and returns what they say: what the verbs take as their option of that name.
func (r *Run) Rules(ctx context.Context) ([]manifest.Check, []manifest.Finding, error) {
	if r.session == nil {
		return nil, nil, nil
	}
	r.out.Observe(nil)
	return r.session.Finish(ctx)
}

// Result is what a command ends with where its verb ended with err: a remark where all went well but for plugins or rules
// that take no part. Nothing else would tell of them, since nobody knows what a plugin that does not start holds.
func (r *Run) Result(err error) error {
	if err != nil || len(r.apart) == 0 {
		return err
	}
	return manifest.Errorf(manifest.Remarks, "the output is complete, but not all rules were run: %s", strings.Join(r.apart, ", ")).
		WithHint("mend the plugin, or take it out of the folder; then omt-scan rules --lock")
}

// Trial runs the rules over the records that write writes, beside the run itself, and returns what those found that were
// done and read nothing but kinds and facts; rules are those. It is called after Begin; without plugins it returns nothing.
func (r *Run) Trial(ctx context.Context, kinds []manifest.Kind, write func(*manifest.Writer) error) (rules []string, found []manifest.Finding, err error) {
	if r.host == nil {
		return nil, nil, nil
	}
	s, err := r.host.Begin(ctx)
	if err != nil {
		return nil, nil, err
	}
	w := manifest.NewWriter(io.Discard, r.job.Tool)
	w.Observe(s.Observe)
	werr := write(w)
	checks, all, err := s.Finish(ctx) // in any case: it ends the session
	if err = cmp.Or(werr, err); err != nil {
		return nil, nil, err
	}
	for _, x := range r.host.Rules() {
		foreign := func(k string) bool { return !slices.Contains(kinds, manifest.Kind(k)) }
		done := func(c manifest.Check) bool { return c.Rule == x.ID && c.Status == manifest.CheckDone }
		if !slices.ContainsFunc(x.Reads, foreign) && slices.ContainsFunc(checks, done) {
			rules = append(rules, x.ID)
		}
	}
	for _, f := range all {
		if slices.Contains(rules, f.Rule) {
			found = append(found, f)
		}
	}
	return rules, found, nil
}

// Final says why no finding of a rule can be waived, or nothing. It is called after Begin.
func (r *Run) Final(rule string) (why string) {
	if r.host == nil {
		return ""
	}
	for _, x := range r.host.Rules() {
		if x.ID == rule && x.Final != "" {
			return x.Final
		}
	}
	return ""
}

// Queries are what the rules want to be asked of the database. It is called after Begin.
func (r *Run) Queries() (list []source.SelectQuery) {
	if r.host == nil {
		return nil
	}
	for _, q := range r.host.Queries() {
		list = append(list, source.SelectQuery(q))
	}
	return list
}

// Close ends the plugins, also those that are being started.
func (r *Run) Close() {
	r.close.Do(func() {
		r.stop()
		<-r.opened
		if r.host != nil {
			r.host.Close()
		}
	})
}

package rules

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/openomt/omt/internal/cli"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/preflight"
)

// Listing is what there is of rules.
type Listing struct {
	Folder  string   `json:"folder,omitempty"` // of the plugins; empty: there is none
	Plugins []Plugin `json:"plugins"`
	Rules   []Rule   `json:"rules"`

	lacks   string // where plugins were looked for
	refusal error  // why none was started
}

// Plugin is a file of the plugin folder that can be run, or one that keeps plugins from being run.
type Plugin struct {
	File    string              `json:"file"`
	Lock    preflight.LockState `json:"lock"`
	Name    string              `json:"name,omitempty"`
	Version string              `json:"version,omitempty"`
	SDK     string              `json:"sdk,omitempty"`
	Error   string              `json:"error,omitempty"` // why it takes no part
}

// Rule is a rule of a plugin, or of the tools.
type Rule struct {
	ID       string              `json:"id"`
	Severity manifest.Severity   `json:"severity"`
	Title    string              `json:"title"`
	Plugin   string              `json:"plugin"`
	Version  string              `json:"version"`
	From     string              `json:"from"`           // the plugin's file, or the tools
	Lock     preflight.LockState `json:"lock,omitempty"` // of the plugin
	Required bool                `json:"required"`       // nothing is packed without it
	Help     string              `json:"help,omitempty"`
	Evidence string              `json:"evidence,omitempty"`
	Final    string              `json:"final,omitempty"` // why its findings cannot be waived
	Reads    []string            `json:"reads,omitempty"`
	Facts    []string            `json:"facts,omitempty"`
	Queries  []Query             `json:"queries,omitempty"`
	Error    string              `json:"error,omitempty"` // why it is not run
}

// Query is a query of a rule.
type Query struct {
	Name    string `json:"name"`
	SQL     string `json:"sql"`
	MaxRows int    `json:"maxRows"`
	Seconds int    `json:"seconds"`
}

// List starts the plugins and asks them what they hold. Where the folder does not agree with its lock file none is started.
func (f *Flags) List(ctx context.Context, j *cli.Job) (Listing, error) {
	dir, lacks, err := f.find()
	if err != nil {
		return Listing{}, err
	}
	l := Listing{Folder: dir.path, Plugins: []Plugin{}, lacks: lacks}
	if dir.path != "" {
		if err := l.ask(ctx, j, dir); err != nil {
			return Listing{}, err
		}
	}
	_, version, _ := strings.Cut(j.Tool, " ")
	for _, o := range OwnRules() {
		l.Rules = append(l.Rules, Rule{ID: o.ID, Severity: o.Severity, Title: o.Title, Plugin: Tool, Version: version, From: o.Tools})
	}
	return l, nil
}

// ask lists what lies in a folder.
func (l *Listing) ask(ctx context.Context, j *cli.Job, dir folder) error {
	files, err := preflight.Verify(dir.path)
	if err != nil {
		return err
	}
	if l.refusal = preflight.Refusal(dir.path, dir.given, files); l.refusal != nil {
		for _, f := range files {
			if f.Plugin || f.State != preflight.Locked {
				l.Plugins = append(l.Plugins, Plugin{File: f.Name, Lock: f.State, Error: notStarted(f)})
			}
		}
		return nil
	}
	host, err := preflight.Open(ctx, options(j, dir))
	if err != nil {
		return err
	}
	defer host.Close()
	for _, p := range host.Plugins() {
		l.add(p)
	}
	for _, f := range files {
		if f.State == preflight.Absent {
			l.Plugins = append(l.Plugins, Plugin{File: f.Name, Lock: f.State, Error: notStarted(f)})
		}
	}
	return nil
}

// notStarted says why a file takes no part.
func notStarted(f preflight.File) string {
	switch f.State {
	case preflight.Locked:
		return "no plugin of the folder is started while another file of it is not as plugins.lock says"
	case preflight.Absent:
		return "plugins.lock names it, and it is not there"
	}
	return "it is not as plugins.lock says"
}

func (l *Listing) add(p preflight.Plugin) {
	row := Plugin{File: p.File, Lock: p.Lock, Name: p.Name, Version: p.Version, SDK: p.SDK, Error: text(p.Err)}
	l.Plugins = append(l.Plugins, row)
	required := manifest.RequiredRules()
	for _, r := range p.Rules {
		rule := Rule{ID: r.ID, Severity: r.Severity, Title: r.Title, Plugin: p.Name, Version: p.Version, From: p.File, Lock: p.Lock,
			Required: slices.Contains(required, r.ID), Help: r.Help, Evidence: r.Evidence, Final: r.Final, Reads: r.Reads, Facts: r.Facts, Error: text(r.Err)}
		for _, q := range r.Queries {
			rule.Queries = append(rule.Queries, Query{q.Name, q.SQL, q.MaxRows, int(q.Timeout.Seconds())})
		}
		l.Rules = append(l.Rules, rule)
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return strings.Join(strings.Fields(err.Error()), " ")
}

// Err is the remark that a listing ends with, or nil: a plugin or a rule that cannot be run.
func (l Listing) Err() error {
	bad := slices.ContainsFunc(l.Plugins, func(p Plugin) bool { return p.Error != "" }) ||
		slices.ContainsFunc(l.Rules, func(r Rule) bool { return r.Error != "" })
	switch {
	case l.refusal != nil:
		return manifest.Errorf(manifest.Remarks, "no plugin was started: %w", l.refusal).WithHint("%s", manifest.HintOf(l.refusal))
	case l.Folder == "":
		return manifest.Errorf(manifest.Remarks, "there are no plugins at %s", l.lacks).WithHint("name their folder with --plugins DIR or OMT_PLUGINS")
	case bad:
		return manifest.Errorf(manifest.Remarks, "not everything that lies in %q can be run", l.Folder).
			WithHint("the last lines of the table say what and why")
	}
	return nil
}

// Find returns the rule of an id.
func (l Listing) Find(id string) (Rule, error) {
	i := slices.IndexFunc(l.Rules, func(r Rule) bool { return r.ID == id })
	if i < 0 {
		return Rule{}, manifest.Errorf(manifest.Usage, "there is no rule %q", id).
			WithHint("omt-scan rules lists them; it looked at %s", cmp.Or(l.Folder, l.lacks))
	}
	return l.Rules[i], nil
}

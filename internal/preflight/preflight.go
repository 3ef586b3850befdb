package preflight

import (
	"context"
	"log/slog"
	"time"

	"github.com/openomt/omt/internal/manifest"
)

// Options are how plugins are found and run. Zero limits stand for the defaults.
type Options struct {
	Dir  string // the folder of plugins; it must exist
	Tool string // "omt-scan 0.1.0"
	Now  func() time.Time
	Log  *slog.Logger

	StartTimeout time.Duration // for a plugin to say what it holds: 10 s
	RuleTimeout  time.Duration // of a rule's own time in a run: 60 s
	MaxFindings  int           // of one rule, then one that counts the rest: 1000
}

// Plugin is a plugin that was found.
type Plugin struct {
	File    string // relative to the folder
	Name    string // empty where it could not be asked
	Version string
	SDK     string
	Lock    LockState
	Rules   []Rule
	Err     error // why it takes no part; nil where it does
}

// Rule is a rule of a plugin.
type Rule struct {
	ID, Title, Help, Evidence string
	Severity                  manifest.Severity
	Final                     string // why its findings cannot be waived; empty: they can
	Reads, Facts              []string
	Queries                   []Query
	Plugin                    string // "crm 0.1.0"
	Err                       error  // why it cannot be run: a query that is no SELECT, an id that another plugin has
}

// Query is one SELECT that a rule wants to be asked.
type Query struct {
	Name    string // "<rule>.<query>", the name of its facts
	SQL     string // with tables as {associate}
	MaxRows int
	Timeout time.Duration
}

// LockState says how a file of the plugin folder stands to the lock file.
type LockState string

// The states.
const (
	Locked   LockState = "locked"   // as its entry says
	Unlocked LockState = "unlocked" // no entry
	Changed  LockState = "changed"  // not as its entry says
)

// Host runs plugins. Close ends them.
type Host struct{}

// Open checks the folder against its lock file and starts every plugin in it. A file that differs from its entry or has
// none is an error of status Refused; a plugin that does not start is not an error: its Err says why, and rules that only
// it holds are not run.
func Open(ctx context.Context, o Options) (*Host, error) { panic("not written") }

// Plugins are the plugins found, by file name.
func (h *Host) Plugins() []Plugin { panic("not written") }

// Rules are the rules of all plugins, by plugin and in its order.
func (h *Host) Rules() []Rule { panic("not written") }

// Queries are the queries of the rules that can be run.
func (h *Host) Queries() []Query { panic("not written") }

// Begin starts a run of all rules over one manifest.
func (h *Host) Begin(ctx context.Context) (*Session, error) { panic("not written") }

// Close ends all plugins.
func (h *Host) Close() {}

// Session is one run of the rules. It is fed by one goroutine.
type Session struct{}

// Observe takes one record of the manifest: its line and, where it was not copied, the record. It does not keep the line.
// It is what manifest.Writer.Observe is given. It waits while plugins are busy; its error is that of the context.
func (s *Session) Observe(l manifest.Line, rec manifest.Record) error { panic("not written") }

// Finish tells the rules that this was all, waits for them, and returns a check for every rule and what they found, in
// the order of Rules. A rule that did not complete has a check of another status than done and no findings. The error is
// that of the context.
func (s *Session) Finish(ctx context.Context) ([]manifest.Check, []manifest.Finding, error) {
	panic("not written")
}

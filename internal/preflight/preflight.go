package preflight

import (
	"log/slog"
	"time"

	"github.com/openomt/omt/internal/manifest"
)

// Options are how plugins are found and run. Zero limits stand for the defaults.
type Options struct {
	Dir   string // the folder of plugins; it must exist
	Given bool   // Dir was named on the command line or in the environment: hints repeat it
	Tool  string // "omt-scan 0.1.0"
	Now   func() time.Time
	Log   *slog.Logger // nil: nothing is logged

	// CheckQuery tells why a query of a rule cannot be run; nil: every query can.
	CheckQuery func(sql string) error
	// Reserved are ids of rules with the names of the plugins that may hold them; no plugin may hold one without names.
	Reserved map[string][]string

	StartTimeout time.Duration // for a plugin to say what it holds: 30 s
	RuleTimeout  time.Duration // of a rule's own time in a run (see the package comment): 60 s
	MaxFindings  int           // of one rule, then one that counts the rest: 1000
}

// The defaults of Options.
const (
	defaultStart    = 30 * time.Second
	defaultTime     = 60 * time.Second
	defaultFindings = 1000
)

func (o *Options) complete() {
	if o.StartTimeout <= 0 {
		o.StartTimeout = defaultStart
	}
	if o.RuleTimeout <= 0 {
		o.RuleTimeout = defaultTime
	}
	if o.MaxFindings <= 0 {
		o.MaxFindings = defaultFindings
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
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

	foreign bool // the id belongs to another plugin or to the tools: there is no check of this one
}

// Query is one SELECT that a rule wants to be asked.
type Query struct {
	Name    string // "<rule>.<query>", the name of its facts
	SQL     string // with tables as {associate}
	MaxRows int
	Timeout time.Duration
}

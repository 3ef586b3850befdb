package preflight

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/preflight/wire"
	pb "github.com/openomt/omt/plugins/sdk/proto"
)

// What a plugin may say of itself, and the limits of queries.
const (
	maxName    = 64
	maxHelp    = 10_000
	maxRules   = 1000
	maxSQL     = 64 << 10
	maxRows    = 100_000
	rowsUnset  = 10_000
	maxWait    = 5 * time.Minute
	waitUnset  = 30 * time.Second
	ownPlugin  = "omt" // what the tools report themselves stands under this name
	maxVersion = 64
)

// name reports whether a name of a plugin, a rule or a query has the form that is asked for.
func name(s string) bool {
	return s != "" && len(s) <= maxName && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == "" && s[0] != '-'
}

// identify fills in what a plugin says of itself, all but its rules.
func identify(p *Plugin, says *pb.DescribeResponse, earlier []Plugin) error {
	if !name(says.Name) || says.Name == ownPlugin {
		return fmt.Errorf("it calls itself %q; a name has a-z, 0-9 and -, and is not %q", wire.Line(says.Name, maxName), ownPlugin)
	}
	if says.Version == "" || len(says.Version) > maxVersion || strings.IndexFunc(says.Version, notInVersion) >= 0 {
		return fmt.Errorf("its version is %q; it must be one word", wire.Line(says.Version, maxVersion))
	}
	p.Name, p.Version, p.SDK = says.Name, says.Version, wire.Line(says.Sdk, maxName)
	for _, e := range earlier {
		if e.Name == p.Name && e.Err == nil {
			return fmt.Errorf("it calls itself %q, as %q does", p.Name, e.File)
		}
	}
	if len(says.Rules) > maxRules {
		return fmt.Errorf("it has %d rules; at most %d are taken", len(says.Rules), maxRules)
	}
	return nil
}

func notInVersion(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }

// holders tell which plugin has an id.
type holders struct {
	by       map[string]string // id: file of the plugin that has it
	reserved map[string][]string
}

// take makes a rule of what a plugin says, with why it cannot be run in Err.
func (h holders) take(p *Plugin, says *pb.Rule, check func(sql string) error) Rule {
	r := Rule{
		ID: wire.Line(says.GetId(), maxName), Title: wire.Line(says.GetTitle(), wire.MaxMessage), Help: help(says.GetHelp()),
		Evidence: wire.Line(says.GetEvidence(), wire.MaxMessage), Final: wire.Line(says.GetFinal(), wire.MaxMessage),
		Plugin: p.Name + " " + p.Version, Facts: says.GetFacts(), Reads: says.GetReads(),
	}
	severity, known := wire.Severity(says.GetSeverity())
	r.Severity = severity
	r.Queries, r.Err = queries(r.ID, says.GetQueries(), check)
	switch owner, taken := h.by[r.ID]; {
	case !name(says.GetId()):
		r.Err, r.foreign = errors.New("its id is not made of a-z, 0-9 and -"), true
	case taken:
		r.Err, r.foreign = fmt.Errorf("plugin %q has a rule of this id already", owner), true
	case !h.free(r.ID, p.Name):
		r.Err, r.foreign = errors.New("the id is one of omt's own"), true
	default:
		h.by[r.ID] = p.File
		if !known || severity == "" {
			r.Severity = manifest.SeverityError
			r.Err = errors.New("it names no severity that is known")
		}
		if err := reads(r.Reads); err != nil {
			r.Err = err
		}
	}
	return r
}

// free reports whether a plugin may hold an id.
func (h holders) free(id, plugin string) bool {
	may, reserved := h.reserved[id]
	return !reserved || slices.Contains(may, plugin)
}

func reads(kinds []string) error {
	for _, k := range kinds {
		if k == string(manifest.KindFact) {
			return errors.New("it reads all facts; facts are read by name")
		}
		if !wire.Sent(manifest.Kind(k)) {
			return fmt.Errorf("it reads records of kind %q, which is not known here", wire.Line(k, maxName))
		}
	}
	return nil
}

// queries are the queries of a rule with their limits.
func queries(rule string, says []*pb.Query, check func(sql string) error) ([]Query, error) {
	var all []Query
	for _, q := range says {
		limit := time.Duration(q.GetTimeoutMs()) * time.Millisecond
		full := rule + "." + q.GetName()
		switch {
		case !name(q.GetName()) || slices.ContainsFunc(all, func(o Query) bool { return o.Name == full }):
			return nil, fmt.Errorf("the name of its query %q is not made of a-z, 0-9 and -, or it has two of that name",
				wire.Line(q.GetName(), maxName))
		case q.GetMaxRows() < 0 || q.GetMaxRows() > maxRows || limit < 0 || limit > maxWait:
			return nil, fmt.Errorf("its query %s wants %d rows and %s; at most %d rows and %s are given", q.GetName(), q.GetMaxRows(),
				limit, maxRows, maxWait)
		case len(q.GetSql()) > maxSQL:
			return nil, fmt.Errorf("its query %s has %d bytes; at most %d are taken", q.GetName(), len(q.GetSql()), maxSQL)
		}
		if check != nil {
			if err := check(q.GetSql()); err != nil {
				return nil, fmt.Errorf("its query %s cannot be asked: %w", q.GetName(), err)
			}
		}
		one := Query{Name: full, SQL: q.GetSql(), MaxRows: int(q.GetMaxRows()), Timeout: limit}
		if one.MaxRows == 0 {
			one.MaxRows = rowsUnset
		}
		if one.Timeout == 0 {
			one.Timeout = waitUnset
		}
		all = append(all, one)
	}
	return all, nil
}

// help keeps the lines of a text.
func help(s string) string {
	if len(s) > maxHelp {
		s = strings.ToValidUTF8(s[:maxHelp], "")
	}
	var lines []string
	for line := range strings.Lines(s) {
		lines = append(lines, wire.Line(line, maxHelp))
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}

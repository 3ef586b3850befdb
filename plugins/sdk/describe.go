package sdk

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/openomt/omt/internal/preflight/wire"
	"github.com/openomt/omt/plugins/sdk/proto"
)

// server answers the host.
type server struct {
	proto.UnimplementedRulesServer
	plugin Plugin
	rules  map[string]*Rule
	log    func(format string, args ...any)
}

func newServer(p Plugin, log func(string, ...any)) *server {
	s := &server{plugin: p, rules: make(map[string]*Rule, len(p.Rules)), log: log}
	for i := range p.Rules {
		s.rules[p.Rules[i].ID] = &p.Rules[i]
	}
	return s
}

// Describe implements proto.RulesServer.
func (s *server) Describe(context.Context, *proto.DescribeRequest) (*proto.DescribeResponse, error) {
	d := &proto.DescribeResponse{Name: s.plugin.Name, Version: s.plugin.version(), Sdk: fmt.Sprintf("go %d", wire.Version)}
	for i := range s.plugin.Rules {
		r := &s.plugin.Rules[i]
		m := &proto.Rule{Id: r.ID, Title: r.Title, Help: r.Help, Severity: severity(r.Severity), Evidence: r.Evidence,
			Final: r.Final, Reads: r.Reads, Facts: r.Facts}
		for _, q := range r.Queries {
			m.Queries = append(m.Queries, &proto.Query{Name: q.Name, Sql: q.SQL, MaxRows: int32(q.MaxRows),
				TimeoutMs: int32(q.Timeout / time.Millisecond)})
		}
		d.Rules = append(d.Rules, m)
	}
	return d, nil
}

// version is the plugin's own, or that of the module it was built from.
func (p Plugin) version() string {
	if p.Version != "" {
		return p.Version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

func severity(s Severity) proto.Severity {
	switch s {
	case Error:
		return proto.Severity_SEVERITY_ERROR
	case Warning:
		return proto.Severity_SEVERITY_WARNING
	case Info:
		return proto.Severity_SEVERITY_INFO
	}
	return proto.Severity_SEVERITY_UNSPECIFIED
}

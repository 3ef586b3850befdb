package sdk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/openomt/omt/internal/preflight/wire"
	"github.com/openomt/omt/plugins/sdk/proto"
)

// maxMessage is the largest message that a plugin takes. A host sends batches of about 1 MiB, and larger ones where a
// single record is.
const maxMessage = 20 << 20

// service registers the rules with go-plugin.
type service struct {
	plugin.NetRPCUnsupportedPlugin
	server *server
}

// GRPCServer implements plugin.GRPCPlugin.
func (s *service) GRPCServer(_ *plugin.GRPCBroker, g *grpc.Server) error {
	proto.RegisterRulesServer(g, s.server)
	return nil
}

// GRPCClient implements plugin.GRPCPlugin. A plugin is no host.
func (*service) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errors.New("package sdk is for plugins")
}

// config is what go-plugin is to serve. end is called when no host is there any more.
func config(p Plugin, log func(string, ...any), end func(*grpc.Server)) *plugin.ServeConfig {
	return &plugin.ServeConfig{
		HandshakeConfig: wire.Handshake(),
		Plugins:         plugin.PluginSet{wire.Service: &service{server: newServer(p, log)}},
		GRPCServer: func(opts []grpc.ServerOption) *grpc.Server {
			var g *grpc.Server
			ready := make(chan struct{})
			w := newWatch(waitFirst, waitNext, func() { <-ready; end(g) })
			g = grpc.NewServer(append(opts, grpc.MaxRecvMsgSize(maxMessage), grpc.StatsHandler(w))...)
			close(ready)
			return g
		},
	}
}

// introduce tells somebody who started a plugin by hand what it is.
func introduce(w io.Writer, p Plugin) {
	fmt.Fprintf(w, "%s %s is a plugin of OMT. It holds rules that omt-scan, omt-assign and omt-pack run:\n\n", p.Name, p.version())
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, r := range p.Rules {
		fmt.Fprintf(t, "  %s\t%s\n", r.ID, r.Title)
	}
	_ = t.Flush() // somebody reads it, or nobody
	fmt.Fprint(w, "\nTo have them run, put this file into the folder \"plugins\" beside omt-scan, or into the one that --plugins or\n"+
		"OMT_PLUGINS names, and say that you trust it:\n\n  omt-scan rules --lock\n")
}

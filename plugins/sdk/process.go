package sdk

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"time"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/openomt/omt/internal/preflight/wire"
)

// hostOutput is the standard output that the host reads the handshake from. It is taken when the program starts, before
// anything else of it runs that could print there; what is printed goes to standard error. It is nil in a program that no
// host started.
var hostOutput = takeOutput()

func takeOutput() *os.File {
	if !hosted() {
		return nil
	}
	out := os.Stdout
	os.Stdout = os.Stderr
	return out
}

// hosted says whether a host started this process.
func hosted() bool {
	h := wire.Handshake()
	return os.Getenv(h.MagicCookieKey) == h.MagicCookieValue
}

// Serve serves the rules of a plugin to the host that started the process, and does not return. It is all that main does.
//
// Standard output belongs to the handshake: what rules print there, or to standard error, reaches the host's log. A plugin
// ends when its host asks it to, one second after the host's last connection ended, and after half a minute without any.
// Started by hand it says what it is and how it is installed. A plugin that is not valid is not served (Plugin.Validate).
func Serve(p Plugin) {
	if err := p.Validate(); err != nil {
		fmt.Fprintf(os.Stderr, "the plugin is not valid:\n%v\n", err)
		os.Exit(1)
	}
	if !hosted() {
		introduce(os.Stderr, p)
		os.Exit(1)
	}
	r, w, err := os.Pipe()
	if err != nil {
		fmt.Fprintf(os.Stderr, "making a pipe for the handshake: %v\n", err)
		os.Exit(1)
	}
	go passHandshake(r, hostOutput, os.Stderr)
	os.Stdout = w
	plugin.Serve(config(p, logf, end))
	os.Exit(0)
}

// end ends the process, by way of the server so that its socket is removed.
func end(g *grpc.Server) {
	time.AfterFunc(waitNext, func() { os.Exit(1) })
	g.Stop()
}

// logf writes to what is standard error now: go-plugin replaces it.
func logf(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

// handshake is the line that go-plugin prints.
var handshake = regexp.MustCompile(`1\|[0-9]+\|(?:unix|tcp)\|[^|]+\|grpc\|`)

// passHandshake passes go-plugin's line on to the host, and all else to rest.
func passHandshake(from io.Reader, host, rest io.Writer) {
	lines := bufio.NewReader(from)
	for {
		line, err := lines.ReadString('\n')
		at := handshake.FindStringIndex(line)
		switch {
		case at != nil && host != nil:
			fmt.Fprint(rest, line[:at[0]])
			fmt.Fprint(host, line[at[0]:])
			host = nil
		default:
			fmt.Fprint(rest, line)
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				fmt.Fprintf(rest, "reading standard output: %v\n", err)
			}
			return
		}
	}
}

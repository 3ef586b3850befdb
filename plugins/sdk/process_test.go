package sdk

import (
	"strings"
	"testing"
)

// TestPassHandshake: only go-plugin's line reaches the host.
func TestPassHandshake(t *testing.T) {
	const line = "1|1|unix|/tmp/plugin1|grpc|"
	for name, c := range map[string]struct{ in, host, rest string }{
		"alone":              {line + "\n", line + "\n", ""},
		"with a certificate": {line + "MIIB\n", line + "MIIB\n", ""},
		"behind others":      {"starting\n1|2|3\n" + line + "\nmore\n", line + "\n", "starting\n1|2|3\nmore\n"},
		"in a line":          {"loading… " + line + "\n", line + "\n", "loading… "},
		"once":               {line + "\n" + line + "\n", line + "\n", line + "\n"},
		"none":               {"hello", "", "hello"},
	} {
		var host, rest strings.Builder
		passHandshake(strings.NewReader(c.in), &host, &rest)
		if host.String() != c.host || rest.String() != c.rest {
			t.Errorf("%s: the host got %q, the rest is %q", name, host.String(), rest.String())
		}
	}
}

package e2e

import (
	"net"
	"strings"
	"testing"
)

// Reports, the summary that is sent and the proofs that are kept hold no secret, wherever it is taken from: the mail server's
// password from its URL in a file, on the command line or in the environment, and whatever the server answers.
func TestSecretsOfReports(t *testing.T) {
	t.Parallel()
	b, w := fresh(t)
	copyTree(t, b.path("dest"), w.path("dest"))
	w.want(0, "omt-pack", "verify", "--from", "dest")
	for _, name := range []string{"report.html", "report.csv", "report.json"} {
		w.want(0, "omt-push", "report", "--to", "dest", "--out", name)
		if !w.has(name) {
			t.Fatalf("no %s was written, so this shows nothing", name)
		}
	}
	const word = "word-of-a-mail-server-4714"
	w.hide(word)
	refusing := echoes(t)
	w.write([]byte("smtp://karl:"+word+"@"+refusing+"?tls=none\n"), "mail.url")
	for what, args := range map[string][]string{
		"in a file":             {"--smtp", "@mail.url"},
		"on the command line":   {"--smtp", "smtp://karl:" + word + "@" + refusing + "?tls=none"},
		"in the environment":    {"--smtp", "smtp://karl@" + refusing + "?tls=none"},
		"where nobody is":       {"--smtp", "smtp://karl:" + word + "@127.0.0.1:1"},
		"of a URL that is none": {"--smtp", "smtp://karl:" + word + "@127.0.0.1:x"},
	} {
		r := w.run(append([]string{"omt-push", "report", "--to", "dest", "--out", "sent.html"}, args...)...)
		if r.status == 0 && !strings.Contains(r.err, "summary") {
			t.Errorf("%s: it says that all is well: %s", what, r)
		}
	}
}

// echoes is a mail server that refuses everybody and says again what it was sent.
func echoes(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				c.Write([]byte("220 here\r\n"))
				b := make([]byte, 4096)
				for {
					n, err := c.Read(b)
					if err != nil {
						return
					}
					said := strings.TrimSpace(string(b[:n]))
					if strings.HasPrefix(said, "EHLO") {
						c.Write([]byte("250-here\r\n250 AUTH PLAIN LOGIN\r\n"))
						continue
					}
					c.Write([]byte("535 no: " + said + "\r\n"))
				}
			}()
		}
	}()
	return l.Addr().String()
}

package mssql

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"

	mssqldb "github.com/microsoft/go-mssqldb"

	"github.com/openomt/omt/internal/manifest"
)

// explain says why no connection was made, and what to do. name is the database for messages.
func (e *connectError) explain(name string) error {
	var se mssqldb.Error
	var ee *entraError
	switch {
	case e.attempt.tooOld():
		return e.fail(manifest.Usage, name, "%s is older than SQL Server 2005 (version %s), which cannot be read", e.at(), e.version())(
			"restore a backup of the database on a newer server and give that with --db")
	case errors.As(e.err, &se):
		return explainServer("connecting to", name, se)
	case errors.As(e.err, &ee):
		return e.fail(manifest.Usage, name, "the login by Entra ID failed: %s", shortened(ee))(
			"%s", entraHint)
	}
	answer, replied, foreign := e.attempt.reply()
	switch stage := e.attempt.stage(); {
	case stage == calling:
		return e.explainCall(name)
	case foreign:
		return e.fail(manifest.Failed, name, "what answers at %s does not speak SQL Server's protocol", e.at())(
			"check the port: it is another program's")
	case stage == greeting && !replied:
		return e.explainGreeting(name)
	case stage == securing || strings.Contains(e.err.Error(), "TLS Handshake failed"):
		return e.explainTLS(name, answer)
	case stage == greeting:
		return e.explainAnswer(name, answer)
	}
	return e.explainLogin(name, answer)
}

const entraHint = "check fedauth, the login and its secret, and that the account is a user of the database: CREATE USER [NAME] FROM EXTERNAL PROVIDER"

// fail begins an error; the function that it returns adds the hint.
func (e *connectError) fail(s manifest.Status, name, format string, args ...any) func(hint string, args ...any) error {
	text := fmt.Sprintf("connecting to database %q: ", name) + fmt.Sprintf(format, args...)
	return func(hint string, args ...any) error {
		return &manifest.Error{Status: s, Err: &explained{text, e.err}, Hint: fmt.Sprintf(hint, args...)}
	}
}

// explained is an error in our words with the driver's as its cause.
type explained struct {
	text  string
	cause error
}

// Error returns the text.
func (e *explained) Error() string { return e.text }

// Unwrap returns the driver's error.
func (e *explained) Unwrap() error { return e.cause }

// at names the server, and the addresses that were called where those are others.
func (e *connectError) at() string {
	e.attempt.mu.Lock()
	defer e.attempt.mu.Unlock()
	name := e.to.server
	if len(e.attempt.tried) == 0 || slices.Equal(e.attempt.tried, []string{name}) {
		return fmt.Sprintf("%q", name)
	}
	return fmt.Sprintf("%q (%s)", name, strings.Join(e.attempt.tried, ", "))
}

// explainCall is about a server that was not reached.
func (e *connectError) explainCall(name string) error {
	a := e.attempt
	var dns *net.DNSError
	isDNS := errors.As(e.err, &dns) || errors.As(a.browserErr, &dns)
	switch host := e.to.cfg.Host; {
	case isDNS && dns.IsNotFound:
		return e.fail(manifest.Failed, name, "the host name %q is not known", host)(
			"check the name in the URL; if it is right, this machine's name server does not know it: give the full name (sql1.example.com) or the IP address")
	case isDNS:
		return e.fail(manifest.Failed, name, "the host name %q cannot be looked up: %v", host, dns)("check this machine's network and name server")
	case a.browser != "" && len(a.tried) == 0 && a.answered:
		return e.fail(manifest.Usage, name, "SQL Server Browser on %q knows no instance %q that takes TCP/IP; it names %s", host, e.to.cfg.Instance, listed(a.known))(
			"check the instance's name; that TCP/IP is switched on for it stands in SQL Server Configuration Manager; or give the port: %s", portHint(e.to))
	case a.browser != "" && len(a.tried) == 0:
		return e.fail(manifest.Failed, name, "the port of the instance %q is not known: SQL Server Browser on %q does not answer (UDP port 1434)", e.to.cfg.Instance, host)(
			"give the port: %s; it stands in SQL Server Configuration Manager under TCP/IP, IP Addresses, and in the server's error log", portHint(e.to))
	case callRefused(e.err):
		return e.fail(manifest.Failed, name, "%s refused the connection: nothing listens there", e.at())(
			"check that SQL Server runs and that TCP/IP is switched on in SQL Server Configuration Manager, and the port in the URL (1433 where it names none)")
	case timedOut(e.err):
		return e.fail(manifest.Failed, name, "%s did not answer within %s", e.at(), e.to.cfg.DialTimeout)(
			"check host and port, and that every firewall between lets TCP through to it")
	}
	if hungUp(e.err) {
		return e.explainGreeting(name)
	}
	return e.fail(manifest.Failed, name, "%s cannot be reached: %v", e.at(), e.err)("check host, port and firewall")
}

// portHint is the URL with the port in place of the instance.
func portHint(t target) string {
	return fmt.Sprintf("sqlserver://LOGIN@%s:PORT?database=%s", t.cfg.Host, t.cfg.Database)
}

func listed(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return quoteAll(names)
}

func quoteAll(names []string) string {
	q := make([]string, len(names))
	for i, n := range names {
		q[i] = fmt.Sprintf("%q", n)
	}
	return strings.Join(q, ", ")
}

// explainGreeting is about a server that took the call and did not answer the first packet.
func (e *connectError) explainGreeting(name string) error {
	if timedOut(e.err) {
		return e.fail(manifest.Failed, name, "%s took the call and said nothing for %s", e.at(), e.limit)(
			"it is another program's port, a server that hangs, or a firewall that takes calls in its place")
	}
	return e.fail(manifest.Failed, name, "%s closed the connection at once", e.at())(
		"it is another program's port, or a server that takes strict encryption alone (add encrypt=strict to the URL), or one that lets no more connections in")
}

// explainAnswer is about a server whose first answer ends the talk.
func (e *connectError) explainAnswer(name string, a prelogin) error {
	switch text := e.err.Error(); {
	case strings.Contains(text, "does not support encryption"):
		return e.fail(manifest.Usage, name, "%s%s does not encrypt, and the URL asks for it", e.at(), e.product(a))(
			"add encrypt=disable to the URL; %s", costDisable)
	case strings.Contains(text, "federated authentication is not supported"):
		return e.fail(manifest.Usage, name, "%s%s knows no login by Entra ID", e.at(), e.product(a))("take fedauth out of the URL and give a login of SQL Server or of Windows")
	}
	return e.explainLogin(name, a)
}

// explainLogin is about a login that broke without a word of the server.
func (e *connectError) explainLogin(name string, a prelogin) error {
	switch {
	case timedOut(e.err):
		return e.fail(manifest.Failed, name, "%s%s did not end the login within %s", e.at(), e.product(a), e.limit)("%s", loginHint(a))
	case hungUp(e.err):
		return e.fail(manifest.Failed, name, "%s%s closed the connection during the login", e.at(), e.product(a))("%s", loginHint(a))
	}
	return e.fail(manifest.Failed, name, "%s: the login failed: %v", e.at(), e.err)(
		"check the login's parameters in the URL; a login of Windows needs a name that the domain knows for the server (ServerSPN=MSSQLSvc/HOST:PORT)")
}

// loginHint: SQL Server 2008 and 2008 R2 without their service packs fail on logins that come in more than one TLS
// record, as the driver's documentation and Microsoft's KB2653857 say.
func loginHint(a prelogin) string {
	if a.major == 10 {
		return "SQL Server 2008 needs Service Pack 3, and 2008 R2 Service Pack 2, to take an encrypted login; without them add encrypt=disable to the URL; " + costDisable
	}
	return "the server's error log says why; it may be a logon trigger, memory, or a device between that looks into connections"
}

// product names the server's version, if it told.
func (e *connectError) product(a prelogin) string {
	if a.major == 0 {
		return ""
	}
	return " (SQL Server " + productName(a) + ")"
}

func (e *connectError) version() string {
	a, _, _ := e.attempt.reply()
	return productName(a)
}

// productName is the year of a version, as Microsoft's documentation has it, else the number.
func productName(a prelogin) string {
	years := map[byte]string{9: "2005", 11: "2012", 12: "2014", 13: "2016", 14: "2017", 15: "2019", 16: "2022", 17: "2025"}
	switch year := years[a.major]; {
	case a.major == 10 && a.minor >= 50:
		return "2008 R2"
	case a.major == 10:
		return "2008"
	case year != "":
		return year
	}
	return fmt.Sprintf("%d.%d.%d", a.major, a.minor, a.build)
}

// callRefused tells a refused call: by its number on Unix, and by WSAECONNREFUSED on Windows.
func callRefused(err error) bool {
	const wsaRefused = syscall.Errno(10061)
	var e syscall.Errno
	return errors.As(err, &e) && (e == syscall.ECONNREFUSED || e == wsaRefused)
}

// timedOut tells a time limit. The driver passes on some errors as text.
func timedOut(err error) bool {
	var ne net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &ne) && ne.Timeout() || strings.Contains(err.Error(), "i/o timeout")
}

// hungUp tells a connection that the other side ended, by EOF or reset.
func hungUp(err error) bool {
	text := err.Error()
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		slices.ContainsFunc([]string{"EOF", "connection reset", "broken pipe", "forcibly closed", "connection was aborted"},
			func(s string) bool { return strings.Contains(text, s) })
}

// shortened is the first lines of an error that may have many.
func shortened(err error) string {
	const most = 400
	text := strings.Join(strings.Fields(err.Error()), " ")
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

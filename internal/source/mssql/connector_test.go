package mssql

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	mssqldb "github.com/microsoft/go-mssqldb"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

// ask opens a URL and asks the first question, whose error it returns.
func ask(t *testing.T, rawURL string) error {
	t.Helper()
	return askWith(t, rawURL, odd)
}

func askWith(t *testing.T, rawURL, password string) error {
	t.Helper()
	d, err := Open(rawURL, password)
	if err != nil {
		t.Fatalf("%s: %v", rawURL, err)
	}
	defer d.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	_, err = source.New(ctx, d, "")
	if err == nil {
		t.Fatalf("%s: no error", rawURL)
	}
	if text := err.Error() + manifest.HintOf(err); strings.Contains(text, odd) {
		t.Errorf("the password is in %q", text)
	}
	return err
}

// says checks an error's status, and parts of its text and of its hint.
func says(t *testing.T, err error, status manifest.Status, text, hint []string) {
	t.Helper()
	if got := manifest.StatusOf(err); got != status {
		t.Errorf("status %d, want %d: %v", got, status, err)
	}
	for _, p := range text {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("%q lacks %q", err, p)
		}
	}
	for _, p := range hint {
		if !strings.Contains(manifest.HintOf(err), p) {
			t.Errorf("hint %q lacks %q", manifest.HintOf(err), p)
		}
	}
}

// Opening asks nothing of the network; the first question tells what is wrong.
func TestRefusedCall(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	d, err := Open("sqlserver://sa@"+addr+"?database=crm&dial+timeout=2", "secret")
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	_, err = source.New(t.Context(), d, "")
	says(t, err, manifest.Failed, []string{`connecting to database "127.0.0.1/crm": "` + addr + `" refused the connection`}, []string{"TCP/IP is switched on"})
	if _, err = d.Begin(t.Context()); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("Begin: %v", err)
	}
	if d.Engine() != "mssql" || d.URL() != "sqlserver://"+addr+"?database=crm&dial+timeout=2" {
		t.Errorf("%s, %s", d.Engine(), d.URL())
	}
}

func TestUnknownHost(t *testing.T) {
	err := ask(t, "sqlserver://omt@no-such-host.invalid?database=crm&dial+timeout=5")
	if strings.Contains(err.Error(), "cannot be looked up") {
		t.Skipf("SKIPPED: this machine has no name server: %v", err)
	}
	says(t, err, manifest.Failed, []string{`the host name "no-such-host.invalid" is not known`}, []string{"full name"})
}

// What the driver says of calls that fail, as it says it.
func TestExplainCalls(t *testing.T) {
	op := func(err error) error {
		return errors.Join(errors.New("unable to open tcp connection with host 'sql1:1433'"), &net.OpError{Op: "dial", Net: "tcp", Err: err})
	}
	for name, c := range map[string]struct {
		err     error
		attempt *attempt
		url     string
		text    []string
		hint    []string
	}{
		"timed out": {err: op(os.ErrDeadlineExceeded), attempt: &attempt{tried: []string{"10.0.0.5:1433", "10.0.1.5:1433"}},
			text: []string{`"sql1" (10.0.0.5:1433, 10.0.1.5:1433) did not answer within 15s`}, hint: []string{"firewall"}},
		"refused on windows": {err: op(syscall.Errno(10061)), attempt: &attempt{tried: []string{"10.0.0.5:1433"}}, text: []string{"(10.0.0.5:1433) refused the connection"}},
		"no route":           {err: op(syscall.EHOSTUNREACH), attempt: &attempt{}, text: []string{`"sql1" cannot be reached`, "no route to host"}, hint: []string{"firewall"}},
		"no name server": {err: &net.DNSError{Err: "server misbehaving", Name: "sql1", IsTemporary: true}, attempt: &attempt{},
			text: []string{`the host name "sql1" cannot be looked up`, "server misbehaving"}, hint: []string{"name server"}},
		"a name that is not known": {err: &net.DNSError{Err: "no such host", Name: "sql1", IsNotFound: true}, attempt: &attempt{}, text: []string{`the host name "sql1" is not known`}},
		"no browser": {url: "sqlserver://omt@sql1/CRM?database=crm", err: errors.New("no instance matching 'CRM' returned from host 'sql1'"), attempt: &attempt{browser: "sql1:1434"},
			text: []string{`the port of the instance "CRM" is not known`, `SQL Server Browser on "sql1" does not answer (UDP port 1434)`}, hint: []string{"sqlserver://LOGIN@sql1:PORT?database=crm", "Configuration Manager"}},
		"a browser on a host that is not known": {url: "sqlserver://omt@sql1/CRM?database=crm", err: errors.New("no instance matching 'CRM' returned from host 'sql1'"),
			attempt: &attempt{browser: "sql1:1434", browserErr: &net.DNSError{Err: "no such host", Name: "sql1", IsNotFound: true}}, text: []string{`the host name "sql1" is not known`}},
		"another instance": {url: "sqlserver://omt@sql1/CRM?database=crm", err: errors.New("no instance matching 'CRM' returned from host 'sql1'"),
			attempt: &attempt{browser: "sql1:1434", answered: true, known: []string{"MSSQLSERVER", "ERP"}},
			text:    []string{`knows no instance "CRM" that takes TCP/IP; it names "MSSQLSERVER", "ERP"`}, hint: []string{"sqlserver://LOGIN@sql1:PORT"}},
	} {
		t.Run(name, func(t *testing.T) {
			u := c.url
			if u == "" {
				u = "sqlserver://omt@sql1?database=crm"
			}
			to, err := parseURL(u, odd, "linux")
			if err != nil {
				t.Fatal(err)
			}
			err = (&Driver{name: "sql1/crm"}).explain("reading from", &connectError{to: to, attempt: c.attempt, limit: time.Minute, err: c.err})
			if !strings.HasPrefix(err.Error(), `connecting to database "sql1/crm": `) {
				t.Errorf("%v", err)
			}
			if !errors.Is(err, c.err) {
				t.Error("the cause is lost")
			}
			status := manifest.Failed
			if name == "another instance" {
				status = manifest.Usage
			}
			says(t, err, status, c.text, c.hint)
		})
	}
}

// A named instance is asked for at UDP port 1434 of its host; on this machine nobody answers there.
func TestNoBrowser(t *testing.T) {
	c, err := net.ListenPacket("udp", "127.0.0.1:1434")
	if err != nil {
		t.Skipf("SKIPPED: %v", err)
	}
	defer c.Close()
	err = ask(t, "sqlserver://omt@127.0.0.1/CRM?database=crm&dial+timeout=1")
	says(t, err, manifest.Failed, []string{`the port of the instance "CRM" is not known`, "UDP port 1434"}, []string{"sqlserver://LOGIN@127.0.0.1:PORT?database=crm"})

	s := (&fakeServer{encryption: encryptNotSupported, errors: denied}).start(t)
	answer := "\x05\x00\x00ServerName;X;InstanceName;ERP;IsClustered;No;Version;15.0.2000.5;tcp;" + strings.TrimPrefix(s.addr, "127.0.0.1:") + ";;"
	go func() {
		b := make([]byte, 100)
		for {
			_, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			c.WriteTo([]byte(answer), from)
		}
	}()
	err = ask(t, "sqlserver://omt@127.0.0.1/CRM?database=crm&dial+timeout=5&encrypt=disable")
	says(t, err, manifest.Usage, []string{`knows no instance "CRM" that takes TCP/IP; it names "ERP"`}, []string{"PORT"})
	err = ask(t, "sqlserver://omt@127.0.0.1/erp?database=crm&dial+timeout=5&encrypt=disable")
	says(t, err, manifest.Usage, []string{"Login failed for user 'omt'. (error 18456, state 1)"}, nil)
}

// Servers that do not come as far as the login.
func TestBadServers(t *testing.T) {
	hang := func(c net.Conn) { io.Copy(io.Discard, c) }
	end := func(net.Conn) {}
	reset := func(c net.Conn) {
		if tc, ok := c.(*net.TCPConn); ok {
			tc.SetLinger(0)
		}
	}
	for name, c := range map[string]struct {
		server *fakeServer
		hangs  bool
		params string
		status manifest.Status
		text   []string
		hint   []string
	}{
		"closes at once":          {server: &fakeServer{at: map[stage]func(net.Conn){calling: end}}, status: 1, text: []string{"closed the connection at once"}, hint: []string{"encrypt=strict"}},
		"resets at once":          {server: &fakeServer{at: map[stage]func(net.Conn){calling: reset}}, status: 1, text: []string{"closed the connection at once"}, hint: []string{"another program's port"}},
		"says nothing":            {server: &fakeServer{at: map[stage]func(net.Conn){calling: hang}}, hangs: true, status: 1, text: []string{"took the call and said nothing for"}, hint: []string{"firewall"}},
		"another program":         {server: &fakeServer{greeting: func() []byte { return []byte("HTTP/1.1 400 Bad Request\r\n\r\n") }}, status: 1, text: []string{"does not speak SQL Server's protocol"}, hint: []string{"port"}},
		"another program, chatty": {server: &fakeServer{greeting: func() []byte { return append([]byte("SSH-2.0-x\r\n"), make([]byte, 9000)...) }}, status: 1, text: []string{"does not speak SQL Server's protocol"}},
		"damaged greeting":        {server: &fakeServer{greeting: func() []byte { return []byte{4, 1, 0, 14, 0, 0, 1, 0, 0, 0, 60, 0, 9, 255} }}, status: 1, text: []string{"does not speak SQL Server's protocol"}},
		"closes during the login": {server: &fakeServer{encryption: encryptNotSupported, at: map[stage]func(net.Conn){loggingIn: end}}, params: "&encrypt=disable", status: 1,
			text: []string{"(SQL Server 2019) closed the connection during the login"}, hint: []string{"error log"}},
		"resets during the login": {server: &fakeServer{encryption: encryptNotSupported, at: map[stage]func(net.Conn){loggingIn: reset}}, params: "&encrypt=disable", status: 1,
			text: []string{"closed the connection during the login"}},
		"hangs in the login": {server: &fakeServer{encryption: encryptNotSupported, at: map[stage]func(net.Conn){loggingIn: hang}}, params: "&encrypt=disable", hangs: true, status: 1,
			text: []string{"did not end the login within"}},
		"SQL Server 2008 R2 in the login": {server: &fakeServer{version: [6]byte{10, 50, 0x06, 0x40}, encryption: encryptNotSupported, at: map[stage]func(net.Conn){loggingIn: end}}, params: "&encrypt=disable", status: 1,
			text: []string{"(SQL Server 2008 R2) closed"}, hint: []string{"Service Pack 2", "encrypt=disable", "for anyone there to read"}},
		"SQL Server 2000": {server: &fakeServer{version: [6]byte{8, 0, 0x07, 0xF7}, encryption: encryptNotSupported}, params: "&encrypt=disable", status: 2,
			text: []string{"is older than SQL Server 2005 (version 8.0.2039)"}, hint: []string{"newer server"}},
		"SQL Server 2000 that closes": {server: &fakeServer{version: [6]byte{8, 0, 0x07, 0xF7}, encryption: encryptNotSupported, at: map[stage]func(net.Conn){loggingIn: end}}, params: "&encrypt=disable", status: 2,
			text: []string{"is older than SQL Server 2005"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := c.server.start(t)
			d, err := Open(srv.url(c.params), odd)
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			con := connectorOf(t, srv.url(c.params))
			if c.hangs {
				con.waits, con.to.cfg.DialTimeout = time.Second, time.Second
			}
			_, err = con.Connect(t.Context())
			err = d.explain("connecting to", err)
			says(t, err, c.status, c.text, c.hint)
			if !strings.Contains(err.Error(), srv.addr) && !strings.Contains(err.Error(), "older than") {
				t.Errorf("%v does not say where", err)
			}
		})
	}
}

func connectorOf(t *testing.T, rawURL string) *connector {
	t.Helper()
	to, err := parseURL(rawURL, odd, "linux")
	if err != nil {
		t.Fatal(err)
	}
	c, err := newConnector(to, settings{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A login that is granted leaves a connection without a time limit, and its statements are answered.
func TestGranted(t *testing.T) {
	s := (&fakeServer{encryption: encryptNotSupported, batches: []fakeError{{229, 5, "The SELECT permission was denied on the object 'associate'."}}}).start(t)
	con := connectorOf(t, s.url("&encrypt=disable"))
	con.waits, con.to.cfg.DialTimeout = time.Second, time.Second
	c, err := con.Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	time.Sleep(2100 * time.Millisecond) // longer than the login may take
	_, err = c.(*mssqldb.Conn).Prepare("SELECT 1")
	if err != nil {
		t.Fatal(err)
	}
	l := s.last(t)
	if l.user != "omt" || l.password != odd || l.app != "omt" || l.database != "crm" {
		t.Errorf("login %q, password %q, app %q, database %q", l.user, l.password, l.app, l.database)
	}
	err = ask(t, s.url("&encrypt=disable"))
	says(t, err, manifest.Failed, []string{"reading the catalog of", "The SELECT permission was denied", "error 229"}, []string{"needs SELECT", "GRANT SELECT, VIEW DEFINITION ON SCHEMA::"})
}

// An interrupt ends an attempt, whatever the server does, and is told as one.
func TestInterrupted(t *testing.T) {
	s := (&fakeServer{at: map[stage]func(net.Conn){calling: func(c net.Conn) { io.Copy(io.Discard, c) }}}).start(t)
	con := connectorOf(t, s.url(""))
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	if _, err := con.Connect(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestInstanceNames(t *testing.T) {
	for in, want := range map[string][]string{
		"":     nil,
		"\x05": nil,
		"\x05\x10\x00ServerName;A;InstanceName;MSSQLSERVER;tcp;1433;;ServerName;A;InstanceName;CRM;np;x;;": {"MSSQLSERVER", "CRM"},
		"\x05\x10\x00InstanceName": nil,
	} {
		if got := instanceNames([]byte(in)); !slices.Equal(got, want) {
			t.Errorf("%q: %q", in, got)
		}
	}
}

func FuzzReply(f *testing.F) {
	f.Add([]byte{4, 1, 0, 26, 0, 0, 1, 0, 0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 255, 15, 0, 7, 208, 0, 0, 2})
	f.Add([]byte("HTTP/1.1 400 Bad Request"))
	f.Fuzz(func(t *testing.T, b []byte) {
		a := &attempt{current: &watched{heard: b}}
		r, ok, foreign := a.reply()
		if ok && foreign || ok && len(b) < 8 || a.tooOld() && r.major >= oldestMajor {
			t.Errorf("%x: %+v, %v, %v", b, r, ok, foreign)
		}
		instanceNames(b)
	})
}

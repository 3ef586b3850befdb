package mssql

import (
	"bufio"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/openomt/omt/internal/manifest"
)

// helperVariable makes the test's program a server of its own, since what it does needs other settings of the process.
const helperVariable = "OMT_TEST_SHORT_KEY_SERVER"

func TestMain(m *testing.M) {
	if os.Getenv(helperVariable) != "" {
		shortKeyServer()
		return
	}
	os.Exit(m.Run())
}

// oldTLS is a server before Windows 2012: its versions of TLS and its suites.
func oldTLS(c tls.Certificate, version uint16, suites ...uint16) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{c}, MinVersion: version, MaxVersion: version, CipherSuites: suites}
}

// chooses is a server that answers any offer with its own version, as servers do that know of no newer one.
func chooses(version byte) func(net.Conn) {
	return func(c net.Conn) {
		if _, _, err := readPacket(c); err != nil {
			return
		}
		hello := append([]byte{0x02, 0, 0, 38, 3, version}, make([]byte, 36)...)
		hello[len(hello)-2] = 0x2F // TLS_RSA_WITH_AES_128_CBC_SHA
		writePacket(c, packetPrelogin, append([]byte{0x16, 3, version, 0, byte(len(hello))}, hello...))
		io.Copy(io.Discard, c)
	}
}

func hangUp(net.Conn) {}

// Every failure of a handshake names the parameter that gets past it and what it costs, and with the parameter the login
// is reached.
func TestTLSFailures(t *testing.T) {
	ca, caFile := makeCA(t)
	own := makeCert(t, nil, nil)
	ownFile := certFile(t, "own.cer", own)
	good := makeCert(t, func(c *x509.Certificate) { c.Subject.CommonName = "sql1"; forLoopback(c) }, ca)
	elsewhere := makeCert(t, func(c *x509.Certificate) {
		c.Subject.CommonName = `SQL "1", Oslo`
		c.DNSNames = []string{"sql1.corp.example", "sql1"}
	}, ca)
	nameless := makeCert(t, func(c *x509.Certificate) { c.Subject.CommonName = "127.0.0.1" }, ca)
	expired := makeCert(t, func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Date(2010, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC)
		forLoopback(c)
	}, ca)
	client := makeCert(t, func(c *x509.Certificate) {
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		forLoopback(c)
	}, ca)
	sha1 := makeCert(t, func(c *x509.Certificate) { c.SignatureAlgorithm = x509.SHA1WithRSA; forLoopback(c) }, ca)
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	sister := certOf(t, other, func(c *x509.Certificate) { c.BasicConstraintsValid = true }, nil)
	short := startShortKeyServer(t)
	on := func(c tls.Certificate) *fakeServer {
		return &fakeServer{encryption: encryptOn, tls: serverTLS(c), errors: denied}
	}
	trust := []string{"TrustServerCertificate=true", "somebody between who poses as the server"}
	disable := []string{"add encrypt=disable to the URL", "for anyone there to read"}
	old := []string{"tlsmin=1.0", "old ciphers"}

	for name, c := range map[string]struct {
		server  *fakeServer
		addr    string // of a server that is another process
		params  string // of the first attempt
		text    []string
		hint    []string
		follow  string // what the hint says to add
		params2 string // or to write in place of params
	}{
		"self-signed": {server: on(own), text: []string{"the certificate is not trusted", `certificate of "CN=SSL_Self_Signed_Fallback" for no host`, "SHA-256 "},
			hint: append(trust, "certificate=FILE", "serverCertificate=FILE"), follow: "&TrustServerCertificate=true"},
		"self-signed, pinned":              {server: on(own), text: []string{"not trusted"}, hint: []string{"serverCertificate=FILE"}, follow: "&serverCertificate=" + ownFile},
		"pinned to another":                {server: on(good), params: "&serverCertificate=" + ownFile, text: []string{"is not the one that serverCertificate names"}, hint: []string{"do not connect"}},
		"an authority of the house":        {server: on(good), text: []string{"not trusted"}, hint: []string{"certificate=FILE with the certificate of the authority"}, follow: "&certificate=" + caFile},
		"self-signed and given as root":    {server: on(own), params: "&certificate=" + ownFile, text: []string{"the certificate is trusted, and cannot be the server's by name", "names no host"}, hint: []string{"serverCertificate=FILE"}, params2: "&serverCertificate=" + ownFile},
		"another name":                     {server: on(elsewhere), params: "&certificate=" + caFile, text: []string{"another server's by name", `another name than "127.0.0.1"`, "sql1.corp.example, sql1"}, hint: []string{"hostNameInCertificate=sql1.corp.example", "it costs no safety"}, follow: "&hostNameInCertificate=sql1.corp.example"},
		"a common name alone":              {server: on(nameless), params: "&certificate=" + caFile, text: []string{"names no host"}, hint: append(trust, "serverCertificate=FILE"), follow: "&TrustServerCertificate=true"},
		"expired":                          {server: on(expired), params: "&certificate=" + caFile, text: []string{"the certificate is not valid now", "valid 2010-01-01 to 2015-01-01"}, hint: append(trust, "clock"), follow: "&TrustServerCertificate=true"},
		"not for servers":                  {server: on(client), params: "&certificate=" + caFile, text: []string{"not good for a server"}, hint: trust, follow: "&TrustServerCertificate=true"},
		"signed with SHA-1":                {server: on(sha1), params: "&certificate=" + caFile, text: []string{"not trusted", "SHA1-RSA"}, hint: trust, follow: "&TrustServerCertificate=true"},
		"signed with SHA-1, pinned":        {server: on(sha1), text: []string{"not trusted"}, hint: []string{"serverCertificate=FILE"}, follow: "&serverCertificate=" + certFile(t, "sha1.pem", sha1)},
		"an authority that may not vouch":  {server: on(own), params: "&certificate=" + certFile(t, "sister.cer", sister), text: []string{"the certificate is not trusted", "x509: invalid signature"}, hint: trust, follow: "&TrustServerCertificate=true"},
		"a negative serial number":         {server: on(withSerial(t, own, 0x80)), text: []string{"the certificate is not trusted"}, hint: trust, follow: "&TrustServerCertificate=true"},
		"a long negative serial number":    {server: on(withSerial(t, own, 0xF1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16)), text: []string{"not trusted"}, hint: trust, follow: "&TrustServerCertificate=true"},
		"a serial number of zero":          {server: on(withSerial(t, own, 0)), text: []string{"not trusted"}, hint: trust, follow: "&TrustServerCertificate=true"},
		"an over-long serial number":       {server: on(withSerial(t, own, append([]byte{1}, make([]byte, 40)...)...)), text: []string{"not trusted"}, hint: trust, follow: "&TrustServerCertificate=true"},
		"a serial number against the form": {server: &fakeServer{encryption: encryptOn, tls: unparsed(serverTLS(withSerial(t, own, 0, 0, 1))), errors: denied}, params: "&TrustServerCertificate=true", text: []string{"certificate cannot be read", "malformed serial number"}, hint: disable},
		"a short key":                      {addr: short, params: "&TrustServerCertificate=true", text: []string{"the server's key is of a length that is not taken", "512-bit"}, hint: disable},

		"TLS 1.0 alone":              {server: &fakeServer{version: [6]byte{10, 50, 6, 64}, encryption: encryptOn, tls: oldTLS(own, tls.VersionTLS10), errors: denied}, params: "&TrustServerCertificate=true", text: []string{"(SQL Server 2008 R2)", "protocol version"}, hint: old, follow: "&tlsmin=1.0"},
		"TLS 1.1 alone":              {server: &fakeServer{encryption: encryptOn, tls: oldTLS(own, tls.VersionTLS11), errors: denied}, params: "&TrustServerCertificate=true", text: []string{"protocol version"}, hint: old, follow: "&tlsmin=1.0"},
		"TLS 1.0, tlsmin too high":   {server: &fakeServer{encryption: encryptOn, tls: oldTLS(own, tls.VersionTLS10), errors: denied}, params: "&TrustServerCertificate=true&tlsmin=1.1", text: []string{"protocol version"}, hint: old, params2: "&TrustServerCertificate=true&tlsmin=1.0"},
		"a server that chooses 1.0":  {server: &fakeServer{encryption: encryptOn, tls: serverTLS(own), at: map[stage]func(net.Conn){securing: chooses(1)}}, text: []string{"unsupported protocol version 301"}, hint: old},
		"a server that chooses 1.1":  {server: &fakeServer{encryption: encryptOn, tls: serverTLS(own), at: map[stage]func(net.Conn){securing: chooses(2)}}, text: []string{"unsupported protocol version 302"}, hint: []string{"tlsmin=1.1"}},
		"exchange by RSA alone":      {server: &fakeServer{encryption: encryptOn, tls: oldTLS(own, tls.VersionTLS12, tls.TLS_RSA_WITH_AES_128_CBC_SHA), errors: denied}, params: "&TrustServerCertificate=true", text: []string{"handshake failure"}, hint: old, follow: "&tlsmin=1.0"},
		"TLS 1.0 with 3DES alone":    {server: &fakeServer{encryption: encryptOn, tls: oldTLS(own, tls.VersionTLS10, tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA), errors: denied}, params: "&TrustServerCertificate=true", text: []string{"encryption cannot begin"}, hint: old, follow: "&tlsmin=1.0"},
		"a server that hangs up":     {server: &fakeServer{encryption: encryptOn, tls: serverTLS(own), at: map[stage]func(net.Conn){securing: hangUp}}, text: []string{"closed the connection when encryption was to begin"}, hint: old},
		"hangs up at tlsmin=1.0 too": {server: &fakeServer{encryption: encryptOn, tls: serverTLS(own), at: map[stage]func(net.Conn){securing: hangUp}}, params: "&tlsmin=1.0", text: []string{"closed the connection when encryption was to begin"}, hint: disable},

		"no encryption":            {server: &fakeServer{encryption: encryptNotSupported, errors: denied}, text: []string{"does not encrypt, and the URL asks for it"}, hint: disable, follow: "&encrypt=disable"},
		"no encryption for others": {server: &fakeServer{encryption: encryptOff, errors: denied}, text: []string{"does not encrypt"}, hint: disable},
		"encryption alone":         {server: &fakeServer{encryption: encryptRequired, tls: serverTLS(own), at: map[stage]func(net.Conn){securing: hangUp}}, params: "&encrypt=disable", text: []string{"takes encrypted connections alone"}, hint: []string{"take encrypt=disable out", "TrustServerCertificate=true"}},
		"strict, not trusted":      {server: &fakeServer{strict: true, encryption: encryptOn, tls: &tls.Config{Certificates: []tls.Certificate{good}, NextProtos: []string{"tds/8.0"}}, errors: denied}, params: "&encrypt=strict", text: []string{"not trusted"}, hint: []string{"certificate=FILE"}, follow: "&certificate=" + caFile},
		"strict alone":             {server: &fakeServer{at: map[stage]func(net.Conn){calling: hangUp}}, text: []string{"closed the connection at once"}, hint: []string{"encrypt=strict"}},
		"not strict":               {server: on(good), params: "&encrypt=strict", text: []string{"closed the connection when encryption was to begin"}, hint: []string{"before 2022", "write encrypt=true"}, params2: "&certificate=" + caFile},
		"certificate of a routed":  {server: on(good), params: "&certificate=" + caFile + "&hostNameInCertificate=sql9", text: []string{`another name than "sql9"`}, hint: []string{"hostNameInCertificate=127.0.0.1"}, params2: "&certificate=" + caFile},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			addr := c.addr
			if c.server != nil {
				addr = c.server.start(t).addr
			}
			base := "sqlserver://omt@" + addr + "?database=crm&dial+timeout=5"
			err := ask(t, base+c.params)
			status := manifest.Usage
			if name == "strict alone" {
				status = manifest.Failed
			}
			says(t, err, status, c.text, c.hint)
			switch {
			case c.follow != "":
				err = ask(t, base+c.params+c.follow)
			case c.params2 != "":
				err = ask(t, base+c.params2)
			default:
				return
			}
			says(t, err, manifest.Usage, []string{"Login failed for user 'omt'. (error 18456, state 1)"}, nil)
			if l := c.server.last(t); l.password != odd || l.user != "omt" || l.app != "omt" {
				t.Errorf("login %q, password %q, app %q", l.user, l.password, l.app)
			}
		})
	}
}

// unparsed lets a server hold a certificate that it could not read itself.
func unparsed(c *tls.Config) *tls.Config {
	cert := c.Certificates[0]
	c.Certificates = nil
	c.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &cert, nil }
	return c
}

// With a server that is right nothing has to be added, and the connection is encrypted and by the newest that both know.
func TestTrusted(t *testing.T) {
	ca, caFile := makeCA(t)
	good := makeCert(t, forLoopback, ca)
	for params, version := range map[string]uint16{"": tls.VersionTLS12, "&tlsmin=1.0": tls.VersionTLS12, "&encrypt=strict": tls.VersionTLS13} {
		s := &fakeServer{encryption: encryptOn, tls: serverTLS(good), errors: denied}
		if params == "&encrypt=strict" {
			s.strict, s.tls = true, &tls.Config{Certificates: []tls.Certificate{good}, NextProtos: []string{"tds/8.0"}}
		}
		s.start(t)
		says(t, ask(t, s.url("&certificate="+url.QueryEscape(caFile)+params)), manifest.Usage, []string{"error 18456"}, nil)
		l := s.last(t)
		if l.tls == nil || l.tls.Version != version || strings.Contains(tls.CipherSuiteName(l.tls.CipherSuite), "_CBC_") {
			t.Errorf("%q: %+v", params, l.tls)
		}
		if strings.Contains(string(l.raw), odd) {
			t.Error("the password is sent as it is")
		}
	}
}

// The process takes what go.mod says that it takes; without that, the same servers cannot be reached.
func TestGodebug(t *testing.T) {
	own := makeCert(t, nil, nil)
	sha1 := own
	sha1.SupportedSignatureAlgorithms = []tls.SignatureScheme{tls.PKCS1WithSHA1}
	s := (&fakeServer{encryption: encryptOn, tls: oldTLS(sha1, tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA), errors: denied}).start(t)
	n := (&fakeServer{encryption: encryptOn, tls: serverTLS(withSerial(t, own, 0x80)), errors: denied}).start(t)
	for _, u := range []string{s.url("&TrustServerCertificate=true"), n.url("&TrustServerCertificate=true")} {
		says(t, ask(t, u), manifest.Usage, []string{"error 18456"}, nil)
	}
	t.Setenv("GODEBUG", "tlssha1=0,x509negativeserial=0")
	n = (&fakeServer{encryption: encryptOn, tls: unparsed(serverTLS(withSerial(t, own, 0x81))), errors: denied}).start(t) // certificates that were read before are remembered
	says(t, ask(t, s.url("&TrustServerCertificate=true")), manifest.Usage, []string{"encryption cannot begin"}, []string{"tlsmin=1.0"})
	says(t, ask(t, n.url("&TrustServerCertificate=true")), manifest.Usage, []string{"negative serial number"}, []string{"GODEBUG"})
}

// A server that is slow at the handshake is given up.
func TestSlowHandshake(t *testing.T) {
	s := (&fakeServer{encryption: encryptOn, tls: serverTLS(makeCert(t, nil, nil)), at: map[stage]func(net.Conn){securing: func(c net.Conn) { io.Copy(io.Discard, c) }}}).start(t)
	con := connectorOf(t, s.url(""))
	con.waits, con.to.cfg.DialTimeout = 200*time.Millisecond, 300*time.Millisecond
	_, err := con.Connect(t.Context())
	says(t, (&Driver{name: "127.0.0.1/crm"}).explain("reading from", err), manifest.Failed, []string{"did not answer within 500ms when encryption was to begin"}, []string{"tlsmin=1.0"})
}

// startShortKeyServer starts this test's program again as a server with a key of 512 bits, which Go neither makes nor uses
// unless the whole process is told to.
func startShortKeyServer(t *testing.T) string {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), helperVariable+"=1", "GODEBUG=rsa1024min=0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close() // it ends with its input
		cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line)
}

func shortKeyServer() {
	key, err := rsa.GenerateKey(rand.Reader, 512)
	if err != nil {
		panic(err)
	}
	tb := &helperTB{}
	c := certOf(tb, key, nil, nil)
	s := (&fakeServer{encryption: encryptOn, tls: oldTLS(c, tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256), errors: denied}).start(tb)
	fmt.Println(s.addr)
	io.Copy(io.Discard, os.Stdin)
}

// helperTB is as much of a test as the server needs outside of one.
type helperTB struct{ testing.TB }

func (helperTB) Helper()        {}
func (helperTB) Cleanup(func()) {}
func (helperTB) Fatal(args ...any) {
	fmt.Fprintln(os.Stderr, args...)
	runtime.Goexit()
}

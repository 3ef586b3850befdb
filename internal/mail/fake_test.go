package mail

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// fake is a mail server in this process.
type fake struct {
	t        *testing.T
	addr     string
	roots    *x509.CertPool
	cert     tls.Certificate
	implicit bool
	noTLS    bool              // it does not offer STARTTLS
	auth     string            // what it offers once the connection is encrypted
	anyAuth  bool              // it offers it before, too
	answers  map[string]string // to a command in place of what is usual; "hang": none at all; "cut": the connection is closed

	mu       sync.Mutex
	messages []string
	said     []string // commands
	login    string
	conns    []net.Conn
}

func (f *fake) start(t *testing.T) *fake {
	t.Helper()
	f.t = t
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	f.cert = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	f.roots = x509.NewCertPool()
	f.roots.AddCert(leaf)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.addr = l.Addr().String()
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			f.mu.Lock()
			f.conns = append(f.conns, c)
			f.mu.Unlock()
			all.Go(func() { defer c.Close(); f.serve(c) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		f.mu.Lock()
		for _, c := range f.conns {
			c.Close()
		}
		f.mu.Unlock()
		all.Wait()
	})
	return f
}

// serve speaks with one client.
func (f *fake) serve(c net.Conn) {
	secure := f.implicit
	if secure {
		c = tls.Server(c, &tls.Config{Certificates: []tls.Certificate{f.cert}})
	}
	r := bufio.NewReader(c)
	say := func(text string) { fmt.Fprintf(c, "%s\r\n", text) }
	if !f.usual(say, "CONNECT") {
		return
	}
	if f.answers["CONNECT"] == "" {
		say("220 fake at your service")
	}
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		verb, rest, _ := strings.Cut(line, " ")
		verb = strings.ToUpper(verb)
		f.mu.Lock()
		f.said = append(f.said, line)
		f.mu.Unlock()
		if !f.usual(say, verb) {
			return
		}
		if f.answers[verb] != "" {
			continue
		}
		switch verb {
		case "EHLO":
			say("250-fake")
			if !secure && !f.noTLS {
				say("250-STARTTLS")
			}
			if f.auth != "" && (secure || f.anyAuth) {
				say("250-AUTH " + f.auth)
			}
			say("250 8BITMIME")
		case "STARTTLS":
			say("220 go ahead")
			c, secure = tls.Server(c, &tls.Config{Certificates: []tls.Certificate{f.cert}}), true
			r = bufio.NewReader(c)
		case "AUTH":
			if !f.authenticate(r, say, rest) {
				say("535 5.7.8 who are you?")
				continue
			}
			say("235 welcome")
		case "DATA":
			say("354 go on")
			f.message(r)
			if !f.usual(say, "MESSAGE") {
				return
			}
			if f.answers["MESSAGE"] == "" {
				say("250 accepted")
			}
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 fine")
		}
	}
}

// usual gives the answer that was asked for; false ends the conversation.
func (f *fake) usual(say func(string), verb string) bool {
	switch a := f.answers[verb]; a {
	case "":
	case "hang":
		<-f.t.Context().Done()
		return false
	case "cut":
		return false
	default:
		say(a)
	}
	return true
}

func (f *fake) authenticate(r *bufio.Reader, say func(string), rest string) bool {
	how, first, _ := strings.Cut(rest, " ")
	decode := func(s string) string {
		b, _ := base64.StdEncoding.DecodeString(strings.TrimSpace(s))
		return string(b)
	}
	login := decode(first)
	if how == "LOGIN" {
		login = ""
		for _, ask := range []string{"Username:", "Password:"} {
			say("334 " + base64.StdEncoding.EncodeToString([]byte(ask)))
			line, err := r.ReadString('\n')
			if err != nil {
				return false
			}
			login += "\x00" + decode(line)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.login = how + " " + strings.ReplaceAll(login, "\x00", "|")
	return login == "\x00karl\x00p@ss w/ord+1"
}

func (f *fake) message(r *bufio.Reader) {
	var b strings.Builder
	for {
		line, err := r.ReadString('\n')
		if err != nil || line == ".\r\n" {
			break
		}
		b.WriteString(strings.TrimPrefix(line, "."))
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.messages = append(f.messages, b.String())
}

// got are the messages that came.
func (f *fake) got() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.messages...)
}

func decodeBase64(t *testing.T, text string) string {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

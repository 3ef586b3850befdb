package mail

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	netmail "net/mail"
	"slices"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"github.com/openomt/omt/internal/manifest"
)

// Message is what is sent.
type Message struct {
	From, To   string
	Subject    string
	Text       string
	ID         string // of the message, without its domain: the same for the same content
	Date       time.Time
	Attachment Attachment
}

// Attachment is a file that goes with a message.
type Attachment struct {
	Name string
	Type string // "text/csv; charset=utf-8"
	Data []byte
}

// Options are how to reach a server.
type Options struct {
	Roots   *x509.CertPool // authorities that are trusted; nil: the system's
	Timeout time.Duration  // for an answer; 0: a minute
}

// CheckAddress reports whether something is an e-mail address, and nothing else.
func CheckAddress(address string) error {
	a, err := netmail.ParseAddress(address)
	if err != nil || a.Address != address || strings.ContainsFunc(address, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return fmt.Errorf("%q is no e-mail address", address)
	}
	return nil
}

// Send hands a message to a server.
func Send(ctx context.Context, s Server, m Message, o Options) error {
	msg, err := m.compose()
	if err != nil {
		return err
	}
	if o.Timeout <= 0 {
		o.Timeout = time.Minute
	}
	c := &call{server: s, tls: &tls.Config{ServerName: s.host, RootCAs: o.Roots, MinVersion: tls.VersionTLS12}, timeout: o.Timeout}
	defer c.close()
	if err := c.send(ctx, msg); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return s.explain(err)
	}
	return nil
}

// compose makes the message. Line ends in a head would begin another one.
func (m Message) compose() (*gomail.Msg, error) {
	for _, a := range []string{m.From, m.To} {
		if err := CheckAddress(a); err != nil {
			return nil, err
		}
	}
	msg := gomail.NewMsg()
	if err := errors.Join(msg.From(m.From), msg.To(m.To)); err != nil {
		return nil, err
	}
	msg.Subject(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, m.Subject))
	_, domain, _ := strings.Cut(m.From, "@")
	msg.SetMessageIDWithValue(m.ID + "@" + domain)
	msg.SetDateWithValue(m.Date)
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	if m.Attachment.Name != "" {
		err := msg.AttachReader(m.Attachment.Name, bytes.NewReader(m.Attachment.Data), gomail.WithFileContentType(gomail.ContentType(m.Attachment.Type)))
		if err != nil {
			return nil, err
		}
	}
	return msg, nil
}

// call is one connection.
type call struct {
	server  Server
	tls     *tls.Config
	timeout time.Duration
	over    []func() // to be called in the end
}

func (c *call) send(ctx context.Context, msg *gomail.Msg) error {
	s := c.server
	options := []gomail.Option{
		gomail.WithPort(s.port), gomail.WithTimeout(c.timeout), gomail.WithTLSConfig(c.tls), gomail.WithDialContextFunc(c.dialer(ctx)),
		gomail.WithTLSPolicy(gomail.TLSMandatory), gomail.WithoutNoop(),
	}
	switch {
	case s.implicit:
		options = append(options, gomail.WithSSL())
	case s.plain:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	}
	if s.user != "" {
		options = append(options, gomail.WithSMTPAuthCustom(&auth{server: s}))
	}
	client, err := gomail.NewClient(s.host, options...)
	if err != nil {
		return err
	}
	session, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return err
	}
	if err := client.SendWithSMTPClient(session, msg); err != nil {
		return err
	}
	_ = client.CloseWithSMTPClient(session) // the message was accepted
	return nil
}

// dialer connects. The connection ends with the run, whatever waits on it.
func (c *call) dialer(run context.Context) gomail.DialContextFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{Timeout: c.timeout}).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		stop := context.AfterFunc(run, func() { conn.Close() }) //nolint:errcheck // nobody waits for it any more
		c.over = append(c.over, func() {
			stop()
			conn.Close() //nolint:errcheck // what was to be said was said
		})
		if !c.server.implicit {
			return conn, nil
		}
		secure := tls.Client(conn, c.tls)
		if err := secure.HandshakeContext(ctx); err != nil {
			return nil, err
		}
		return secure, nil
	}
}

func (c *call) close() {
	for _, fn := range c.over {
		fn()
	}
}

// auth logs in by the best way that the server offers and we know.
type auth struct {
	server Server
	smtp.Auth
}

// Start implements smtp.Auth.
func (a *auth) Start(info *smtp.ServerInfo) (string, []byte, error) {
	s := a.server
	if !info.TLS && !s.loopback() {
		return "", nil, errors.New("the connection is not encrypted")
	}
	offers := func(name string) bool {
		return slices.ContainsFunc(info.Auth, func(o string) bool { return strings.EqualFold(o, name) })
	}
	switch {
	case offers("SCRAM-SHA-256"):
		a.Auth = smtp.ScramSHA256Auth(s.user, s.password)
	case offers("PLAIN"):
		a.Auth = smtp.PlainAuth("", s.user, s.password, s.host, true)
	case offers("LOGIN"):
		a.Auth = smtp.LoginAuth(s.user, s.password, s.host, true)
	case offers("CRAM-MD5"):
		a.Auth = smtp.CRAMMD5Auth(s.user, s.password)
	default:
		return "", nil, fmt.Errorf("it offers no way to log in that is known here (%s)", strings.Join(info.Auth, ", "))
	}
	return a.Auth.Start(info)
}

// explain words an error, and says what to do.
func (s Server) explain(err error) error {
	text, _, _ := strings.Cut(err.Error(), ", affected message ID") // which nobody can do anything with
	if passing(err) {
		return manifest.Errorf(manifest.Failed, "handing the message to %s: %s (%w)", s, text, ErrTemporary).WithHint("run the same command again")
	}
	e := manifest.Errorf(manifest.Failed, "handing the message to %s: %s", s, text)
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var verify *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &unknown), errors.As(err, &name), errors.As(err, &verify):
		return e.WithHint("the certificate is not trusted; a company's own authority is named with --ca FILE")
	case errors.As(err, &record):
		return e.WithHint("what answers there does not begin with TLS: write smtp:// for STARTTLS, mostly at port 587")
	case strings.Contains(err.Error(), "STARTTLS"):
		return e.WithHint("the server does not encrypt here: write smtps:// (mostly port 465), or smtp://HOST?tls=none for one that needs no user")
	case strings.Contains(err.Error(), "AUTH"), code(err) == 535:
		return e.WithHint("user and password stand in the file that --smtp @FILE names, the password else in OMT_SMTP_PASSWORD")
	}
	return e
}

// ErrTemporary is wrapped by errors after which the same call may work later.
var ErrTemporary = errors.New("it may work later")

// passing reports whether the way to the server is down, or whether it said that it will work later (4xx).
func passing(err error) bool {
	if n := code(err); n != 0 {
		return n/100 == 4
	}
	var send *gomail.SendError
	if errors.As(err, &send) { // it did not answer
		return true
	}
	var network net.Error
	return errors.Is(err, io.EOF) || errors.Is(err, context.DeadlineExceeded) || errors.As(err, &network) && (network.Timeout() || isDial(err))
}

func isDial(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && (op.Op == "dial" || op.Op == "read" || op.Op == "write")
}

// code is the three digits of a server's answer, 0 where it is none.
func code(err error) int {
	var send *gomail.SendError
	if errors.As(err, &send) && send.ErrorCode() != 0 {
		return send.ErrorCode()
	}
	for ; err != nil; err = errors.Unwrap(err) {
		if text := err.Error(); len(text) > 4 && text[3] == ' ' {
			if n, cerr := strconv.Atoi(text[:3]); cerr == nil && n >= 400 && n < 600 {
				return n
			}
		}
	}
	return 0
}

package mail

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// Server is where messages are handed to.
type Server struct {
	host     string
	port     int
	user     string
	password string
	implicit bool // TLS from the first byte
	plain    bool // no TLS
}

// Parse understands the address of a server.
func Parse(address string, getenv func(string) string) (Server, error) {
	u, err := url.Parse(address)
	if err != nil || u.Opaque != "" {
		return Server{}, errors.New("it is no address of a mail server: want smtp://HOST[:PORT] or smtps://HOST[:PORT]")
	}
	s := Server{host: u.Hostname(), port: 587}
	switch u.Scheme {
	case "smtp":
	case "smtps":
		s.implicit, s.port = true, 465
	default:
		return Server{}, errors.New("want smtp:// or smtps:// before the host")
	}
	if s.host == "" || u.Path != "" && u.Path != "/" || u.Fragment != "" {
		return Server{}, errors.New("want a host and perhaps a port behind smtp:// or smtps://, and a user before it")
	}
	if p := u.Port(); p != "" {
		if s.port, err = strconv.Atoi(p); err != nil || s.port < 1 || s.port > 65535 {
			return Server{}, errors.New("the port is none")
		}
	}
	if u.User != nil {
		s.user = u.User.Username()
		s.password, _ = u.User.Password()
		if s.password == "" {
			s.password = getenv("OMT_SMTP_PASSWORD")
		}
	}
	return s, s.check(u.Query())
}

// check settles encryption.
func (s *Server) check(query url.Values) error {
	for name, values := range query {
		if name != "tls" || len(values) != 1 || values[0] != "none" && values[0] != "required" {
			return errors.New("behind ? stands nothing but tls=none or tls=required")
		}
		s.plain = values[0] == "none"
	}
	switch {
	case s.plain && s.implicit:
		return errors.New("smtps:// with tls=none contradicts itself")
	case s.plain && s.user != "" && !s.loopback():
		return errors.New("a user and a password are not sent over a connection that is not encrypted: leave tls=none away")
	case s.user != "" && s.password == "":
		return errors.New("it names a user and no password: set OMT_SMTP_PASSWORD, or put it into the file that @FILE names")
	}
	return nil
}

func (s Server) loopback() bool {
	ip := net.ParseIP(s.host)
	return strings.EqualFold(s.host, "localhost") || ip != nil && ip.IsLoopback()
}

// String names the server without user and password.
func (s Server) String() string {
	scheme := "smtp"
	if s.implicit {
		scheme = "smtps"
	}
	return fmt.Sprintf("%s://%s", scheme, net.JoinHostPort(s.host, strconv.Itoa(s.port)))
}

// Secrets are what must not turn up anywhere: the password, also as it goes over the wire.
func (s Server) Secrets() []string {
	if s.password == "" {
		return nil
	}
	encode := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	return []string{s.password, url.QueryEscape(s.password), url.PathEscape(s.password), encode(s.password), encode("\x00" + s.user + "\x00" + s.password)}
}

package web

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"golang.org/x/net/http/httpproxy"

	"github.com/openomt/omt/internal/destination"
)

// stall is how long nothing may move on a connection.
const stall = 2 * time.Minute

// Options are what a client is made from. Getenv and Now must be set.
type Options struct {
	Getenv func(name string) string // HTTPS_PROXY, HTTP_PROXY, NO_PROXY, in either case
	Now    func() time.Time
	CA     string        // a PEM file of certificates that are trusted beside the system's; empty: none
	Stall  time.Duration // how long nothing may move on a connection; 0: two minutes

	// Limit holds back all that is written to connections, heads and what was sent before and must be sent again included;
	// nil: nothing does. It may make a connection wait for longer than Stall.
	Limit destination.Limiter
}

// Client makes a client that follows no redirects: what it sends is signed for one place.
func Client(o Options) (*http.Client, error) {
	t, err := transport(o)
	if err != nil {
		return nil, err
	}
	return &http.Client{
		Transport:     t,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

func transport(o Options) (*http.Transport, error) {
	proxy, err := proxyOf(o.Getenv)
	if err != nil {
		return nil, err
	}
	pool, err := roots(o.CA)
	if err != nil {
		return nil, err
	}
	limit := o.Stall
	if limit <= 0 {
		limit = stall
	}
	dialer := &net.Dialer{Timeout: min(30*time.Second, limit), KeepAlive: 30 * time.Second}
	handshake := min(30*time.Second, limit)
	if o.Limit != nil {
		handshake = 0 // it may have to wait for its turn; when it stands still for another reason, the connection finds out
	}
	return &http.Transport{
		Proxy: func(r *http.Request) (*url.URL, error) { return proxy(r.URL) },
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := dialer.DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return newMoving(ctx, c, o.Now, limit, o.Limit), nil
		},
		TLSClientConfig:       &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:   handshake,
		ExpectContinueTimeout: time.Second,
		MaxIdleConnsPerHost:   64,
		IdleConnTimeout:       90 * time.Second,
		DisableCompression:    true,
	}, nil
}

// proxyOf reads the variables that other programs read too. What they hold is never quoted: it may be a password.
func proxyOf(getenv func(string) string) (func(*url.URL) (*url.URL, error), error) {
	get := func(name string) (string, string) {
		if v := getenv(name); v != "" {
			return v, name
		}
		return getenv(strings.ToLower(name)), strings.ToLower(name)
	}
	no, _ := get("NO_PROXY")
	c := &httpproxy.Config{NoProxy: no}
	for name, to := range map[string]*string{"HTTPS_PROXY": &c.HTTPSProxy, "HTTP_PROXY": &c.HTTPProxy} {
		v, from := get(name)
		if v == "" {
			continue
		}
		if !strings.Contains(v, "://") {
			v = "http://" + v
		}
		u, err := url.Parse(v)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "socks5" {
			return nil, fmt.Errorf("the variable %s holds no address of a proxy, such as http://USER:PASSWORD@proxy:8080", from)
		}
		*to = v
	}
	return c.ProxyFunc(), nil
}

// ProxySecrets are the passwords in the variables that name proxies, to be hidden wherever they might turn up.
func ProxySecrets(getenv func(string) string) []string {
	var secrets []string
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"} {
		v := getenv(name)
		if v != "" && !strings.Contains(v, "://") {
			v = "http://" + v
		}
		u, err := url.Parse(v)
		if err != nil || u.User == nil {
			continue
		}
		if password, ok := u.User.Password(); ok {
			secrets = append(secrets, password, url.QueryEscape(password))
		}
	}
	return secrets
}

// roots is the system's pool with the certificates of a file; nil is the system's alone.
func roots(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading certificates: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("reading certificates: %q holds none in PEM", file)
	}
	return pool, nil
}

// CheckPlain refuses plain http to another machine.
func CheckPlain(u *url.URL) error {
	switch host := u.Hostname(); {
	case host == "":
		return errors.New("the URL names no host")
	case u.Scheme == "https":
		return nil
	case u.Scheme != "http":
		return errors.New("want https")
	default:
		if ip := net.ParseIP(host); ip != nil && ip.IsLoopback() || strings.EqualFold(host, "localhost") {
			return nil
		}
		return errors.New("plain http is for this machine alone, since what is sent could be read on its way: write https")
	}
}

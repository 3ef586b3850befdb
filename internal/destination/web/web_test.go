package web

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/openomt/omt/internal/destination"
)

func env(pairs ...string) func(string) string {
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return func(name string) string { return m[name] }
}

func TestProxyOf(t *testing.T) {
	for _, c := range []struct {
		env  []string
		to   string
		want string
	}{
		{nil, "https://x.example.com", ""},
		{[]string{"HTTPS_PROXY", "http://u:p@proxy:8080"}, "https://x.example.com", "http://u:p@proxy:8080"},
		{[]string{"https_proxy", "proxy:8080"}, "https://x.example.com", "http://proxy:8080"},
		{[]string{"HTTPS_PROXY", "http://proxy:8080", "NO_PROXY", ".example.com"}, "https://x.example.com", ""},
		{[]string{"HTTPS_PROXY", "http://proxy:8080"}, "https://127.0.0.1:10000", ""},
		{[]string{"HTTP_PROXY", "http://proxy:8080"}, "https://x.example.com", ""},
	} {
		proxy, err := proxyOf(env(c.env...))
		if err != nil {
			t.Fatal(err)
		}
		u, _ := url.Parse(c.to)
		got, err := proxy(u)
		if err != nil || c.want == "" && got != nil || c.want != "" && (got == nil || got.String() != c.want) {
			t.Errorf("%v: %v, %v, want %q", c.env, got, err, c.want)
		}
	}
	for _, bad := range []string{"ftp://u:Secret@proxy", "http://u:Sec%zzret@proxy", "http://:Secret@", "http://u:Secret@proxy:port"} {
		if _, err := Client(Options{Getenv: env("HTTPS_PROXY", bad), Now: time.Now}); err == nil || strings.Contains(err.Error(), "Sec") || !strings.Contains(err.Error(), "HTTPS_PROXY") {
			t.Errorf("%q: error is %v", bad, err)
		}
	}
	if got := ProxySecrets(env("HTTPS_PROXY", "http://u:S%20e@proxy", "http_proxy", "u:other@proxy")); !slices.Equal(got, []string{"S e", "S+e", "other", "other"}) {
		t.Errorf("secrets are %q", got)
	}
}

func TestRoots(t *testing.T) {
	none := filepath.Join(t.TempDir(), "none.pem")
	if _, err := roots(none); err == nil {
		t.Error("a file that is not there was read")
	}
	if err := os.WriteFile(none, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := roots(none); err == nil || !strings.Contains(err.Error(), "holds none in PEM") {
		t.Errorf("error is %v", err)
	}
	if pool, err := roots(""); pool != nil || err != nil {
		t.Errorf("without a file: %v, %v", pool, err)
	}
}

func TestCheckPlain(t *testing.T) {
	for in, want := range map[string]string{
		"https://x.example.com": "", "http://127.0.0.1:1": "", "http://[::1]:1": "", "http://LOCALHOST": "",
		"http://x.example.com": "this machine alone", "http://127.0.0.1.example.com": "this machine alone", "http://10.0.0.1": "this machine alone",
		"ftp://x": "want https", "https:///x": "names no host",
	} {
		u, _ := url.Parse(in)
		if err := CheckPlain(u); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", in, err, want)
		}
	}
}

func TestNetwork(t *testing.T) {
	cut := &url.Error{Op: "Put", URL: "https://x/?sig=Secret", Err: &url.Error{Op: "Put", URL: "https://x/?sig=Secret", Err: errors.New("EOF")}}
	for _, c := range []struct {
		err   error
		class error
		text  string
	}{
		{cut, destination.ErrTransient, "storing: EOF"},
		{fmt.Errorf("as the SDK says: %w", cut), destination.ErrTransient, "storing: EOF"},
		{&url.Error{URL: "sig=Secret", Err: errors.New("Proxy Authentication Required")}, destination.ErrBlocked, "the proxy wants"},
		{&url.Error{URL: "sig=Secret", Err: tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}}, destination.ErrBlocked, "does not speak https"},
		{&net.OpError{Op: "dial", Err: errors.New("connection refused")}, destination.ErrTransient, "connection refused"},
	} {
		err := Network(context.Background(), "storing", c.err)
		if !strings.Contains(err.Error(), c.text) || strings.Contains(err.Error(), "Secret") || !errors.Is(err, c.class) {
			t.Errorf("%v is told as %v", c.err, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := Network(ctx, "storing", cut); !errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "Secret") {
		t.Errorf("cancelled: %v", err)
	}
}

func TestHeads(t *testing.T) {
	now := time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)
	for in, want := range map[string]time.Duration{
		"7": 7 * time.Second, "": 0, "-1": 0, "soon": 0, now.Add(time.Minute).Format(http.TimeFormat): time.Minute, now.Add(-time.Minute).Format(http.TimeFormat): 0,
	} {
		if got := RetryAfter(http.Header{"Retry-After": {in}}, now); got != want {
			t.Errorf("%q: %v, want %v", in, got, want)
		}
	}
	for ahead, want := range map[time.Duration]string{
		time.Hour: "1h0m0s ahead", -time.Hour: "1h0m0s behind", time.Minute: "", -4 * time.Minute: "",
	} {
		got := Skew(http.Header{"Date": {now.Add(-ahead).Format(http.TimeFormat)}}, now)
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%v: %q", ahead, got)
		}
	}
	if Skew(http.Header{}, now) != "" {
		t.Error("a clock that nobody named")
	}
	for status, want := range map[int]bool{200: false, 400: false, 403: false, 404: false, 408: true, 429: true, 500: true, 501: false, 502: true, 503: true, 504: true} {
		if Transient(status) != want {
			t.Errorf("%d: %v", status, !want)
		}
	}
}

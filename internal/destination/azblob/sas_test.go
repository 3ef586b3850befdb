package azblob

import (
	"bytes"
	"encoding/pem"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/destination/destinationtest"
	"github.com/openomt/omt/internal/destination/destinationtest/relay"
	"github.com/openomt/omt/internal/destination/destinationtest/servers"
	"github.com/openomt/omt/internal/destination/web"
)

// keepsSecret fails the test when an error holds any of a URL's signature.
func keepsSecret(t *testing.T, err error, secrets ...string) {
	t.Helper()
	for _, s := range secrets {
		if err != nil && s != "" && strings.Contains(err.Error(), s) {
			t.Errorf("the error tells a secret: %v", err)
		}
	}
	if err != nil && strings.Contains(err.Error(), "sig=") {
		t.Errorf("the error holds a signature: %v", err)
	}
}

func signature(t *testing.T, signed string) string {
	t.Helper()
	u, err := url.Parse(signed)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query().Get("sig")
}

// A SAS that is refused in the middle is asked for again; where there is no new one, the error says why, and all that has
// arrived stays.
func TestRenewed(t *testing.T) {
	a := servers.StartAzurite(t)
	data := destinationtest.Content(1, 10*block64)
	name := a.Container(t)
	old, fresh, other := a.SAS(t, name, "rcwl", time.Hour), a.SAS(t, name, "rcwl", 2*time.Hour), a.SAS(t, a.Container(t), "rcwl", time.Hour)
	ended := a.SAS(t, name, "rcwl", -time.Minute)
	// The old one is not good any more from the fourth block on.
	refuse := func() []relay.Fault {
		return []relay.Fault{{Method: "PUT", Has: "comp=block&", Call: 4, Status: 403, Code: "AuthenticationFailed"}}
	}
	for what, c := range map[string]struct {
		again func(r *relay.Relay) (string, bool, error)
		works bool
	}{
		"a new one":          {func(r *relay.Relay) (string, bool, error) { return through(a, r, fresh), true, nil }, true},
		"the same":           {func(r *relay.Relay) (string, bool, error) { return through(a, r, old), true, nil }, false},
		"of another place":   {func(r *relay.Relay) (string, bool, error) { return through(a, r, other), true, nil }, false},
		"one that has ended": {func(r *relay.Relay) (string, bool, error) { return through(a, r, ended), true, nil }, false},
		"no file":            {func(*relay.Relay) (string, bool, error) { return "", false, nil }, false},
		"not readable":       {func(*relay.Relay) (string, bool, error) { return "", true, errors.New("broken") }, false},
	} {
		t.Run(what, func(t *testing.T) {
			r := relay.New(t, a.Host, refuse()...)
			asked := 0
			d := open(t, through(a, r, old), Options{block: block64, Again: func() (string, bool, error) { asked++; return c.again(r) }})
			key := "x" + strings.ReplaceAll(what, " ", "")
			sent, err := put(t, quick(nil), d, key, data)
			if sent != c.works || c.works == (err != nil) || asked != 1 {
				t.Fatalf("sent %v, error %v, asked %d times", sent, err, asked)
			}
			keepsSecret(t, err, signature(t, old), signature(t, fresh), signature(t, ended))
			if c.works {
				return
			}
			if !errors.Is(err, destination.ErrDenied) || strings.Contains(err.Error(), "expired at") != (what == "one that has ended") {
				t.Errorf("error is %v", err)
			}
			// A new run with a new SAS goes on where it stopped.
			rest := relay.New(t, a.Host)
			if sent, err := put(t, quick(nil), open(t, through(a, rest, fresh), Options{block: block64}), key, data); err != nil || !sent {
				t.Fatalf("the next run: sent %v, error %v", sent, err)
			}
			if n := rest.Count("PUT", "comp=block&"); n != 7 {
				t.Errorf("the next run sent %d blocks, want the 7 that were missing", n)
			}
		})
	}
}

// Probe names the right that is missing, whether the SAS says so or the service.
func TestProbe(t *testing.T) {
	a := servers.StartAzurite(t)
	for rights, want := range map[string][2]string{ // missing to read, missing to write
		"rcwl": {"", ""},
		"rl":   {"", "create (c), write (w)"},
		"cwl":  {"read (r)", "read (r)"},
		"rcw":  {"list (l)", "list (l)"},
		"rwl":  {"", "create (c)"},
		"w":    {"read (r), list (l)", "read (r), list (l), create (c)"},
	} {
		for i, write := range []bool{false, true} {
			url := a.SAS(t, a.Container(t), rights, time.Hour)
			for _, says := range []bool{true, false} {
				d := open(t, url, Options{})
				if !says { // as a SAS with a stored policy, which does not say
					d.place.sas = ""
					if rights == "rwl" {
						continue // the service takes w for c
					}
				}
				err := d.Probe(t.Context(), write)
				keepsSecret(t, err, signature(t, url))
				if want[i] == "" {
					if err != nil {
						t.Errorf("%s, write %v: %v", rights, write, err)
					}
					continue
				}
				if !errors.Is(err, destination.ErrDenied) || !strings.Contains(err.Error(), "lacks the right to") {
					t.Errorf("%s, write %v, says %v: error is %v", rights, write, says, err)
				} else if says && !strings.HasSuffix(err.Error(), want[i]) {
					t.Errorf("%s, write %v: error is %v, want %q", rights, write, err, want[i])
				}
				if got := destinationtest.Listed(t, open(t, a.SAS(t, d.place.Container, "rl", time.Hour), Options{}), ""); len(got) > 0 {
					t.Errorf("Probe leaves %v", got)
				}
			}
		}
	}
	none := open(t, a.SAS(t, "nosuchcontainer", "rcwl", time.Hour), Options{})
	if err := none.Probe(t.Context(), true); !errors.Is(err, destination.ErrNotExist) || !strings.Contains(err.Error(), `"nosuchcontainer" must be made`) {
		t.Errorf("without a container: %v", err)
	}
	ended := a.SAS(t, a.Container(t), "rcwl", -time.Hour)
	if err := open(t, ended, Options{}).Probe(t.Context(), true); !errors.Is(err, destination.ErrDenied) || !strings.Contains(err.Error(), "the SAS expired at") {
		t.Errorf("with a SAS that has ended: %v", err)
	}
}

// The account's key, and azblob://, do the same.
func TestByKey(t *testing.T) {
	a := servers.StartAzurite(t)
	getenv := func(name string) string {
		return map[string]string{"AZURE_STORAGE_ACCOUNT": a.Account, "AZURE_STORAGE_KEY": a.Key}[name]
	}
	d := open(t, "azblob://"+a.Container(t)+"/some/prefix?endpoint="+a.Host+"/"+a.Account, Options{Getenv: getenv})
	if err := d.Probe(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	data := destinationtest.Content(1, 1000)
	if sent, err := put(t, quick(nil), d, "chunks/x", data); err != nil || !sent {
		t.Fatalf("sent %v, error %v", sent, err)
	}
	if got := destinationtest.Listed(t, d, ""); len(got) != 1 || got["chunks/x"] != 1000 {
		t.Errorf("listed %v", got)
	}
	above := open(t, a.SAS(t, d.place.Container, "rl", time.Hour), Options{})
	if got := destinationtest.Read(t, above, "some/prefix/chunks/x"); !bytes.Equal(got, data) {
		t.Error("it lies elsewhere")
	}
	wrong := func(name string) string {
		if name == "AZURE_STORAGE_KEY" {
			return "d3Jvbmcga2V5"
		}
		return getenv(name)
	}
	err := open(t, "azblob://"+d.place.Container+"?endpoint="+a.Host+"/"+a.Account, Options{Getenv: wrong}).Probe(t.Context(), true)
	if !errors.Is(err, destination.ErrDenied) {
		t.Errorf("with another key: %v", err)
	}
	keepsSecret(t, err, "d3Jvbmcga2V5", a.Key)
}

// Nobody answers: net/http and the SDK would quote the whole URL.
func TestRefusedConnection(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	signed := "http://" + l.Addr().String() + "/omttest/tenant?sv=2026-01-01&sp=rcwl&sig=VerySecret%2Bsig%3D"
	d := open(t, signed, Options{})
	_, serr := d.Stat(t.Context(), "x")
	_, _, oerr := wrapOpen(t, d)
	for _, err := range []error{
		serr, oerr, d.Probe(t.Context(), true), d.Create(t.Context(), "x", nil),
		d.List(t.Context(), "", func(destination.Info) error { return nil }),
	} {
		if !errors.Is(err, destination.ErrTransient) || !strings.Contains(err.Error(), "connection refused") {
			t.Errorf("error is %v", err)
		}
		keepsSecret(t, err, "VerySecret")
	}
	if strings.Contains(d.URL(), "VerySecret") || strings.Contains(d.URL(), "?") {
		t.Errorf("URL is %q", d.URL())
	}
}

func wrapOpen(t *testing.T, d *Blob) (any, bool, error) {
	rc, err := d.Open(t.Context(), "x", 0, -1)
	return rc, rc != nil, err
}

// Through a proxy that wants a password, to a service with a certificate of a company's own authority.
func TestProxyAndAuthority(t *testing.T) {
	a := servers.StartAzurite(t)
	target, err := url.Parse(a.Host)
	if err != nil {
		t.Fatal(err)
	}
	r := relay.New(t, a.Host)
	inner := r.Handler(target)
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		req.URL.Path = "/" + a.Account + req.URL.Path // a host of its own has no account in its path
		req.Host = target.Host
		inner.ServeHTTP(w, req)
	}))
	defer s.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	proxy := relay.NewProxy(t, s.Listener.Addr().String(), "karl", "Pro%xy/Secret")
	name := a.Container(t)
	signed := strings.Replace(a.SAS(t, name, "rcwl", time.Hour), a.Host+"/"+a.Account, "https://example.com", 1)
	env := func(password string) func(string) string {
		u := strings.Replace(proxy.URL, "://", "://karl:"+url.QueryEscape(password)+"@", 1)
		return func(n string) string { return map[string]string{"HTTPS_PROXY": u}[n] }
	}
	d := open(t, signed, Options{Client: client(t, web.Options{CA: ca, Getenv: env("Pro%xy/Secret")})})
	if err := d.Probe(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	data := destinationtest.Content(1, 100_000)
	if sent, err := put(t, quick(nil), d, "x", data); err != nil || !sent {
		t.Fatalf("sent %v, error %v", sent, err)
	}
	if hosts := proxy.Hosts(); len(hosts) == 0 || hosts[0] != "example.com:443" {
		t.Errorf("the proxy was asked for %q", hosts)
	}
	for what, c := range map[string]struct {
		o    web.Options
		text string
	}{
		"a wrong password":               {web.Options{CA: ca, Getenv: env("Wrong/Secret")}, "the proxy wants a user name and a password"},
		"an authority that is not known": {web.Options{Getenv: env("Pro%xy/Secret")}, "--ca FILE"},
	} {
		err := open(t, signed, Options{Client: client(t, c.o)}).Probe(t.Context(), true)
		if err == nil || !strings.Contains(err.Error(), c.text) || !errors.Is(err, destination.ErrBlocked) {
			t.Errorf("%s: error is %v", what, err)
		}
		keepsSecret(t, err, signature(t, signed), "Secret")
	}
}

package s3

import (
	"net/http"
	"testing"
	"time"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/destination/destinationtest"
	"github.com/openomt/omt/internal/destination/destinationtest/servers"
	"github.com/openomt/omt/internal/destination/web"
)

func noEnv(string) string { return "" }

func client(t testing.TB, o web.Options) *http.Client {
	t.Helper()
	if o.Getenv == nil {
		o.Getenv = noEnv
	}
	o.Now = time.Now
	c, err := web.Client(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func open(t testing.TB, url string, getenv func(string) string, o Options) *Bucket {
	t.Helper()
	if o.Client == nil {
		o.Client = client(t, web.Options{})
	}
	o.Now = time.Now
	p, err := Parse(url, getenv)
	if err != nil {
		t.Fatal(err)
	}
	d, err := Open(p, o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestSuite(t *testing.T) {
	g := servers.StartVersityGW(t)
	for name, o := range map[string]Options{"one PUT": {}, "parts, pages of 3": {single: 1, pageSize: 3}} {
		t.Run(name, func(t *testing.T) {
			destinationtest.Run(t, func(t *testing.T) destinationtest.Opener {
				url := g.URL(g.Bucket(t), "")
				return func() destination.Destination { return open(t, url, g.Getenv, o) }
			})
		})
	}
}

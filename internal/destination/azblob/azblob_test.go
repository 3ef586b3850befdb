package azblob

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

// open gives the destination that a URL names; block is the size of its blocks, 0 for the usual.
func open(t testing.TB, url string, o Options) *Blob {
	t.Helper()
	if o.Getenv == nil {
		o.Getenv = noEnv
	}
	if o.Client == nil {
		o.Client = client(t, web.Options{})
	}
	o.Now = time.Now
	p, err := Parse(url, o.Getenv)
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
	a := servers.StartAzurite(t)
	for name, o := range map[string]Options{"blocks of 8 MiB": {}, "blocks of 64 KiB, pages of 3": {block: 64 << 10, pageSize: 3}} {
		t.Run(name, func(t *testing.T) {
			destinationtest.Run(t, func(t *testing.T) destinationtest.Opener {
				url := a.SAS(t, a.Container(t), "rcwl", time.Hour)
				return func() destination.Destination { return open(t, url, o) }
			})
		})
	}
}

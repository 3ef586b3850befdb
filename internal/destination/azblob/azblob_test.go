package azblob

import (
	"errors"
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
				url := a.SAS(t, a.Container(t), "rcwld", time.Hour) // what pushing needs, and d for collecting
				return func() destination.Destination { return open(t, url, o) }
			})
		})
	}
}

// Without the right to delete, everything but Remove works, as the suite of package e2e shows.
func TestRemoveIsDenied(t *testing.T) {
	a := servers.StartAzurite(t)
	d := open(t, a.SAS(t, a.Container(t), "rcwl", time.Hour), Options{})
	if err := d.Create(t.Context(), "chunks/ab/one", []byte("one")); err != nil {
		t.Fatal(err)
	}
	if err := d.Remove(t.Context(), "chunks/ab/one"); !errors.Is(err, destination.ErrDenied) {
		t.Errorf("Remove: %v, want %v", err, destination.ErrDenied)
	}
	if _, err := d.Stat(t.Context(), "chunks/ab/one"); err != nil {
		t.Error(err)
	}
}

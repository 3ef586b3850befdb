package s3

import (
	"bytes"
	"net/http"
	"sync"
	"sync/atomic"
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
	for name, c := range map[string]struct {
		o   Options
		but []string
	}{
		"one PUT": {},
		// versitygw sometimes lets two that end an upload of one object at once both win; see TestPartsRace.
		"parts, pages of 3": {Options{single: 1, pageSize: 3}, []string{"upload race"}},
	} {
		t.Run(name, func(t *testing.T) {
			destinationtest.Run(t, func(t *testing.T) destinationtest.Opener {
				url := g.URL(g.Bucket(t), "")
				return func() destination.Destination { return open(t, url, g.Getenv, c.o) }
			}, c.but...)
		})
	}
}

// Many that upload one large object at once all end well, and it is whole. Who has stored it may be said by more than one,
// which depends on the service and does no harm: they store the same.
func TestPartsRace(t *testing.T) {
	g := servers.StartVersityGW(t)
	data := destinationtest.Content(1, 400_000)
	for range 5 {
		url := g.URL(g.Bucket(t), "")
		var wg sync.WaitGroup
		var won atomic.Int32
		for range 6 {
			d := open(t, url, g.Getenv, Options{single: 1})
			wg.Go(func() {
				sent, err := put(t, destination.Retry{}, d, "chunks/x", data)
				if err != nil {
					t.Error(err)
				}
				if sent {
					won.Add(1)
				}
			})
		}
		wg.Wait()
		if won.Load() == 0 {
			t.Error("nobody says that it stored it")
		}
		if got := destinationtest.Read(t, open(t, url, g.Getenv, Options{}), "chunks/x"); !bytes.Equal(got, data) {
			t.Error("something else arrived")
		}
	}
}

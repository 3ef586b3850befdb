package push

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/destination/azblob"
	"github.com/openomt/omt/internal/destination/destinationtest/servers"
	"github.com/openomt/omt/internal/destination/s3"
	"github.com/openomt/omt/internal/destination/web"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/tenant"
)

func openAzure(t testing.TB, url string) destination.Destination {
	t.Helper()
	p, err := azblob.Parse(url, os.Getenv)
	check(t, err)
	d, err := azblob.Open(p, azblob.Options{Client: httpClient(t), Getenv: os.Getenv, Now: time.Now})
	check(t, err)
	t.Cleanup(func() { d.Close() })
	return d
}

func openS3(t testing.TB, url string, getenv func(string) string) destination.Destination {
	t.Helper()
	p, err := s3.Parse(url, getenv)
	check(t, err)
	d, err := s3.Open(p, s3.Options{Client: httpClient(t), Now: time.Now})
	check(t, err)
	t.Cleanup(func() { d.Close() })
	return d
}

// pushTo pushes to a service, from a spool of its own.
func pushTo(t testing.TB, d destination.Destination, p packed, sleep func(context.Context, time.Duration) error) error {
	t.Helper()
	at := place{spool: filepath.Join(t.TempDir(), "spool"), notices: &lines{}, logged: &lines{}}
	p.fill(t, at.spool)
	data := p.bytes(t)
	o := stream(at.base(d), data)
	o.Retry.Sleep = sleep
	_, err := run1(t.Context(), o)
	return err
}

func now(ctx context.Context, _ time.Duration) error { return ctx.Err() }

// collectTwice pushes, pushes something else in its place and collects, first with what may not delete and then with
// what may; then a push and a collect happen at once.
func collectTwice(t *testing.T, mayNot, may destination.Destination) {
	first, next := lots(idA, 0), lots(idA, 1)
	check(t, pushTo(t, may, first, now))
	check(t, pushTo(t, may, next, now))
	count := func(names []string) (n int) {
		for _, name := range names {
			if _, err := may.Stat(t.Context(), name); err == nil {
				n++
			}
		}
		return n
	}
	o := (place{notices: &lines{}}).collectAt(t, 0)
	if mayNot != nil {
		o.To = mayNot
		_, err := Collect(t.Context(), o)
		wantError(t, err, manifest.Failed, "deleting there: ")
		if hint := manifest.HintOf(err); !strings.Contains(hint, "sp=rcwld of a SAS, s3:DeleteObject") || strings.Contains(err.Error(), "\n") {
			t.Errorf("error is %q, hint %q", err, hint)
		}
		if count(first.names()) != 3 {
			t.Error("something was deleted")
		}
	}
	o.To = may
	done, err := Collect(t.Context(), o)
	if err != nil || done.Deleted.Chunks != 3 || done.Kept.Chunks != 3 || count(first.names()) != 0 || count(next.names()) != 3 {
		t.Errorf("collected %+v, error %v", done, err)
	}

	// What the push refers to is being collected.
	for i := range 3 {
		third := lots(idA, i%2)
		third.more = []manifest.Record{manifest.Check{Rule: manifest.RequiredRules()[i], Plugin: "crm 0.1.0", Tool: "omt-pack 0.1.0", Status: manifest.CheckDone}}
		var wg sync.WaitGroup
		var errPush, errCollect error
		working := make(chan struct{})
		patient := func(ctx context.Context, _ time.Duration) error {
			select {
			case <-working: // nobody runs out of patience while it is at work
			case <-ctx.Done():
			}
			return ctx.Err()
		}
		wg.Go(func() { errPush = pushTo(t, may, third, patient) })
		wg.Go(func() {
			defer close(working)
			own := o
			own.OlderThan = 0
			_, errCollect = Collect(t.Context(), own)
		})
		wg.Wait()
		if errCollect != nil && manifest.StatusOf(errCollect) != manifest.Refused {
			t.Error(errCollect)
		}
		if errPush != nil {
			t.Error(errPush)
		}
		if n := count(third.names()); n != 3 {
			t.Errorf("round %d: %d chunks of 3 are there", i, n)
		}
		s, err := tenant.Open(may).State(t.Context())
		if err != nil || s.Collecting != nil || s.Pending != nil || s.Migration == nil {
			t.Errorf("the state is %+v, error %v", s, err)
		}
	}
}

func TestCollectAzure(t *testing.T) {
	a := servers.StartAzurite(t)
	name := a.Container(t)
	collectTwice(t, openAzure(t, a.SAS(t, name, "rcwl", time.Hour)), openAzure(t, a.SAS(t, name, "rcwld", time.Hour)))
}

func TestCollectS3(t *testing.T) {
	g := servers.StartVersityGW(t)
	collectTwice(t, nil, openS3(t, g.URL(g.Bucket(t), "kalles"), g.Getenv))
}

func httpClient(t testing.TB) *http.Client {
	t.Helper()
	c, err := web.Client(web.Options{Getenv: os.Getenv, Now: time.Now})
	check(t, err)
	return c
}

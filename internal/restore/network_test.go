package restore

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/destination/azblob"
	"github.com/openomt/omt/internal/destination/destinationtest/relay"
	"github.com/openomt/omt/internal/destination/destinationtest/servers"
	"github.com/openomt/omt/internal/destination/s3"
	"github.com/openomt/omt/internal/destination/web"
	"github.com/openomt/omt/internal/tenant"
)

// cloud is an empty destination behind HTTP; through gives it as it is seen through another address.
type cloud struct {
	host    string
	through func(t *testing.T, host string) destination.Destination
}

// impatient repeats without waiting.
func impatient() destination.Retry {
	return destination.Retry{Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }}
}

func client(t *testing.T) *http.Client {
	t.Helper()
	c, err := web.Client(web.Options{Getenv: func(string) string { return "" }, Now: time.Now, Stall: 3 * time.Second})
	check(t, err)
	return c
}

var clouds = map[string]func(t *testing.T) cloud{
	"azure": func(t *testing.T) cloud {
		a := servers.StartAzurite(t)
		sas := a.SAS(t, a.Container(t), "rcwl", time.Hour)
		return cloud{a.Host, func(t *testing.T, host string) destination.Destination {
			none := func(string) string { return "" }
			p, err := azblob.Parse(strings.Replace(sas, a.Host, host, 1), none)
			check(t, err)
			d, err := azblob.Open(p, azblob.Options{Client: client(t), Getenv: none, Now: time.Now})
			check(t, err)
			return impatient().Wrap(d)
		}}
	},
	"s3": func(t *testing.T) cloud {
		g := servers.StartVersityGW(t)
		bucket := g.Bucket(t)
		return cloud{g.Host, func(t *testing.T, host string) destination.Destination {
			p, err := s3.Parse(strings.Replace(g.URL(bucket, "kalles"), g.Host, host, 1), g.Getenv)
			check(t, err)
			d, err := s3.Open(p, s3.Options{Client: client(t), Now: time.Now})
			check(t, err)
			return impatient().Wrap(d)
		}}
	},
}

// fill copies a store into a cloud.
func (c cloud) fill(t *testing.T, s *store) {
	t.Helper()
	to := c.through(t, c.host)
	check(t, s.d.List(t.Context(), "", func(i destination.Info) error {
		name := filepath.Join(s.path, filepath.FromSlash(i.Name))
		b, err := os.ReadFile(name)
		check(t, err)
		d, _, chunk := parse(i.Name)
		if !chunk {
			return to.Create(t.Context(), i.Name, b)
		}
		_, err = impatient().Put(t.Context(), to, destination.Object{Name: i.Name, Size: i.Size, Sum: d},
			func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }, func(int64) {})
		return err
	}))
}

// wire counts the bytes of answers.
type wire struct {
	http.ResponseWriter
	n *atomic.Int64
}

func (w wire) Write(p []byte) (int, error) {
	n, err := w.ResponseWriter.Write(p)
	w.n.Add(int64(n))
	return n, err
}

func (w wire) Flush() {
	if f, ok := w.ResponseWriter.(http.Flusher); ok {
		f.Flush()
	}
}

// line is a way to a cloud with faults on it, whose bytes are counted.
func (c cloud) line(t *testing.T, faults ...relay.Fault) (d destination.Destination, bytes *atomic.Int64) {
	t.Helper()
	r := relay.New(t, c.host, faults...)
	target, err := url.Parse(c.host)
	check(t, err)
	bytes = new(atomic.Int64)
	inner := r.Handler(target)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { inner.ServeHTTP(wire{w, bytes}, req) }))
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return c.through(t, s.URL), bytes
}

// Over a line that breaks, answers 503, stalls and loses, a proof says the same as in the folder, and nothing that has come
// is asked for again.
func TestProofOverNetwork(t *testing.T) {
	for name, start := range clouds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := start(t)
			s, k, m := big(t)
			c.fill(t, s)
			get := http.MethodGet
			d, n := c.line(t,
				relay.Fault{Method: get, Has: "chunks/", Call: 1, Status: http.StatusServiceUnavailable, Code: "ServerBusy", RetryAfter: "1"},
				relay.Fault{Method: get, Has: "chunks/", Call: 2, CutAnswer: k.Bytes / 3},
				relay.Fault{Method: get, Has: "chunks/", Call: 3, CutAnswer: k.Bytes / 3},
				relay.Fault{Method: get, Has: "chunks/", Call: 4, Stall: 300 * time.Millisecond},
				relay.Fault{Method: get, Has: "manifest.jsonl", Call: 1, CutAnswer: 50})
			p, problems := verify(t, m.over(d), VerifyOptions{Depth: Content})
			if len(problems) > 0 || p.Files != 1 || p.Read != 1 {
				t.Fatalf("%+v: %q", p, problems)
			}
			// What a broken connection had on its way is lost; it is far less than what had come.
			if most := k.Bytes + k.Bytes/5; n.Load() > most || n.Load() < k.Bytes {
				t.Errorf("%d bytes came for %d", n.Load(), k.Bytes)
			}

			// A sample asks for ranges alone.
			d, n = c.line(t, relay.Fault{Method: get, Has: "chunks/", Call: 3, CutAnswer: 1 << 20})
			p, problems = verify(t, m.over(d), VerifyOptions{Depth: Content, Sample: 0.2})
			if len(problems) > 0 || p.InPart != 1 {
				t.Fatalf("%+v: %q", p, problems)
			}
			if most := p.BytesRead + 2*rangeSize*int64(p.BytesRead/pieceSize+1); n.Load() > most || n.Load() > k.Bytes*3/4 {
				t.Errorf("%d bytes came for a sample of %d of %d", n.Load(), p.BytesRead, k.Bytes)
			}
		})
	}
}

// A proof that is broken off asks for what is left alone, and is kept where that is allowed.
func TestProofGoesOnOverNetwork(t *testing.T) {
	for name, start := range clouds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := start(t)
			s, dr := sample(t)
			dr.committed(1)
			c.fill(t, s)
			m, err := Find(t.Context(), c.through(t, c.host), "")
			check(t, err)
			state := t.TempDir()
			brokenOff(t, m, proving(t, state, Content, at), 3)
			r := &counting{Destination: m.Dest}
			o := proving(t, state, Content, at)
			p, err := Verify(t.Context(), m.over(r), o)
			if err != nil || r.n != p.Chunks-2 || p.Runs != 2 {
				t.Fatalf("%+v, %d were read, error %v", p, r.n, err)
			}
			kept, err := m.Keep(t.Context(), p, o, "", "omt-pack 0.1.0", nil)
			check(t, err)
			list, damaged, err := m.Tenant.Proofs(t.Context(), m.revision())
			if err != nil || len(damaged) > 0 || len(list) != 1 || list[0].Number != 1 || kept.Files != 8 || !list[0].Good() {
				t.Errorf("%+v, %q, %v", list, damaged, err)
			}
		})
	}
}

func parse(name string) (d [32]byte, typ string, ok bool) {
	got, typ, ok := tenant.ParseChunkName(name)
	return got, typ, ok
}

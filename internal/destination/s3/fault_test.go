package s3

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/destination/destinationtest"
	"github.com/openomt/omt/internal/destination/destinationtest/relay"
	"github.com/openomt/omt/internal/destination/destinationtest/servers"
	"github.com/openomt/omt/internal/destination/web"
)

const mib = 1 << 20

// quick repeats without waiting, and keeps how long it would have waited.
func quick(waits *[]time.Duration) destination.Retry {
	return destination.Retry{Attempts: 5, Sleep: func(ctx context.Context, d time.Duration) error {
		if waits != nil {
			*waits = append(*waits, d)
		}
		return ctx.Err()
	}}
}

// put puts, and sees to it that what was sent and what was there add up.
func put(t *testing.T, r destination.Retry, d destination.Destination, name string, data []byte) (bool, error) {
	t.Helper()
	sent, _, _, err := counted(t, r, d, name, data)
	return sent, err
}

func counted(t *testing.T, r destination.Retry, d destination.Destination, name string, data []byte) (sent bool, moved, there int64, err error) {
	t.Helper()
	var out atomic.Int64
	o := destination.Object{Name: name, Size: int64(len(data)), Sum: sha256.Sum256(data), There: func(n int64) { there += n }}
	sent, err = r.Put(t.Context(), d, o, func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }, func(n int64) { out.Add(n) })
	moved = out.Load()
	if err == nil && sent && moved+there != int64(len(data)) {
		t.Errorf("%d bytes were told of as sent and %d as there before, want %d", moved, there, len(data))
	}
	return sent, moved, there, err
}

func through(g *servers.VersityGW, r *relay.Relay, bucket string) string {
	return strings.Replace(g.URL(bucket, ""), g.Host, r.URL, 1)
}

// Whatever happens to one request on its way, the object arrives whole, and it was this process that stored it.
func TestFaults(t *testing.T) {
	g := servers.StartVersityGW(t)
	const one, part, all = "/chunks/x?", "partNumber=", "uploadId="
	for name, c := range map[string]struct {
		f    relay.Fault
		size int
	}{
		"503 for a PUT":              {relay.Fault{Method: "PUT", Has: one, Call: 1, Status: 503, Code: "SlowDown", RetryAfter: "77"}, 300_000},
		"500":                        {relay.Fault{Method: "PUT", Has: one, Call: 1, Status: 500, Code: "InternalError"}, 300_000},
		"429":                        {relay.Fault{Method: "HEAD", Has: one, Call: 1, Status: 429}, 300_000},
		"400 RequestTimeout":         {relay.Fault{Method: "PUT", Has: one, Call: 1, Status: 400, Code: "RequestTimeout"}, 300_000},
		"cut in a PUT":               {relay.Fault{Method: "PUT", Has: one, Call: 1, CutBody: 100_000}, 300_000},
		"the answer to a PUT":        {relay.Fault{Method: "PUT", Has: one, Call: 1, Lost: true}, 300_000},
		"one bit of a PUT":           {relay.Fault{Method: "PUT", Has: one, Call: 1, Flip: true}, 300_000},
		"a PUT stalls":               {relay.Fault{Method: "PUT", Has: one, Call: 1, Stall: 3 * time.Second}, 300_000},
		"503 for a part":             {relay.Fault{Method: "PUT", Has: part + "2", Call: 1, Status: 503, Code: "SlowDown"}, 12 * mib},
		"cut in a part":              {relay.Fault{Method: "PUT", Has: part + "2", Call: 1, CutBody: 2 * mib}, 12 * mib},
		"one bit of a part":          {relay.Fault{Method: "PUT", Has: part + "3", Call: 1, Flip: true}, 12 * mib},
		"the answer to a part":       {relay.Fault{Method: "PUT", Has: part + "1", Call: 1, Lost: true}, 12 * mib},
		"the answer to the end":      {relay.Fault{Method: "POST", Has: all, Call: 1, Lost: true}, 12 * mib},
		"503 for the end":            {relay.Fault{Method: "POST", Has: all, Call: 1, Status: 503, Code: "SlowDown"}, 12 * mib},
		"the answer to the begin":    {relay.Fault{Method: "POST", Has: "uploads=", Call: 1, Lost: true}, 12 * mib},
		"another's PUT on its way":   {relay.Fault{Method: "PUT", Has: one, Call: 1, Status: 412, Code: "PreconditionFailed"}, 300_000},
		"another's end on its way":   {relay.Fault{Method: "POST", Has: all, Call: 1, Status: 412, Code: "PreconditionFailed"}, 12 * mib},
		"asking for uploads is lost": {relay.Fault{Method: "GET", Has: "uploads=", Call: 1, Lost: true}, 12 * mib},
	} {
		t.Run(name, func(t *testing.T) {
			data := destinationtest.Content(1, c.size)
			r := relay.New(t, g.Host, c.f)
			stall := time.Minute // where nothing stalls, none is to be taken for it on a busy machine
			if c.f.Stall > 0 {
				stall = c.f.Stall / 3
			}
			d := open(t, through(g, r, g.Bucket(t)), g.Getenv, Options{single: mib, part: 5 * mib, Client: client(t, web.Options{Stall: stall})})
			var waits []time.Duration
			sent, err := put(t, quick(&waits), d, "chunks/x", data)
			if err != nil || !sent {
				t.Fatalf("sent %v, error %v", sent, err)
			}
			// A GET on a connection that was used before is repeated by net/http itself.
			if len(waits) != 1 && c.f.Method != "GET" && c.f.Stall == 0 || len(waits) == 0 && c.f.Method != "GET" || c.f.RetryAfter != "" && waits[0] != 77*time.Second {
				t.Errorf("waited %v", waits)
			}
			if got := destinationtest.Read(t, d, "chunks/x"); !bytes.Equal(got, data) {
				t.Error("something else arrived")
			}
			if n := r.Count("PUT", part); n > 4 {
				t.Errorf("%d parts were sent, want 3 and at most one again", n)
			}
		})
	}
}

// An object that is said to be there, and is not yet: it is created, and one that is there stays.
func TestCreateWhileAnotherIsOnItsWay(t *testing.T) {
	g := servers.StartVersityGW(t)
	r := relay.New(t, g.Host, relay.Fault{Method: "PUT", Call: 1, Status: 412, Code: "PreconditionFailed"})
	d := quick(nil).Wrap(open(t, through(g, r, g.Bucket(t)), g.Getenv, Options{}))
	for _, want := range []error{nil, destination.ErrExists} {
		if err := d.Create(t.Context(), "state/1", []byte("of "+fmt.Sprint(want))); !errors.Is(err, want) {
			t.Fatalf("error is %v, want %v", err, want)
		}
	}
	if got := destinationtest.Read(t, d, "state/1"); string(got) != "of <nil>" {
		t.Errorf("it holds %q", got)
	}
}

// The service answers before it has read all, and says no for good.
func TestRefusedInTheMiddle(t *testing.T) {
	g := servers.StartVersityGW(t)
	r := relay.New(t, g.Host, relay.Fault{Method: "PUT", Call: 1, Status: 403, Code: "AccessDenied"})
	d := open(t, through(g, r, g.Bucket(t)), g.Getenv, Options{})
	_, err := put(t, quick(nil), d, "x", destinationtest.Content(1, 5*mib))
	if !errors.Is(err, destination.ErrDenied) && !errors.Is(err, destination.ErrTransient) || err == nil {
		t.Errorf("error is %v", err)
	}
	if n := r.Count("PUT", "/x"); errors.Is(err, destination.ErrDenied) && n != 1 {
		t.Errorf("%d requests", n)
	}
}

// A process that was killed in the middle of a large object, and one that comes after it.
func TestPartsAreNotSentAgain(t *testing.T) {
	g := servers.StartVersityGW(t)
	data := destinationtest.Content(2, 22*mib)
	bucket := g.Bucket(t)
	o := Options{single: mib, part: 5 * mib}
	u, err := open(t, g.URL(bucket, ""), g.Getenv, o).Upload(t.Context(), "x", int64(len(data)), sha256.Sum256(data))
	if err != nil {
		t.Fatal(err)
	}
	if n, err := u.Send(t.Context(), 0, bytes.NewReader(data[:13*mib])); err != nil || n != 10*mib {
		t.Fatalf("%d bytes were accepted, error %v", n, err)
	}
	r := relay.New(t, g.Host)
	d := open(t, through(g, r, bucket), g.Getenv, o)
	if sent, moved, there, err := counted(t, quick(nil), d, "x", data); err != nil || !sent || moved != 12*mib || there != 10*mib {
		t.Fatalf("sent %v: %d bytes, %d were there, error %v", sent, moved, there, err)
	}
	if r.Bytes() < 12*mib || r.Bytes() > 12*mib+5000 {
		t.Errorf("%d bytes were sent, want the 12 MiB that were missing", r.Bytes())
	}
	if n := r.Count("POST", "uploads="); n != 0 {
		t.Errorf("%d uploads were begun beside the one that there was", n)
	}
	if got := destinationtest.Read(t, d, "x"); !bytes.Equal(got, data) {
		t.Error("something else arrived")
	}
	// Parts that hold something else are sent again.
	other := bytes.Clone(data)
	other[3] ^= 1
	u, err = d.Upload(t.Context(), "y", int64(len(data)), sha256.Sum256(data))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Send(t.Context(), 0, bytes.NewReader(other[:12*mib])); err != nil {
		t.Fatal(err)
	}
	later := open(t, g.URL(bucket, ""), g.Getenv, o)
	if sent, err := put(t, quick(nil), later, "y", data); err != nil || !sent {
		t.Fatalf("sent %v, error %v", sent, err)
	}
	if got := destinationtest.Read(t, later, "y"); !bytes.Equal(got, data) {
		t.Error("something else arrived")
	}
}

// A PUT that never ends well is not sent for ever.
func TestGivesUp(t *testing.T) {
	g := servers.StartVersityGW(t)
	var faults []relay.Fault
	for n := range 5 {
		faults = append(faults, relay.Fault{Method: "PUT", Has: "/x", Call: n + 1, Status: 503, Code: "SlowDown"})
	}
	r := relay.New(t, g.Host, faults...)
	d := open(t, through(g, r, g.Bucket(t)), g.Getenv, Options{})
	_, err := put(t, quick(nil), d, "x", []byte("some bytes"))
	if !errors.Is(err, destination.ErrTransient) || !strings.Contains(err.Error(), "giving up after 5 tries") {
		t.Errorf("error is %v", err)
	}
	if n := r.Count("PUT", "/x"); n != 5 {
		t.Errorf("%d requests for 5 attempts", n)
	}
}

func TestProbe(t *testing.T) {
	g := servers.StartVersityGW(t)
	bucket := g.Bucket(t)
	d := open(t, g.URL(bucket, "kalles"), g.Getenv, Options{})
	for range 2 {
		if err := d.Probe(t.Context(), true); err != nil {
			t.Fatal(err)
		}
	}
	if err := open(t, g.URL(g.Bucket(t), ""), g.Getenv, Options{}).Probe(t.Context(), false); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(g.Dir, bucket, "kalles", probeName)); err != nil {
		t.Error(err)
	}
	err := open(t, g.URL("nosuchbucket", ""), g.Getenv, Options{}).Probe(t.Context(), true)
	if !errors.Is(err, destination.ErrNotExist) || !strings.Contains(err.Error(), `"nosuchbucket" must be made`) {
		t.Errorf("without a bucket: %v", err)
	}
	for right, f := range map[string]relay.Fault{
		"list (s3:ListBucket)": {Has: "list-type=", Call: 1}, "list uploads (s3:ListBucketMultipartUploads)": {Has: "uploads=", Call: 1},
		"store (s3:PutObject)": {Method: "PUT", Call: 1}, "read (s3:GetObject)": {Method: "HEAD", Call: 1},
	} {
		f.Status, f.Code = 403, "AccessDenied"
		r := relay.New(t, g.Host, f)
		err := open(t, through(g, r, bucket), g.Getenv, Options{}).Probe(t.Context(), true)
		if !errors.Is(err, destination.ErrDenied) || !strings.Contains(err.Error(), "lacks the right to "+right) {
			t.Errorf("%s: error is %v", right, err)
		}
	}
	wrong := func(name string) string {
		if name == "AWS_SECRET_ACCESS_KEY" {
			return "VerySecretKey"
		}
		return g.Getenv(name)
	}
	err = open(t, g.URL(bucket, ""), wrong, Options{}).Probe(t.Context(), true)
	if !errors.Is(err, destination.ErrDenied) || !strings.Contains(err.Error(), "SignatureDoesNotMatch") || strings.Contains(err.Error(), "VerySecret") {
		t.Errorf("with another key: %v", err)
	}
}

// deaf is a service that takes no notice of If-None-Match.
func TestProbeFindsOverwriting(t *testing.T) {
	g := servers.StartVersityGW(t)
	r := relay.New(t, g.Host, relay.Fault{Method: "PUT", Has: probeName, Call: 1, Status: 200}, relay.Fault{Method: "PUT", Has: probeName, Call: 2, Status: 200})
	err := open(t, through(g, r, g.Bucket(t)), g.Getenv, Options{}).Probe(t.Context(), true)
	if err == nil || !strings.Contains(err.Error(), "the service overwrites an object") {
		t.Errorf("error is %v", err)
	}
}

func TestClock(t *testing.T) {
	g := servers.StartVersityGW(t)
	r := relay.New(t, g.Host, relay.Fault{Call: 1, Status: 403, Code: "RequestTimeTooSkewed", Date: time.Now().Add(time.Hour)})
	_, err := open(t, through(g, r, g.Bucket(t)), g.Getenv, Options{}).Stat(t.Context(), "x")
	if !errors.Is(err, destination.ErrDenied) || !strings.Contains(err.Error(), "behind the service's") {
		t.Errorf("error is %v", err)
	}
}

func TestPages(t *testing.T) {
	g := servers.StartVersityGW(t)
	r := relay.New(t, g.Host)
	d := open(t, through(g, r, g.Bucket(t)), g.Getenv, Options{pageSize: 10})
	for i := range 35 {
		if err := d.Create(t.Context(), fmt.Sprintf("chunks/%02d", i), []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	seen, stop := 0, errors.New("stop")
	err := d.List(t.Context(), "chunks/", func(destination.Info) error {
		if seen++; seen == 15 {
			return stop
		}
		return nil
	})
	if n := r.Count("GET", "list-type="); !errors.Is(err, stop) || n > 3 {
		t.Errorf("%d pages for 15 objects, error %v", n, err)
	}
	if got := len(destinationtest.Listed(t, d, "chunks/")); got != 35 {
		t.Errorf("%d objects are listed", got)
	}
}

// Nobody answers, and no error quotes a key.
func TestRefusedConnection(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	env := map[string]string{"AWS_ACCESS_KEY_ID": "access", "AWS_SECRET_ACCESS_KEY": "VerySecret", "AWS_SESSION_TOKEN": "VerySecretToken"}
	d := open(t, "s3://tenant?endpoint=http://"+l.Addr().String(), func(n string) string { return env[n] }, Options{})
	_, serr := d.Stat(t.Context(), "x")
	_, oerr := d.Open(t.Context(), "x", 0, -1)
	for _, err := range []error{
		serr, oerr, d.Probe(t.Context(), true), d.Create(t.Context(), "x", nil),
		d.List(t.Context(), "", func(destination.Info) error { return nil }),
	} {
		if !errors.Is(err, destination.ErrTransient) || strings.Contains(err.Error(), "VerySecret") {
			t.Errorf("error is %v", err)
		}
	}
}

func TestParse(t *testing.T) {
	const refused = "!"
	env := map[string]string{"AWS_ACCESS_KEY_ID": "access", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "eu-north-1"}
	for _, c := range []struct{ in, want, region string }{
		{"s3://tenant", "s3://tenant", "eu-north-1"},
		{"S3://tenant/a/b/", "s3://tenant/a/b", "eu-north-1"},
		{"s3://tenant/a?endpoint=https://S3.example.com:9000/&region=x", "s3://tenant/a?endpoint=https://s3.example.com:9000", "x"},
		{"s3://tenant?endpoint=http://127.0.0.1:7070", "s3://tenant?endpoint=http://127.0.0.1:7070", "eu-north-1"},
		{"s3://tenant?endpoint=http://s3.example.com", refused + "plain http is for this machine alone", ""},
		{"s3://tenant?endpoint=s3.example.com", refused + "want https://HOST", ""},
		{"s3://tenant?endpoint=https://h/path", refused + "endpoint is not the URL", ""},
		{"s3://tenant?endpoint=https://u:secret@h", refused + "endpoint is not the URL", ""},
		{"s3://u:secret@tenant", refused + "neither user nor fragment", ""},
		{"s3://tenant?key=secret", refused + "a parameter that is not known", ""},
		{"s3://Tenant", refused + "no name of a bucket", ""},
		{"s3:///a", refused + "no name of a bucket", ""},
		{"s3://tenant/a b", refused + "below the bucket", ""},
		{"s3://tenant/%zz?secret", refused + "not a URL", ""},
	} {
		p, err := Parse(c.in, func(n string) string { return env[n] })
		if text, bad := strings.CutPrefix(c.want, refused); bad {
			if err == nil || !strings.Contains(err.Error(), text) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%q: error is %v, want %q", c.in, err, text)
			}
			continue
		}
		if err != nil || p.URL() != c.want || p.Region != c.region {
			t.Errorf("%q: %q in %q, error %v", c.in, p.URL(), p.Region, err)
		}
	}
	half := func(n string) string { return map[string]string{"AWS_ACCESS_KEY_ID": "access"}[n] }
	if _, err := Parse("s3://tenant", half); err == nil || !strings.Contains(err.Error(), "go together") {
		t.Errorf("half a credential: %v", err)
	}
	empty := filepath.Join(t.TempDir(), "none")
	p, err := Parse("s3://tenant", func(n string) string { return map[string]string{"AWS_SHARED_CREDENTIALS_FILE": empty}[n] })
	if err == nil {
		_, err = Open(p, Options{Client: client(t, web.Options{})})
	}
	if err == nil || !strings.Contains(err.Error(), "no credential for S3") {
		t.Errorf("no credential: %v", err)
	}
}

package azblob

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
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

// through gives a container's URL whose requests go through a relay.
func through(a *servers.Azurite, r *relay.Relay, url string) string {
	return strings.Replace(url, a.Host, r.URL, 1)
}

const block64 = 64 << 10

// Whatever happens to one request on its way, the object arrives whole, and it was this process that stored it.
func TestFaults(t *testing.T) {
	a := servers.StartAzurite(t)
	const blocks, list = "comp=block&", "comp=blocklist"
	for name, f := range map[string]relay.Fault{
		"503 for a block":           {Method: "PUT", Has: blocks, Call: 2, Status: 503, Code: "ServerBusy", RetryAfter: "77"},
		"429":                       {Method: "PUT", Has: blocks, Call: 1, Status: 429, Code: "TooManyRequests"},
		"408":                       {Method: "PUT", Has: blocks, Call: 1, Status: 408, Code: "RequestTimeout"},
		"500":                       {Method: "PUT", Has: list, Call: 1, Status: 500, Code: "InternalError"},
		"502":                       {Method: "GET", Has: list, Call: 1, Status: 502},
		"504":                       {Method: "PUT", Has: blocks, Call: 3, Status: 504},
		"cut in a block":            {Method: "PUT", Has: blocks, Call: 2, CutBody: 30_000},
		"cut before a block":        {Method: "PUT", Has: blocks, Call: 2, CutBody: 1},
		"the answer to a block":     {Method: "PUT", Has: blocks, Call: 3, Lost: true},
		"the answer to the commit":  {Method: "PUT", Has: list, Call: 1, Lost: true},
		"one bit of a block":        {Method: "PUT", Has: blocks, Call: 2, Flip: true},
		"a block stalls":            {Method: "PUT", Has: blocks, Call: 2, Stall: 3 * time.Second},
		"the commit stalls":         {Method: "PUT", Has: list, Call: 1, Stall: 3 * time.Second},
		"asking for blocks is lost": {Method: "GET", Has: list, Call: 1, Lost: true},
	} {
		t.Run(name, func(t *testing.T) {
			data := destinationtest.Content(1, 300_000)
			r := relay.New(t, a.Host, f)
			url := through(a, r, a.SAS(t, a.Container(t), "rcwl", time.Hour))
			stall := time.Minute // where nothing stalls, none is to be taken for it on a busy machine
			if f.Stall > 0 {
				stall = f.Stall / 3
			}
			d := open(t, url, Options{block: block64, Client: client(t, web.Options{Stall: stall})})
			var waits []time.Duration
			sent, err := put(t, quick(&waits), d, "chunks/x", data)
			if err != nil || !sent {
				t.Fatalf("sent %v, error %v", sent, err)
			}
			if len(waits) == 0 || len(waits) > 1 && f.Stall == 0 || f.RetryAfter != "" && waits[0] != 77*time.Second {
				t.Errorf("waited %v", waits)
			}
			if got := destinationtest.Read(t, d, "chunks/x"); !bytes.Equal(got, data) {
				t.Error("something else arrived")
			}
			// Five blocks, and one more for each that was broken.
			if n := r.Count("PUT", blocks); n > 5+len(waits) {
				t.Errorf("%d blocks were sent, after %d waits", n, len(waits))
			}
		})
	}
}

// What is read goes on where it broke off.
func TestReadingBreaksOff(t *testing.T) {
	a := servers.StartAzurite(t)
	data := destinationtest.Content(2, 300_000)
	url := a.SAS(t, a.Container(t), "rcwl", time.Hour)
	if _, err := put(t, quick(nil), open(t, url, Options{}), "x", data); err != nil {
		t.Fatal(err)
	}
	r := relay.New(t, a.Host, relay.Fault{Method: "GET", Has: "/x?", Call: 1, CutAnswer: 100_000},
		relay.Fault{Method: "GET", Has: "/x?", Call: 2, CutAnswer: 1}, relay.Fault{Method: "GET", Has: "/x?", Call: 3, Status: 503})
	d := quick(nil).Wrap(open(t, through(a, r, url), Options{}))
	if got := destinationtest.Read(t, d, "x"); !bytes.Equal(got, data) {
		t.Error("something else was read")
	}
}

// A line that is slow is not one that stands still.
func TestSlow(t *testing.T) {
	a := servers.StartAzurite(t)
	data := destinationtest.Content(3, 8_000_000)
	r := relay.New(t, a.Host)
	r.Slow(2_000_000)
	d := open(t, through(a, r, a.SAS(t, a.Container(t), "rcwl", time.Hour)), Options{Client: client(t, web.Options{Stall: 3 * time.Second})})
	began := time.Now()
	if sent, err := put(t, destination.Retry{Attempts: 1}, d, "x", data); err != nil || !sent {
		t.Fatalf("sent %v, error %v", sent, err)
	}
	if took := time.Since(began); took < 3500*time.Millisecond {
		t.Errorf("it took %v: the relay was not slow, so this shows nothing", took)
	}
}

// The SDK repeats nothing by itself, and what is final is not repeated at all.
func TestRetriesDoNotMultiply(t *testing.T) {
	a := servers.StartAzurite(t)
	var faults []relay.Fault
	for n := range 5 {
		faults = append(faults, relay.Fault{Method: "PUT", Has: "comp=block&", Call: n + 1, Status: 503, Code: "ServerBusy"})
	}
	r := relay.New(t, a.Host, faults...)
	d := open(t, through(a, r, a.SAS(t, a.Container(t), "rcwl", time.Hour)), Options{})
	_, err := put(t, quick(nil), d, "x", []byte("some bytes"))
	if !errors.Is(err, destination.ErrTransient) || !strings.Contains(err.Error(), "503 ServerBusy") {
		t.Errorf("error is %v", err)
	}
	if n := r.Count("PUT", "comp=block&"); n != 5 {
		t.Errorf("%d requests for 5 attempts", n)
	}
	final := relay.New(t, a.Host, relay.Fault{Method: "PUT", Call: 1, Status: 400, Code: "InvalidHeaderValue"})
	err = open(t, through(a, final, a.SAS(t, a.Container(t), "rcwl", time.Hour)), Options{}).Create(t.Context(), "x", nil)
	if err == nil || errors.Is(err, destination.ErrTransient) || err.Error() != `writing "x": 400 InvalidHeaderValue` || len(final.Seen()) != 1 {
		t.Errorf("error is %v after %d requests", err, len(final.Seen()))
	}
}

// A process that was killed in the middle, and one that comes after it: only what has not arrived is sent.
func TestBlocksAreNotSentAgain(t *testing.T) {
	a := servers.StartAzurite(t)
	data := destinationtest.Content(4, 20*block64+1234)
	url := a.SAS(t, a.Container(t), "rcwl", time.Hour)
	sum := sha256.Sum256(data)
	u, err := open(t, url, Options{block: block64}).Upload(t.Context(), "x", int64(len(data)), sum)
	if err != nil {
		t.Fatal(err)
	}
	n, err := u.Send(t.Context(), 0, bytes.NewReader(data[:10*block64+77]))
	if want := int64(10*block64 + 64); err != nil || n != want {
		t.Fatalf("%d bytes were accepted, error %v, want %d", n, err, want)
	}
	r := relay.New(t, a.Host)
	d := open(t, through(a, r, url), Options{block: block64})
	if sent, _, there, err := counted(t, quick(nil), d, "x", data); err != nil || !sent || there != n {
		t.Fatalf("sent %v, %d bytes were there, error %v", sent, there, err)
	}
	if rest := int64(len(data)) - n; r.Bytes() < rest || r.Bytes() > rest+5000 { // with the list of blocks
		t.Errorf("%d bytes were sent, want the %d that were missing", r.Bytes(), rest)
	}
	if got := destinationtest.Read(t, d, "x"); !bytes.Equal(got, data) {
		t.Error("something else arrived")
	}
}

// Bytes of an earlier process that were damaged before they were sent are found out, though nothing is read back.
func TestDamagedBlocks(t *testing.T) {
	a := servers.StartAzurite(t)
	data := destinationtest.Content(5, 5*block64)
	damaged := bytes.Clone(data)
	damaged[3] ^= 1
	url := a.SAS(t, a.Container(t), "rcwl", time.Hour)
	u, err := open(t, url, Options{block: block64}).Upload(t.Context(), "x", int64(len(data)), sha256.Sum256(data))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Send(t.Context(), 0, bytes.NewReader(damaged[:3*block64])); err != nil {
		t.Fatal(err)
	}
	r := relay.New(t, a.Host)
	d := open(t, through(a, r, url), Options{block: block64})
	if sent, err := put(t, quick(nil), d, "x", data); err != nil || !sent {
		t.Fatalf("sent %v, error %v", sent, err)
	}
	if got := destinationtest.Read(t, d, "x"); !bytes.Equal(got, data) {
		t.Error("something else arrived")
	}
	if n := r.Count("PUT", "comp=block&"); n != 2+5 {
		t.Errorf("%d blocks were sent, want 2 to end the damaged chain and all 5 anew", n)
	}
}

// Clocks that differ are named, since a signature is refused for nothing else that anybody sees.
func TestClock(t *testing.T) {
	a := servers.StartAzurite(t)
	for ahead, want := range map[time.Duration]string{
		2 * time.Hour: "clock is 2h0m", -2 * time.Hour: "behind the service's", 0: "",
	} {
		r := relay.New(t, a.Host, relay.Fault{Call: 1, Status: 403, Code: "AuthenticationFailed", Date: time.Now().Add(-ahead)})
		_, err := open(t, through(a, r, a.SAS(t, a.Container(t), "rcwl", time.Hour)), Options{}).Stat(t.Context(), "x")
		if !errors.Is(err, destination.ErrDenied) || !strings.Contains(err.Error(), want) || want == "" && strings.Contains(err.Error(), "clock") {
			t.Errorf("%v: error is %v", ahead, err)
		}
	}
}

// Pages of a listing are asked for as they are used.
func TestPages(t *testing.T) {
	a := servers.StartAzurite(t)
	r := relay.New(t, a.Host)
	d := open(t, through(a, r, a.SAS(t, a.Container(t), "rcwl", time.Hour))+"", Options{pageSize: 10})
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
	if n := r.Count("GET", "comp=list"); !errors.Is(err, stop) || n != 2 {
		t.Errorf("%d pages for 15 objects, error %v", n, err)
	}
	if got := len(destinationtest.Listed(t, d, "chunks/")); got != 35 {
		t.Errorf("%d objects are listed", got)
	}
}

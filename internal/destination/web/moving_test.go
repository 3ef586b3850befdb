package web

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// limit is a destination.Limiter.
type limit func(ctx context.Context, n int) (int, error)

func (l limit) Take(ctx context.Context, n int) (int, error) { return l(ctx, n) }

// counting counts what arrives on the connections of a listener.
type counting struct {
	net.Listener
	n atomic.Int64
}

func (l *counting) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return &countingConn{Conn: c, l: l}, err
}

type countingConn struct {
	net.Conn
	l *counting
}

func (c *countingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.l.n.Add(int64(n))
	return n, err
}

// server reads all and answers; it counts what came over the wire.
func server(t *testing.T, tls bool, h http.Handler) (*httptest.Server, *counting, Options) {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	wire := &counting{Listener: s.Listener}
	s.Listener = wire
	o := Options{Getenv: env(), Now: time.Now}
	if tls {
		s.StartTLS()
		o.CA = filepath.Join(t.TempDir(), "ca.pem")
		if err := os.WriteFile(o.CA, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
			t.Fatal(err)
		}
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s, wire, o
}

var readAll = http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
	_, _ = io.Copy(io.Discard, req.Body)
	w.WriteHeader(http.StatusCreated)
})

// put sends a request with a body.
func put(ctx context.Context, c *http.Client, url string, size int) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, url, bytes.NewReader(make([]byte, size)))
	if err != nil {
		return err
	}
	r, err := c.Do(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, r.Body)
	return errors.Join(err, r.Body.Close())
}

// Nothing goes over the wire that the limit was not asked for: heads, bodies, what TLS adds, and what is sent again.
func TestLimitIsOfTheWire(t *testing.T) {
	for _, tls := range []bool{false, true} {
		s, wire, o := server(t, tls, readAll)
		var taken atomic.Int64
		o.Limit = limit(func(_ context.Context, n int) (int, error) {
			n = min(n, 1000)
			taken.Add(int64(n))
			return n, nil
		})
		c, err := Client(o)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 { // as if it had to be sent again
			if err := put(t.Context(), c, s.URL, 100_000); err != nil {
				t.Fatal(err)
			}
		}
		c.CloseIdleConnections()
		if got := wire.n.Load(); got < 300_000 || taken.Load() < got {
			t.Errorf("tls %v: %d bytes came over the wire, the limit let %d through", tls, got, taken.Load())
		}
	}
}

// A connection that our own limit keeps waiting for longer than nothing may move is not given up, whatever the service
// says meanwhile; one that stands still afterwards is.
func TestLimitIsNoStall(t *testing.T) {
	const stall = time.Second
	early := http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		w.WriteHeader(http.StatusCreated)
		_ = http.NewResponseController(w).Flush()
		_, _ = io.Copy(io.Discard, req.Body)
	})
	for name, h := range map[string]http.Handler{"reads": readAll, "answers first": early} {
		s, wire, o := server(t, false, h)
		o.Stall = stall
		var calls, held atomic.Int32
		o.Limit = limit(func(ctx context.Context, n int) (int, error) {
			if calls.Add(1) == 3 {
				held.Add(1)
				select {
				case <-time.After(2 * stall):
				case <-ctx.Done():
				}
			}
			return min(n, 20_000), ctx.Err()
		})
		c, err := Client(o)
		if err != nil {
			t.Fatal(err)
		}
		if err := put(t.Context(), c, s.URL, 100_000); err != nil || held.Load() != 1 {
			t.Errorf("%s: error is %v, held %d times", name, err, held.Load())
		}
		c.CloseIdleConnections()
		if got := wire.n.Load(); got < 100_000 {
			t.Errorf("%s: %d bytes came", name, got)
		}
	}
	still := make(chan struct{})
	s, _, o := server(t, false, http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) { <-still }))
	defer close(still)
	o.Stall = stall / 10
	o.Limit = limit(func(_ context.Context, n int) (int, error) { return n, nil })
	c, err := Client(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := put(t.Context(), c, s.URL, 1000); err == nil {
		t.Error("a service that says nothing is waited for")
	}
}

// A request that is given up does not wait for its turn.
func TestLimitEndsWithTheConnection(t *testing.T) {
	s, _, o := server(t, false, readAll)
	ctx, cancel := context.WithCancel(t.Context())
	var over sync.WaitGroup
	over.Add(1)
	var once sync.Once
	o.Limit = limit(func(inner context.Context, n int) (int, error) {
		once.Do(cancel)
		<-inner.Done() // for ever, were the connection not closed
		over.Done()
		return 0, inner.Err()
	})
	c, err := Client(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := put(ctx, c, s.URL, 1000); !errors.Is(err, context.Canceled) {
		t.Fatalf("error is %v", err)
	}
	over.Wait()
}

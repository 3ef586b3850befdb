// Package relay is an HTTP server on loopback that passes requests on to another one, and does to them what networks and
// services do: it answers 503, cuts connections, stalls, is slow, damages bytes. A fault that never fired fails the test.
package relay

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Fault is one thing that goes wrong, with the request that is the Call-th of those that it matches.
type Fault struct {
	Method string // empty: any
	Has    string // what the URL's query or path holds; empty: anything
	Call   int    // counted from 1

	Status     int           // the answer, which the server does not see the request for
	Code       string        // in the answer, as Azure and S3 say it
	RetryAfter string        // in the answer's head
	Date       time.Time     // in the answer's head
	CutBody    int64         // the connection is cut when so many bytes of the request's body have come
	CutAnswer  int64         // the connection is cut after so many bytes of the answer's body
	Lost       bool          // the server does it, and the answer is lost
	Flip       bool          // one bit of the request's body is flipped
	Stall      time.Duration // the request is held back so long, and then the connection cut
}

// Relay passes requests on.
type Relay struct {
	URL string // http://127.0.0.1:PORT

	mu     sync.Mutex
	faults []Fault
	calls  []int
	rate   int64
	seen   []string
	bytes  int64 // of request bodies that were passed on
	wire   atomic.Int64
}

// New starts a relay to a server, http://HOST:PORT. A fault that never fired fails the test at its end.
func New(t testing.TB, to string, faults ...Fault) *Relay {
	t.Helper()
	target, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	r := &Relay{faults: faults, calls: make([]int, len(faults))}
	s := httptest.NewUnstartedServer(r.Handler(target))
	s.Listener = small{s.Listener, r}
	s.Start()
	r.URL = s.URL
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
		for i, f := range r.faults {
			if r.calls[i] < f.Call {
				t.Errorf("fault %+v never fired: there were %d such requests", f, r.calls[i])
			}
		}
	})
	return r
}

// small takes connections whose bytes wait with the sender and not here.
type small struct {
	net.Listener
	r *Relay
}

// Accept implements net.Listener.
func (l small) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetReadBuffer(64 << 10)
	}
	if err != nil {
		return nil, err
	}
	return &wire{Conn: c, r: l.r}, nil
}

// wire counts what comes over a connection.
type wire struct {
	net.Conn
	r *Relay
}

// Read implements net.Conn.
func (w *wire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	w.r.wire.Add(int64(n))
	return n, err
}

// Wire are the bytes that came over all connections so far, heads included.
func (r *Relay) Wire() int64 { return r.wire.Load() }

// Slow lets request bodies through at so many bytes in a second from now on; 0: as fast as they come.
func (r *Relay) Slow(rate int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rate = rate
}

// Seen lists the requests so far: method, path and query.
func (r *Relay) Seen() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.seen...)
}

// Count counts the requests so far of a method whose URL holds text.
func (r *Relay) Count(method, text string) int {
	n := 0
	for _, s := range r.Seen() {
		if strings.HasPrefix(s, method+" ") && strings.Contains(s, text) {
			n++
		}
	}
	return n
}

// Bytes are those of the request bodies that came so far.
func (r *Relay) Bytes() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.bytes
}

// Handler is the relay as a handler, for a server of one's own. It keeps the host that the request names, since
// signatures hold it.
func (r *Relay) Handler(target *url.URL) http.Handler {
	proxy := &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(target)
			p.Out.Host = p.In.Host
		},
		FlushInterval: -1,
		ErrorHandler:  func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		f := r.take(req)
		body := &body{ReadCloser: req.Body, r: r}
		req.Body = body
		switch {
		case f == nil:
		case f.Status != 0:
			answer(w, req, f)
			return
		case f.Stall > 0:
			select {
			case <-req.Context().Done():
			case <-time.After(f.Stall):
			}
			panic(http.ErrAbortHandler)
		case f.Lost:
			proxy.ServeHTTP(&sink{header: http.Header{}}, req)
			panic(http.ErrAbortHandler)
		default:
			body.cut, body.flip = f.CutBody, f.Flip
			if f.CutAnswer > 0 {
				w = &cutting{ResponseWriter: w, left: f.CutAnswer}
			}
		}
		proxy.ServeHTTP(w, req)
	})
}

// take counts a request and gives the fault that is due.
func (r *Relay) take(req *http.Request) *Fault {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = append(r.seen, fmt.Sprintf("%s %s?%s", req.Method, req.URL.Path, req.URL.RawQuery))
	var due *Fault
	for i := range r.faults {
		f := &r.faults[i]
		if f.Method != "" && f.Method != req.Method || !strings.Contains(req.URL.Path+"?"+req.URL.RawQuery, f.Has) {
			continue
		}
		if r.calls[i]++; r.calls[i] == f.Call && due == nil {
			due = f
		}
	}
	return due
}

// answer is what a service says that does not do what it was asked.
func answer(w http.ResponseWriter, req *http.Request, f *Fault) {
	_, _ = io.Copy(io.Discard, io.LimitReader(req.Body, 1<<20))
	h := w.Header()
	h.Set("Content-Type", "application/xml")
	h.Set("X-Ms-Error-Code", f.Code)
	if f.RetryAfter != "" {
		h.Set("Retry-After", f.RetryAfter)
	}
	if !f.Date.IsZero() {
		h.Set("Date", f.Date.UTC().Format(http.TimeFormat))
	}
	w.WriteHeader(f.Status)
	fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>%s</Code><Message>so it is</Message></Error>`, f.Code)
}

// body counts, slows, damages and cuts what a request brings.
type body struct {
	io.ReadCloser
	r    *Relay
	cut  int64
	flip bool
	n    int64
}

var errCut = errors.New("the connection is cut")

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	b.r.mu.Lock()
	rate := b.r.rate
	b.r.mu.Unlock()
	if b.cut > 0 && b.n >= b.cut {
		return 0, errCut
	}
	n, err := b.ReadCloser.Read(p)
	if rate > 0 {
		time.Sleep(time.Duration(n) * time.Second / time.Duration(rate))
	}
	if n > 0 && b.flip {
		p[n/2] ^= 0x10
		b.flip = false
	}
	b.n += int64(n)
	b.r.mu.Lock()
	b.r.bytes += int64(n)
	b.r.mu.Unlock()
	return n, err
}

// sink takes an answer that nobody gets.
type sink struct{ header http.Header }

// Header implements http.ResponseWriter.
func (s *sink) Header() http.Header { return s.header }

// Write implements http.ResponseWriter.
func (s *sink) Write(p []byte) (int, error) { return len(p), nil }

// WriteHeader implements http.ResponseWriter.
func (s *sink) WriteHeader(int) {}

// cutting breaks off in the middle of an answer.
type cutting struct {
	http.ResponseWriter
	left int64
}

// Write implements http.ResponseWriter.
func (c *cutting) Write(p []byte) (int, error) {
	if int64(len(p)) >= c.left {
		_, _ = c.ResponseWriter.Write(p[:c.left])
		if f, ok := c.ResponseWriter.(http.Flusher); ok {
			f.Flush()
		}
		panic(http.ErrAbortHandler)
	}
	c.left -= int64(len(p))
	return c.ResponseWriter.Write(p)
}

// Flush implements http.Flusher.
func (c *cutting) Flush() {
	if f, ok := c.ResponseWriter.(http.Flusher); ok {
		f.Flush()
	}
}

// Proxy is an HTTP proxy that connects whoever names user and password to one address, whatever host was asked for.
type Proxy struct {
	URL string // http://127.0.0.1:PORT

	mu    sync.Mutex
	hosts []string
}

// NewProxy starts a proxy that leads to addr.
func NewProxy(t testing.TB, addr, user, password string) *Proxy {
	t.Helper()
	p := &Proxy{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r := &http.Request{Header: http.Header{"Authorization": req.Header["Proxy-Authorization"]}}
		if u, pw, ok := r.BasicAuth(); !ok || u != user || pw != password {
			w.Header().Set("Proxy-Authenticate", `Basic realm="proxy"`)
			w.WriteHeader(http.StatusProxyAuthRequired)
			return
		}
		if req.Method != http.MethodConnect {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		p.mu.Lock()
		p.hosts = append(p.hosts, req.Host)
		p.mu.Unlock()
		p.join(w, addr)
	}))
	p.URL = s.URL
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return p
}

// join connects a client that has said CONNECT.
func (p *Proxy) join(w http.ResponseWriter, addr string) {
	there, err := net.Dial("tcp", addr)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	here, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		_ = there.Close()
		return
	}
	_, _ = io.WriteString(here, "HTTP/1.1 200 Connection established\r\n\r\n")
	go func() {
		defer there.Close() //nolint:errcheck // of a test alone
		_, _ = io.Copy(there, buffered)
	}()
	defer here.Close() //nolint:errcheck // of a test alone
	_, _ = io.Copy(here, there)
}

// Hosts are those that were asked for.
func (p *Proxy) Hosts() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.hosts...)
}

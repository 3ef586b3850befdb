package mssql

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// errTooOld is a server before SQL Server 2005, whose system views are others.
var errTooOld = errors.New("the server is older than SQL Server 2005")

const oldestMajor = 9 // SQL Server 2005

// stage is how far an attempt came with a server that took the call.
type stage int

const (
	calling   stage = iota // nothing was sent
	greeting               // the first packet is sent
	securing               // the TLS handshake has begun
	loggingIn              // the login is sent
)

// attempt is what happens on the network while one connection is made.
type attempt struct {
	ctx     context.Context
	settled atomic.Bool // the login is done

	mu         sync.Mutex
	stops      []func() bool // end the time limits of connections
	current    *watched      // the connection that the driver took: several may be made at once
	browser    string        // the address of SQL Server Browser that was asked
	answered   bool          // and answered
	known      []string      // the instances that it knows
	browserErr error         // why it was not asked
	tried      []string      // the addresses that were called
}

type attemptKey struct{}

// settle ends the attempt well: the connection has no time limit any more. It is an error where that came first.
func (a *attempt) settle() error {
	a.settled.Store(true)
	if !a.release() {
		return context.Cause(a.ctx)
	}
	return nil
}

// release ends the time limits; false where one has struck.
func (a *attempt) release() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	ok := true
	for _, stop := range a.stops {
		ok = stop() && ok
	}
	a.stops = nil
	return ok
}

// dialer calls servers and remembers in the attempt of the context what came of it.
type dialer struct{ net.Dialer }

// DialContext calls addr.
func (d dialer) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	a, ok := ctx.Value(attemptKey{}).(*attempt)
	if !ok {
		return d.Dialer.DialContext(ctx, network, addr)
	}
	udp := strings.HasPrefix(network, "udp")
	a.mu.Lock()
	if udp {
		a.browser = addr
	} else if !slices.Contains(a.tried, addr) {
		a.tried = append(a.tried, addr)
	}
	a.mu.Unlock()
	c, err := d.Dialer.DialContext(ctx, network, addr)
	if err != nil {
		if udp {
			a.mu.Lock()
			a.browserErr = err
			a.mu.Unlock()
		}
		return nil, err
	}
	if udp {
		return &browserConn{c, a}, nil
	}
	return a.watch(c), nil
}

// watch follows a connection until the login is done.
func (a *attempt) watch(c net.Conn) net.Conn {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stops = append(a.stops, context.AfterFunc(a.ctx, func() {
		c.SetDeadline(time.Unix(1, 0)) //nolint:errcheck // whoever reads or writes gets the error
	}))
	return &watched{Conn: c, a: a}
}

// watched is a connection to a server. Its fields are guarded by the attempt's lock.
type watched struct {
	net.Conn
	a     *attempt
	stage stage
	heard []byte // the beginning of what the server said
}

// The first bytes of packets and of TLS records.
const (
	packetReply    = 0x04
	packetLogin    = 0x10
	packetPrelogin = 0x12
	recordChange   = 0x14
	recordHello    = 0x16
	recordData     = 0x17
)

// Write notes what is sent: its first byte says what it is.
func (w *watched) Write(b []byte) (int, error) {
	if !w.a.settled.Load() && len(b) > 0 {
		w.wrote(b[0])
	}
	return w.Conn.Write(b)
}

func (w *watched) wrote(first byte) {
	w.a.mu.Lock()
	defer w.a.mu.Unlock()
	w.a.current = w
	switch {
	case first == packetPrelogin && w.stage == calling:
		w.stage = greeting
	case first == packetPrelogin, first == recordHello, first == recordChange:
		w.stage = max(w.stage, securing)
	case first == packetLogin, first == recordData:
		w.stage = loggingIn
	}
}

// enough is how much of a server's first answer is kept; it is some fifty bytes long.
const enough = 4096

// Read notes the server's first answer.
func (w *watched) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	if !w.a.settled.Load() && n > 0 {
		w.hear(b[:n])
	}
	return n, err
}

func (w *watched) hear(b []byte) {
	w.a.mu.Lock()
	defer w.a.mu.Unlock()
	if w.stage <= greeting && len(w.heard) < enough {
		w.heard = append(w.heard, b...)
	}
}

// browserConn is a question to SQL Server Browser.
type browserConn struct {
	net.Conn
	a *attempt
}

// Read notes the answer.
func (c *browserConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if err == nil {
		c.a.mu.Lock()
		c.a.answered, c.a.known = true, instanceNames(b[:n])
		c.a.mu.Unlock()
	}
	return n, err
}

// instanceNames reads the answer: a byte, a length, then KEY;VALUE pairs, the instances divided by ";;".
func instanceNames(b []byte) []string {
	var names []string
	if len(b) < 3 {
		return nil
	}
	for _, instance := range strings.Split(string(b[3:]), ";;") {
		fields := strings.Split(instance, ";")
		for i := 0; i+1 < len(fields); i += 2 {
			if fields[i] == "InstanceName" {
				names = append(names, fields[i+1])
			}
		}
	}
	return names
}

// Options of the server's first answer.
const (
	optionVersion    = 0x00
	optionEncryption = 0x01
	optionEnd        = 0xFF
)

// The server's word on encryption.
const (
	encryptNotSupported = 0x02
	encryptRequired     = 0x03
)

// prelogin is the server's first answer.
type prelogin struct {
	major, minor byte
	build        uint16
	encryption   int // -1 when it says nothing of it
}

// reply reads the server's first answer; foreign is true where something else than SQL Server answered.
func (a *attempt) reply() (r prelogin, ok, foreign bool) {
	a.mu.Lock()
	var b []byte
	if a.current != nil {
		b = slices.Clone(a.current.heard)
	}
	a.mu.Unlock()
	if len(b) == 0 {
		return r, false, false
	}
	if b[0] != packetReply {
		return r, false, true
	}
	if len(b) < 8 || len(b) < int(binary.BigEndian.Uint16(b[2:])) {
		return r, false, false
	}
	r.encryption, b = -1, b[8:]
	for o := b; len(o) >= 5 && o[0] != optionEnd; o = o[5:] {
		at, n := int(binary.BigEndian.Uint16(o[1:])), int(binary.BigEndian.Uint16(o[3:]))
		if at+n > len(b) {
			return r, false, true
		}
		switch value := b[at : at+n]; {
		case o[0] == optionVersion && n >= 4:
			r.major, r.minor, r.build = value[0], value[1], binary.BigEndian.Uint16(value[2:])
		case o[0] == optionEncryption && n == 1:
			r.encryption = int(value[0])
		}
	}
	return r, true, false
}

// stage is how far the attempt came.
func (a *attempt) stage() stage {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.current == nil {
		return calling
	}
	return a.current.stage
}

// tooOld reports a server before SQL Server 2005. What stands in for SQL Server may give no version.
func (a *attempt) tooOld() bool {
	r, ok, _ := a.reply()
	return ok && r.major > 0 && r.major < oldestMajor
}

func portText(port uint64) string { return strconv.FormatUint(port, 10) }

package mssql

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"unicode/utf16"
)

// fakeServer answers the first packets of the protocol as a server would: the greeting, the TLS handshake inside packets,
// and the login, which it refuses or grants. It knows no SQL.
type fakeServer struct {
	version    [6]byte // of the greeting; SQL Server 2019 when zero
	encryption byte    // its word on encryption
	tls        *tls.Config
	strict     bool                     // TLS before the greeting
	at         map[stage]func(net.Conn) // what it does in place of an answer
	greeting   func() []byte            // in place of its own
	directory  string                   // logins by Entra ID are taken, and tokens are of this directory
	errors     []fakeError              // the login is refused with them; none: granted
	batches    []fakeError              // and every statement with them

	addr   string
	mu     sync.Mutex
	logins []fakeLogin
	tokens [][]byte
	asked  []byte // the client's words on encryption
	calls  int
}

type fakeError struct {
	number  int32
	state   uint8
	message string
}

var denied = []fakeError{{18456, 1, "Login failed for user 'omt'."}}

type fakeLogin struct {
	user, password, app, database, host string
	raw                                 []byte
	tls                                 *tls.ConnectionState
}

const (
	encryptOff = 0x00
	encryptOn  = 0x01

	optionEntra = 0x06
	packetToken = 0x08
)

// start listens on loopback until the test ends.
func (s *fakeServer) start(t testing.TB) *fakeServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = l.Addr().String()
	var wg sync.WaitGroup
	var open sync.Map
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			open.Store(c, true)
			wg.Go(func() {
				defer c.Close()
				s.serve(c)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		open.Range(func(c, _ any) bool { c.(net.Conn).Close(); return true })
		wg.Wait()
	})
	return s
}

// serve talks with one client. What it cannot read ends the talk.
func (s *fakeServer) serve(c net.Conn) {
	s.mu.Lock()
	s.calls++
	s.mu.Unlock()
	var state *tls.ConnectionState
	if s.instead(calling, c) {
		return
	}
	if s.strict {
		t := tls.Server(c, s.tls)
		if t.Handshake() != nil {
			return
		}
		cs := t.ConnectionState()
		c, state = t, &cs
	}
	if err := s.greet(c); err != nil || s.instead(greeting, c) {
		return
	}
	if s.tls != nil && !s.strict {
		if s.instead(securing, c) {
			return
		}
		w := &wrapped{Conn: c}
		t := tls.Server(w, s.tls)
		if t.Handshake() != nil {
			return
		}
		w.open = true
		cs := t.ConnectionState()
		c, state = t, &cs
	}
	kind, login, err := readPacket(c)
	if err != nil || kind != packetLogin || s.instead(loggingIn, c) {
		return
	}
	l := parseLogin(login)
	l.tls = state
	s.mu.Lock()
	s.logins = append(s.logins, l)
	s.mu.Unlock()
	if s.directory != "" && !bytes.Contains(login, utf16le("a-token")) {
		writePacket(c, packetReply, entraInfo(s.directory, "https://database.windows.net/"))
		kind, token, err := readPacket(c)
		if err != nil || kind != packetToken {
			return
		}
		s.mu.Lock()
		s.tokens = append(s.tokens, token)
		s.mu.Unlock()
	}
	if len(s.errors) > 0 {
		writePacket(c, packetReply, refusal(s.errors))
		return
	}
	writePacket(c, packetReply, append(loginAck(), done(0)...))
	for {
		if _, _, err := readPacket(c); err != nil {
			return
		}
		writePacket(c, packetReply, refusal(s.batches))
	}
}

// instead does what is to be done in place of an answer, and says whether anything was.
func (s *fakeServer) instead(at stage, c net.Conn) bool {
	f := s.at[at]
	if f != nil {
		f(c)
	}
	return f != nil
}

func (s *fakeServer) greet(c net.Conn) error {
	kind, ask, err := readPacket(c)
	if err != nil {
		return err
	}
	if kind != packetPrelogin {
		return errors.New("no greeting")
	}
	for o := ask; len(o) > 5 && o[0] != optionEnd; o = o[5:] {
		if o[0] == optionEncryption {
			s.mu.Lock()
			s.asked = append(s.asked, ask[binary.BigEndian.Uint16(o[1:])])
			s.mu.Unlock()
		}
	}
	if s.greeting != nil {
		_, err := c.Write(s.greeting())
		return err
	}
	v := s.version
	if v == [6]byte{} {
		v = [6]byte{15, 0, 0x07, 0xD0}
	}
	b := []byte{optionVersion, 0, 16, 0, 6, optionEncryption, 0, 22, 0, 1, optionEntra, 0, 23, 0, 1, optionEnd}
	if s.directory == "" {
		b = []byte{optionVersion, 0, 11, 0, 6, optionEncryption, 0, 17, 0, 1, optionEnd}
	}
	b = append(append(b, v[:]...), s.encryption)
	if s.directory != "" {
		b = append(b, 1)
	}
	return writePacket(c, packetReply, b)
}

// last is the latest login.
func (s *fakeServer) last(t testing.TB) fakeLogin {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.logins) == 0 {
		t.Fatal("nobody has logged in")
	}
	return s.logins[len(s.logins)-1]
}

func (s *fakeServer) url(params string) string {
	return "sqlserver://omt@" + s.addr + "?database=crm&dial+timeout=5" + params
}

// wrapped carries a handshake inside packets, and data bare once it is open.
type wrapped struct {
	net.Conn
	open bool
	in   bytes.Reader
}

func (w *wrapped) Read(b []byte) (int, error) {
	if w.in.Len() > 0 {
		return w.in.Read(b)
	}
	if w.open {
		return w.Conn.Read(b)
	}
	kind, data, err := readPacket(w.Conn)
	if err != nil {
		return 0, err
	}
	if kind != packetPrelogin {
		return 0, errors.New("no handshake")
	}
	w.in.Reset(data)
	return w.in.Read(b)
}

func (w *wrapped) Write(b []byte) (int, error) {
	if w.open {
		return w.Conn.Write(b)
	}
	return len(b), writePacket(w.Conn, packetPrelogin, b)
}

func readPacket(r io.Reader) (kind byte, data []byte, err error) {
	for {
		var h [8]byte
		if _, err := io.ReadFull(r, h[:]); err != nil {
			return 0, nil, err
		}
		n := int(binary.BigEndian.Uint16(h[2:])) - len(h)
		if n < 0 {
			return 0, nil, errors.New("bad length")
		}
		part := make([]byte, n)
		if _, err := io.ReadFull(r, part); err != nil {
			return 0, nil, err
		}
		kind, data = h[0], append(data, part...)
		if h[1]&1 != 0 {
			return kind, data, nil
		}
	}
}

func writePacket(w io.Writer, kind byte, data []byte) error {
	const most = 4096 - 8
	for {
		n := min(len(data), most)
		last := byte(0)
		if n == len(data) {
			last = 1
		}
		h := []byte{kind, last, 0, 0, 0, 0, 1, 0}
		binary.BigEndian.PutUint16(h[2:], uint16(n+8))
		if _, err := w.Write(append(h, data[:n]...)); err != nil {
			return err
		}
		if data = data[n:]; last == 1 {
			return nil
		}
	}
}

// refusal is the tokens of errors and of the end.
func refusal(list []fakeError) []byte {
	var b []byte
	for _, e := range list {
		var t bytes.Buffer
		binary.Write(&t, binary.LittleEndian, e.number)
		t.Write([]byte{e.state, 14})
		text := utf16.Encode([]rune(e.message))
		binary.Write(&t, binary.LittleEndian, uint16(len(text)))
		binary.Write(&t, binary.LittleEndian, text)
		t.Write([]byte{0, 0, 1, 0, 0, 0})
		b = append(b, 0xAA, byte(t.Len()), byte(t.Len()>>8))
		b = append(b, t.Bytes()...)
	}
	return append(b, done(2)...)
}

func done(status byte) []byte { return append([]byte{0xFD, status}, make([]byte, 11)...) }

func loginAck() []byte {
	body := []byte{1, 0x74, 0, 0, 4, 3, 'S', 0, 'Q', 0, 'L', 0, 15, 0, 0x07, 0xD0}
	return append([]byte{0xAD, byte(len(body)), 0}, body...)
}

// parseLogin reads what a client says of itself.
func parseLogin(b []byte) fakeLogin {
	text := func(at int, hidden bool) string {
		from, n := int(binary.LittleEndian.Uint16(b[at:])), int(binary.LittleEndian.Uint16(b[at+2:]))
		units := make([]uint16, n)
		for i := range units {
			lo, hi := b[from+2*i], b[from+2*i+1]
			if hidden {
				lo, hi = lo^0xA5, hi^0xA5
				lo, hi = lo<<4|lo>>4, hi<<4|hi>>4
			}
			units[i] = uint16(hi)<<8 | uint16(lo)
		}
		return string(utf16.Decode(units))
	}
	return fakeLogin{host: text(36, false), user: text(40, false), password: text(44, true), app: text(48, false), database: text(68, false), raw: b}
}

// entraInfo says where a token is to be had, and for what.
func entraInfo(directory, spn string) []byte {
	sts, name := utf16le(directory), utf16le(spn)
	body := binary.LittleEndian.AppendUint32(nil, 2)
	at := uint32(4 + 2*9)
	for i, v := range [][]byte{sts, name} {
		body = append(body, byte(i+1))
		body = binary.LittleEndian.AppendUint32(body, uint32(len(v)))
		body = binary.LittleEndian.AppendUint32(body, at)
		at += uint32(len(v))
	}
	body = append(append(body, sts...), name...)
	return append(binary.LittleEndian.AppendUint32([]byte{0xEE}, uint32(len(body))), body...)
}

func utf16le(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

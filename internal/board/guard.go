package board

import (
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"

	"github.com/openomt/omt/internal/manifest"
)

// ParseListen reads an address to listen on: HOST:PORT, where HOST is localhost or a loopback address and port 0 any free
// one. Anything else is refused: who can reach the page can choose.
func ParseListen(text string) (string, error) {
	if text == "" {
		return "127.0.0.1:0", nil
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return "", manifest.Errorf(manifest.Usage, "--listen %q: want HOST:PORT, such as 127.0.0.1:8765", text)
	}
	if strings.EqualFold(host, "localhost") {
		host = "127.0.0.1"
	}
	ip, err := netip.ParseAddr(host)
	if err != nil || !ip.IsLoopback() || ip.Zone() != "" {
		return "", manifest.Errorf(manifest.Usage, "--listen %q: the board listens on this machine alone", text).
			WithHint("give 127.0.0.1:PORT; to reach it from elsewhere, forward the port, for example with ssh -L")
	}
	if n, err := net.LookupPort("tcp", port); err != nil || port == "" {
		return "", manifest.Errorf(manifest.Usage, "--listen %q: %q is no port", text, port)
	} else if n < 0 || n > 65535 {
		return "", manifest.Errorf(manifest.Usage, "--listen %q: %q is no port", text, port)
	}
	return net.JoinHostPort(ip.Unmap().String(), port), nil
}

// guard lets in who came by an address that was handed out, from this machine, with a page of ours.
type guard struct {
	hosts  map[string]bool // what a browser may call us
	cookie string          // its name; one for each port, since cookies do not know ports
	secret string

	mu     sync.Mutex
	tokens map[string]bool // handed out; false once used
	stale  func()          // called when somebody comes with an address that was used
}

// newGuard makes the guard of the listener's address.
func newGuard(addr *net.TCPAddr, stale func()) *guard {
	port := fmt.Sprint(addr.Port)
	return &guard{
		hosts: map[string]bool{net.JoinHostPort(addr.IP.String(), port): true, "localhost:" + port: true},
		// A cookie that is not __Host- since that asks for TLS.
		cookie: "omt-board-" + port, secret: rand.Text(), tokens: map[string]bool{}, stale: stale,
	}
}

// token makes a token for one browser.
func (g *guard) token() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	t := rand.Text()
	g.tokens[t] = true
	return t
}

// use takes a token; known is false for one that was never handed out.
func (g *guard) use(token string) (fresh, known bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	fresh, known = g.tokens[token]
	if known {
		g.tokens[token] = false
	}
	return fresh, known
}

// wrap guards next.
func (g *guard) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if why := g.foreign(r); why != "" {
			refuse(w, http.StatusForbidden, why)
			return
		}
		if token := r.URL.Query().Get("token"); token != "" && r.Method == http.MethodGet && r.URL.Path == "/" {
			g.enter(w, r, token)
			return
		}
		if !g.knows(r) {
			refuse(w, http.StatusForbidden, "this page opens with the address that omt-assign printed; press Ctrl+C there to end it")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// foreign says why a request does not come from our page: its Host is another name that leads here (DNS rebinding), or it
// was sent by another site.
func (g *guard) foreign(r *http.Request) string {
	if !g.hosts[strings.ToLower(r.Host)] {
		return "this is no address of the board"
	}
	origin := r.Header.Get("Origin")
	if origin == "" && r.Method != http.MethodGet && r.Method != http.MethodHead {
		return "the request does not say which page it comes from"
	}
	if origin != "" && !strings.EqualFold(origin, "http://"+r.Host) {
		return "the request comes from another site"
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
		return ""
	}
	if r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Method == http.MethodGet && r.URL.Path == "/" {
		return "" // a link to the page: what it needs it must still bring
	}
	return "the request comes from another site"
}

// enter gives the cookie for a token and takes the token off the address.
func (g *guard) enter(w http.ResponseWriter, r *http.Request, token string) {
	switch fresh, known := g.use(token); {
	case fresh:
		http.SetCookie(w, &http.Cookie{Name: g.cookie, Value: g.secret, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
	case g.knows(r):
	case known:
		g.stale()
		refuse(w, http.StatusForbidden, "this address was used already; omt-assign prints a new one")
		return
	default:
		refuse(w, http.StatusForbidden, "this is no address that omt-assign printed")
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// knows reports whether a request brings the cookie.
func (g *guard) knows(r *http.Request) bool {
	c, err := r.Cookie(g.cookie)
	return err == nil && subtle.ConstantTimeCompare([]byte(c.Value), []byte(g.secret)) == 1
}

func refuse(w http.ResponseWriter, status int, why string) {
	http.Error(w, why, status)
}

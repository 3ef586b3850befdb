package board

import (
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"

	"github.com/openomt/omt/internal/manifest"
)

func TestParseListen(t *testing.T) {
	for text, want := range map[string]string{"": "127.0.0.1:0", "127.0.0.1:8765": "127.0.0.1:8765", "localhost:0": "127.0.0.1:0",
		"[::1]:80": "[::1]:80", "127.8.0.1:1": "127.8.0.1:1", "[::ffff:127.0.0.1]:5": "127.0.0.1:5"} {
		if got, err := ParseListen(text); err != nil || got != want {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	for _, text := range []string{":8080", "0.0.0.0:8080", "[::]:8080", "192.168.1.4:80", "example.com:80", "127.0.0.1", "8080", "127.0.0.1:",
		"127.0.0.1:99999", "127.0.0.1:-1", "localhost.evil.example:80", "[fe80::1%lo]:80", "2130706433:80"} {
		if got, err := ParseListen(text); manifest.StatusOf(err) != manifest.Usage || got != "" {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}

// client is a browser as far as cookies go. It follows no redirect.
func client(t *testing.T) *http.Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// reply is what of an answer the tests look at.
type reply struct {
	status  int
	header  http.Header
	cookies []*http.Cookie
}

func send(t *testing.T, c *http.Client, method, url, body string, header map[string]string) reply {
	t.Helper()
	q, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range header {
		if k == "Host" {
			q.Host = v
		} else {
			q.Header.Set(k, v)
		}
	}
	r, err := c.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	return reply{r.StatusCode, r.Header, r.Cookies()}
}

// TestWhoMay: no request without the token or its cookie, from another site or under another name is answered.
func TestWhoMay(t *testing.T) {
	b := run(t, some(3, 1), Options{})
	root := b.address[:strings.Index(b.address, "/?")]
	port := root[strings.LastIndexByte(root, ':')+1:]
	own := client(t)
	if r := send(t, own, "GET", root+"/?token=WRONG", "", nil); r.status != 403 || len(r.cookies) != 0 {
		t.Errorf("a token that was not handed out: %d", r.status)
	}
	r := send(t, own, "GET", b.address, "", nil)
	if r.status != 303 || r.header.Get("Location") != "/" || len(r.cookies) != 1 {
		t.Fatalf("%d %q", r.status, r.header)
	}
	cookie := r.cookies[0]
	if c := cookie; !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Name != "omt-board-"+port || len(c.Value) < 20 {
		t.Errorf("cookie %+v", c)
	}
	step := `{"revision":1,"edit":{"label":"x","changes":[{"id":7,"plan":"-"}]}}`
	for _, c := range []struct {
		name, method, path string
		by                 *http.Client
		header             map[string]string
		want               int
	}{
		{"ours", "GET", "/api/state", own, nil, 200},
		{"page", "GET", "/", own, map[string]string{"Sec-Fetch-Site": "none"}, 200},
		{"localhost", "GET", "/", own, map[string]string{"Host": "localhost:" + port}, 200},
		{"no cookie", "GET", "/api/state", client(t), nil, 403},
		{"no cookie, a file", "GET", "/app.js", client(t), nil, 403},
		{"no cookie, step", "POST", "/api/edit", client(t), map[string]string{"Origin": root}, 403},
		{"another name", "GET", "/api/state", own, map[string]string{"Host": "evil.example:" + port}, 403},
		{"a name without port", "GET", "/api/state", own, map[string]string{"Host": "127.0.0.1"}, 403},
		{"another port", "GET", "/api/state", own, map[string]string{"Host": "127.0.0.1:1"}, 403},
		{"another origin", "POST", "/api/edit", own, map[string]string{"Origin": "http://evil.example"}, 403},
		{"another local origin", "POST", "/api/edit", own, map[string]string{"Origin": "http://127.0.0.1:1"}, 403},
		{"no origin", "POST", "/api/edit", own, nil, 403},
		{"null origin", "POST", "/api/edit", own, map[string]string{"Origin": "null"}, 403},
		{"another site reads", "GET", "/api/state", own, map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		{"another local page reads", "GET", "/api/state", own, map[string]string{"Sec-Fetch-Site": "same-site"}, 403},
		{"another site's form", "POST", "/api/cancel", own, map[string]string{"Origin": root, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, 403},
		{"a step by GET", "GET", "/api/edit", own, nil, 404},
		{"ours, step", "POST", "/api/edit", own, map[string]string{"Origin": root}, 200},
		{"unknown file", "GET", "/secret", own, nil, 404},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.header["Host"] != "" {
				c.header["Cookie"] = cookie.Name + "=" + cookie.Value // the client sends it to its own host alone
			}
			r := send(t, c.by, c.method, root+c.path, step, c.header)
			if r.status != c.want {
				t.Errorf("%d, want %d", r.status, c.want)
			}
			if got := r.header.Get("Content-Security-Policy"); !strings.HasPrefix(got, "default-src 'self';") || strings.Contains(got, "unsafe") {
				t.Errorf("policy %q", got)
			}
		})
	}
	// A token is good once; who comes second is refused and the terminal has a new one.
	if r := send(t, client(t), "GET", b.address, "", nil); r.status != 403 || len(r.cookies) != 0 {
		t.Errorf("the same token again: %d", r.status)
	}
	if r := send(t, client(t), "GET", b.lines.address(t, 2), "", nil); r.status != 303 {
		t.Errorf("the new address: %d", r.status)
	}
	if r := send(t, own, "GET", b.address, "", nil); r.status != 303 {
		t.Errorf("the same token by who has the cookie: %d", r.status)
	}
}

package login_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/openomt/omt/internal/destination/web"
	"github.com/openomt/omt/internal/login"
	"github.com/openomt/omt/internal/login/netservertest"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

const password = "s3cr3t-pass/word"

func TestParseURL(t *testing.T) {
	for raw, want := range map[string]string{
		"https://crm.example.com/remote":                         "https://crm.example.com/remote",
		" https://crm.example.com:8443/ ":                        "https://crm.example.com:8443",
		"https://crm.example.com/remote/api/v1/":                 "https://crm.example.com/remote",
		"https://crm.example.com/r/api/v1/User/currentPrincipal": "https://crm.example.com/r",
		"http://crm.example.com/remote":                          "!want https",
		"http://localhost/remote":                                "!want https",
		"https://kk:hunter2@crm.example.com/":                    "!it holds a user name",
		"https://":                                               "!want an address",
		"https://crm.example.com/?x=1":                           "!want an address",
		"crm.example.com":                                        "!want https",
		"https://crm.example.com/%zz":                            "!not a URL",
	} {
		u, err := login.ParseURL(raw)
		if problem, bad := strings.CutPrefix(want, "!"); bad {
			if manifest.StatusOf(err) != manifest.Usage || !strings.Contains(err.Error(), problem) || manifest.HintOf(err) == "" || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%s: %v", raw, err)
			}
		} else if err != nil || u.String() != want {
			t.Errorf("%s: %v %v", raw, u, err)
		}
	}
}

func ask(t *testing.T, s *netservertest.Stub, user, pass string, change ...func(*login.NetServer)) (login.Principal, error) {
	t.Helper()
	u, err := login.ParseURL(s.Address())
	if err != nil {
		t.Fatal(err)
	}
	client, err := web.Client(web.Options{Getenv: func(string) string { return "" }, Now: time.Now, CA: s.CA(t)})
	if err != nil {
		t.Fatal(err)
	}
	n := login.NetServer{URL: u, Client: client, Network: web.Network}
	for _, c := range change {
		c(&n)
	}
	return n.Ask(t.Context(), user, pass)
}

func stub(t *testing.T) *netservertest.Stub {
	return netservertest.New(t, map[string]netservertest.User{
		"KK": {Password: password, AssociateID: 5, Associate: "KK", RoleName: "User level 0", FunctionRights: []string{"admin-general", "admin-user"}}, "ø@x.no": {Password: "æøå €", AssociateID: 6, Associate: "Ø"}})
}

func TestAsk(t *testing.T) {
	s := stub(t)
	p, err := ask(t, s, "KK", password)
	if err != nil || p.AssociateID != 5 || p.Associate != "KK" || p.RoleName != "User level 0" || strings.Join(p.FunctionRights, " ") != "admin-general admin-user" {
		t.Errorf("%+v %v", p, err)
	}
	if p, err := ask(t, s, "ø@x.no", "æøå €"); err != nil || p.AssociateID != 6 {
		t.Errorf("%+v %v", p, err)
	}
}

// Every failure is one line that says what to do, and none is tried again.
func TestAskFails(t *testing.T) {
	status := func(code int, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i+1 < len(header); i += 2 {
				w.Header().Add(header[i], header[i+1])
			}
			w.WriteHeader(code)
		}
	}
	body := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) }
	}
	for name, c := range map[string]struct {
		answer     http.HandlerFunc
		change     func(*login.NetServer)
		status     manifest.Status
		want, hint string
	}{
		"wrong password":  {nil, nil, manifest.Refused, `refuses the user name "KK" or its password (401)`, "asked once"},
		"no basic":        {status(401, "WWW-Authenticate", "Negotiate", "WWW-Authenticate", "NTLM x"), nil, manifest.Refused, "(401)", "offers Negotiate, NTLM and not Basic"},
		"forbidden":       {status(403), nil, manifest.Refused, "may not use it (403)", ""},
		"a login page":    {status(302, "Location", "https://id.example.com/login?secret=1"), nil, manifest.Usage, "sends on to https://id.example.com/login (302)", "NetServer itself"},
		"not there":       {status(404), nil, manifest.Usage, "there is no /api/v1", "in front of"},
		"broken":          {status(500), nil, manifest.Failed, "status 500", "NetServer's log"},
		"busy":            {status(503), nil, manifest.Failed, "status 503", ""},
		"a page":          {body("<html>"), nil, manifest.Failed, "not the JSON of a principal", "check the address"},
		"another service": {body(`{"ok":true}`), nil, manifest.Failed, "names no AssociateId", "check the address"},
		"endless":         {body(`{"UserName":"` + strings.Repeat("x", 1<<20) + `"}`), nil, manifest.Failed, "longer than any", ""},
		"silent": {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, func(n *login.NetServer) { n.Limit = 50 * time.Millisecond },
			manifest.Failed, "no answer within 50ms", "NetServer runs"},
		"cut": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, "{")
		}, nil, manifest.Failed, "unexpected EOF", "the network"},
		"not trusted": {nil, func(n *login.NetServer) {
			n.Client, _ = web.Client(web.Options{Getenv: func(string) string { return "" }, Now: time.Now})
		}, manifest.Failed, "the certificate is not trusted", ""},
		"not there at all": {nil, func(n *login.NetServer) { n.URL.Host = "127.0.0.1:1" }, manifest.Failed, "refused", "HTTPS_PROXY"},
	} {
		t.Run(name, func(t *testing.T) {
			s := stub(t)
			s.Answer(c.answer)
			_, err := ask(t, s, "KK", password+"x", func(n *login.NetServer) {
				if c.change != nil {
					c.change(n)
				}
			})
			if manifest.StatusOf(err) != c.status || err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(manifest.HintOf(err), c.hint) ||
				strings.ContainsAny(err.Error(), "\r\n") {
				t.Errorf("status %d: %v\nhint: %s", manifest.StatusOf(err), err, manifest.HintOf(err))
			}
			if text := err.Error() + manifest.HintOf(err); strings.Contains(text, password) || strings.Contains(text, "secret=1") {
				t.Errorf("a secret is told: %s", text)
			}
			if n := len(s.Asked()); n > 1 {
				t.Errorf("asked %d times", n)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	u, _ := login.ParseURL("https://127.0.0.1:1")
	if _, err := (login.NetServer{URL: u, Client: http.DefaultClient}).Ask(ctx, "KK", "x"); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// credentials are rows of the table of that name.
type credentials struct {
	source.Reader
	rows    []source.Row
	without string
}

func (c credentials) Tables() []source.Table {
	t := source.Table{Name: "CREDENTIALS"}
	for _, n := range []string{"Credentials_id", "associateId", "credentialType", "searchName", "secret", "validFrom", "validTo"} {
		if n != c.without {
			t.Columns = append(t.Columns, source.Column{Name: n})
		}
	}
	return []source.Table{t}
}

func (c credentials) Rows(_ context.Context, t source.Table) iter.Seq2[source.Row, error] {
	return func(yield func(source.Row, error) bool) {
		for _, col := range t.Columns {
			if col.Name == "secret" {
				yield(nil, errors.New("the secret was asked for"))
				return
			}
		}
		for _, r := range c.rows {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func TestVerify(t *testing.T) {
	at := func(y int) time.Time { return time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC) }
	const sid = "S-1-5-21-1-2-3-1105"
	row := func(id int64, kind, name string, from, to int) source.Row {
		return source.Row{id, kind, name, at(from), at(to)}
	}
	mine := row(5, "ActiveDirectory", sid, 2010, 9999)
	for name, c := range map[string]struct {
		rows    []source.Row
		without string
		sid     string
		err     error
		how     string
		said    string
	}{
		"of Windows":            {rows: []source.Row{row(4, "CRM5/PASSWORD", "KK", 2010, 9999), mine}, sid: sid, how: "windows", said: "account of Windows that runs this"},
		"in other letters":      {rows: []source.Row{row(5, "activedirectory", "s-1-5-21-1-2-3-1105 ", 2010, 9999)}, sid: sid, how: "windows", said: "account of Windows"},
		"of somebody else":      {rows: []source.Row{row(6, "ActiveDirectory", sid, 2010, 9999)}, sid: sid, how: "database", said: "is not one of the login's"},
		"no longer":             {rows: []source.Row{row(5, "ActiveDirectory", sid, 2010, 2020)}, sid: sid, how: "database", said: "is not one of the login's"},
		"not yet":               {rows: []source.Row{row(5, "ActiveDirectory", sid, 2040, 9999)}, sid: sid, how: "database", said: "is not one of the login's"},
		"a ticket of that name": {rows: []source.Row{row(5, "Ticket", sid, 2010, 9999)}, sid: sid, how: "database", said: "is not one of the login's"},
		"an old table":          {rows: []source.Row{mine}, without: "validTo", sid: sid, how: "database", said: "is not one of the login's"},
		"not Windows":           {rows: []source.Row{mine}, err: login.ErrNoAccount, how: "database", said: "verified by the database's login alone: no --netserver was given, and this is not Windows"},
		"no token":              {rows: []source.Row{mine}, err: errors.New("access denied"), how: "database", said: "(access denied)"},
	} {
		t.Run(name, func(t *testing.T) {
			said := ""
			v := login.Verifier{SID: func() (string, error) { return c.sid, c.err }, Reader: credentials{rows: c.rows, without: c.without},
				Now: func() time.Time { return at(2026) }, Say: func(f string, a ...any) { said += fmt.Sprintf(f, a...) + "\n" }}
			proof, err := v.Verify(t.Context(), "KK", source.Account{ID: 5, Login: "KK"})
			if err != nil || proof.How != c.how || !strings.Contains(said, c.said) {
				t.Errorf("%+v %v: %s", proof, err, said)
			}
		})
	}
}

func TestVerifyByNetServer(t *testing.T) {
	s := stub(t)
	for name, c := range map[string]struct {
		id         int64
		pass       string
		noPassword error
		want       string
	}{
		"right":             {id: 5, pass: password},
		"somebody else":     {id: 7, pass: password, want: "NetServer says that it is of associate 5 (KK), and in the database it is of 7 (AB)"},
		"wrong password":    {id: 5, pass: "x", want: "(401)"},
		"not to be learned": {id: 5, noPassword: errors.New("nobody to ask"), want: "nobody to ask"},
	} {
		t.Run(name, func(t *testing.T) {
			said := ""
			before := len(s.Asked())
			v := login.Verifier{Password: func(context.Context, string) (string, error) { return c.pass, c.noPassword },
				SID: func() (string, error) { t.Error("Windows was asked"); return "", nil },
				Say: func(f string, a ...any) { said += fmt.Sprintf(f, a...) + "\n" }}
			u, _ := login.ParseURL(s.Address())
			client, err := web.Client(web.Options{Getenv: func(string) string { return "" }, Now: time.Now, CA: s.CA(t)})
			if err != nil {
				t.Fatal(err)
			}
			v.NetServer = &login.NetServer{URL: u, Client: client, Network: web.Network}
			proof, err := v.Verify(t.Context(), "KK", source.Account{ID: c.id, Login: map[int64]string{5: "KK", 7: "AB"}[c.id], Rights: []string{"ADMIN-user", "edited-by-hand"}})
			if (err != nil) != (c.want != "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Fatalf("%v", err)
			}
			if err == nil && (proof.How != "netserver" || len(proof.Rights) != 2 || proof.Role != "User level 0" || !strings.Contains(said, "edited by hand: edited-by-hand\n")) {
				t.Errorf("%+v: %s", proof, said)
			}
			if n := len(s.Asked()) - before; n > 1 || n == 0 != (c.noPassword != nil) {
				t.Errorf("asked %d times", n)
			}
			if strings.Contains(said+fmt.Sprint(err), password) {
				t.Error("the password is told")
			}
		})
	}
}

func TestAccountSID(t *testing.T) {
	if _, err := login.AccountSID(); os.PathSeparator == '/' && !errors.Is(err, login.ErrNoAccount) {
		t.Errorf("%v", err)
	}
}

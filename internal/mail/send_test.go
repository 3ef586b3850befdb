package mail

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"github.com/openomt/omt/internal/manifest"
)

const password = "p@ss w/ord+1"

func none(string) string { return "" }

func message() Message {
	return Message{From: "karl@firm.example", To: "boss@firm.example", Subject: "Møtet\r\nBcc: evil@x.example", Text: "Hei på deg\n.\nlast line\n", ID: "omt-1",
		Date: time.Date(2026, 11, 20, 18, 0, 0, 0, time.UTC), Attachment: Attachment{"users.csv", "text/csv; charset=utf-8", []byte("\ufefflogin;name\r\nBOB;Bøb\r\n")}}
}

// parts reads a message as its receiver does.
func parts(t *testing.T, raw string) (head netmail.Header, text, file, name string) {
	t.Helper()
	m, err := netmail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	for r := multipart.NewReader(m.Body, params["boundary"]); ; {
		p, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return m.Header, text, file, name
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(p)
		if err != nil {
			t.Fatal(err)
		}
		if p.FileName() == "" {
			text = string(b)
			continue
		}
		name, file = p.FileName(), string(b)
		if p.Header.Get("Content-Transfer-Encoding") == "base64" {
			var clean strings.Builder
			for _, l := range strings.Fields(file) {
				clean.WriteString(l)
			}
			file = decodeBase64(t, clean.String())
		}
	}
}

// Every way of encrypting and of logging in brings the message as it was.
func TestSend(t *testing.T) {
	for name, c := range map[string]struct {
		server  *fake
		address string
		login   string
	}{
		"STARTTLS, PLAIN":     {&fake{auth: "LOGIN PLAIN"}, "smtp://karl:p%40ss%20w%2Ford+1@%s", "PLAIN |karl|" + password},
		"STARTTLS, LOGIN":     {&fake{auth: "LOGIN"}, "smtp://karl:p%40ss%20w%2Ford+1@%s", "LOGIN |karl|" + password},
		"implicit TLS, PLAIN": {&fake{auth: "PLAIN", implicit: true}, "smtps://karl:p%40ss%20w%2Ford+1@%s", "PLAIN |karl|" + password},
		"password elsewhere":  {&fake{auth: "PLAIN"}, "smtp://karl@%s", "PLAIN |karl|" + password},
		"no user":             {&fake{}, "smtp://%s", ""},
		"no encryption":       {&fake{noTLS: true}, "smtp://%s?tls=none", ""},
		"its end is cut off":  {&fake{answers: map[string]string{"QUIT": "cut"}}, "smtp://%s", ""},
		"its end is refused":  {&fake{answers: map[string]string{"QUIT": "500 no"}}, "smtp://%s", ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := c.server.start(t)
			s, err := Parse(strings.Replace(c.address, "%s", f.addr, 1), func(string) string { return password })
			if err != nil {
				t.Fatal(err)
			}
			if err := Send(t.Context(), s, message(), Options{Roots: f.roots}); err != nil {
				t.Fatal(err)
			}
			got := f.got()
			if len(got) != 1 || f.login != c.login {
				t.Fatalf("%d messages, login %q, want %q", len(got), f.login, c.login)
			}
			head, text, file, fileName := parts(t, got[0])
			subject, err := new(mime.WordDecoder).DecodeHeader(head.Get("Subject"))
			if err != nil || subject != "Møtet  Bcc: evil@x.example" || head.Get("Bcc") != "" || head.Get("Message-Id") != "<omt-1@firm.example>" {
				t.Errorf("%v, subject %q", head, subject)
			}
			if head.Get("From") != "<karl@firm.example>" || head.Get("To") != "<boss@firm.example>" || !strings.HasPrefix(head.Get("Date"), "Fri, 20 Nov 2026 18:00:00") {
				t.Errorf("%v", head)
			}
			if want := strings.ReplaceAll(message().Text, "\n", "\r\n"); strings.TrimRight(text, "\r\n") != strings.TrimRight(want, "\r\n") {
				t.Errorf("text %q, want %q", text, want)
			}
			if fileName != "users.csv" || file != string(message().Attachment.Data) {
				t.Errorf("%s: %q", fileName, file)
			}
		})
	}
}

// What goes wrong is told with what to do, is said to be passing where it is, and holds no secret.
func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		server    *fake
		address   string // with a user by default
		want      string
		hint      string
		temporary bool
	}{
		"wrong password":      {server: &fake{auth: "PLAIN"}, address: "smtp://karl:wrong-secret@%s", want: "535", hint: "OMT_SMTP_PASSWORD"},
		"no way to log in":    {server: &fake{auth: "GSSAPI"}, want: "no way to log in that is known here (GSSAPI)", hint: "OMT_SMTP_PASSWORD"},
		"no STARTTLS":         {server: &fake{noTLS: true}, want: "STARTTLS", hint: "smtps://"},
		"refused recipient":   {server: &fake{answers: map[string]string{"RCPT": "550 5.1.1 no such user"}}, address: "smtp://%s", want: `550 "5.1.1 no such user"`},
		"refused sender":      {server: &fake{answers: map[string]string{"MAIL": "553 not from you"}}, address: "smtp://%s", want: `553 "not from you"`},
		"refused message":     {server: &fake{answers: map[string]string{"MESSAGE": "554 spam"}}, address: "smtp://%s", want: `554 "spam"`},
		"busy":                {server: &fake{answers: map[string]string{"CONNECT": "421 too many"}}, address: "smtp://%s", want: "421", hint: "run the same command again", temporary: true},
		"grey list":           {server: &fake{answers: map[string]string{"RCPT": "451 4.7.1 try later"}}, address: "smtp://%s", want: `451 "4.7.1 try later"`, hint: "run the same command again", temporary: true},
		"full":                {server: &fake{answers: map[string]string{"MESSAGE": "452 no room"}}, address: "smtp://%s", want: `452 "no room"`, hint: "run the same command again", temporary: true},
		"cut off":             {server: &fake{answers: map[string]string{"MAIL": "cut"}}, address: "smtp://%s", want: "handing the message", hint: "run the same command again", temporary: true},
		"hangs at once":       {server: &fake{answers: map[string]string{"CONNECT": "hang"}}, address: "smtp://%s", want: "i/o timeout", hint: "run the same command again", temporary: true},
		"hangs in the middle": {server: &fake{answers: map[string]string{"DATA": "hang"}}, address: "smtp://%s", want: "i/o timeout", hint: "run the same command again", temporary: true},
		"TLS of another kind": {server: &fake{}, address: "smtps://%s", want: "TLS", hint: "smtp:// for STARTTLS"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := c.server.start(t)
			if c.address == "" {
				c.address = "smtp://karl:wrong-secret@%s"
			}
			s, err := Parse(strings.Replace(c.address, "%s", f.addr, 1), none)
			if err != nil {
				t.Fatal(err)
			}
			err = Send(t.Context(), s, message(), Options{Roots: f.roots, Timeout: 2 * time.Second})
			if manifest.StatusOf(err) != manifest.Failed || !strings.Contains(fmt.Sprint(err), c.want) || !strings.Contains(manifest.HintOf(err), c.hint) || errors.Is(err, ErrTemporary) != c.temporary {
				t.Errorf("%v\nhint %q, temporary %v", err, manifest.HintOf(err), errors.Is(err, ErrTemporary))
			}
			for _, secret := range append(s.Secrets(), "wrong-secret") {
				if strings.Contains(fmt.Sprint(err), secret) {
					t.Errorf("the error holds %q: %v", secret, err)
				}
			}
		})
	}
}

// A certificate that nobody vouches for ends it before the password is said.
func TestUntrusted(t *testing.T) {
	for _, scheme := range []string{"smtp", "smtps"} {
		f := (&fake{auth: "PLAIN", implicit: scheme == "smtps"}).start(t)
		s, err := Parse(scheme+"://karl:secret@"+f.addr, none)
		if err != nil {
			t.Fatal(err)
		}
		other := (&fake{}).start(t)
		err = Send(t.Context(), s, message(), Options{Roots: other.roots, Timeout: 5 * time.Second})
		if err == nil || !strings.Contains(manifest.HintOf(err), "--ca FILE") || f.login != "" || len(f.got()) > 0 {
			t.Errorf("%s: %v, hint %q", scheme, err, manifest.HintOf(err))
		}
	}
}

// Nobody listens: it may work later.
func TestNobody(t *testing.T) {
	s, err := Parse("smtp://127.0.0.1:1", none)
	if err != nil {
		t.Fatal(err)
	}
	if err := Send(t.Context(), s, message(), Options{Timeout: 5 * time.Second}); !errors.Is(err, ErrTemporary) {
		t.Errorf("%v", err)
	}
}

// The end of the context ends it, wherever it waits.
func TestInterrupted(t *testing.T) {
	for _, where := range []string{"CONNECT", "EHLO", "DATA", "MESSAGE"} {
		f := (&fake{answers: map[string]string{where: "hang"}}).start(t)
		s, err := Parse("smtp://"+f.addr, none)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		begun := time.Now()
		err = Send(ctx, s, message(), Options{Roots: f.roots, Timeout: 10 * time.Minute})
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) > time.Minute {
			t.Errorf("%s: %v", where, err)
		}
	}
}

// A message that would be another one is refused before anybody is asked.
func TestWrongAddresses(t *testing.T) {
	s, err := Parse("smtp://127.0.0.1:1", none)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", "boss", "a@b.example\r\nBcc: c@d.example", "Boss <boss@firm.example>", "a@b.example,c@d.example", "a@b.example\x00"} {
		m := message()
		m.To = bad
		if err := Send(t.Context(), s, m, Options{}); err == nil || errors.Is(err, ErrTemporary) || !strings.Contains(err.Error(), "no e-mail address") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestParse(t *testing.T) {
	for address, want := range map[string]string{
		"smtp://mail.example":                       "smtp://mail.example:587",
		"smtps://mail.example":                      "smtps://mail.example:465",
		"smtp://k:p@mail.example:25/?tls=required":  "smtp://mail.example:25",
		"smtp://[::1]:25?tls=none":                  "smtp://[::1]:25",
		"smtp://k:p@localhost:25?tls=none":          "smtp://localhost:25",
		"mail.example":                              "error",
		"http://mail.example":                       "error",
		"smtp://":                                   "error",
		"smtp://mail.example/path":                  "error",
		"smtp://mail.example:0":                     "error",
		"smtp://mail.example:99999":                 "error",
		"smtp://mail.example?tls=perhaps":           "error",
		"smtp://mail.example?x=1":                   "error",
		"smtps://mail.example?tls=none":             "error",
		"smtp://k:secretword@mail.example?tls=none": "error",
		"smtp://k@mail.example":                     "error",
		"smtp://k:%zz-secretword@mail.example":      "error",
	} {
		s, err := Parse(address, none)
		if got := s.String(); (err != nil) != (want == "error") || err == nil && got != want {
			t.Errorf("%s: %s, %v", address, got, err)
		}
		if err != nil && strings.Contains(err.Error(), "secretword") {
			t.Errorf("the error quotes the password: %v", err)
		}
	}
	s, err := Parse("smtp://k@mail.example", func(name string) string { return map[string]string{"OMT_SMTP_PASSWORD": "from the variable"}[name] })
	if err != nil || s.password != "from the variable" || len(s.Secrets()) == 0 {
		t.Errorf("%+v, %v", s, err)
	}
}

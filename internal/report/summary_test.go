package report

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/destination/destinationtest"
	"github.com/openomt/omt/internal/mail"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/tenant"
)

// post is a mail server that takes everything, and what was told meanwhile.
type post struct {
	letters []mail.Message
	told    []string
	fail    error
}

func (p *post) options(t *tenant.Tenant) SummaryOptions {
	tell := func(format string, args ...any) { p.told = append(p.told, fmt.Sprintf(format, args...)) }
	return SummaryOptions{Tenant: t, Tool: "omt-push 0.1.0", Now: func() time.Time { return at(700) }, Tell: tell, Say: tell,
		Send: func(_ context.Context, m mail.Message) error {
			if p.fail == nil {
				p.letters = append(p.letters, m)
			}
			return p.fail
		}}
}

// last is the last line that was told.
func (p *post) last() string {
	if len(p.told) == 0 {
		return ""
	}
	return p.told[len(p.told)-1]
}

func summaryTo(to *string) []manifest.Record {
	return change(func(v manifest.Review) manifest.Review {
		if v.Item == "notifications" {
			v.Summary = to
		}
		return v
	})(small(true))
}

// The summary goes to the address once: again for another address, for other users, or when that is asked for.
func TestSummaryOnce(t *testing.T) {
	s := newSite(t)
	p := &post{}
	send := func(want int, told string, edit func(o *SummaryOptions)) {
		t.Helper()
		o := p.options(s.ten)
		if edit != nil {
			edit(&o)
		}
		check(t, s.must("").SendSummary(t.Context(), o))
		if len(p.letters) != want || !strings.Contains(p.last(), told) {
			t.Fatalf("%d letters, want %d; told %q, want %q", len(p.letters), want, p.last(), told)
		}
	}
	s.commit(idA, 60, small(false), nil)
	send(1, "the user summary (4 users) was sent to boss@example.com", nil)
	m := p.letters[0]
	if m.From != "karl@example.com" || m.To != "boss@example.com" || m.Attachment.Name != "users.csv" || !strings.Contains(m.Subject, "Kalles <& Co>") {
		t.Errorf("%+v", m)
	}
	table := records(t, m.Attachment.Data, ';')
	if len(table) != 4 || table[0]["login"] != "BOB" || table[0]["plan title"] != "Sales Premium" || table[0]["welcome"] != "true" || table[1]["welcome"] != "false" ||
		table[2]["name"] != "'=cmd|'/c calc'!A1" || table[2]["plan"] != "none" || table[2]["welcome"] != "" || table[3]["plan"] != "undecided" {
		t.Errorf("%v", table)
	}
	for _, want := range []string{"5 of 9 documents are", "4 users: 2 with a plan, 1 without, 1 undecided", "Welcome letters were chosen for 1 user", "no password"} {
		if want = strings.Replace(want, "5 of 9", "4 of 9", 1); !strings.Contains(m.Text, want) {
			t.Errorf("the text does not say %q:\n%s", want, m.Text)
		}
	}
	send(1, "was sent to boss@example.com on 2026-11-21 05:40 UTC, and is the same now; --send-again", nil)
	send(2, "was sent to boss", func(o *SummaryOptions) { o.Again = true })
	if p.letters[1].ID != m.ID {
		t.Errorf("the same table has the ids %q and %q", m.ID, p.letters[1].ID)
	}
	s.commit(idA, 120, small(true), nil) // a later revision with the same users
	send(2, "is the same now", nil)
	s.commit(idA, 130, summaryTo(ptr("other@example.com")), nil)
	send(3, "was sent to other@example.com", nil)
	s.commit(idA, 140, change(func(u manifest.User) manifest.User { u.Username = "x" + u.Username; return u })(small(true)), nil)
	send(4, "was sent to boss@example.com", func(o *SummaryOptions) { o.From = "me@example.com" })
	if p.letters[3].From != "me@example.com" || p.letters[3].ID == m.ID {
		t.Errorf("%+v", p.letters[3])
	}
}

// Where nobody is to get it, nobody does, and a line says so.
func TestSummaryToNobody(t *testing.T) {
	for want, to := range map[string]*string{"the manifest has no address for it": nil, "goes to nobody": ptr("")} {
		s, p := newSite(t), &post{}
		s.commit(idA, 60, summaryTo(to), nil)
		check(t, s.must("").SendSummary(t.Context(), p.options(s.ten)))
		if len(p.letters) > 0 || len(p.told) != 1 || !strings.Contains(p.told[0], want) {
			t.Errorf("%d letters, %q", len(p.letters), p.told)
		}
	}
}

// What could not be sent is not kept as sent; what could not be kept is told.
func TestSummaryTroubles(t *testing.T) {
	s, p := newSite(t), &post{fail: errors.New("no room")}
	s.commit(idA, 60, small(true), nil)
	r := s.must("")
	if err := r.SendSummary(t.Context(), p.options(s.ten)); err == nil || err.Error() != "sending the user summary to boss@example.com: no room" {
		t.Errorf("%v", err)
	}
	if list, err := s.ten.MailedOf(t.Context(), idA); err != nil || len(list) > 0 {
		t.Errorf("kept: %v, %v", list, err)
	}
	p.fail = nil
	for _, c := range []struct {
		fault destinationtest.Fault
		want  string
	}{
		{destinationtest.Fault{Op: destinationtest.OpCreate, Call: 1, Err: destination.ErrDenied}, "the credential may only read"},
		{destinationtest.Fault{Op: destinationtest.OpCreate, Call: 1}, "could not be kept: "},
	} {
		ten := tenant.Open(destinationtest.NewFaulty(t, s.d, c.fault))
		check(t, r.SendSummary(t.Context(), p.options(ten)))
		if !strings.Contains(p.last(), c.want) {
			t.Errorf("told %q, want %q", p.last(), c.want)
		}
	}
	if len(p.letters) != 2 {
		t.Errorf("%d letters", len(p.letters))
	}
	broken := tenant.Open(destinationtest.NewFaulty(t, s.d, destinationtest.Fault{Op: destinationtest.OpList, Call: 1}))
	if err := r.SendSummary(t.Context(), p.options(broken)); !errors.Is(err, destination.ErrTransient) || len(p.letters) != 2 {
		t.Errorf("whether it was sent is not known: %v, %d letters", err, len(p.letters))
	}
	for _, c := range []struct {
		from, to string
		status   manifest.Status
	}{{"", "boss\r\nBcc: x@y.example", manifest.Refused}, {"", "Boss <b@c.example>", manifest.Refused}, {"karl", "b@c.example", manifest.Usage}} {
		r.Accounts.Summary = &c.to
		o := p.options(s.ten)
		o.From = c.from
		if err := r.SendSummary(t.Context(), o); manifest.StatusOf(err) != c.status || manifest.HintOf(err) == "" {
			t.Errorf("%q: %v", c.to, err)
		}
	}
}

// Every part has the forms that it is said to have.
func TestForms(t *testing.T) {
	r := told(t)
	for _, f := range []string{"html", "csv", "json", "pdf"} {
		for _, p := range []Part{Whole, Missing, Names} {
			want := f != "pdf" && (f != "html" || p != Names)
			if Can(f, p) != want {
				t.Errorf("%s of %q: %v", f, p, !want)
			}
			if want {
				var b strings.Builder
				check(t, r.Write(&b, f, p, ';'))
				if b.Len() == 0 {
					t.Errorf("%s of %q is empty", f, p)
				}
			}
		}
	}
}

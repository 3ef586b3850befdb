package report

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/mail"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/tenant"
)

// SummaryOptions are the choices of SendSummary. All but From and Again must be set.
type SummaryOptions struct {
	Tenant *tenant.Tenant
	From   string // empty: the migrator's address
	Again  bool   // although it was sent before
	Send   func(ctx context.Context, m mail.Message) error
	Tool   string
	Now    func() time.Time
	Tell   func(format string, args ...any) // a line that a person should read
	Say    func(format string, args ...any) // a line that a person may like to read
}

// SendSummary sends the user summary to the address that the manifest has for it. What was sent to an address is kept at
// the destination, and the same is not sent there again unless that is asked for.
func (r *Report) SendSummary(ctx context.Context, o SummaryOptions) error {
	to := r.Accounts.Summary
	switch {
	case to == nil:
		o.Tell("no user summary is sent: the manifest has no address for it (omt-assign --summary-to ADDRESS gives one)")
		return nil
	case *to == "":
		o.Tell("no user summary is sent: somebody chose that it goes to nobody")
		return nil
	}
	m, content, err := r.summary(*to, o)
	if err != nil {
		return err
	}
	if !o.Again {
		earlier, err := r.sentBefore(ctx, o.Tenant, *to, content)
		if err != nil {
			return err
		}
		if earlier != nil {
			o.Tell("the user summary was sent to %s on %s, and is the same now; --send-again sends it once more", *to, day(earlier.At))
			return nil
		}
	}
	if err := o.Send(ctx, m); err != nil {
		return fmt.Errorf("sending the user summary to %s: %w", *to, err)
	}
	o.Say("the user summary (%s) was sent to %s", count(int64(r.Accounts.Total), "user", "users"), *to)
	err = o.Tenant.PutMailed(ctx, tenant.Mailed{ID: r.Migration.ID, Revision: r.Migration.Revision, To: *to, Content: content, Tool: o.Tool, At: manifest.At(o.Now())})
	switch {
	case errors.Is(err, destination.ErrDenied):
		o.Tell("that it was sent cannot be kept at the destination, since the credential may only read: the same command sends it again")
	case err != nil:
		o.Tell("that it was sent could not be kept: %v", err)
	}
	return nil
}

func (r *Report) sentBefore(ctx context.Context, t *tenant.Tenant, to string, content manifest.Digest) (*tenant.Mailed, error) {
	sent, err := t.MailedOf(ctx, r.Migration.ID)
	if err != nil {
		return nil, fmt.Errorf("looking whether the user summary was sent: %w", err)
	}
	var last *tenant.Mailed
	for i, m := range sent {
		if m.To == to && m.Content == content && (last == nil || m.At.After(last.At.Time)) {
			last = &sent[i]
		}
	}
	return last, nil
}

// summary makes the message. content is the digest of the table in it.
func (r *Report) summary(to string, o SummaryOptions) (m mail.Message, content manifest.Digest, err error) {
	from := o.From
	if from == "" {
		from = r.Migrator.Email
	}
	if err := mail.CheckAddress(from); err != nil {
		return m, content, manifest.Errorf(manifest.Usage, "whom the user summary comes from: %w", err).WithHint("--mail-from ADDRESS says it; without it, it is the migrator's address")
	}
	if err := mail.CheckAddress(to); err != nil {
		return m, content, manifest.Errorf(manifest.Refused, "whom the user summary goes to: %w", err).WithHint("omt-assign --summary-to ADDRESS gives another; pack and push again")
	}
	var table bytes.Buffer
	if err := r.WriteUsersCSV(&table, ';'); err != nil {
		return m, content, err
	}
	content = sha256.Sum256(table.Bytes())
	id := sha256.Sum256(fmt.Appendf(nil, "%s %s %s", r.Migration.ID, to, content))
	return mail.Message{
		From: from, To: to, Subject: "Users of the migration of " + r.Installation.Company, Text: r.summaryText(),
		ID: fmt.Sprintf("omt-%x", id[:12]), Date: o.Now(),
		Attachment: mail.Attachment{Name: "users.csv", Type: "text/csv; charset=utf-8", Data: table.Bytes()},
	}, content, nil
}

func (r *Report) summaryText() string {
	var b strings.Builder
	u := r.Accounts
	fmt.Fprintf(&b, "%s of %s, revision %d, committed on %s.\n\n%s\n%s\n\n", kindWord(r), r.Installation.Company, r.Migration.Revision, day(r.Migration.Committed), r.Answer, r.Proved)
	fmt.Fprintf(&b, "The attached table has %s: %s with a plan, %s without", count(int64(u.Total), "user", "users"), comma(int64(u.With)), comma(int64(u.Without)))
	if u.Undecided > 0 {
		fmt.Fprintf(&b, ", %s undecided", comma(int64(u.Undecided)))
	}
	fmt.Fprintf(&b, ". Who has no plan cannot log in.\n\nWelcome letters were chosen for %s. Whoever receives the migration makes the accounts and sends the letters;\nno password is in this message or in the table.\n",
		count(int64(u.Welcome), "user", "users"))
	return b.String()
}

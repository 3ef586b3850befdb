package push

import (
	"context"
	"fmt"
	"io"

	"github.com/dustin/go-humanize"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/tenant"
)

// AcceptOptions are the choices of an accept. All but Close must be set.
type AcceptOptions struct {
	To    destination.Destination
	Retry destination.Retry
	Close bool // missing files are not added any more either

	Tool   string
	At     manifest.Time
	Notice func(format string, args ...any)
}

// Accept makes the tenant's live migration the one that users work with, and writes what that means.
func Accept(ctx context.Context, o AcceptOptions, w io.Writer) error {
	s, changed, err := tenant.Open(o.Retry.Wrap(o.To)).Waits(o.Retry.Sleep, o.Notice).Accept(ctx, o.Tool, o.At, o.Close)
	if err != nil {
		return explain(err)
	}
	m := s.Migration
	what := "accepted"
	if s.Closed {
		what = "accepted and closed"
	}
	if changed {
		fmt.Fprintf(w, "%s: migration %s, revision %d, is %s\n", o.To.URL(), m.ID, m.Revision, what)
	} else {
		fmt.Fprintf(w, "%s: migration %s, revision %d, was %s already, on %s; nothing was changed\n", o.To.URL(), m.ID, m.Revision, what, accepted(s).Format(timeForm))
	}
	open := "missing and changed files are added to it with --recover missing, until omt-push accept --close"
	if s.Closed {
		open = "nothing is added to it any more"
	}
	fmt.Fprintf(w, "its database is closed; %s\n", open)
	if m.Missing > 0 {
		fmt.Fprintf(w, "%s files are missing there\n", humanize.Comma(m.Missing))
	}
	switch {
	case changed && s.Closed:
		fmt.Fprintln(w, "next: omt-push collect deletes what nothing refers to any more")
	case changed:
		fmt.Fprintln(w, "next: tell users where they log in and settle the mailboxes; documents that turn up: omt-push --in the manifest that it wrote; the source stays frozen")
	}
	return nil
}

// accepted is when the tenant came into the state of acceptance that it has.
func accepted(s tenant.State) manifest.Time {
	var at manifest.Time
	for i, p := range s.History {
		if p.State == tenant.Running && (i == 0 || s.History[i-1].State != tenant.Running || s.History[i-1].Closed != p.Closed) {
			at = p.At
		}
	}
	return at
}

package push

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/dustin/go-humanize"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/tenant"
)

// Status is what a tenant holds, for people and as JSON.
type Status struct {
	Destination string           `json:"destination"`
	Company     string           `json:"company"`
	Serial      string           `json:"serial"`
	State       tenant.StateName `json:"state"` // empty or unknown: nothing was committed yet
	Number      int64            `json:"number"`
	Since       manifest.Time    `json:"since,omitzero"`
	Closed      bool             `json:"closed"`    // nothing is added any more
	Migration   *tenant.Commit   `json:"migration"` // the tenant's, or null
	Pending     *tenant.Commit   `json:"pending,omitempty"`
	Seeding     *tenant.Commit   `json:"seeding,omitempty"`
	Collecting  manifest.Time    `json:"collecting,omitzero"` // chunks are being deleted, since
	Revisions   []RevisionStatus `json:"revisions"`
	Chunks      int64            `json:"chunks"` // objects below chunks/, referred to or not
	Bytes       int64            `json:"bytes"`
	History     []tenant.Past    `json:"history"`
}

// RevisionStatus is one revision of a migration or a preseed. Of one that is not committed only what its claim says is
// known.
type RevisionStatus struct {
	ID        string         `json:"id"`
	Revision  int            `json:"revision"`
	Phase     tenant.Phase   `json:"phase"`
	Committed *tenant.Commit `json:"committed"` // null: begun, and not committed
	Standing  Standing       `json:"standing"`
	Begun     manifest.Time  `json:"begun,omitzero"`
	Tool      string         `json:"tool"`
}

// Standing is what a revision is to the tenant.
type Standing string

// The standings. What only a former revision refers to may have been collected.
const (
	Current      Standing = "current"       // the tenant's migration
	Former       Standing = "former"        // a later one has taken its place
	Ahead        Standing = "ahead"         // of a part that went ahead
	NotCommitted Standing = "not committed" // begun
)

// Look asks a destination what it holds. It changes nothing.
func Look(ctx context.Context, t *tenant.Tenant) (Status, error) {
	s, err := t.State(ctx)
	if err != nil {
		return Status{}, err
	}
	st := Status{
		Destination: t.URL(), Company: s.Company, Serial: s.Serial, State: s.State, Number: s.Number, Since: s.At, Closed: s.Closed,
		Migration: s.Migration, Pending: s.Pending, Seeding: s.Seeding, History: s.History, Revisions: []RevisionStatus{},
	}
	if st.History == nil {
		st.History = []tenant.Past{}
	}
	if n := len(s.History); n > 0 && s.Pending == nil {
		st.Since = s.History[n-1].At
	}
	if s.Collecting != nil {
		st.Collecting = s.At
	}
	for _, p := range []tenant.Phase{tenant.Full, tenant.Preseed} {
		revisions, err := t.Revisions(ctx, p, "")
		if err != nil {
			return Status{}, err
		}
		for _, r := range revisions {
			rs, err := lookAt(ctx, t, r)
			if err != nil {
				return Status{}, err
			}
			rs.Standing = st.standing(rs)
			st.Revisions = append(st.Revisions, rs)
		}
	}
	err = t.Chunks(ctx, func(_ manifest.Digest, _ string, bytes int64) error {
		st.Chunks++
		st.Bytes += bytes
		return nil
	})
	return st, err
}

func (s Status) standing(r RevisionStatus) Standing {
	switch m := s.Migration; {
	case r.Committed == nil:
		return NotCommitted
	case r.Phase == tenant.Preseed:
		return Ahead
	case m != nil && m.ID == r.ID && m.Revision == r.Revision:
		return Current
	case s.Pending != nil && s.Pending.ID == r.ID && s.Pending.Revision == r.Revision:
		return Current // but for the record that says so
	}
	return Former
}

func lookAt(ctx context.Context, t *tenant.Tenant, r tenant.Revision) (RevisionStatus, error) {
	rs := RevisionStatus{ID: r.ID, Revision: r.Number, Phase: r.Phase}
	// Nothing hangs on the claim: one that is damaged is as good as none.
	if c, err := t.ClaimOf(ctx, r); err == nil {
		rs.Begun, rs.Tool = c.At, c.Tool
	}
	if !r.Finished {
		return rs, nil
	}
	c, err := t.CommitOf(ctx, r)
	if err != nil {
		return rs, err
	}
	rs.Committed, rs.Tool = &c, c.Tool
	return rs, nil
}

// WriteJSON writes the status as one JSON object, indented.
func (s Status) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(s)
}

const timeForm = "2006-01-02 15:04 MST"

// WriteText writes the status for people.
func (s Status) WriteText(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "tenant\t%s\n", s.Destination)
	s.writeState(t)
	fmt.Fprintf(t, "stored\t%s in %d chunks\n", humanize.Bytes(uint64(s.Bytes)), s.Chunks)
	if err := t.Flush(); err != nil || len(s.Revisions) == 0 {
		return err
	}
	fmt.Fprintln(w)
	t = tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "REVISION\tOF\tCOMMITTED\tFILES\tMISSING\tTABLES\tCHUNKS\tSIZE\tSTANDING\n")
	for _, r := range s.Revisions {
		fmt.Fprintf(t, "%06d\t%s %s\t", r.Revision, r.Phase, r.ID)
		if c := r.Committed; c != nil {
			fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t%s\t%s\n", c.At.UTC().Format(timeForm), c.Counts[string(manifest.KindFile)], c.Missing,
				c.Counts[string(manifest.KindTable)], c.Chunks, humanize.Bytes(uint64(c.Bytes)), r.Standing)
		} else {
			fmt.Fprintf(t, "\t\t\t\t\t\t%s\n", r.Standing)
		}
	}
	return t.Flush()
}

func (s Status) writeState(w io.Writer) {
	if s.Company != "" || s.Serial != "" {
		fmt.Fprintf(w, "company\t%s\nserial number\t%s\n", s.Company, s.Serial)
	}
	since := s.Since.UTC().Format(timeForm)
	switch {
	case s.Number == 0 || s.State == tenant.Unknown:
		fmt.Fprintf(w, "state\tnothing was committed yet\n")
	case s.Closed:
		fmt.Fprintf(w, "state\t%s and closed, since %s: nothing is added any more\n", s.State, since)
	case s.State == tenant.Running:
		fmt.Fprintf(w, "state\t%s, since %s: missing files alone can be added\n", s.State, since)
	default:
		fmt.Fprintf(w, "state\t%s, since %s\n", s.State, since)
	}
	if m := s.Migration; m != nil {
		fmt.Fprintf(w, "migration\t%s, revision %d (%s)\n", m.ID, m.Revision, m.Migration)
	}
	if p := cmp.Or(s.Pending, s.Seeding); p != nil {
		fmt.Fprintf(w, "on its way\t%s, revision %d: run its omt-push again to finish it\n", p.ID, p.Revision)
	}
	if !s.Collecting.IsZero() {
		fmt.Fprintf(w, "collecting\tsince %s: who commits waits for it, for five minutes at most if it is dead\n", s.Collecting.UTC().Format(timeForm))
	}
}

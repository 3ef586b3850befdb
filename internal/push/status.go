package push

import (
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
	State       tenant.StateName `json:"state"` // empty: nothing was committed yet
	Number      int64            `json:"number"`
	Since       manifest.Time    `json:"since,omitzero"`
	Migration   *tenant.Commit   `json:"migration"` // the tenant's, or null
	Pending     *tenant.Commit   `json:"pending,omitempty"`
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
	Begun     manifest.Time  `json:"begun,omitzero"`
	Tool      string         `json:"tool"`
}

// Look asks a destination what it holds. It changes nothing.
func Look(ctx context.Context, t *tenant.Tenant) (Status, error) {
	s, err := t.State(ctx)
	if err != nil {
		return Status{}, err
	}
	st := Status{
		Destination: t.URL(), Company: s.Company, Serial: s.Serial, State: s.State, Number: s.Number, Since: s.At,
		Migration: s.Migration, Pending: s.Pending, History: s.History, Revisions: []RevisionStatus{},
	}
	if st.History == nil {
		st.History = []tenant.Past{}
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
	if s.Number == 0 {
		fmt.Fprintf(t, "state\tnothing was committed yet\n")
	} else {
		fmt.Fprintf(t, "company\t%s\nserial number\t%s\n", s.Company, s.Serial)
		fmt.Fprintf(t, "state\t%s, since %s\n", s.State, s.Since.UTC().Format(timeForm))
	}
	if m := s.Migration; m != nil {
		fmt.Fprintf(t, "migration\t%s, revision %d (%s)\n", m.ID, m.Revision, m.Migration)
	}
	if p := s.Pending; p != nil {
		fmt.Fprintf(t, "on its way\t%s, revision %d: run its omt-push again to finish it\n", p.ID, p.Revision)
	}
	fmt.Fprintf(t, "stored\t%s in %d chunks\n", humanize.Bytes(uint64(s.Bytes)), s.Chunks)
	if err := t.Flush(); err != nil || len(s.Revisions) == 0 {
		return err
	}
	fmt.Fprintln(w)
	t = tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "REVISION\tOF\tCOMMITTED\tFILES\tMISSING\tTABLES\tCHUNKS\tSIZE\n")
	for _, r := range s.Revisions {
		fmt.Fprintf(t, "%06d\t%s %s\t", r.Revision, r.Phase, r.ID)
		if c := r.Committed; c != nil {
			fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t%s\n", c.At.UTC().Format(timeForm), c.Counts[string(manifest.KindFile)], c.Missing,
				c.Counts[string(manifest.KindTable)], c.Chunks, humanize.Bytes(uint64(c.Bytes)))
		} else {
			fmt.Fprintf(t, "not committed\t\t\t\t\t\n")
		}
	}
	return t.Flush()
}

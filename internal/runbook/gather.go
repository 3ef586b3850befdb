package runbook

import (
	"context"
	"fmt"
	"time"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/tenant"
)

// Options are the choices of a runbook. One of In and Tenant must be set.
type Options struct {
	In     *manifest.Reader // a manifest of any stage; nil: the one that the tenant holds
	Tenant *tenant.Tenant   // nil: it is not asked

	To      string    // the destination as it stands in commands
	Spool   string    // folder of the spool, in commands; others get its name with a word behind it
	Install string    // the installation's folder, in commands; empty: the manifest's database and folders
	Start   time.Time // of the freeze; zero: times are offsets alone
	Tool    string
	Now     time.Time
}

// Runbook is a migration as steps. Texts of the installation in it are as they were found.
type Runbook struct {
	Company string
	Serial  string
	Tool    string
	At      time.Time
	Start   time.Time // zero: none
	State   string    // what the tenant holds, in a sentence
	Sizes   []Fact    // what there is to move, and how fast it was
	Steps   []Step
}

// Fact is a name with what is known of it.
type Fact struct{ Name, Text string }

// gathered is all that steps are made of.
type gathered struct {
	o      Options
	f      *facts
	asked  bool // the tenant
	state  tenant.State
	send   Measured
	verify Measured
	proof  *tenant.Proof // the last good one of what the tenant holds
}

// Gather reads the manifest and asks the tenant, and makes the steps.
func Gather(ctx context.Context, o Options) (*Runbook, error) {
	g := &gathered{o: o}
	if o.Tenant != nil {
		if err := g.ask(ctx); err != nil {
			return nil, err
		}
	}
	if o.In != nil {
		held := g.f
		g.f = newFacts()
		if err := g.f.read(o.In); err != nil {
			return nil, fmt.Errorf("reading the manifest: %w", err)
		}
		if m := sending(g.f.sent); m.Bytes > g.send.Bytes {
			g.send = m
		}
		if held != nil {
			g.borrow(held)
		}
	}
	if g.f == nil {
		return nil, manifest.Errorf(manifest.Refused, "no migration is committed at %s, and no manifest is given", o.Tenant.URL()).
			WithHint("give one of any stage with --in FILE: that of omt-scan will do")
	}
	if g.f.header.Phase == string(tenant.Preseed) {
		return nil, manifest.Errorf(manifest.Refused, "the manifest is of a part that goes ahead (a pre-seed), which does not tell of the whole").
			WithHint("give the manifest that the part was made of")
	}
	return g.runbook(), nil
}

// ask reads what the tenant holds.
func (g *gathered) ask(ctx context.Context) (err error) {
	t := g.o.Tenant
	if g.state, err = t.State(ctx); err != nil {
		return err
	}
	g.asked = true
	c, err := t.LastCommitted(ctx)
	if err != nil || c == nil {
		return err
	}
	g.f = newFacts()
	if _, err = t.EachLine(ctx, *c, g.f.take); err != nil {
		return fmt.Errorf("reading what revision %d of %s holds: %w", c.Revision, c.ID, err)
	}
	g.send = sending(g.f.sent)
	list, _, err := t.Proofs(ctx, tenant.Revision{Phase: c.Phase, ID: c.ID, Number: c.Revision})
	for i, p := range list {
		if p.End != c.End || !p.Good() {
			continue
		}
		g.proof = &list[i]
		if m := (Measured{Bytes: p.BytesRead, Took: p.Ended.Sub(p.Begun.Time), From: p.Begun.Time}); p.Runs == 1 && p.Depth == "content" && p.Database == nil && m.known() {
			g.verify = m
		}
	}
	return err
}

// borrow takes sizes from what the tenant holds where the manifest was not packed yet, and both are of one company.
func (g *gathered) borrow(held *facts) {
	if !g.f.packed && held.inst.Owner == g.f.inst.Owner && held.inst.Serial == g.f.inst.Serial {
		g.f.packed, g.f.inFiles, g.f.inTables = held.packed, held.inFiles, held.inTables
	}
}

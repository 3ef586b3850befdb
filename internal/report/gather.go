package report

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/progress"
	"github.com/openomt/omt/internal/tenant"
)

// Options are the choices of a report. All but Migration must be set.
type Options struct {
	Tenant    *tenant.Tenant
	Migration string // its id; empty: the tenant's
	Temp      string // folder for temporary files
	Tool      string
	Now       func() time.Time
	Progress  progress.Reporter
}

// Gather reads what a committed migration says of itself, and checks that its sums add up. The caller closes the report.
func Gather(ctx context.Context, o Options) (*Report, error) {
	c, state, err := find(ctx, o)
	if err != nil {
		return nil, err
	}
	g := newGatherer(o, c)
	if g.revisions, err = revisions(ctx, o.Tenant, c); err == nil {
		err = g.proofs(ctx)
	}
	if err == nil {
		err = g.read(ctx)
	}
	if err == nil {
		err = g.finish(state)
	}
	if err != nil {
		g.r.Close()
		return nil, err
	}
	return g.r, nil
}

// Close removes what is kept on disk for the report.
func (r *Report) Close() { r.lost.close() }

// find finds the last committed revision of a migration, and the tenant's state.
func find(ctx context.Context, o Options) (tenant.Commit, tenant.State, error) {
	t := o.Tenant
	state, err := t.State(ctx)
	if err != nil {
		return tenant.Commit{}, state, err
	}
	if o.Migration == "" {
		c, err := t.LastCommitted(ctx)
		if err == nil && c == nil {
			err = manifest.Errorf(manifest.Refused, "no migration is committed at %s", t.URL()).
				WithHint("omt-push commits one; omt-push status --to shows what is there")
		}
		if err != nil {
			return tenant.Commit{}, state, err
		}
		return *c, state, nil
	}
	for _, phase := range []tenant.Phase{tenant.Full, tenant.Preseed} {
		c, err := t.Last(ctx, phase, o.Migration)
		if err == nil || !errors.Is(err, destination.ErrNotExist) {
			return c, state, err
		}
	}
	return tenant.Commit{}, state, manifest.Errorf(manifest.Refused, "no migration %q is committed at %s", o.Migration, t.URL()).
		WithHint("omt-push status --to shows what is there")
}

// gatherer reads a manifest into a report.
type gatherer struct {
	o         Options
	r         *Report
	c         tenant.Commit
	revisions []Revision
	areas     map[manifest.Area]*area
	chunks    map[manifest.Digest]*stored
	tables    []table
	plans     []manifest.Plan
	removals  []manifest.Removal
	checks    []manifest.Check
	header    manifest.Header
	records   int64          // file records, whatever their area
	proved    []tenant.Proof // of earlier revisions, too
	raw       int64          // stored files whose names are not valid Unicode
	seen      seen
	end       manifest.End
}

// seen is what limits depend on.
type seen struct {
	elsewhere, noActivity, blank, secrets int64
}

// stored is a chunk that the manifest names.
type stored struct {
	bytes   int64
	files   int64 // records that refer to it
	receipt bool
}

// table is a table with what its parts add up to.
type table struct {
	name        string
	rows, parts int64
	chunks      int
}

func newGatherer(o Options, c tenant.Commit) *gatherer {
	return &gatherer{
		o: o, c: c, areas: map[manifest.Area]*area{}, chunks: map[manifest.Digest]*stored{},
		r: &Report{
			Tool: o.Tool, At: manifest.At(o.Now().Truncate(time.Second)), Destination: o.Tenant.URL(), lost: &lost{},
			Removals: []Removal{}, Findings: []manifest.Finding{}, Waivers: []manifest.Waiver{}, Reviews: []manifest.Review{}, Edits: []manifest.Edit{},
			Proofs: []tenant.Proof{}, Untrusted: []string{}, Former: []tenant.Past{}, LeftOut: []Table{}, Limits: []string{},
		},
	}
}

// revisions reads the committed revisions of a migration up to the one that is reported.
func revisions(ctx context.Context, t *tenant.Tenant, c tenant.Commit) ([]Revision, error) {
	all, err := t.Revisions(ctx, c.Phase, c.ID)
	if err != nil {
		return nil, err
	}
	var list []Revision
	for _, r := range all {
		if !r.Finished || r.Number > c.Revision {
			continue
		}
		k, err := t.CommitOf(ctx, r)
		if err != nil {
			return nil, err
		}
		rev := Revision{Number: k.Revision, Committed: k.At, Mode: k.Mode, Tool: k.Tool, Files: k.Counts[string(manifest.KindFile)],
			Missing: k.Missing, Chunks: k.Chunks, Bytes: k.Bytes, commit: k}
		// Nothing hangs on the claim: one that is damaged is as good as none.
		if claim, err := t.ClaimOf(ctx, r); err == nil {
			rev.Begun = claim.At
		}
		if n := len(list); n > 0 {
			rev.Found = list[n-1].Missing - rev.Missing
		}
		list = append(list, rev)
	}
	return list, nil
}

// proofs reads what was proved of the revision, and of earlier ones.
func (g *gatherer) proofs(ctx context.Context) error {
	for _, r := range g.revisions {
		list, damaged, err := g.o.Tenant.Proofs(ctx, tenant.Revision{Phase: g.c.Phase, ID: g.c.ID, Number: r.Number})
		if err != nil {
			return err
		}
		g.proved = append(g.proved, list...)
		g.r.Untrusted = append(g.r.Untrusted, damaged...)
	}
	g.r.Proofs = append(g.r.Proofs, g.proved...)
	return nil
}

// read takes the records of the manifest, one after another.
func (g *gatherer) read(ctx context.Context) error {
	meter := g.o.Progress.Meter("reading the manifest", g.c.Counts[string(manifest.KindFile)], progress.Items)
	defer meter.Done()
	end, err := g.o.Tenant.EachLine(ctx, g.c, func(l manifest.Line) error {
		if l.Kind == manifest.KindFile {
			meter.Add(1)
			return g.file(l)
		}
		return g.take(l)
	})
	if err != nil {
		return fmt.Errorf("reading what revision %d of %s holds: %w", g.c.Revision, g.c.ID, err)
	}
	if end.SHA256 != g.c.End {
		return manifest.Errorf(manifest.Failed, "the manifest at %s is not the one that its commit names", g.o.Tenant.URL()).
			WithHint("the object was changed or is damaged; restore it from a copy")
	}
	g.end = end
	return nil
}

// take takes any record but a file's.
func (g *gatherer) take(l manifest.Line) error {
	switch l.Kind {
	case manifest.KindManifest:
		return l.Decode(&g.header)
	case manifest.KindEdit:
		return keep(l, &g.r.Edits)
	case manifest.KindInstallation:
		return g.installation(l)
	case manifest.KindMigrator:
		return l.Decode(&g.r.Migrator)
	case manifest.KindPlan:
		return keep(l, &g.plans)
	case manifest.KindUser:
		return keep(l, &g.r.Accounts.List)
	case manifest.KindReview:
		return keep(l, &g.r.Reviews)
	case manifest.KindRemoval:
		return keep(l, &g.removals)
	case manifest.KindTable:
		return g.table(l)
	case manifest.KindChunk:
		return g.chunk(l)
	case manifest.KindReceipt:
		return g.receipt(l)
	case manifest.KindCheck:
		return keep(l, &g.checks)
	case manifest.KindFinding:
		return keep(l, &g.r.Findings)
	case manifest.KindWaiver:
		return keep(l, &g.r.Waivers)
	}
	return nil
}

func keep[T any](l manifest.Line, list *[]T) error {
	var rec T
	if err := l.Decode(&rec); err != nil {
		return err
	}
	*list = append(*list, rec)
	return nil
}

func (g *gatherer) installation(l manifest.Line) error {
	var i manifest.Installation
	if err := l.Decode(&i); err != nil {
		return err
	}
	g.r.Installation = Installation{Company: i.Owner, Serial: i.Serial, Version: i.Version, Engine: i.Engine, Database: i.Database}
	for _, a := range i.Areas {
		g.area(a)
	}
	return nil
}

func (g *gatherer) table(l manifest.Line) error {
	var t manifest.Table
	if err := l.Decode(&t); err != nil {
		return err
	}
	g.tables = append(g.tables, table{name: t.Name, rows: t.Rows})
	return nil
}

func (g *gatherer) chunk(l manifest.Line) error {
	var k manifest.Chunk
	if err := l.Decode(&k); err != nil {
		return err
	}
	if k.Type == manifest.ChunkParquet && len(g.tables) > 0 {
		t := &g.tables[len(g.tables)-1]
		t.parts += k.Rows
		t.chunks++
	}
	if g.chunks[k.SHA256] == nil {
		g.chunks[k.SHA256] = &stored{bytes: k.Bytes}
		g.r.Totals.Chunks++
		g.r.Totals.ChunkBytes += k.Bytes
	}
	return nil
}

func (g *gatherer) receipt(l manifest.Line) error {
	var r manifest.Receipt
	if err := l.Decode(&r); err != nil {
		return err
	}
	if k := g.chunks[r.Chunk]; k != nil {
		k.receipt = true
	}
	if !r.Sent {
		return nil
	}
	i := slices.IndexFunc(g.revisions, func(v Revision) bool { return !r.At.After(v.Committed.Time) })
	if i < 0 {
		return nil
	}
	v := &g.revisions[i]
	v.Sent++
	v.SentBytes += r.Bytes
	if v.first.IsZero() || r.At.Before(v.first) {
		v.first = r.At.Time
	}
	if r.At.After(v.last) {
		v.last = r.At.Time
	}
	return nil
}

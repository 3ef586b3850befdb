package restore

import (
	"context"
	"math"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/tenant"
)

// revision is the migration as its tenant lists it.
func (m Migration) revision() tenant.Revision {
	return tenant.Revision{Phase: m.Commit.Phase, ID: m.Commit.ID, Number: m.Commit.Revision}
}

// NextSample is where the next sample begins: behind those of the proofs that are kept and went at least as deep. So
// twenty samples of 5 % read all of it, and one that is broken off is gone on with.
func (m Migration) NextSample(ctx context.Context, depth Depth) (float64, error) {
	proofs, _, err := m.Tenant.Proofs(ctx, m.revision())
	if err != nil {
		return 0, err
	}
	sum := 0.0
	for _, p := range proofs {
		if p.Sample < 1 && (Depth(p.Depth) == depth || Depth(p.Depth) == Content) {
			sum += p.Sample
		}
	}
	_, from := math.Modf(sum)
	return from, nil
}

// Keep stores a proof beside the revision. db is the URL of the database that was compared, empty where none was; edit, which
// may be nil, takes secrets out of problems in words. An error of class destination.ErrDenied says that the credential
// may only read.
func (m Migration) Keep(ctx context.Context, p Proof, o VerifyOptions, db, tool string, edit func(string) string) (tenant.Proof, error) {
	t := tenant.Proof{
		ID: m.Commit.ID, Revision: m.Commit.Revision, Phase: m.Commit.Phase, End: m.Commit.End, Depth: string(o.Depth), Sample: o.Sample, From: o.From,
		Chunks: int64(p.Chunks), Bytes: p.Bytes, Read: int64(p.Read), InPart: int64(p.InPart), BytesRead: p.BytesRead,
		Files: p.Files, Rows: p.Rows, Problems: int64(p.Problems),
		Tool: tool, Begun: manifest.At(p.Begun), Ended: manifest.At(o.Now()), Runs: p.Runs,
	}
	if o.Depth == Names || o.Sample <= 0 || o.Sample >= 1 {
		t.Sample, t.From = 1, 0
	}
	for _, text := range p.First {
		if edit != nil {
			text = edit(text)
		}
		t.First = append(t.First, text)
	}
	if db != "" {
		c := p.Database
		t.Database = &tenant.ProvedDatabase{URL: db, Tables: int64(c.Tables), Rows: c.Rows, Differ: int64(c.Differ), Removed: c.Removed, NotRemoved: c.NotRemoved}
	}
	return m.Tenant.PutProof(ctx, t)
}

package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/openomt/omt/internal/tenant"
)

// verdict is what the proofs of the revision come to: the last one of the greatest depth over everything, else the last
// one. good tells that it stands and that nothing it looked at was wrong.
func (r *Report) verdict() (text string, good bool) {
	var best *tenant.Proof
	rank := map[string]int{"names": 1, "hash": 2, "content": 3}
	worth := func(p tenant.Proof) int {
		if p.Sample < 1 || p.Depth == "names" {
			return rank[p.Depth] // in a sample, too, all names were compared
		}
		return 10 * rank[p.Depth]
	}
	var bad *tenant.Proof
	for i, p := range r.Proofs {
		if p.Revision != r.Migration.Revision || p.End != r.Migration.Manifest {
			continue
		}
		switch {
		case !p.Good():
			bad = &r.Proofs[i]
		case best == nil || worth(p) >= worth(*best):
			best = &r.Proofs[i]
		}
	}
	switch {
	case bad != nil && (best == nil || best.Ended.Before(bad.Ended.Time)):
		return fmt.Sprintf("A proof of %s found what is wrong: %s.", day(bad.Ended), problems(*bad)), false
	case best != nil:
		return fmt.Sprintf("Proved on %s: %s; nothing is missing and nothing differs.", day(best.Ended), looked(*best)) + r.inDatabase(*best), true
	case len(r.Proofs) > 0:
		return fmt.Sprintf("Nothing was proved of this revision; earlier ones were. omt-pack verify --from %s proves it.", r.Destination), false
	}
	return fmt.Sprintf("Nothing was proved yet. omt-pack verify --from %s proves it.", r.Destination), false
}

// inDatabase tells of the last database that was compared with the revision, in another proof than the one that was told of.
func (r *Report) inDatabase(told tenant.Proof) string {
	for _, p := range slices.Backward(r.Proofs) {
		if p.Revision != told.Revision || p.End != told.End || p.Database == nil {
			continue
		}
		if p.Number == told.Number || !p.Good() {
			return ""
		}
		return fmt.Sprintf(" On %s %s of a database were compared with it, and all agree.", day(p.Ended), count(p.Database.Rows, "row", "rows"))
	}
	return ""
}

// looked is what a proof looked at.
func looked(p tenant.Proof) string {
	var b strings.Builder
	switch {
	case p.Depth == "names":
		fmt.Fprintf(&b, "%s are there by name and size", count(p.Chunks, "chunk", "chunks"))
	case p.Sample < 1:
		fmt.Fprintf(&b, "a sample of %s was read back, %s of %s", percent(p.Sample), size(p.BytesRead), size(p.Bytes))
	default:
		fmt.Fprintf(&b, "every byte was read back, %s in %s", size(p.BytesRead), count(p.Read, "chunk", "chunks"))
	}
	if p.Depth == "content" {
		fmt.Fprintf(&b, ", and %s and %s were compared", count(p.Files, "file", "files"), count(p.Rows, "row", "rows"))
	}
	if d := p.Database; d != nil {
		fmt.Fprintf(&b, "; %s of a database were compared with it", count(d.Rows, "row", "rows"))
	}
	return b.String()
}

// problems is what a proof found.
func problems(p tenant.Proof) string {
	var parts []string
	if p.Problems > 0 {
		parts = append(parts, fmt.Sprintf("%s missing or different", count(p.Problems, "chunk or table is", "chunks or tables are")))
	}
	if d := p.Database; d != nil && d.Differ > 0 {
		parts = append(parts, fmt.Sprintf("%d of %d tables of the database %s different", d.Differ, d.Tables, isAre(d.Differ)))
	}
	return strings.Join(parts, ", ")
}

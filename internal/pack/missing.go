package pack

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/openomt/omt/internal/inventory"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/progress"
	"github.com/openomt/omt/internal/source"
)

// ruleMissing is looked after by package inventory.
const ruleMissing = "table-missing"

// lookAtTables looks in this run's view for tables whose rows cannot be had, the input's among them, and counts the
// others, before anything is packed. What is found stands in the place of what the input says of it, and may block.
func (r *run) lookAtTables(ctx context.Context) error {
	if err := source.CheckRequired(r.src.Reader); err != nil {
		return err
	}
	r.sayAge()
	r.inv = inventory.New(inventory.Options{
		Reader: r.src.Reader, Installation: r.src.Installation, Temp: r.o.Temp,
		OlderThan: r.cutoff(), Tool: r.o.Tool, Progress: progress.None{}, Log: r.o.Log,
	})
	if !slices.Contains(r.src.Installation.Areas, manifest.Database) || !r.wanted(manifest.Database) {
		return nil
	}
	if err := r.inv.Missing(ctx, r.in.tables...); err != nil {
		return err
	}
	var err error
	if r.counted, err = r.inv.Tables(ctx); err != nil {
		return fmt.Errorf("packing %s: %w", manifest.Database, err)
	}
	r.in.merge(r.inv.Results())
	if r.preseed() {
		return nil // it is told at the end
	}
	return r.blocked()
}

// leftOut tells which tables do not move. In a full run each is waived, or it would not have come so far.
func (r *run) leftOut() {
	var left []string
	for _, f := range r.in.said.Findings {
		if f.Rule == ruleMissing && f.Severity == manifest.SeverityError {
			left = append(left, f.Subjects...)
		}
	}
	if len(left) > 0 && r.wanted(manifest.Database) {
		r.o.Remark("%d tables are left out, since their rows could not be had: %s; the findings of %s say why", len(left), strings.Join(left, ", "), ruleMissing)
	}
}

package inventory

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sort"
	"time"

	"github.com/openomt/omt/internal/archive"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/progress"
	"github.com/openomt/omt/internal/source"
)

// sortMemory is what one sorter holds when the options do not say.
const sortMemory = 24 << 20

// Options say what is listed and with what.
type Options struct {
	Reader       source.Reader
	Installation manifest.Installation // Folders and Roots are used; Roots tells of all areas, whichever are listed
	Temp         string                // folder for temporary files; empty: the system's
	OlderThan    time.Time             // files changed after it are left; zero: none
	Tool         string                // name and version in check records
	Memory       int                   // bytes of one sorter; 0: 24 MiB
	Progress     progress.Reporter     // nil: none
	Log          *slog.Logger          // nil: none
}

// Inventory lists an installation. It is not safe for concurrent use.
type Inventory struct {
	o       Options
	walk    func(ctx context.Context, root string, fn func(archive.Entry) error) error
	reports map[manifest.Area]*report
	lacks   *lacks // once Missing has looked
}

// New makes an Inventory; nothing is read yet.
func New(o Options) *Inventory {
	if o.Progress == nil {
		o.Progress = progress.None{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Memory == 0 {
		o.Memory = sortMemory
	}
	return &Inventory{o: o, walk: archive.Walk, reports: map[manifest.Area]*report{}}
}

// Tables gives every table whose rows can be read, and counts them, in the reader's order. One that cannot be counted for
// a reason of its own is a finding where Missing has looked, and else an error.
func (i *Inventory) Tables(ctx context.Context) ([]manifest.Table, error) {
	tables := i.o.Reader.Tables()
	meter := i.o.Progress.Meter(string(manifest.Database), int64(len(tables)), progress.Items)
	defer meter.Done()
	out := make([]manifest.Table, 0, len(tables))
	for _, t := range tables {
		n, err := i.o.Reader.Count(ctx, t.Name)
		var refused *source.Unreadable
		switch {
		case err == nil:
			out = append(out, source.ToRecord(t, n))
		case i.lacks != nil && errors.As(err, &refused):
			i.lacks.refuse(t.Name, refused)
		default:
			return nil, fmt.Errorf("counting the rows of table %q: %w", t.Name, err)
		}
		meter.Add(1)
	}
	return out, nil
}

// Files calls emit for each record of an area, in the manifest's order; the database has none. An error of emit ends it.
// A second call for an area replaces what Results says of the first.
func (i *Inventory) Files(ctx context.Context, area manifest.Area, emit func(manifest.File) error) error {
	if area == manifest.Database {
		return nil
	}
	if err := i.checkRoots(area); err != nil {
		return err
	}
	r := &report{}
	meter := i.o.Progress.Meter(string(area), 0, progress.Items)
	defer meter.Done()
	l := &listing{Inventory: i, area: area, roots: i.o.Installation.Roots[string(area)], report: r, meter: meter, emit: emit}
	var err error
	switch area {
	case manifest.Document:
		err = l.documents(ctx)
	case manifest.Template:
		err = l.templates(ctx)
	case manifest.Service:
		err = l.service(ctx)
	case manifest.Attachment:
		err = l.attachments(ctx)
	default:
		err = manifest.Errorf(manifest.Usage, "area %q is not known", area)
	}
	if err != nil {
		return err
	}
	i.reports[area] = r
	return nil
}

// Results gives the checks and findings of the areas listed so far, and of Missing, checks sorted by rule, findings by
// rule and area.
func (i *Inventory) Results() (checks []manifest.Check, findings []manifest.Finding) {
	if i.lacks != nil {
		i.reports[manifest.Database] = i.lacks.report(i.o.Installation.Prefix)
	}
	for _, rule := range rules {
		looked, from := false, len(findings)
		for _, area := range manifest.Areas {
			r := i.reports[area]
			if r == nil || !rule.covers(area) {
				continue
			}
			looked = true
			for _, f := range r.findings {
				if f.Rule == rule.name {
					findings = append(findings, f)
				}
			}
		}
		if looked {
			checks = append(checks, manifest.Check{
				Rule: rule.name, Plugin: "omt", Tool: i.o.Tool, Status: "done", Findings: len(findings) - from,
			})
		}
	}
	return checks, findings
}

// listing is the listing of one area.
type listing struct {
	*Inventory
	area   manifest.Area
	roots  []string
	report *report
	meter  progress.Meter
	emit   func(manifest.File) error
}

func (i *Inventory) newSorter() *manifest.Sorter { return manifest.NewSorter(i.o.Temp, i.o.Memory) }

// sortedKeys gives the keys of a map in order.
func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

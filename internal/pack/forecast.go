package pack

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/openomt/omt/internal/chunk"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/spool"
)

// Forecast is what a run would pack and send now.
type Forecast struct {
	Ahead     bool // it would be a part that goes ahead
	Areas     []AreaForecast
	Tables    *TableForecast // nil: the run has none
	Left      int64          // files that stay for their age
	Rate      *Rate          // nil: nothing was measured
	To        string         // the destination that was asked; empty: none
	Known     bool           // something is at the destination
	Reading   time.Duration  // how long the tables are read
	ReadKnown bool           // Reading was measured
}

// AreaForecast is what a run would send of the files of an area. Files and their bytes are counted; how many of them are copies
// of each other shows only when they are read.
type AreaForecast struct {
	Area    manifest.Area
	Files   int64 // to be sent
	Bytes   int64 // of them, on disk
	Packed  int64 // about what their chunks take
	Guessed bool  // nothing is known of how far files of this area compress: they are counted as they are
	There   int64 // files that are at the destination
}

// TableForecast is about what a run would send of tables.
type TableForecast struct {
	Tables, Rows int64
	Likely       int64 // what the last run sent for rows that had been there, and the rows that have come or gone since
	Most         int64 // everything
	Whole        int64 // tables that are not known as they are now, and are sent whole
	Blind        int64 // tables of which one push alone is known: what changes in their rows is not
	Lacking      int64 // parts whose changes this spool cannot tell
}

// Sends is about how many bytes would be sent.
func (f *Forecast) Sends() int64 {
	var n int64
	for _, a := range f.Areas {
		n += a.Packed
	}
	if f.Tables != nil {
		n += f.Tables.Likely
	}
	return n
}

// Most is how many bytes would be sent if no file compressed and every row had changed.
func (f *Forecast) Most() int64 {
	var n int64
	for _, a := range f.Areas {
		n += max(a.Bytes, a.Packed)
	}
	if f.Tables != nil {
		n += f.Tables.Most
	}
	return n
}

// Ahead says what Run would do now, and touches nothing: it reads the input, the source's folders and numbers of rows, and at
// the destination what is there. The input is refused as Run would, and a live migration is not asked for and not frozen.
func Ahead(ctx context.Context, o Options) (*Forecast, error) {
	s, err := spool.At(o.Spool)
	if err != nil {
		return nil, err
	}
	temp, err := os.MkdirTemp(o.Temp, "omt-forecast-*")
	if err != nil {
		return nil, fmt.Errorf("making a folder for temporary files: %w", err)
	}
	defer os.RemoveAll(temp)
	o.Temp = temp
	r := &run{o: o, spool: s, temp: temp, done: func() {}}
	defer func() { r.done() }()
	defer r.end()
	if err := r.intake(ctx); err != nil {
		return nil, err
	}
	if err := r.meet(ctx); err != nil {
		return nil, err
	}
	if r.src, err = o.Open(ctx, r.in.installation); err != nil {
		return nil, err
	}
	defer r.src.Close() //nolint:errcheck // it was only read
	for _, step := range []func(context.Context) error{r.sameInstallation, r.learn, r.lookAtTables} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return r.forecast(ctx)
}

func (r *run) forecast(ctx context.Context) (*Forecast, error) {
	f := &Forecast{Ahead: r.preseed(), Known: r.known != nil}
	if err := r.forecastFiles(ctx, f); err != nil {
		return nil, err
	}
	if slices.Contains(r.src.Installation.Areas, manifest.Database) && r.wanted(manifest.Database) {
		var err error
		if f.Tables, err = r.forecastTables(); err != nil {
			return nil, err
		}
		f.Reading, f.ReadKnown = readingTime(r.spool, f.Tables.Rows)
	}
	if r.tenant != nil {
		f.To = r.tenant.URL()
	}
	if r.o.Rate == nil {
		return f, nil
	}
	rate, known, err := r.o.Rate(f.To)
	if known {
		f.Rate = &rate
	}
	return f, err
}

// forecastFiles plans the files as a run would, and counts what it would pack.
func (r *run) forecastFiles(ctx context.Context, f *Forecast) error {
	list := r.inv.Files
	if r.known != nil {
		var files int64
		for _, x := range r.in.forecast {
			files += x.Files
		}
		index, err := newIndex(r.temp, files)
		if err != nil {
			return err
		}
		defer index.close() //nolint:errcheck // it is thrown away
		r.packer = &packer{temp: r.temp, inst: r.src.Installation, orphans: r.o.Orphans, index: index, findings: &fileFindings{}}
		if err := r.planFiles(ctx); err != nil {
			return err
		}
		list = r.planned.list
	}
	for _, area := range manifest.Areas[1:] {
		if !slices.Contains(r.src.Installation.Areas, area) || !r.wanted(area) {
			continue
		}
		a := AreaForecast{Area: area}
		var raw int64
		err := list(ctx, area, func(file manifest.File) error {
			switch {
			case isStored(file):
				a.There++
			case packable(file, r.o.Orphans):
				a.Files++
				a.Bytes += file.Size
				raw += chunk.EntrySize(entryName(file), file.Size)
			case file.State == manifest.Left && file.Reason == "age":
				f.Left++
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("looking at %s: %w", area, err)
		}
		share, ok := r.known.compresses(area)
		a.Packed, a.Guessed = int64(share*float64(raw)), !ok && a.Files > 0
		if !ok {
			a.Packed = a.Bytes
		}
		f.Areas = append(f.Areas, a)
	}
	return nil
}

// compresses is what is left of the content of an area in its chunks, as a share; false where nothing is known.
func (k *known) compresses(area manifest.Area) (share float64, ok bool) {
	if k == nil {
		return 1, false
	}
	var raw, bytes int64
	for _, c := range k.chunks {
		if c.Area == area {
			raw, bytes = raw+c.Raw, bytes+c.Bytes
		}
	}
	if raw == 0 {
		return 1, false
	}
	return float64(bytes) / float64(raw), true
}

// forecastTables adds up what is known of each table.
func (r *run) forecastTables() (*TableForecast, error) {
	f := &TableForecast{}
	row := r.known.aRow()
	for _, t := range r.counted {
		g := fresh(t.Rows, row)
		if past := r.known.past(t.Name); past != nil {
			schema, err := chunk.SchemaDigest(t)
			if err != nil {
				return nil, err
			}
			g = past.ahead(t.Rows, schema, digests(r.spool, t))
		}
		f.Tables++
		f.Rows += t.Rows
		f.Likely += g.likely
		f.Most += g.most
		f.Lacking += g.lacking
		if g.whole {
			f.Whole++
		}
		if g.blind {
			f.Blind++
		}
	}
	return f, nil
}

// past is a table as the last known manifest has it, or nil.
func (k *known) past(table string) *tablePast {
	if k == nil {
		return nil
	}
	return k.last[table]
}

// aRow is what a row of any table takes.
func (k *known) aRow() float64 {
	var all tablePast
	if k != nil {
		for _, t := range k.last {
			all.parts = append(all.parts, t.parts...)
		}
	}
	return all.aRow()
}

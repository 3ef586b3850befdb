package pack

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/parts"
	"github.com/openomt/omt/internal/progress"
	"github.com/openomt/omt/internal/settle"
	"github.com/openomt/omt/internal/source"
)

// readings are the parts of tables as they were read last. Their records lie on disk until the tables are settled: before
// that nobody knows which of them go into the manifest.
type readings struct {
	x      *exporter
	meter  progress.Meter
	tables map[string]*lastReading
	f      *os.File
	end    int64
}

// lastReading is what was read of a table last.
type lastReading struct {
	table    manifest.Table
	at, size int64 // its records in the file
	again    bool  // it was read before
}

// oneMoment packs the tables of a database that gives no snapshot: it reads them until they are of one moment (package
// settle), and then writes their records. Tables for which that cannot be had are findings. All parts lie in the spool
// before the first record is written, whatever the limit.
func (r *run) oneMoment(ctx context.Context, x *exporter, m progress.Meter, rows int64) error {
	if err := x.room.take(ctx, 0); err != nil {
		return err
	}
	y := *x
	y.room, y.fresh = nil, map[manifest.Digest]string{}
	f, err := os.CreateTemp(r.temp, "readings-*")
	if err != nil {
		return fmt.Errorf("creating a file in the spool: %w", err)
	}
	defer remove(f)
	if r.o.Settle > 0 {
		m.SetTotal(2 * rows) // everything is read a second time
	}
	all := &readings{x: &y, meter: m, tables: map[string]*lastReading{}, f: f}
	names := make([]string, len(r.counted))
	for i, t := range r.counted {
		names[i] = t.Name
		all.tables[t.Name] = &lastReading{table: t}
	}
	r.moment, err = settle.Tables(ctx, names, settle.Options{
		Mark: r.src.Reader.Mark, Read: all.read, Agrees: all.agrees,
		For: r.o.Settle, Now: r.o.Now, Sleep: r.o.Sleep, Again: r.readAgain,
	})
	if err != nil {
		return err
	}
	if err := r.unsettled(ctx, r.moment.Changes, "its rows are not of the moment of the other tables"); err != nil {
		return err
	}
	for _, name := range names {
		if err := all.emit(name, r.emit); err != nil {
			return err
		}
	}
	return nil
}

// readAgain says which tables are read again.
func (r *run) readAgain(tables []string) {
	r.o.Log.Info("tables changed while they were read, and are read again", "tables", tables)
	r.o.Notice("%d tables changed while they were read, and are read again: %s", len(tables), atMost(maxNamed, tables))
}

// maxNamed is how many tables or people one line names.
const maxNamed = 10

// atMost is a list for people, of which the rest is counted.
func atMost(n int, list []string) string {
	if more := len(list) - n; more > 0 {
		list = append(slices.Clone(list[:n]), fmt.Sprintf("and %d more", more))
	}
	return strings.Join(list, ", ")
}

// read reads a table, and keeps the records of its parts in place of those that were kept before.
func (a *readings) read(ctx context.Context, name string) error {
	t := a.tables[name]
	meter := a.meter
	if t.again {
		meter = progress.None{}.Meter("", 0, progress.Items)
	}
	w := bufio.NewWriter(io.NewOffsetWriter(a.f, a.end))
	start, put := a.end, json.NewEncoder(counted{w, &a.end})
	rows, err := a.x.export(ctx, t.table, meter, func(c manifest.Chunk) error { return put.Encode(c) })
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		return err
	}
	was := *t
	t.table.Rows, t.at, t.size, t.again = rows, start, a.end-start, true
	if was.again {
		return a.drop(&was, t)
	}
	return nil
}

// drop removes the parts of a reading that another one has taken the place of, but those that both have, and those that
// earlier runs left in the spool, which another manifest may name.
func (a *readings) drop(was, is *lastReading) error {
	gone := map[manifest.Digest]bool{}
	for _, t := range []*lastReading{was, is} {
		for next := a.records(t); ; {
			c, err := next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return err
			}
			gone[c.SHA256] = t == was
		}
	}
	for sum, old := range gone {
		if typ, fresh := a.x.fresh[sum]; old && fresh {
			delete(a.x.fresh, sum)
			os.Remove(a.x.spool.ChunkPath(sum, typ))
		}
	}
	return nil
}

// counted counts what is written.
type counted struct {
	w io.Writer
	n *int64
}

func (c counted) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	*c.n += int64(n)
	return n, err
}

// records yields the records of a table's parts.
func (a *readings) records(t *lastReading) func() (manifest.Chunk, error) {
	d := json.NewDecoder(io.NewSectionReader(a.f, t.at, t.size))
	return func() (c manifest.Chunk, err error) { return c, d.Decode(&c) }
}

// agrees reads a table a second time, and reports whether its parts are those of the last reading.
func (a *readings) agrees(ctx context.Context, name string) (bool, error) {
	t := a.tables[name]
	st := source.FromRecord(t.table)
	stream, err := parts.Ordered(ctx, st, a.x.reader.Rows(ctx, st), a.x.temp)
	if err != nil {
		return false, fmt.Errorf("reading table %q again: %w", name, err)
	}
	defer stream.Close()
	next := a.records(t)
	for d, err := range stream.Digests(ctx) {
		if err != nil {
			return false, fmt.Errorf("reading table %q again: %w", name, err)
		}
		c, err := next()
		if errors.Is(err, io.EOF) || err == nil && (c.Content == nil || *c.Content != d.Content || c.Rows != d.Rows) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		a.meter.Add(d.Rows)
	}
	_, err = next()
	if errors.Is(err, io.EOF) {
		return true, nil
	}
	return false, err
}

// emit hands on the record of a table and those of its parts.
func (a *readings) emit(name string, emit func(manifest.Record) error) error {
	t := a.tables[name]
	if err := emit(t.table); err != nil {
		return err
	}
	for next := a.records(t); ; {
		c, err := next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = emit(c)
		}
		if err != nil {
			return err
		}
	}
}

// listed are the tables whose rows become records of files.
var listed = map[manifest.Area][]string{
	manifest.Document: {"document"}, manifest.Template: {"DocTmpl"}, manifest.Attachment: {"attachment", "attachment_location"},
}

// since names, when all is packed, the tables whose rows were settled and have changed before the files that belong to them
// were listed: that list is of a later moment.
func (r *run) since(ctx context.Context) error {
	if r.moment == nil {
		return nil
	}
	var names []string
	for _, area := range r.src.Installation.Areas {
		for _, name := range listed[area] {
			if t, ok := source.FindTable(r.src.Reader.Tables(), name); ok && r.wanted(area) {
				names = append(names, t.Name)
			}
		}
	}
	changes, err := r.moment.Since(ctx, names)
	if err != nil {
		return err
	}
	return r.unsettled(ctx, changes, "its files were listed later than its rows, and are not those of its rows")
}

// unsettled makes findings of tables that did not stand still.
func (r *run) unsettled(ctx context.Context, changes []settle.Change, so string) error {
	if len(changes) == 0 {
		return nil
	}
	accounts, err := r.src.Reader.Accounts(ctx)
	if err != nil {
		return err
	}
	logins := map[int64]string{}
	for _, a := range accounts {
		logins[a.ID] = a.Login
	}
	for _, c := range changes {
		var who []string
		for _, id := range c.Who {
			who = append(who, cmp.Or(logins[id], fmt.Sprintf("associate %d", id)))
		}
		r.packer.findings.table(c, who, so)
	}
	return nil
}

// table says that a table changed.
func (f *fileFindings) table(c settle.Change, who []string, so string) {
	by := "by whom does not show"
	if len(who) > 0 {
		by = "by " + atMost(maxNamed, who)
	}
	times := ""
	if c.Times > 1 {
		times = fmt.Sprintf(", and changed each of the %d times that it was read", c.Times)
	}
	f.add(ruleTable, manifest.SeverityError, "table:"+c.Table,
		fmt.Sprintf("it was changed (%s) while the database was packed%s, and the database gives no snapshot: %s; run omt-pack again when nobody works, with a longer --settle, or with snapshots allowed", by, times, so))
}

package pack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"time"

	"github.com/openomt/omt/internal/chunk"
	"github.com/openomt/omt/internal/inventory"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/progress"
	"github.com/openomt/omt/internal/source"
	"github.com/openomt/omt/internal/spool"
)

// Options are the choices of a run.
type Options struct {
	In         *manifest.Reader
	Again      func() (*manifest.Reader, error) // reads the input from its start; nil for a stream, which is stored in the spool first
	Spool      string
	SpoolLimit int64 // bytes; 0: none
	Only       []manifest.Area
	OlderThan  time.Duration // 0: files of any age
	Orphans    bool          // files without a row move too
	Level      int           // 1 to 3
	Workers    int
	Codec      string // of table parts: a chunk.Codec, zstd where it is empty
	Temp       string // for sorting; the spool's own when empty
	Tool       string // "omt-pack 0.1.0"
	By         string // who accepts edits, for the edit record

	// Open opens the source that the input's installation record names, with the command's overrides applied.
	Open func(ctx context.Context, inst manifest.Installation) (Source, error)
	// Check looks at users and plans as omt-assign does, and returns what it finds under its own rules.
	Check func(plans []manifest.Plan, users []manifest.User, tool string) ([]manifest.Check, []manifest.Finding)

	Now      func() time.Time
	Sleep    func(ctx context.Context, d time.Duration) error
	Progress progress.Reporter
	Log      *slog.Logger
	Notice   func(format string, args ...any) // a line for people
	Remark   func(format string, args ...any) // a line that a person should read in any case
}

// Source is an open view of the installation.
type Source struct {
	Reader       source.Reader
	Installation manifest.Installation
	Close        func() error
}

// MaxWorkers keeps the buffers of all groups under way within the memory that the tool may use.
const MaxWorkers = 3

const roomWait = 30 * time.Second

// preseed is the phase of a part that goes ahead.
const preseed = "preseed"

// Validate reports options that cannot be meant.
func (o Options) Validate() error {
	switch {
	case o.Level < 1 || o.Level > 3:
		return fmt.Errorf("level %d: want 1, 2 or 3", o.Level)
	case o.Workers < 1:
		return fmt.Errorf("%d workers: want at least 1", o.Workers)
	case o.OlderThan < 0:
		return errors.New("an age below zero")
	}
	return chunk.Codec(o.Codec).Check()
}

// run is a run under way.
type run struct {
	o      Options
	spool  *spool.Spool
	temp   string
	again  func() (*manifest.Reader, error)
	done   func()
	in     *intake
	src    Source
	inv    *inventory.Inventory
	out    *manifest.Writer
	packer *packer
	join   *forecastJoin
	sums   sums

	counted []manifest.Table // of this run's view, before anything is packed
}

// sums is what a run did.
type sums struct{ files, left, tables, rows, chunks, bytes int64 }

// Run packs the installation that the input names into the spool and writes the manifest of it, without its end record,
// to out. Nothing is packed unless the input has a good end and nothing in it blocks.
func Run(ctx context.Context, o Options, out *manifest.Writer) error {
	s, err := spool.Open(o.Spool)
	if err != nil {
		return err
	}
	lock, err := s.LockPack(ctx)
	if err != nil {
		return err
	}
	defer lock.Unlock() //nolint:errcheck // the lock ends with the process
	r := &run{o: o, spool: s, out: out, done: func() {}}
	defer func() { r.done() }()
	if r.temp, err = s.ClearTemp("pack"); err != nil {
		return err
	}
	if r.o.Temp == "" {
		r.o.Temp = r.temp
	}
	if err := r.intake(ctx); err != nil {
		return err
	}
	if r.src, err = o.Open(ctx, r.in.installation); err != nil {
		return err
	}
	defer r.src.Close() //nolint:errcheck // it was only read
	if err := r.sameInstallation(ctx); err != nil {
		return err
	}
	if err := r.lookAtTables(ctx); err != nil {
		return err
	}
	return r.stream(ctx)
}

// intake reads the input to its end and refuses what must not be packed.
func (r *run) intake(ctx context.Context) error {
	first := r.o.In
	if r.o.Again == nil {
		again, done, err := store(ctx, filepath.Join(r.temp, "in.jsonl"), first)
		if err != nil {
			return err
		}
		r.again, r.done = again, done
	} else {
		r.again, r.done = r.o.Again, func() {}
	}
	lines, err := r.again()
	if err != nil {
		return err
	}
	if r.in, err = readInput(ctx, lines); err != nil {
		return err
	}
	r.join = &forecastJoin{again: r.again}
	if r.in.was, r.in.edited = lines.Edited(); !r.in.edited {
		r.in.was, r.in.edited = first.Edited()
	}
	return r.refuse()
}

func (r *run) refuse() error {
	switch by := writtenBy(r.in.end); by {
	case "omt-assign", "omt-pack":
	case "omt-scan":
		return manifest.Errorf(manifest.Refused, "the input was written by omt-scan: nobody has a plan and a user name yet").
			WithHint("run omt-assign on it first")
	default:
		return manifest.Errorf(manifest.Refused, "the input was written by %s: omt-pack takes what omt-assign wrote", by)
	}
	checks, findings := r.o.Check(r.in.plans, r.in.users, r.o.Tool)
	r.in.merge(checks, findings)
	if r.preseed() {
		return nil
	}
	return manifest.Blocked(r.in.checks, r.in.findings, r.in.waivers, r.o.Now())
}

// preseed says that the run packs a part that goes ahead of the migration: what blocks does not stop it.
func (r *run) preseed() bool {
	return r.in.header.Phase == preseed || len(r.o.Only) > 0 || r.o.OlderThan > 0
}

// merge replaces the findings of the rules that checks completed.
func (in *intake) merge(checks []manifest.Check, findings []manifest.Finding) {
	done := map[string]bool{}
	for _, c := range checks {
		done[c.Rule] = true
	}
	in.checks = append(slices.DeleteFunc(in.checks, func(c manifest.Check) bool { return done[c.Rule] }), checks...)
	in.findings = append(slices.DeleteFunc(in.findings, func(f manifest.Finding) bool { return done[f.Rule] }), findings...)
}

// sameInstallation refuses a database whose company or serial number is not the one that was scanned.
func (r *run) sameInstallation(ctx context.Context) error {
	id, err := r.src.Reader.Identity(ctx)
	if err != nil {
		return err
	}
	if id.Owner != r.in.installation.Owner || id.Serial != r.in.installation.Serial {
		return manifest.Errorf(manifest.Refused, "the database is of %q, serial number %q, and the manifest of %q, %q",
			id.Owner, id.Serial, r.in.installation.Owner, r.in.installation.Serial).
			WithHint("company name and serial number must not change between the stages; scan again")
	}
	return nil
}

// stream writes everything: the head as it came, tables with their parts, files with their chunks, findings.
func (r *run) stream(ctx context.Context) error {
	if err := r.head(ctx); err != nil {
		return err
	}
	if err := r.start(); err != nil {
		return err
	}
	defer r.packer.close()
	for _, area := range manifest.Areas {
		if !slices.Contains(r.src.Installation.Areas, area) {
			continue
		}
		if !r.wanted(area) {
			if err := r.leaveArea(ctx, area); err != nil {
				return err
			}
			continue
		}
		var err error
		if area == manifest.Database {
			err = r.tables(ctx)
		} else {
			err = r.files(ctx, area)
		}
		if err != nil {
			return fmt.Errorf("packing %s: %w", area, err)
		}
	}
	if err := r.packer.journal.keep(r.packer.used); err != nil {
		return err
	}
	r.summary()
	return r.tail()
}

// summary says what was packed, for people.
func (r *run) summary() {
	r.o.Notice("%s: %d files packed, %d left out; %d tables, %d rows; %d chunks of %.1f MB in %q",
		r.src.Installation.Owner, r.sums.files, r.sums.left, r.sums.tables, r.sums.rows, r.sums.chunks, float64(r.sums.bytes)/1e6, r.spool.Dir())
	r.leftOut()
}

func (r *run) wanted(a manifest.Area) bool { return len(r.o.Only) == 0 || slices.Contains(r.o.Only, a) }

func (r *run) cutoff() time.Time {
	if r.o.OlderThan == 0 {
		return time.Time{}
	}
	return r.o.Now().Add(-r.o.OlderThan)
}

func (r *run) start() error {
	var files int64
	for _, f := range r.in.forecast {
		files += f.Files
	}
	ix, err := newIndex(r.temp, files)
	if err != nil {
		return err
	}
	j, err := openJournal(r.spool.Path("pack.journal"))
	if err != nil {
		return err
	}
	r.packer = &packer{
		spool: r.spool, temp: r.temp, inst: r.src.Installation, level: r.o.Level, pool: new(chunk.Pool),
		workers: min(r.o.Workers, MaxWorkers), orphans: r.o.Orphans, index: ix, journal: j,
		used: map[groupPrint]bool{}, findings: &fileFindings{},
		room: room{spool: r.spool, limit: r.o.SpoolLimit, wait: roomWait, sleep: r.o.Sleep},
	}
	old, err := r.packer.room.begin()
	if err != nil {
		return fmt.Errorf("measuring the spool: %w", err)
	}
	if old > 0 {
		r.o.Log.Info("chunks of other runs in the spool do not count for --spool-limit", "bytes", old)
	}
	return nil
}

func (p *packer) close() {
	p.roots.close()
	p.index.close()   //nolint:errcheck // it is made anew by every run
	p.journal.close() //nolint:errcheck // every line was synced
}

// head copies what stands before the tables, with this run's phase and the installation as it was opened, and with it all
// records of kinds that are not known here, wherever they stood.
func (r *run) head(ctx context.Context) error {
	lines, err := r.again()
	if err != nil {
		return err
	}
	edited, past := !r.in.edited, false
	for ctx.Err() == nil {
		l, err := lines.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		past = past || manifest.Rank(l.Kind) >= manifest.Rank(manifest.KindTable)
		if past && !r.in.later {
			return nil
		}
		if past && manifest.Rank(l.Kind) >= 0 {
			continue
		}
		if !edited && manifest.Rank(l.Kind) > manifest.Rank(manifest.KindEdit) {
			edited = true
			e := manifest.Edit{By: r.o.By, At: manifest.At(r.o.Now()), Tool: r.o.Tool, Was: r.in.was}
			if err := r.out.Write(e); err != nil {
				return err
			}
		}
		if err := r.headLine(l); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (r *run) headLine(l manifest.Line) error {
	switch l.Kind {
	case manifest.KindManifest:
		h := r.in.header
		if r.preseed() {
			h.Phase = preseed
		}
		return r.out.Write(h)
	case manifest.KindInstallation:
		return r.out.Write(r.src.Installation)
	default:
		return r.out.WriteRaw(l)
	}
}

// leaveArea passes the records of an area that this run does not pack, without chunks of their own.
func (r *run) leaveArea(ctx context.Context, area manifest.Area) error {
	lines, err := r.again()
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		l, err := lines.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch {
		case l.Kind == manifest.KindTable && area == manifest.Database:
			err = r.out.WriteRaw(l)
		case l.Kind == manifest.KindFile && area != manifest.Database:
			var f manifest.File
			if f, err = l.File(); err == nil && f.Area == area {
				if packable(f, r.o.Orphans) {
					f.State, f.Reason = manifest.Left, "area"
				}
				f.SHA256, f.Chunk, f.Offset, f.Same = manifest.Digest{}, manifest.Digest{}, 0, ""
				err = r.emit(f)
			}
		}
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// emit writes a record, and hands a chunk's on at once: a push behind a pipe can then take the chunk, which the room for
// the next one may depend on.
func (r *run) emit(rec manifest.Record) error {
	switch rec := rec.(type) {
	case manifest.File:
		if rec.Chunk.IsZero() {
			r.sums.left++
		} else {
			r.sums.files++
		}
	case manifest.Chunk:
		r.sums.chunks++
		r.sums.bytes += rec.Bytes
	case manifest.Table:
		r.sums.tables++
		r.sums.rows += rec.Rows
	}
	if err := r.out.Write(rec); err != nil {
		return err
	}
	if _, ok := rec.(manifest.Chunk); ok {
		return r.out.Flush()
	}
	return nil
}

func (r *run) tables(ctx context.Context) error {
	m := r.o.Progress.Meter(string(manifest.Database), r.in.forecast[manifest.Database].Rows, progress.Items)
	defer m.Done()
	var rows int64
	for _, t := range r.counted {
		rows += t.Rows
	}
	m.SetTotal(rows)
	x := &exporter{spool: r.spool, temp: r.temp, reader: r.src.Reader, codec: chunk.Codec(r.o.Codec), level: r.o.Level, pool: r.packer.pool, room: &r.packer.room}
	for _, t := range r.counted {
		write := r.table
		if !r.src.Reader.Consistent() {
			write = r.changingTable
		}
		if err := write(ctx, x, t, m); err != nil {
			return err
		}
	}
	return nil
}

// table writes a table whose rows are counted in the snapshot that they are read from, each part as it is made.
func (r *run) table(ctx context.Context, x *exporter, t manifest.Table, m progress.Meter) error {
	if err := r.emit(t); err != nil {
		return err
	}
	read, err := x.export(ctx, t, m, func(c manifest.Chunk) error { return r.emit(c) })
	if err == nil && read != t.Rows {
		err = fmt.Errorf("table %q: %d rows were counted and %d read in one snapshot", t.Name, t.Rows, read)
	}
	return err
}

// changingTable writes a table that may change while it is read: its record, which says how many rows there are, can
// only be written at its end. So all its parts lie in the spool until then, whatever the limit.
func (r *run) changingTable(ctx context.Context, x *exporter, t manifest.Table, m progress.Meter) error {
	if err := x.room.take(ctx, 0); err != nil {
		return err
	}
	y := *x
	y.room = nil
	var parts []manifest.Chunk
	read, err := y.export(ctx, t, m, func(c manifest.Chunk) error {
		parts = append(parts, c)
		return nil
	})
	if err != nil {
		return err
	}
	if read != t.Rows {
		r.packer.findings.table(t.Name, t.Rows, read)
		t.Rows = read
	}
	if err := r.emit(t); err != nil {
		return err
	}
	for _, c := range parts {
		if err := r.emit(c); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) files(ctx context.Context, area manifest.Area) error {
	m := r.o.Progress.Meter(string(area), r.in.forecast[area].Bytes, progress.Bytes)
	defer m.Done()
	copies, err := newLinks(r.temp)
	if err != nil {
		return err
	}
	defer copies.close()
	join := r.join
	if err := join.begin(area); err != nil {
		return err
	}
	list := func(ctx context.Context, emit func(manifest.File) error) error { return r.inv.Files(ctx, area, emit) }
	err = r.packer.pack(ctx, list, m, func(rec manifest.Record) error {
		if f, ok := rec.(manifest.File); ok {
			if err := errors.Join(copies.add(f), join.add(f)); err != nil {
				return err
			}
		}
		return r.emit(rec)
	})
	if err == nil {
		err = join.finish(ctx, r)
	}
	if err != nil {
		return err
	}
	return copies.chunks(ctx, area, r.packer.newDraft, func(c manifest.Chunk) error { return r.emit(c) })
}

// tail writes checks, findings and waivers: of the input, those that this run has not looked at again, and its own.
func (r *run) tail() error {
	checks, findings := r.inv.Results()
	r.in.merge(checks, findings)
	r.in.merge(r.packer.findings.records(r.o.Tool))
	for _, c := range r.in.checks {
		if err := r.out.Write(c); err != nil {
			return err
		}
	}
	for _, f := range manifest.Waive(r.in.findings, r.in.waivers, r.o.Now()) {
		if err := r.out.Write(f); err != nil {
			return err
		}
	}
	for _, w := range r.in.waivers {
		if err := r.out.Write(w); err != nil {
			return err
		}
	}
	if r.preseed() {
		return nil
	}
	return manifest.Blocked(r.in.checks, r.in.findings, r.in.waivers, r.o.Now())
}

package pack

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/openomt/omt/internal/chunk"
	"github.com/openomt/omt/internal/inventory"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/settle"
	"github.com/openomt/omt/internal/spool"
	"github.com/openomt/omt/internal/tenant"
)

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

	known   *known         // nil: nothing is
	planned *plan          // nil where nothing is known
	tenant  *tenant.Tenant // nil: none was named
	mode    string         // written into the header where it has none
	closers []func()

	moment  *settle.Settled   // of the tables, without a snapshot; nil before and with one
	frozen  []manifest.Freeze // by a live migration
	counted []manifest.Table  // of this run's view, before anything is packed
}

// sums is what a run did.
type sums struct {
	files, left, tables, rows, chunks, bytes int64

	known, knownBytes int64 // chunks that were there already
	differ            int64 // files with other content than their size and time say
}

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
	defer r.end()
	if r.temp, err = s.ClearTemp("pack"); err != nil {
		return err
	}
	if r.o.Temp == "" {
		r.o.Temp = r.temp
	}
	if err := r.intake(ctx); err != nil {
		return err
	}
	if err := r.meet(ctx); err != nil {
		return err
	}
	if r.src, err = o.Open(ctx, r.in.installation); err != nil {
		return err
	}
	defer func() { r.src.Close() }() //nolint:errcheck // it was only read
	if err := r.sameInstallation(ctx); err != nil {
		return err
	}
	if err := r.learn(ctx); err != nil {
		return err
	}
	if err := r.goLive(ctx); err != nil {
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
		if err := r.area(ctx, area); err != nil {
			return fmt.Errorf("packing %s: %w", area, err)
		}
	}
	if err := r.since(ctx); err != nil {
		return fmt.Errorf("packing %s: %w", manifest.Database, err)
	}
	if err := r.packer.journal.keep(r.packer.used); err != nil {
		return err
	}
	r.summary()
	return r.tail(ctx)
}

// area packs one area. Before the first one of files, all of them are planned.
func (r *run) area(ctx context.Context, area manifest.Area) error {
	if area == manifest.Database {
		return r.tables(ctx)
	}
	if r.known != nil && r.planned == nil {
		if err := r.plan(ctx); err != nil {
			return err
		}
	}
	return r.files(ctx, area)
}

// summary says what was packed, for people.
func (r *run) summary() {
	packed := r.sums.files - r.packer.passed
	r.o.Notice("%s: %d files packed, %d left out; %d tables, %d rows; %d chunks of %.1f MB in %q",
		r.src.Installation.Owner, packed, r.sums.left, r.sums.tables, r.sums.rows, r.sums.chunks, float64(r.sums.bytes)/1e6, r.spool.Dir())
	if r.known != nil {
		r.o.Notice("%d files more are stored already; %d chunks, %.1f MB, are at the destination", r.packer.passed, r.sums.known, float64(r.sums.knownBytes)/1e6)
	}
	if r.sums.differ > 0 {
		r.o.Remark("files with other content than is stored, although their size and time are the same: %d; they were packed anew", r.sums.differ)
	}
	r.leftOut()
}

func (r *run) wanted(a manifest.Area) bool { return len(r.o.Only) == 0 || slices.Contains(r.o.Only, a) }

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
		if r.known.is(rec.SHA256) {
			r.sums.known++
			r.sums.knownBytes += rec.Bytes
			break
		}
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

package push

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/progress"
	"github.com/openomt/omt/internal/spool"
	"github.com/openomt/omt/internal/tenant"
)

// Options are the choices of a run. All but Again, Required, Recover, Repack, Line and DropAsSent must be set; without Repack nothing
// is looked for again.
type Options struct {
	In          *manifest.Reader
	Again       func() (*manifest.Reader, error) // reads the input from its start, which was found good; nil for a stream
	AcceptEdits bool                             // as In was told
	By          string                           // who accepts edits
	Required    []string                         // rules without whose check that is done nothing is pushed

	Recover tenant.Recover // what may be done at a tenant that holds a migration
	// Repack packs what is found or taken into the spool and writes the manifest that then holds, without its end, to out.
	Repack func(ctx context.Context, o Repacking, out *manifest.Writer) (Repacked, error)
	// Line is the command line that makes a choice, to be shown to the person who types it.
	Line func(choice tenant.Recover) string
	// Next says what comes after a live migration that waits to be accepted; nil: nothing is said.
	Next func() string

	Spool      string // the folder that omt-pack wrote to
	Keep       bool   // chunks stay in the spool
	DropAsSent bool   // chunks leave the spool as soon as their receipts are synced; else a limited spool says so itself
	Workers    int    // chunks sent at once

	To    destination.Destination
	Retry destination.Retry // for all that is asked of To

	Tool     string // "omt-push 0.1.0"
	Now      func() time.Time
	NewID    func() string
	Progress progress.Reporter
	Log      *slog.Logger
	Notice   func(format string, args ...any) // a line that a person should read
	Say      func(format string, args ...any) // a line that a person may like to read
}

// MaxWorkers bounds the buffers of chunks on their way.
const MaxWorkers = 32

// Validate reports options that cannot be meant.
func (o Options) Validate() error {
	if o.Workers < 1 || o.Workers > MaxWorkers {
		return fmt.Errorf("%d workers: want 1 to %d", o.Workers, MaxWorkers)
	}
	return nil
}

// run is a run under way.
type run struct {
	o       Options
	spool   *spool.Spool
	temp    string
	d       destination.Destination // To with retries, for all but the bytes of chunks
	tenant  *tenant.Tenant
	journal *journal
	in      *survey
	again   func() (*manifest.Reader, func(), error)
	sender  *sender
	page    *page

	how     tenant.Recover // what the input comes for
	verdict tenant.Verdict
	late    error     // a refusal that holds unless the input was written by omt-push
	base    int       // the revision that files are added to; 0: the input stands for itself
	gained  *Repacked // of a run that looked again, or took files
}

// Run pushes the input and writes the manifest with its receipts, without end record, to out. When documents are missing
// although everything went well, the error has status Remarks.
func Run(ctx context.Context, o Options, out *manifest.Writer) error {
	s, err := spool.Open(o.Spool)
	if err != nil {
		return err
	}
	lock, err := s.LockPush(ctx)
	if err != nil {
		return err
	}
	defer lock.Unlock() //nolint:errcheck // the lock ends with the process
	r := &run{o: o, spool: s, in: &survey{standing: manifest.Standing{Required: o.Required}}, d: o.Retry.Wrap(o.To)}
	r.tenant = tenant.Open(r.d).Waits(o.Retry.Sleep, o.Notice)
	if r.temp, err = s.ClearTemp("push"); err != nil {
		return err
	}
	if r.journal, err = openJournal(s.Path("receipts.jsonl"), o.To.URL(), o.Log); err != nil {
		return err
	}
	defer r.journal.close()
	r.journal.begun = manifest.At(o.Now())
	r.sender, r.page = newSender(r), newPage(o.Progress)
	defer r.page.close()
	defer s.ClearTemp("push") //nolint:errcheck // the next run clears it as well
	c, err := r.push(ctx)
	if err != nil {
		return explain(err)
	}
	if err := r.passOn(ctx, c, out); err != nil {
		return explain(err)
	}
	if err := r.clean(); err != nil {
		return err
	}
	if r.gained != nil {
		r.tellGained(c)
	}
	stat := &r.sender.stat
	o.Say("migration %s is committed to %s as revision %d: %s in %d chunks sent, %s in %d chunks were there", c.ID, o.To.URL(), c.Revision,
		humanize.Bytes(uint64(stat.sentBytes.Load())), stat.sentChunks.Load(),
		humanize.Bytes(uint64(stat.thereBytes.Load())), stat.thereChunks.Load())
	r.tellNext(ctx, c)
	return r.remarks(c)
}

// tellNext says what comes after a live migration that nobody has accepted yet.
func (r *run) tellNext(ctx context.Context, c tenant.Commit) {
	if r.o.Next == nil || c.Migration != "live" || c.Phase != tenant.Full {
		return
	}
	if s, err := r.tenant.State(ctx); err == nil && s.State == tenant.OfflineMaintenance { // a state that is not known says nothing
		r.o.Say("revision %d is live, and it waits to be accepted; next: %s", c.Revision, r.o.Next())
	}
}

// push brings the input to the destination, and returns the commit that stands for it.
func (r *run) push(ctx context.Context) (tenant.Commit, error) {
	var err error
	r.page.starting()
	if r.o.Again != nil {
		err = r.readFile(ctx)
	} else {
		err = r.readStream(ctx)
	}
	if err != nil {
		return tenant.Commit{}, err
	}
	if r.in.pushed() || r.verdict.FilesOnly {
		c, err := r.recover(ctx)
		if c != nil || err != nil {
			return *cmp.Or(c, &tenant.Commit{}), err
		}
		return r.bring(ctx)
	}
	found, superseded, err := r.tenant.Committed(ctx, r.in.phase(), r.in.header.ID, r.in.digest)
	if err != nil {
		return tenant.Commit{}, err
	}
	if found != nil {
		r.o.Log.Info("committed already", "revision", found.Revision, "at", found.At.String())
		if superseded {
			r.o.Notice("this manifest was committed as revision %d, and a later revision of the migration has replaced it since", found.Revision)
		}
		return *found, nil
	}
	if err := r.in.refuse(r.o.Now(), r.o.Notice); err != nil {
		return tenant.Commit{}, err
	}
	return r.bring(ctx)
}

// bring sends what is not there and commits.
func (r *run) bring(ctx context.Context) (tenant.Commit, error) {
	if err := r.sender.sendAll(ctx, r.in.chunks); err != nil {
		return tenant.Commit{}, err
	}
	r.page.finishing(total(r.in.end.Counts) + int64(len(r.in.chunks)) + 1)
	if err := r.confirm(ctx); err != nil {
		return tenant.Commit{}, err
	}
	return r.commit(ctx)
}

// readFile looks through an input that can be read again, whose end is known to be good.
func (r *run) readFile(ctx context.Context) error {
	r.again = func() (*manifest.Reader, func(), error) {
		lines, err := r.o.Again()
		return lines, func() {}, err
	}
	meter := r.page.starting()
	next := func() (manifest.Line, error) {
		if err := ctx.Err(); err != nil {
			return manifest.Line{}, err
		}
		meter.Add(1)
		return r.o.In.Next()
	}
	if err := r.in.read(next, r.o.AcceptEdits, nil); err != nil {
		return err
	}
	r.in.finish(r.o.In)
	for _, it := range r.in.chunks { // before the first byte of any
		if err := r.sender.fits(it); err != nil {
			return err
		}
	}
	return r.judge(ctx)
}

// judge asks the tenant whether this manifest may come at all, and how. Of a stream it is asked before its end tells who
// wrote it, and then once more.
func (r *run) judge(ctx context.Context) error {
	if !r.in.installed {
		return manifest.Errorf(manifest.BadInput, "the manifest has no installation record before its chunks").
			WithHint("run omt-scan and the stages behind it again")
	}
	if r.in.pushed() {
		return r.judgePushed(ctx)
	}
	r.how = r.o.Recover
	var err error
	if r.verdict, err = r.tenant.Judge(ctx, r.claim(), r.how); err == nil {
		return nil
	}
	err = r.lineToType(err)
	if r.in.ended() || manifest.StatusOf(err) != manifest.Refused {
		return err
	}
	if v, aerr := r.tenant.Judge(ctx, r.claim(), tenant.RecoverAgain); aerr == nil && v.FilesOnly {
		r.late, r.verdict = err, v
		return nil
	}
	return err
}

func (r *run) claim() tenant.Claim {
	h, i := r.in.header, r.in.installation
	return tenant.Claim{
		ID: h.ID, Phase: r.in.phase(), Migration: h.Migration, Company: i.Owner, Serial: i.Serial, Input: r.in.digest,
		Recover: r.how, Base: r.base, Tool: r.o.Tool, At: manifest.At(r.o.Now()),
	}
}

// commit makes the manifest of this run and commits it.
func (r *run) commit(ctx context.Context) (tenant.Commit, error) {
	m, err := r.makeManifest(ctx)
	if err != nil {
		return tenant.Commit{}, err
	}
	claim := r.claim().Under(r.verdict, r.how)
	claim.Manifest = m.stored
	if claim.Spool, err = r.spool.ID(r.o.NewID); err != nil {
		return tenant.Commit{}, err
	}
	if claim, err = r.tenant.Begin(ctx, claim); err != nil {
		return tenant.Commit{}, err
	}
	r.o.Log.Info("claimed", "revision", claim.Revision)
	if err := r.tenant.PutManifest(ctx, r.o.Retry, claim, m.open, nil); err != nil {
		return tenant.Commit{}, err
	}
	own := tenant.Commit{
		ID: claim.ID, Revision: claim.Revision, Phase: claim.Phase, Migration: claim.Migration, Mode: r.mode(),
		Company: claim.Company, Serial: claim.Serial, Manifest: claim.Manifest, End: m.end.SHA256, Input: claim.Input,
		Counts: m.end.Counts, Chunks: int64(len(r.in.chunks)), Bytes: r.in.bytes, Missing: r.in.missing.total, Tool: r.o.Tool,
		At: manifest.At(r.o.Now()),
	}
	c, err := r.tenant.Commit(ctx, claim, own, r.confirm)
	if err != nil {
		return tenant.Commit{}, err
	}
	r.o.Log.Info("committed", "id", c.ID, "revision", c.Revision, "mine", c.Revision == own.Revision)
	return c, nil
}

// clean removes the chunks of what was committed from the spool.
func (r *run) clean() error {
	if r.o.Keep {
		return nil
	}
	var errs []error
	for _, it := range r.in.chunks {
		errs = append(errs, r.spool.Remove(it.digest, it.typ))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("the push is committed; clearing the spool: %w", errs[firstError(errs)])
	}
	return nil
}

func firstError(errs []error) int {
	for i, err := range errs {
		if err != nil {
			return i
		}
	}
	return 0
}

// explain adds what to do to errors of the destination that have a class but no advice.
func explain(err error) error {
	var e *manifest.Error
	if errors.As(err, &e) {
		return err
	}
	hint := ""
	switch {
	case errors.Is(err, destination.ErrDenied):
		hint = "omt-push must be allowed to read, create, write and list there; with a new credential the same command goes on where it stopped"
	case errors.Is(err, destination.ErrTransient):
		hint = "run the same command again once the destination can be reached; it goes on where it stopped"
	case errors.Is(err, destination.ErrBlocked):
		hint = "once the way to it is open again the same command goes on where it stopped"
	case errors.Is(err, destination.ErrMismatch):
		hint = "the destination does not keep what it is given; check its disk or share"
	default:
		return err
	}
	return manifest.Errorf(manifest.Failed, "%w", err).WithHint("%s", hint)
}

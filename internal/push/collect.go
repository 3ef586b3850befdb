package push

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/dustin/go-humanize"
	"golang.org/x/sync/errgroup"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/progress"
	"github.com/openomt/omt/internal/tenant"
)

// CollectOptions are the choices of a collect. All but DryRun and OlderThan must be set.
type CollectOptions struct {
	To        destination.Destination
	Retry     destination.Retry
	OlderThan time.Duration // what is younger stays, and what a push that began later refers to
	DryRun    bool          // count, and delete nothing
	Workers   int           // chunks deleted at once

	Tool     string
	Now      func() time.Time
	NewID    func() string
	Progress progress.Reporter
	Log      *slog.Logger
	Notice   func(format string, args ...any)
}

// Amount is a number of chunks and their bytes.
type Amount struct {
	Chunks int64 `json:"chunks"`
	Bytes  int64 `json:"bytes"`
}

func (a *Amount) add(bytes int64) {
	a.Chunks++
	a.Bytes += bytes
}

// String shows the amount for people.
func (a Amount) String() string {
	if a.Chunks == 1 {
		return "1 chunk, " + humanize.Bytes(uint64(a.Bytes))
	}
	return fmt.Sprintf("%s chunks, %s", humanize.Comma(a.Chunks), humanize.Bytes(uint64(a.Bytes)))
}

// Collected is what a collect did or, with DryRun, would do.
type Collected struct {
	Destination string `json:"destination"`
	DryRun      bool   `json:"dry_run"`
	OlderThan   string `json:"older_than"`
	Manifests   int    `json:"manifests"` // whose chunks stay
	Kept        Amount `json:"kept"`      // that they name
	Young       Amount `json:"young"`     // that none of them names, and that are younger than OlderThan
	Deleted     Amount `json:"deleted"`
}

// collect is a collect under way.
type collect struct {
	o       CollectOptions
	tenant  *tenant.Tenant
	kept    digests
	spare   spares
	result  Collected
	deleted struct{ chunks, bytes atomic.Int64 }
}

// Collect deletes the chunks that no manifest names that counts; see the package comment.
func Collect(ctx context.Context, o CollectOptions) (Collected, error) {
	c := &collect{o: o, tenant: tenant.Open(o.Retry.Wrap(o.To)).Waits(o.Retry.Sleep, o.Notice)}
	if err := c.mayDelete(ctx); err != nil {
		return Collected{}, err
	}
	for ctx.Err() == nil {
		c.result = Collected{Destination: o.To.URL(), DryRun: o.DryRun, OlderThan: age(o.OlderThan)}
		err := c.once(ctx)
		if errors.Is(err, destination.ErrExists) {
			o.Log.Info("the tenant's state has changed; looking again")
			continue
		}
		return c.result, explain(err)
	}
	return Collected{}, ctx.Err()
}

// mayDelete asks for the right that nothing else needs, before anything is read.
func (c *collect) mayDelete(ctx context.Context) error {
	if c.o.DryRun {
		return nil
	}
	return denied(c.o.Retry.Wrap(c.o.To).Remove(ctx, "chunks/none"), "deleting there")
}

func denied(err error, doing string) error {
	if !errors.Is(err, destination.ErrDenied) {
		return err
	}
	return manifest.Errorf(manifest.Failed, "%s: %w", doing, err).
		WithHint("ask whoever runs the tenant for a credential that may delete too (sp=rcwld of a SAS, s3:DeleteObject); omt-push needs it for collect alone")
}

// once looks through what is there on top of one state, and deletes what nothing names. Manifests and the listing, which
// take long, are read before pushes are made to wait; ErrExists says that others have gone on since.
func (c *collect) once(ctx context.Context) error {
	s, err := c.state(ctx)
	if err != nil {
		return err
	}
	c.kept, c.spare = digests{}, spares{}
	commits, err := c.tenant.Kept(ctx, s)
	if err != nil {
		return err
	}
	for _, commit := range commits {
		if err := c.keep(ctx, commit); err != nil {
			return err
		}
	}
	if err := c.list(ctx); err != nil {
		return err
	}
	if c.o.DryRun {
		return c.sift(ctx, c.o.Now())
	}
	removal, err := c.tenant.Remove(ctx, s, c.o.NewID(), c.o.Tool, c.o.Now)
	if err != nil {
		return err
	}
	err = c.sift(ctx, removal.Clock)
	if err == nil {
		err = c.delete(ctx, removal)
	}
	// Whoever waits should not have to until patience ends.
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return cmp.Or(err, removal.End(end))
}

// state is what is built on: without DryRun, nothing is on its way in it.
func (c *collect) state(ctx context.Context) (tenant.State, error) {
	if c.o.DryRun {
		return c.tenant.State(ctx)
	}
	return c.tenant.Rested(ctx)
}

// keep takes the chunks that a manifest names out of reach.
func (c *collect) keep(ctx context.Context, commit tenant.Commit) error {
	meter := c.o.Progress.Meter("reading manifests", total(commit.Counts), progress.Items)
	defer meter.Done()
	_, err := c.tenant.EachLine(ctx, commit, func(l manifest.Line) error {
		meter.Add(1)
		if l.Kind != manifest.KindChunk {
			return nil
		}
		var rec manifest.Chunk
		if err := l.Decode(&rec); err != nil {
			return err
		}
		c.kept.add(rec.SHA256)
		return nil
	})
	if err != nil {
		return fmt.Errorf("nothing was deleted: %w", err)
	}
	c.kept.settle()
	c.result.Manifests++
	return nil
}

// list finds the chunks that no committed manifest names.
func (c *collect) list(ctx context.Context) error {
	meter := c.o.Progress.Meter("listing", 0, progress.Items)
	defer meter.Done()
	seen := make([]bool, len(c.kept.list)) // a listing may tell of a chunk twice
	err := c.tenant.ChunkInfos(ctx, func(d manifest.Digest, typ string, i destination.Info) error {
		meter.Add(1)
		if at, ok := c.kept.find(d); !ok {
			c.spare.add(newSpare(d, typ, i.Size, i.Modified))
		} else if !seen[at] {
			seen[at] = true
			c.result.Kept.add(i.Size)
		}
		return nil
	})
	c.spare.unique()
	return err
}

// sift leaves among the spare chunks those that are to go, now being the far side's time.
func (c *collect) sift(ctx context.Context, now time.Time) error {
	since := now.Add(-c.o.OlderThan)
	begun, err := c.tenant.Unfinished(ctx, since)
	if err != nil {
		return err
	}
	for _, r := range begun {
		if err := c.keepBegun(ctx, r); err != nil {
			return err
		}
	}
	c.spare.keep(func(s spare) bool {
		_, kept := c.kept.find(s.digest)
		switch {
		case kept:
			c.result.Kept.add(s.bytes())
			return false
		case s.modified > since.UnixNano():
			c.result.Young.add(s.bytes())
			return false
		case c.o.DryRun:
			c.result.Deleted.add(s.bytes())
		}
		return true
	})
	return nil
}

// keepBegun keeps what a push that is perhaps still at work refers to.
func (c *collect) keepBegun(ctx context.Context, r tenant.Revision) error {
	claim, err := c.tenant.ClaimOf(ctx, r)
	if err != nil {
		return fmt.Errorf("nothing was deleted: %w", err)
	}
	if !r.Stored {
		return manifest.Errorf(manifest.Refused, "nothing was deleted: a push of migration %s (%s) to %s, begun %s, has claimed revision %d and not said yet what it refers to",
			claim.ID, claim.Phase, c.o.To.URL(), r.Opened.UTC().Format(timeForm), r.Number).
			WithHint("finish that push first; one that is dead counts no longer when it is older than --older-than (%s)", c.result.OlderThan)
	}
	return c.keep(ctx, tenant.Commit{Phase: r.Phase, ID: r.ID, Revision: r.Number, Manifest: claim.Manifest})
}

// delete deletes the spare chunks.
func (c *collect) delete(ctx context.Context, removal *tenant.Removal) error {
	meter := c.o.Progress.Meter("deleting", int64(c.spare.n), progress.Items)
	defer meter.Done()
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(c.o.Workers)
	for i := range c.spare.n {
		s := c.spare.at(i)
		if gctx.Err() != nil {
			break
		}
		group.Go(func() error {
			if err := removal.Chunk(gctx, s.digest, s.typ()); err != nil {
				return err
			}
			c.deleted.chunks.Add(1)
			c.deleted.bytes.Add(s.bytes())
			meter.Add(1)
			return nil
		})
	}
	err := group.Wait()
	c.result.Deleted = Amount{Chunks: c.deleted.chunks.Load(), Bytes: c.deleted.bytes.Load()}
	if err != nil && !errors.Is(err, destination.ErrExists) && c.result.Deleted.Chunks > 0 {
		c.o.Notice("deleted before it stopped: %s", c.result.Deleted)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return denied(err, "collecting")
}

// age shows a limit as it is typed.
func age(d time.Duration) string {
	if day := 24 * time.Hour; d > 0 && d%day == 0 {
		return fmt.Sprintf("%dd", d/day)
	}
	return d.String()
}

// WriteJSON writes the result as one JSON object, indented.
func (c Collected) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(c)
}

// WriteText writes the result for people.
func (c Collected) WriteText(w io.Writer) error {
	verb := "deleted"
	if c.DryRun {
		verb = "would be deleted"
	}
	fmt.Fprintf(w, "%s: %s %s\n", c.Destination, c.Deleted, verb)
	if c.Young.Chunks > 0 {
		fmt.Fprintf(w, "kept: %s that nothing refers to, younger than %s\n", c.Young, c.OlderThan)
	}
	refer := fmt.Sprintf("%d manifests refer", c.Manifests)
	if c.Manifests == 1 {
		refer = "1 manifest refers"
	}
	_, err := fmt.Fprintf(w, "kept: %s that %s to\n", c.Kept, refer)
	return err
}

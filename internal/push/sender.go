package push

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/tenant"
)

// sender brings chunks to the destination. offer is called by one goroutine, send by the workers.
type sender struct {
	r      *run
	listed map[manifest.Digest]int64 // what the destination holds, by size; nil until it was listed
	stat   tally
}

// tally is what a run did.
type tally struct{ sentChunks, sentBytes, thereChunks, thereBytes atomic.Int64 }

// sent counts a chunk of which an earlier run had sent a part.
func (t *tally) sent(bytes, found int64) {
	t.sentChunks.Add(1)
	t.sentBytes.Add(bytes)
	t.thereBytes.Add(found)
}

func (t *tally) there(bytes int64) {
	t.thereChunks.Add(1)
	t.thereBytes.Add(bytes)
}

func newSender(r *run) *sender { return &sender{r: r} }

// start starts the workers on a queue. fail hears of the first error at once; the function that is returned waits until
// all have ended, and tells it too.
func (s *sender) start(ctx context.Context, q *queue, fail context.CancelCauseFunc) func() error {
	group, ctx := errgroup.WithContext(ctx)
	for range s.r.o.Workers {
		group.Go(func() error {
			for {
				it, ok := q.take()
				if !ok || ctx.Err() != nil {
					return ctx.Err()
				}
				if err := s.send(ctx, it); err != nil {
					fail(err)
					return err
				}
			}
		})
	}
	return func() error {
		err := group.Wait()
		q.stop()
		s.r.page.end()
		return err
	}
}

// sendAll sends those of the items that have no receipt yet.
func (s *sender) sendAll(ctx context.Context, items []*item) error {
	outer := ctx
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	q := newQueue(ctx)
	s.r.page.expect(items)
	wait := s.start(ctx, q, cancel)
	var err error
	for _, it := range items {
		if !it.stored() && err == nil {
			err = s.offer(ctx, q, it)
		}
	}
	if err != nil {
		cancel(err)
	}
	s.closeQueue(q)
	_ = wait()
	if outer.Err() != nil {
		return outer.Err()
	}
	return context.Cause(ctx) // the first failure, not what it broke off
}

// closeQueue says that no more items come.
func (s *sender) closeQueue(q *queue) {
	q.close()
	s.r.page.seal()
}

// offer gives the item its receipt if the destination has it already, or hands it to the workers.
func (s *sender) offer(ctx context.Context, q *queue, it *item) error {
	it.meter = s.r.page.offer(it)
	there, err := s.there(ctx, it)
	if err != nil {
		return err
	}
	if there {
		it.meter.Skip(it.bytes)
		s.stat.there(it.bytes)
		s.r.page.done(it)
		return s.drop(it)
	}
	if err := s.fits(it); err != nil {
		return err
	}
	if err := s.inSpool(it); err != nil {
		return err
	}
	q.put(it)
	return nil
}

// there finds out whether the destination has the item, without a request of its own: from the journal or from one
// listing.
func (s *sender) there(ctx context.Context, it *item) (bool, error) {
	if r, ok := s.r.journal.known[it.digest]; ok && r.Bytes == it.bytes {
		it.receipt = r
		return true, nil
	}
	if s.listed == nil {
		if err := s.list(ctx); err != nil {
			return false, err
		}
	}
	n, ok := s.listed[it.digest]
	if !ok {
		return false, nil
	}
	if n != it.bytes {
		return false, wrongSize(s.r.o.To.URL(), it, n)
	}
	return true, s.acknowledge(it, false, s.r.journal.note)
}

func wrongSize(url string, it *item, n int64) error {
	return manifest.Errorf(manifest.Failed, "chunk %s has %d bytes at %s, want %d", it.digest, n, url, it.bytes).
		WithHint("it was damaged there; remove the object %q and run again", tenant.ChunkName(it.digest, it.typ))
}

func (s *sender) list(ctx context.Context) error {
	listed := map[manifest.Digest]int64{}
	err := s.r.tenant.Chunks(ctx, func(d manifest.Digest, _ string, bytes int64) error {
		listed[d] = bytes
		return nil
	})
	if err != nil {
		return err
	}
	s.listed = listed
	return nil
}

// fits refuses an item that the destination would refuse.
func (s *sender) fits(it *item) error {
	if err := destination.Check(s.r.o.To, tenant.ChunkName(it.digest, it.typ), it.bytes); err != nil {
		return manifest.Errorf(manifest.Refused, "%w", err).
			WithHint("choose another destination, or let the URL lead to a place with a shorter name; nothing was committed")
	}
	return nil
}

// inSpool refuses an item that cannot be sent.
func (s *sender) inSpool(it *item) error {
	st, err := os.Stat(s.r.spool.ChunkPath(it.digest, it.typ))
	if errors.Is(err, fs.ErrNotExist) {
		return manifest.Errorf(manifest.Failed, "chunk %s (%s, %d bytes) is neither in the spool %q nor at %s",
			it.digest, it.area, it.bytes, s.r.spool.Dir(), s.r.o.To.URL()).
			WithHint("give the --spool that omt-pack wrote to, or run omt-pack again and push what it writes")
	}
	if err != nil {
		return fmt.Errorf("looking for chunk %s in the spool: %w", it.digest, err)
	}
	if st.Size() != it.bytes {
		return s.damaged(it, fmt.Errorf("it has %d bytes, want %d", st.Size(), it.bytes))
	}
	return nil
}

func (s *sender) damaged(it *item, err error) error {
	return manifest.Errorf(manifest.Failed, "chunk %s in the spool is damaged: %w", it.digest, err).
		WithHint("remove %q and run omt-pack again, which makes it anew", s.r.spool.ChunkPath(it.digest, it.typ))
}

// send sends one item and writes its receipt.
func (s *sender) send(ctx context.Context, it *item) error {
	var found int64 // sent by an earlier run
	o := destination.Object{Name: tenant.ChunkName(it.digest, it.typ), Size: it.bytes, Sum: it.digest, There: func(n int64) {
		found += n
		it.meter.Skip(n)
	}}
	sent, err := s.r.o.Retry.Put(ctx, s.r.o.To, o,
		func() (io.ReadCloser, error) { return os.Open(s.r.spool.ChunkPath(it.digest, it.typ)) }, it.meter.Add)
	switch {
	case errors.Is(err, destination.ErrSource):
		return s.damaged(it, err)
	case err != nil:
		return fmt.Errorf("sending chunk %s: %w", it.digest, err)
	case sent:
		s.stat.sent(it.bytes-found, found)
	default:
		s.stat.there(it.bytes)
		it.meter.Skip(it.bytes)
	}
	if err := s.acknowledge(it, sent, s.r.journal.add); err != nil {
		return err
	}
	s.r.page.done(it)
	return s.drop(it)
}

// acknowledge gives the item a receipt that keep keeps.
func (s *sender) acknowledge(it *item, sent bool, keep func(manifest.Receipt) error) error {
	r := manifest.Receipt{Chunk: it.digest, Bytes: it.bytes, Sent: sent, At: manifest.At(s.r.o.Now())}
	if err := keep(r); err != nil {
		return err
	}
	it.receipt = r
	return nil
}

// drop removes an item with a receipt from a spool that is limited.
func (s *sender) drop(it *item) error {
	if s.r.o.Keep || !s.r.o.DropAsSent && !s.r.spool.Limited() {
		return nil
	}
	return s.r.spool.Remove(it.digest, it.typ)
}

// confirm lists the destination: nothing is committed that is not there. What it lacks although a receipt says
// otherwise is sent again, once.
func (r *run) confirm(ctx context.Context) error {
	for again := false; ; again = true {
		lost, err := r.lost(ctx)
		if err != nil || len(lost) == 0 {
			return err
		}
		if again {
			return manifest.Errorf(manifest.Failed, "chunk %s was acknowledged by %s, and is not there", lost[0].digest, r.o.To.URL()).
				WithHint("something else removes objects there; nothing was committed")
		}
		r.o.Log.Warn("chunks that were acknowledged are not at the destination; sending them again", "chunks", len(lost))
		for _, it := range lost {
			it.receipt = manifest.Receipt{}
			delete(r.journal.known, it.digest)
		}
		if err := r.sender.sendAll(ctx, lost); err != nil {
			return err
		}
	}
}

// lost lists the destination and returns the items that are not there.
func (r *run) lost(ctx context.Context) ([]*item, error) {
	if err := r.sender.list(ctx); err != nil {
		return nil, err
	}
	var lost []*item
	for _, it := range r.in.chunks {
		n, ok := r.sender.listed[it.digest]
		if !ok {
			lost = append(lost, it)
		} else if n != it.bytes {
			return nil, wrongSize(r.o.To.URL(), it, n)
		}
	}
	return lost, nil
}

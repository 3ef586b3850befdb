package pack

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"sync"
	"time"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/spool"
	"github.com/openomt/omt/internal/tenant"
)

// room keeps the chunks of this run in the spool below a limit while a push takes them away. What chunks will need is
// reserved before they are made, since several are under way at once. Chunks that lay there before and are not of this
// run's manifest do not count: no push of it would ever take them away.
type room struct {
	spool *spool.Spool
	limit int64 // bytes; 0: none
	wait  time.Duration
	sleep func(context.Context, time.Duration) error

	mu       sync.Mutex
	reserved int64 // of chunks that are not in their place yet
	old      map[manifest.Digest]int64
	oldBytes int64
}

const roomPoll = 200 * time.Millisecond

// begin notes what lies in the spool, and tells a push that it is to remove chunks as soon as they are sent. It returns
// the bytes that lie there.
func (r *room) begin() (int64, error) {
	if err := r.spool.SetLimited(r.limit > 0); err != nil || r.limit == 0 {
		return 0, err
	}
	r.old = map[manifest.Digest]int64{}
	err := filepath.WalkDir(r.spool.Path("chunks"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name, err := filepath.Rel(r.spool.Dir(), path)
		if err != nil {
			return err
		}
		d, _, ok := tenant.ParseChunkName(filepath.ToSlash(name))
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil && ok {
			r.old[d] = info.Size()
			r.oldBytes += info.Size()
		}
		return err
	})
	return r.oldBytes, err
}

// own makes a chunk that lay in the spool before one of this run.
func (r *room) own(d manifest.Digest) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.oldBytes -= r.old[d]
	delete(r.old, d)
}

// free gives back what take reserved, once the chunk is in its place or will not come.
func (r *room) free(n int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reserved -= n
}

// fits reports whether n more bytes fit, and reserves them. What is already there is measured after what was reserved,
// so that a chunk that is put in its place meanwhile counts twice rather than not at all.
func (r *room) fits(ctx context.Context, n int64) (ok bool, used int64, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	used = r.reserved - r.oldBytes
	r.mu.Unlock()
	there, err := r.spool.Used(ctx)
	r.mu.Lock()
	if err != nil {
		return false, 0, err
	}
	if used += there; used > 0 && used+n > r.limit {
		return false, used, nil
	}
	r.reserved += n
	return true, used, nil
}

// take waits until n more bytes fit, or the spool is otherwise empty. It is called by one goroutine at a time, in
// manifest order, since a push takes chunks away in that order.
func (r *room) take(ctx context.Context, n int64) error {
	if r.limit == 0 {
		return nil
	}
	for idle := time.Duration(0); ; {
		ok, used, err := r.fits(ctx, n)
		if ok || err != nil {
			return err
		}
		running, err := r.spool.PushRunning()
		if err != nil {
			return err
		}
		if idle += roomPoll; running {
			idle = 0
		}
		if idle > r.wait {
			return manifest.Errorf(manifest.Failed,
				"the spool holds %d bytes of the %d that --spool-limit allows, and no omt-push is taking chunks away", used, r.limit).
				WithHint("pipe into omt-push with the same --spool; Windows PowerShell 5.1 runs the stages one after another: leave --spool-limit away there")
		}
		if err := r.sleep(ctx, roomPoll); err != nil {
			return err
		}
	}
}

package pack

import (
	"fmt"
	"os"
	"sync"

	"github.com/openomt/omt/internal/archive"
	"github.com/openomt/omt/internal/chunk"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/spool"
)

// draft is a file chunk that is being written beside the finished ones. It is synced, read back and put in its place
// under its name; until then a killed run leaves it in the spool's temporary folder, which the next run empties.
type draft struct {
	spool *spool.Spool
	room  *room
	pool  *chunk.Pool
	f     *os.File
	w     *chunk.Writer
	made  manifest.Chunk
}

func (p *packer) newDraft() (*draft, error) {
	f, err := os.CreateTemp(p.temp, "chunk-*")
	if err != nil {
		return nil, fmt.Errorf("creating a chunk in the spool: %w", err)
	}
	return &draft{spool: p.spool, room: &p.room, pool: p.pool, f: f, w: chunk.NewWriter(f, chunk.Options{Level: p.level, Pool: p.pool})}, nil
}

// finish closes the chunk, syncs it and reads it back from disk: digest, frame checksums, number of entries.
func (d *draft) finish(area manifest.Area, role string) error {
	s, err := d.w.Close()
	if err != nil {
		return err
	}
	d.made = s.Chunk(area, role)
	if err := d.f.Sync(); err != nil {
		return fmt.Errorf("syncing a chunk: %w", err)
	}
	if _, err := d.f.Seek(0, 0); err != nil {
		return fmt.Errorf("reading back a chunk: %w", err)
	}
	if err := d.pool.Verify(d.f, d.made); err != nil {
		return fmt.Errorf("reading back chunk %s: %w", d.made.SHA256, err)
	}
	return nil
}

// publish puts the chunk in its place.
func (d *draft) publish() error {
	name := d.f.Name()
	if err := d.f.Close(); err != nil {
		return fmt.Errorf("closing a chunk: %w", err)
	}
	d.room.own(d.made.SHA256)
	return d.spool.Publish(name, d.made.SHA256, d.made.Type)
}

// drop removes the draft.
func (d *draft) drop() {
	if d == nil {
		return
	}
	d.f.Close()
	os.Remove(d.f.Name())
}

// roots are the folders that files are read from, opened when first needed.
type roots struct {
	mu   sync.Mutex
	open map[string]*archive.Root
}

func (r *roots) get(dir string) (*archive.Root, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if root := r.open[dir]; root != nil {
		return root, nil
	}
	root, err := archive.Open(dir)
	if err != nil {
		return nil, err
	}
	if r.open == nil {
		r.open = map[string]*archive.Root{}
	}
	r.open[dir] = root
	return root, nil
}

// stands reports whether the root itself can still be listed: only then is a file that cannot be read the file's own
// trouble.
func (r *roots) stands(dir string) bool {
	root, err := r.get(dir)
	return err == nil && root.Check() == nil
}

func (r *roots) close() {
	for _, root := range r.open {
		root.Close() //nolint:errcheck // it was only read
	}
}

package restore

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/openomt/omt/internal/chunk"
	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/tenant"
)

// Migration is a committed revision at a destination.
type Migration struct {
	Dest   destination.Destination
	Tenant *tenant.Tenant
	Commit tenant.Commit
}

// Find finds the last committed revision of the migration id, or with an empty id of the tenant's own.
func Find(ctx context.Context, d destination.Destination, id string) (Migration, error) {
	m := Migration{Dest: d, Tenant: tenant.Open(d)}
	if id == "" {
		c, err := m.Tenant.LastCommitted(ctx)
		if err == nil && c == nil {
			err = manifest.Errorf(manifest.Refused, "no migration is committed at %s", d.URL()).
				WithHint("omt-push commits one; omt-push status --to shows what is there")
		}
		if err != nil {
			return m, err
		}
		m.Commit = *c
		return m, nil
	}
	for _, phase := range []tenant.Phase{tenant.Full, tenant.Preseed} {
		c, err := m.Tenant.Last(ctx, phase, id)
		if err == nil {
			m.Commit = c
			return m, nil
		}
		if !errors.Is(err, destination.ErrNotExist) {
			return m, err
		}
	}
	return m, manifest.Errorf(manifest.Refused, "no migration %q is committed at %s", id, d.URL())
}

// Revision names the migration in messages and journals: "<id>/<revision>".
func (m Migration) Revision() string { return fmt.Sprintf("%s/%06d", m.Commit.ID, m.Commit.Revision) }

// contents is what a migration holds, as far as it may be held in memory: everything but files.
type contents struct {
	header       manifest.Header
	installation manifest.Installation
	chunks       []manifest.Chunk // in manifest order
	place        map[manifest.Digest]int
	tables       []table
	users        []manifest.User
	removals     []manifest.Removal
	files        map[manifest.Area]tally
	sorter       *manifest.Sorter // file records that are stored, by chunk, offset, path
	perJob       int              // see maxJob
}

// table is a table with its parts.
type table struct {
	manifest.Table
	parts []part
}

// part is a part of a table: its chunk, and what changes it.
type part []manifest.Chunk

// whole is the record of what the part has once all is applied.
func (p part) whole() manifest.Chunk { return manifest.WholePart(p) }

// name tells a part from others and from what it was before it changed.
func (p part) name() string {
	if len(p) == 1 {
		return p[0].SHA256.String()
	}
	h := sha256.New()
	for _, k := range p {
		h.Write(k.SHA256[:])
	}
	return manifest.Digest(h.Sum(nil)).String()
}

// tally counts file records by what became of them.
type tally struct {
	Stored, Bytes int64 // at the destination
	NotStored     map[manifest.State]int64
}

const sortMemory = 32 << 20

// read reads the whole manifest. want chooses the file records that the sorter gets; the caller closes it.
func (m Migration) read(ctx context.Context, temp string, want func(manifest.File) bool) (*contents, error) {
	c := &contents{place: map[manifest.Digest]int{}, files: map[manifest.Area]tally{},
		sorter: manifest.NewSorter(temp, sortMemory), perJob: maxJob}
	if _, err := m.Tenant.EachLine(ctx, m.Commit, c.taker(want)); err != nil {
		c.sorter.Close() //nolint:errcheck // temporary files
		return nil, fmt.Errorf("reading what %s holds: %w", m.Revision(), err)
	}
	return c, nil
}

// taker takes the records of a manifest, one after another.
func (c *contents) taker(want func(manifest.File) bool) func(manifest.Line) error {
	var key, val []byte
	return func(l manifest.Line) error {
		if l.Kind != manifest.KindFile {
			return c.take(l)
		}
		f, err := l.File()
		if err != nil {
			return err
		}
		stored, err := c.count(f)
		if err != nil || !stored || !want(f) {
			return err
		}
		key = binary.BigEndian.AppendUint32(key[:0], uint32(c.place[f.Chunk]))
		key = binary.BigEndian.AppendUint64(key, uint64(f.Offset))
		key = manifest.FileKey(key, f.Path, f.ID)
		if val, err = f.AppendJSON(val[:0]); err != nil {
			return err
		}
		return c.sorter.Add(key, val)
	}
}

func (c *contents) take(l manifest.Line) error {
	switch l.Kind {
	case manifest.KindManifest:
		return l.Decode(&c.header)
	case manifest.KindInstallation:
		return l.Decode(&c.installation)
	case manifest.KindUser:
		var u manifest.User
		if err := l.Decode(&u); err != nil {
			return err
		}
		c.users = append(c.users, u)
	case manifest.KindRemoval:
		var r manifest.Removal
		if err := l.Decode(&r); err != nil {
			return err
		}
		c.removals = append(c.removals, r)
	case manifest.KindTable:
		var t table
		if err := l.Decode(&t.Table); err != nil {
			return err
		}
		c.tables = append(c.tables, t)
	case manifest.KindChunk:
		var k manifest.Chunk
		if err := l.Decode(&k); err != nil {
			return err
		}
		if err := tenant.CheckChunk(k); err != nil {
			return manifest.Errorf(manifest.BadInput, "line %d: %w", l.Number, err)
		}
		return c.chunk(k)
	}
	return nil
}

func (c *contents) chunk(k manifest.Chunk) error {
	if _, known := c.place[k.SHA256]; !known {
		c.place[k.SHA256] = len(c.chunks)
		c.chunks = append(c.chunks, k)
	}
	if k.Type != manifest.ChunkParquet {
		return nil
	}
	if len(c.tables) == 0 || c.tables[len(c.tables)-1].Name != k.Table {
		return manifest.Errorf(manifest.BadInput, "part %s of table %q does not follow its table", k.SHA256, k.Table)
	}
	t := &c.tables[len(c.tables)-1]
	if k.Op == "" {
		t.parts = append(t.parts, part{k})
		return nil
	}
	last := len(t.parts) - 1
	if last < 0 || k.Of == nil || *k.Of != t.parts[last][0].SHA256 {
		return manifest.Errorf(manifest.BadInput, "chunk %s changes a part of table %q that it does not follow", k.SHA256, k.Table)
	}
	t.parts[last] = append(t.parts[last], k)
	return nil
}

// tablesWhole refuses a migration whose tables are not in it, or not whole.
func (c *contents) tablesWhole(m Migration) error {
	if err := c.tablesThere(m); err != nil {
		return err
	}
	for _, t := range c.tables {
		if err := c.tableWhole(t); err != nil {
			return err
		}
	}
	return nil
}

// tablesThere refuses a migration without tables.
func (c *contents) tablesThere(m Migration) error {
	if c.hasTables() {
		return nil
	}
	return manifest.Errorf(manifest.Refused, "%s holds no tables", m.Revision()).
		WithHint("leave --db away, or name the migration that holds them with --migration")
}

// hasTables reports whether the database was packed: a part that goes ahead may list tables without their contents.
func (c *contents) hasTables() bool {
	return slices.ContainsFunc(c.tables, func(t table) bool { return len(t.parts) > 0 || c.header.Phase != "preseed" })
}

func (c *contents) tableWhole(t table) error {
	var rows int64
	for _, p := range t.parts {
		rows += p.whole().Rows
	}
	if rows != t.Rows {
		return fmt.Errorf("table %q: its parts have %d rows, and its record says %d", t.Name, rows, t.Rows)
	}
	return nil
}

// count counts a file record and reports whether its content is at the destination.
func (c *contents) count(f manifest.File) (stored bool, err error) {
	t := c.files[f.Area]
	defer func() { c.files[f.Area] = t }()
	if f.Chunk.IsZero() {
		if t.NotStored == nil {
			t.NotStored = map[manifest.State]int64{}
		}
		t.NotStored[f.State]++
		return false, nil
	}
	if _, ok := c.place[f.Chunk]; !ok {
		return false, manifest.Errorf(manifest.BadInput, "file %q refers to chunk %s, which the manifest does not list before it", f.Path, f.Chunk)
	}
	t.Stored++
	t.Bytes += f.Size
	return true, nil
}

// job is a content chunk with the records that refer to it, by offset.
type job struct {
	chunk manifest.Chunk
	files []manifest.File
	more  bool // other jobs of the chunk follow
}

const (
	// maxJob bounds the records of one job, but for those of one content. A chunk that more of them refer to becomes
	// several jobs.
	maxJob = 4 * chunk.MaxEntries
	// maxWorkers keeps what the jobs under way hold (some 400 bytes for each record) within the memory that the tool
	// may use.
	maxWorkers = 4
)

// jobs calls fn for every chunk that a sorted record refers to, in manifest order.
func (c *contents) jobs(ctx context.Context, fn func(job) error) error {
	cur, err := c.sorter.Sort(ctx)
	if err != nil {
		return err
	}
	var j job
	at, offset := -1, uint64(0)
	flush := func() error {
		if at < 0 || len(j.files) == 0 {
			return nil
		}
		full := j
		j = job{chunk: full.chunk}
		return fn(full)
	}
	for {
		key, val, err := cur.Next()
		if errors.Is(err, io.EOF) {
			return flush()
		}
		if err != nil {
			return err
		}
		n, begins := int(binary.BigEndian.Uint32(key)), binary.BigEndian.Uint64(key[4:])
		if n != at || len(j.files) >= c.perJob && begins != offset {
			j.more = n == at
			if err := flush(); err != nil {
				return err
			}
			at, j.chunk = n, c.chunks[n]
		}
		offset = begins
		f, err := manifest.Line{Kind: manifest.KindFile, Raw: val}.File()
		if err != nil {
			return err
		}
		j.files = append(j.files, f)
	}
}

// fetch opens a chunk at the destination.
func (m Migration) fetch(ctx context.Context, k manifest.Chunk) (io.ReadCloser, error) {
	name := tenant.ChunkName(k.SHA256, k.Type)
	rc, err := m.Dest.Open(ctx, name, 0, -1)
	if err != nil {
		return nil, fmt.Errorf("opening %s at %s: %w", name, m.Dest.URL(), err)
	}
	return rc, nil
}

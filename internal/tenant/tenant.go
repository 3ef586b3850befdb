package tenant

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/manifest"
)

const (
	maxRecord   = 16 << 20 // bytes of a record; a state's grows with its history
	maxRevision = 999_999

	openName     = "open.json"
	manifestName = "manifest.jsonl.zst"
	commitName   = "commit.json"
	statePrefix  = "state/"
	copyName     = "omt-tenant.json"
)

// Tenant is what lies at a destination.
type Tenant struct {
	d      destination.Destination
	sleep  func(ctx context.Context, d time.Duration) error
	notice func(format string, args ...any)
}

// Open gives the tenant at a destination. It asks nothing of it yet.
func Open(d destination.Destination) *Tenant {
	return &Tenant{d: d, sleep: sleep, notice: func(string, ...any) {}}
}

// URL names the destination.
func (t *Tenant) URL() string { return t.d.URL() }

// load reads a record. An absent one is destination.ErrNotExist.
func (t *Tenant) load(ctx context.Context, name string, v any) error {
	data, err := t.bytes(ctx, name)
	if err == nil {
		err = unseal(data, v)
	}
	if errors.Is(err, destination.ErrNotExist) {
		return err
	}
	if err != nil {
		return manifest.Errorf(manifest.Failed, "reading %q at %s: %w", name, t.d.URL(), err).
			WithHint("nothing is done on a tenant whose records cannot be trusted; restore this object, or use another destination")
	}
	return nil
}

func (t *Tenant) bytes(ctx context.Context, name string) ([]byte, error) {
	rc, err := t.d.Open(ctx, name, 0, maxRecord+1)
	if err != nil {
		return nil, err
	}
	defer rc.Close()
	data, err := io.ReadAll(rc)
	if err == nil && len(data) > maxRecord {
		err = fmt.Errorf("it has more than %d bytes", maxRecord)
	}
	return data, err
}

// State is the tenant's state: the record with the highest number, or the zero value when there is none.
func (t *Tenant) State(ctx context.Context) (State, error) {
	var highest int64
	err := t.d.List(ctx, statePrefix, func(i destination.Info) error {
		if n, ok := parseState(i.Name); ok {
			highest = max(highest, n)
		}
		return nil
	})
	if err != nil || highest == 0 {
		return State{}, err
	}
	var s State
	name := stateName(highest)
	if err := t.load(ctx, name, &s); err != nil {
		return State{}, err
	}
	if s.Number != highest {
		return State{}, manifest.Errorf(manifest.Failed, "reading %q at %s: it says that it is number %d", name, t.d.URL(), s.Number)
	}
	return s, nil
}

func stateName(n int64) string { return fmt.Sprintf("%s%08d.json", statePrefix, n) }

func parseState(name string) (int64, bool) {
	digits, ok := strings.CutSuffix(strings.TrimPrefix(name, statePrefix), ".json")
	n, err := strconv.ParseInt(digits, 10, 64)
	return n, ok && err == nil && n > 0 && stateName(n) == name
}

// Revision is what there is of one revision.
type Revision struct {
	Phase    Phase
	ID       string
	Number   int
	Claimed  bool // open.json is there
	Stored   bool // the manifest is there
	Finished bool // commit.json is there: the revision exists

	Opened time.Time // when it was claimed, by the far side's clock
}

// name is the name of one of its objects.
func (r Revision) name(object string) string {
	return fmt.Sprintf("%s%s/%06d/%s", r.Phase.folder(), r.ID, r.Number, object)
}

// Revisions lists what there is of a migration, or with an empty id of all of the phase, by id and number.
func (t *Tenant) Revisions(ctx context.Context, p Phase, id string) ([]Revision, error) {
	type key struct {
		id     string
		number int
	}
	found := map[key]*Revision{}
	prefix := p.folder()
	if id != "" {
		prefix += id + "/"
	}
	err := t.d.List(ctx, prefix, func(i destination.Info) error {
		parts := strings.Split(strings.TrimPrefix(i.Name, p.folder()), "/")
		if len(parts) != 3 || !validID(parts[0]) || len(parts[1]) != 6 {
			return nil
		}
		n, err := strconv.Atoi(parts[1])
		if err != nil || n < 1 {
			return nil
		}
		k := key{parts[0], n}
		if found[k] == nil {
			found[k] = &Revision{Phase: p, ID: k.id, Number: n}
		}
		switch parts[2] {
		case openName:
			found[k].Claimed, found[k].Opened = true, i.Modified
		case manifestName:
			found[k].Stored = true
		case commitName:
			found[k].Finished = true
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	list := make([]Revision, 0, len(found))
	for _, r := range found {
		list = append(list, *r)
	}
	sort.Slice(list, func(i, j int) bool {
		if list[i].ID != list[j].ID {
			return list[i].ID < list[j].ID
		}
		return list[i].Number < list[j].Number
	})
	return list, nil
}

// CommitOf reads the commit of a revision. One that does not exist is destination.ErrNotExist.
func (t *Tenant) CommitOf(ctx context.Context, r Revision) (Commit, error) {
	var c Commit
	name := r.name(commitName)
	if err := t.load(ctx, name, &c); err != nil {
		return Commit{}, err
	}
	if c.ID != r.ID || c.Revision != r.Number || c.Phase != r.Phase {
		return Commit{}, manifest.Errorf(manifest.Failed, "reading %q at %s: it is of revision %d of %q (%s)",
			name, t.d.URL(), c.Revision, c.ID, c.Phase)
	}
	return c, nil
}

// LastCommitted is the migration that is the tenant's, or nil when there is none. One that passed the gate but has no
// commit.json yet does not exist yet.
func (t *Tenant) LastCommitted(ctx context.Context) (*Commit, error) {
	s, err := t.State(ctx)
	if err != nil {
		return nil, err
	}
	if s.Pending != nil {
		c, err := t.CommitOf(ctx, Revision{Phase: s.Pending.Phase, ID: s.Pending.ID, Number: s.Pending.Revision})
		if err == nil {
			return &c, nil
		}
		if !errors.Is(err, destination.ErrNotExist) {
			return nil, err
		}
	}
	return s.Migration, nil
}

// Last is the commit of the highest committed revision of a migration or preseed; destination.ErrNotExist when there is
// none.
func (t *Tenant) Last(ctx context.Context, p Phase, id string) (Commit, error) {
	if !validID(id) {
		return Commit{}, manifest.Errorf(manifest.Usage, "migration id %q: want a UUID in lower case", id)
	}
	revisions, err := t.Revisions(ctx, p, id)
	if err != nil {
		return Commit{}, err
	}
	for _, r := range slices.Backward(revisions) {
		if r.Finished {
			return t.CommitOf(ctx, r)
		}
	}
	return Commit{}, fmt.Errorf("looking for a committed revision of %q: %w", id, destination.ErrNotExist)
}

// Chunks calls fn for every chunk at the destination, in no promised order, and after a broken connection perhaps twice.
func (t *Tenant) Chunks(ctx context.Context, fn func(d manifest.Digest, typ string, bytes int64) error) error {
	return t.ChunkInfos(ctx, func(d manifest.Digest, typ string, i destination.Info) error { return fn(d, typ, i.Size) })
}

// ChunkInfos is Chunks with all that is known of the object.
func (t *Tenant) ChunkInfos(ctx context.Context, fn func(d manifest.Digest, typ string, i destination.Info) error) error {
	return t.d.List(ctx, "chunks/", func(i destination.Info) error {
		d, typ, ok := ParseChunkName(i.Name)
		if !ok {
			return nil
		}
		return fn(d, typ, i)
	})
}

// validID accepts a UUID as manifests have it. It becomes part of objects' names.
func validID(id string) bool {
	if len(id) != 36 {
		return false
	}
	for i, c := range []byte(id) {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (c == '-') || !dash && (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

package pack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/openomt/omt/internal/manifest"
)

// Known is a manifest that was pushed: what it refers to is at the destination, as far as it has receipts.
type Known struct {
	Name string // for people
	// Each hands every record but the end to fn. It is an error unless the manifest has a good end.
	Each func(ctx context.Context, fn func(manifest.Line) error) error
}

// Each hands every record of a manifest but the end to fn. It fails unless there is a good end.
func Each(ctx context.Context, r *manifest.Reader, fn func(manifest.Line) error) error {
	for {
		l, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = ctx.Err()
		}
		if err == nil {
			err = fn(l)
		}
		if err != nil {
			return err
		}
	}
}

// known is what manifests say is at the destination: chunks in memory, files on disk.
type known struct {
	inst    manifest.Installation // whose they must be
	chunks  []*knownChunk         // content chunks of all manifests in order, each once
	places  map[manifest.Digest]*knownChunk
	parts   map[manifest.Digest]*knownPart // by partPrint
	ofTable map[string][]*knownPart        // in the order in which they came up
	last    map[string]*tablePast          // by table
	list    *knownList
	froms   []*knownFrom

	primary    int // see order
	lastOpaque int // place of the last chunk of which not all names are known
}

// knownChunk is a chunk that manifests refer to.
type knownChunk struct {
	manifest.Chunk
	number  int
	at      int  // its place among the chunks of earlier runs
	receipt bool // it is at the destination
	there   bool // it was seen there
	primary bool // the primary manifest has it
	clear   bool // some manifest has a record of every name that is in it

	from, names int // of the manifest being read: its number, and how many names of the chunk it has
	first       int // the number of the manifest that named it first, from 1
}

// knownFrom is one manifest.
type knownFrom struct {
	name     string
	chunks   []*knownChunk // content chunks in its order
	receipts int
	section  section
	part     *knownPart // of a table, while it is read
	parts    []*knownPart
	anew     bool // it has chunks that those before it have not
}

// newKnown makes one that knows of nothing. temp is a folder.
func newKnown(temp string, inst manifest.Installation) (*known, error) {
	list, err := newKnownList(temp)
	return &known{inst: inst, places: map[manifest.Digest]*knownChunk{}, parts: map[manifest.Digest]*knownPart{}, ofTable: map[string][]*knownPart{}, last: map[string]*tablePast{}, list: list}, err
}

func (k *known) close() { k.list.close() }

// read takes a manifest, those of earlier pushes first, and refuses one of another company.
func (k *known) read(ctx context.Context, m Known) error {
	from := &knownFrom{name: m.Name, section: k.list.begin()}
	k.froms = append(k.froms, from)
	err := m.Each(ctx, func(l manifest.Line) error {
		switch l.Kind {
		case manifest.KindInstallation:
			return k.company(m, l)
		case manifest.KindChunk:
			return k.chunk(from, l)
		case manifest.KindFile:
			return k.file(l)
		case manifest.KindReceipt:
			return k.receipt(from, l)
		}
		return nil
	})
	if err == nil {
		k.endParts(from)
		from.section, err = k.list.end(from.section)
	}
	if err != nil {
		return fmt.Errorf("reading what is known from %s: %w", m.Name, err)
	}
	if from.receipts == 0 && len(from.chunks) > 0 {
		return manifest.Errorf(manifest.Refused, "%s has no receipts: nothing of it is known to be at the destination", m.Name).
			WithHint("name a manifest that omt-push wrote")
	}
	return nil
}

func (k *known) company(m Known, l manifest.Line) error {
	var inst manifest.Installation
	if err := l.Decode(&inst); err != nil {
		return err
	}
	if inst.Owner != k.inst.Owner || inst.Serial != k.inst.Serial {
		return manifest.Errorf(manifest.Refused, "it is of %q, serial number %q, and the input of %q, %q", inst.Owner, inst.Serial, k.inst.Owner, k.inst.Serial).
			WithHint("only what was pushed of the same installation is known content")
	}
	return nil
}

func (k *known) chunk(from *knownFrom, l manifest.Line) error {
	var c manifest.Chunk
	if err := l.Decode(&c); err != nil {
		return err
	}
	if c.Role == manifest.RoleLinks {
		return nil // they are made new for each manifest
	}
	have := k.places[c.SHA256]
	if have == nil {
		have = &knownChunk{Chunk: c, from: -1, first: len(k.froms)}
		k.places[c.SHA256] = have
		from.anew = true
	}
	if c.Type == manifest.ChunkParquet {
		return k.partChunk(from, c, have, l.Number)
	}
	if have.from < 0 {
		have.number, have.from = len(k.chunks), 0
		k.chunks = append(k.chunks, have)
	}
	if have.from == len(k.froms) {
		return nil // it is listed twice
	}
	have.from, have.names = len(k.froms), 0
	from.chunks = append(from.chunks, have)
	return nil
}

func (k *known) file(l manifest.Line) error {
	f, err := l.File()
	if err != nil || !isStored(f) {
		return err
	}
	c := k.places[f.Chunk]
	if c == nil || c.from != len(k.froms) {
		return manifest.Errorf(manifest.BadInput, "line %d: file %q refers to chunk %s, which has no record before it", l.Number, f.Path, f.Chunk)
	}
	if f.Same == "" {
		if c.names++; c.names == c.Items {
			c.clear = true
		}
	}
	return k.list.add(f, c.number)
}

func (k *known) receipt(from *knownFrom, l manifest.Line) error {
	var r manifest.Receipt
	if err := l.Decode(&r); err != nil {
		return err
	}
	from.receipts++
	if c := k.places[r.Chunk]; c != nil && c.Bytes == r.Bytes {
		c.receipt = true
	}
	return nil
}

// usable reports whether records may refer to a chunk: it is at the destination, and what else is in it cannot come in the
// way of a name when a stock tar unpacks it.
func (c *knownChunk) usable() bool { return c.receipt && (c.primary || c.clear) }

// order gives the chunks their places once all manifests were read. A stock tar, given the chunks in manifest order, takes
// the last entry of a name; a chunk also holds files that have changed since, so the order says which content a name gets.
//
// Chunks stand as they first came up, older manifests first, except that those of the largest manifest, the primary one,
// stand as they do there: it says itself that this order is good for its own names. Of other manifests only chunks are
// taken of which all names are known (clear). With the records of all manifests at hand choose then knows, for each name,
// every entry that can follow.
func (k *known) order() {
	k.primary, k.lastOpaque = -1, -1
	most := 0
	for i, from := range k.froms {
		if len(from.chunks) > 0 && len(from.chunks) >= most {
			k.primary, most = i, len(from.chunks)
		}
	}
	if k.primary < 0 {
		return
	}
	own := k.froms[k.primary].chunks
	for _, c := range own {
		c.primary = true
	}
	next := 0
	for at, c := range k.chunks {
		if c.primary {
			c = own[next]
			next++
		}
		c.at = at
		if !c.clear && c.usable() {
			k.lastOpaque = at
		}
	}
}

// inOrder are the records of all chunks that files may refer to, in their order.
func (k *known) inOrder() []manifest.Chunk {
	list := make([]manifest.Chunk, len(k.chunks))
	for _, c := range k.chunks {
		list[c.at] = c.Chunk
	}
	return list
}

// seen takes the destination's own listing: a chunk that is not there, or has another size, is not known, whatever a
// receipt says, since one that no manifest needs may have been deleted.
func (k *known) seen(ctx context.Context, each func(context.Context, func(d manifest.Digest, typ string, bytes int64) error) error) error {
	err := each(ctx, func(d manifest.Digest, typ string, bytes int64) error {
		if c := k.places[d]; c != nil && c.Type == typ && c.Bytes == bytes {
			c.there = true
		}
		return nil
	})
	for _, c := range k.places {
		c.receipt = c.receipt && c.there
	}
	return err
}

// choice is what is known of a name.
type choice struct {
	path     string
	original knownFile // of the last entry in the chunks' order
	none     bool      // there is no original that may be referred to
	copies   []knownFile
}

// choose looks at the records that the manifests have of one name.
func (k *known) choose(c *choice, path string, records []knownRecord) {
	*c = choice{path: path, none: true, copies: c.copies[:0]}
	var primary *knownFile
	for i := range records {
		r := &records[i]
		switch at := k.chunks[r.chunk]; {
		case !at.usable():
		case r.isCopy:
			c.copies = append(c.copies, r.knownFile)
		default:
			if c.none || cmp.Compare(at.at, k.chunks[c.original.chunk].at) >= 0 {
				c.original, c.none = r.knownFile, false
			}
			if r.from == k.primary {
				primary = &r.knownFile
			}
		}
	}
	if c.none || k.chunks[c.original.chunk].at > k.lastOpaque {
		return
	}
	// What follows may hold the name without saying so, unless the primary manifest says that it is good there.
	c.none = primary == nil || primary.chunk != c.original.chunk || primary.offset != c.original.offset
}

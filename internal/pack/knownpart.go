package pack

import (
	"crypto/sha256"
	"fmt"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/parts"
)

// knownPart is a part of a table as manifests have it: its chunk, and the chunks that changed it since.
type knownPart struct {
	records []manifest.Chunk
	chunks  []*knownChunk
}

// usable reports whether all of it is at the destination.
func (p *knownPart) usable() bool {
	for _, c := range p.chunks {
		if !c.receipt {
			return false
		}
	}
	return true
}

// whole is the record of what the part has once all is applied.
func (p *knownPart) whole() manifest.Chunk { return manifest.WholePart(p.records) }

// changed is how many chunks change the part, and their size.
func (p *knownPart) changed() (n int, bytes int64) {
	for _, c := range p.records[1:] {
		bytes += c.Bytes
	}
	return len(p.records) - 1, bytes
}

// partPrint names a table part by all that makes it one and the same, whatever its bytes.
func partPrint(c manifest.Chunk) (d manifest.Digest, ok bool) {
	if c.Type != manifest.ChunkParquet || c.Content == nil || c.Schema == nil {
		return d, false
	}
	return sha256.Sum256(fmt.Appendf(nil, "%q %s %s %q %q %d", c.Table, *c.Schema, *c.Content, c.First, c.Last, c.Rows)), true
}

// partChunk takes the record of a chunk of a table part.
func (k *known) partChunk(from *knownFrom, c manifest.Chunk, at *knownChunk, line int64) error {
	if c.Op == "" {
		from.part = &knownPart{}
		from.parts = append(from.parts, from.part)
	}
	p := from.part
	if p == nil || c.Op != "" && (c.Of == nil || *c.Of != p.records[0].SHA256) {
		return manifest.Errorf(manifest.BadInput, "line %d: chunk %s changes a part of table %q that it does not follow", line, c.SHA256, c.Table)
	}
	p.records, p.chunks = append(p.records, c), append(p.chunks, at)
	return nil
}

// endParts enters the parts of a manifest that was read. Of those with the same rows, or in one place, that of the last
// manifest counts.
func (k *known) endParts(from *knownFrom) {
	for _, p := range from.parts {
		whole := p.whole()
		if print, ok := partPrint(whole); ok {
			k.parts[print] = p
			k.ofTable[whole.Table] = append(k.ofTable[whole.Table], p)
		}
	}
	k.remember(from)
	from.part, from.parts = nil, nil
}

// part returns the records of the known part that holds the same rows, or nil.
func (k *known) part(c manifest.Chunk) []manifest.Chunk {
	if k == nil {
		return nil
	}
	if print, ok := partPrint(c); ok {
		if have := k.parts[print]; have != nil && have.usable() {
			return have.records
		}
	}
	return nil
}

// places are the known parts of a table, by where they begin.
func (k *known) placed(table string, order parts.Order) map[string]*knownPart {
	if k == nil {
		return nil
	}
	list := k.ofTable[table]
	out := make(map[string]*knownPart, len(list))
	for _, p := range list {
		if p.usable() {
			out[order.Place(p.whole().First)] = p
		}
	}
	return out
}

package pack

import (
	"crypto/sha256"
	"slices"

	"github.com/openomt/omt/internal/manifest"
)

// earlier are the chunks of earlier runs that records of this one refer to. It holds a digest and a place for each.
type earlier struct {
	list   []manifest.Digest
	places map[manifest.Digest]uint32
}

// ofEarlier marks, in an original, the number of a chunk of an earlier run; without it, it is that of a group.
const ofEarlier = 1 << 31

// number gives the chunk a number, and makes it one that is referred to.
func (e *earlier) number(d manifest.Digest) uint32 {
	n, ok := e.places[d]
	if !ok {
		if e.places == nil {
			e.places = map[manifest.Digest]uint32{}
		}
		n = uint32(len(e.list))
		e.list = append(e.list, d)
		e.places[d] = n
	}
	return n
}

// needed returns those of the chunks that records refer to, in the same order.
func (e *earlier) needed(chunks []manifest.Chunk) []manifest.Chunk {
	return slices.DeleteFunc(slices.Clone(chunks), func(c manifest.Chunk) bool {
		_, ok := e.places[c.SHA256]
		return !ok
	})
}

// isStored reports whether a record has its content in a chunk of an earlier run: it is passed through, and its file is
// not read.
func isStored(f manifest.File) bool { return !f.Chunk.IsZero() }

// isCopy reports whether a record shares the bytes of another name. Two rows that name one file are no copies.
func isCopy(f manifest.File) bool { return f.Same != "" && f.Same != f.Path }

// know enters a stored original into the index of contents, as if it had been packed first.
func (p *packer) know(f manifest.File) error {
	o := original{Chunk: ofEarlier | p.earlier.number(f.Chunk), Offset: f.Offset, Path: f.Path}
	if f.Size == 0 {
		return nil // an empty file is never linked to
	}
	there, _, found, err := p.index.find(f.Area, f.SHA256)
	switch {
	case err != nil || found && there.Path == f.Path:
		return err
	case !found:
		return p.index.add(f.Area, f.SHA256, o)
	}
	// A content is stored anew after a thousand links, so that there may be others of the same content; they are found by
	// their names.
	named := namedDigest(f.Path, f.SHA256)
	if _, _, found, err = p.index.find(f.Area, named); err != nil || found {
		return err
	}
	return p.index.add(f.Area, named, o)
}

func namedDigest(path string, sum manifest.Digest) manifest.Digest {
	return sha256.Sum256(append(sum[:], path...))
}

// stays says whether a stored copy can stay one: an original with its content is stored in its area, and may be linked to
// once more. The record then names that original, which is the one that it named, where that is there. All stored
// originals of the area must be known before.
func (p *packer) stays(f *manifest.File) (bool, error) {
	o, at, found, err := p.index.find(f.Area, f.SHA256)
	if err == nil && found && o.Path != f.Same {
		var byName bool
		var o2 original
		var at2 int64
		if o2, at2, byName, err = p.index.find(f.Area, namedDigest(f.Same, f.SHA256)); byName {
			o, at = o2, at2
		}
	}
	if err != nil || !found || o.Links >= maxLinks {
		return false, err
	}
	f.Same, f.Chunk, f.Offset = o.Path, p.earlier.list[o.Chunk&^ofEarlier], o.Offset
	return true, p.index.link(at, o.Links)
}

// toPack makes a stored record one of a file that is to be packed.
func toPack(f manifest.File) manifest.File {
	f.SHA256, f.Chunk, f.Offset, f.Same = manifest.Digest{}, manifest.Digest{}, 0, ""
	if f.State == manifest.Stored {
		f.State = manifest.Present
	}
	return f
}

// chunkOf is the digest of the chunk that an original lies in.
func (p *packer) chunkOf(n uint32) manifest.Digest {
	if n&ofEarlier != 0 {
		return p.earlier.list[n&^ofEarlier]
	}
	return p.digests[n]
}

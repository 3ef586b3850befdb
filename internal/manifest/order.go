package manifest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
)

// order holds what a Writer must remember to keep the order of the package comment. It grows with the number of chunk
// records alone: some 20 bytes each.
type order struct {
	lines    int64
	rank     int
	last     place
	table    string // of the last table record
	files    bool   // a file record was written
	area     string
	areaRank int
	links    int64 // line of the current area's first chunk of links, 0 before it
	file     fileHead
	fileLine int64 // 0 before the area's first file
	path     []byte
	scratch  []byte
	chunks   map[uint64]struct{} // first eight bytes of the digests of chunk records
}

// place says which record an error speaks of.
type place struct {
	kind Kind
	line int64
}

// chunkHead is what order asks of a chunk record.
type chunkHead struct {
	SHA256, Type, Area, Role, Table string
}

// add takes the next record into account, or says what it must not stand behind.
func (o *order) add(at int, kind Kind, raw []byte) error {
	if o.lines == 0 && at != placeManifest {
		return fmt.Errorf("the first record must be of kind %q", KindManifest)
	}
	if o.lines > 0 && at == placeManifest {
		return fmt.Errorf("record %d is a second one of kind %q", o.lines+1, kind)
	}
	if at == placeUnknown {
		o.lines++
		return nil
	}
	rank := known[at].rank
	if rank < o.rank && at != placeChunk {
		return o.misplaced(kind)
	}
	var err error
	switch at {
	case placeTable:
		err = o.addTable(raw)
	case placeChunk:
		rank, err = o.addChunk(raw)
	case placeFile:
		err = o.addFile(raw)
	}
	if err != nil {
		return err
	}
	o.lines++
	o.rank = rank
	o.last = place{kind, o.lines}
	return nil
}

func (o *order) misplaced(kind Kind) error {
	return fmt.Errorf("record %d (%s) must not stand behind record %d (%s)", o.lines+1, kind, o.last.line, o.last.kind)
}

func (o *order) addTable(raw []byte) error {
	var t struct {
		Name string `json:"name"`
	}
	if err := json.Unmarshal(raw, &t); err != nil {
		return err
	}
	o.table = t.Name
	return nil
}

// addChunk returns the rank at which the chunk leaves the manifest: a part of the table before it is among the tables,
// any other chunk ends them.
func (o *order) addChunk(raw []byte) (int, error) {
	var c chunkHead
	if err := json.Unmarshal(raw, &c); err != nil {
		return 0, err
	}
	id, ok := chunkID([]byte(c.SHA256))
	if !ok {
		return 0, fmt.Errorf("record %d: chunk %q has no digest", o.lines+1, c.SHA256)
	}
	rank := known[placeChunk].rank
	switch {
	case o.rank > rank:
		return 0, o.misplaced(KindChunk)
	case o.rank == known[placeTable].rank && c.Type == ChunkParquet && c.Table == o.table:
		rank = o.rank
	case o.files:
		if err := o.enter(c.Area, KindChunk); err != nil {
			return 0, err
		}
		if c.Type == ChunkParquet {
			return 0, fmt.Errorf("record %d (part of table %q) must not stand behind files", o.lines+1, c.Table)
		}
		if c.Role == RoleLinks && o.links == 0 {
			o.links = o.lines + 1
		} else if c.Role != RoleLinks && o.links > 0 {
			return 0, o.afterLinks(KindChunk)
		}
	}
	if o.chunks == nil {
		o.chunks = map[uint64]struct{}{}
	}
	o.chunks[id] = struct{}{}
	return rank, nil
}

func (o *order) afterLinks(kind Kind) error {
	return fmt.Errorf("record %d (%s) must not stand behind record %d, a chunk of links of area %q",
		o.lines+1, kind, o.links, o.area)
}

// enter makes area the current one.
func (o *order) enter(area string, kind Kind) error {
	if o.files && area == o.area {
		return nil
	}
	rank := Area(area).Rank()
	if rank < 0 {
		rank = len(Areas) // an area of a later version stands behind those known
	}
	if o.files && rank < o.areaRank {
		return fmt.Errorf("record %d (%s of area %q) must not stand behind record %d, of area %q",
			o.lines+1, kind, area, o.last.line, o.area)
	}
	o.area, o.areaRank = area, rank
	o.links, o.fileLine = 0, 0
	return nil
}

func (o *order) addFile(raw []byte) error {
	f, err := scanFileHead(raw, &o.scratch)
	if err != nil {
		return err
	}
	if !o.files || string(f.area) != o.area {
		if err := o.enter(string(f.area), KindFile); err != nil {
			return err
		}
		o.files = true
	}
	if o.links > 0 {
		return o.afterLinks(KindFile)
	}
	if o.fileLine > 0 && compareFiles(f, o.file) < 0 {
		return fmt.Errorf("record %d (file %q, id %d) must not stand behind record %d (file %q, id %d)",
			o.lines+1, f.path, f.id, o.fileLine, o.file.path, o.file.id)
	}
	if len(f.chunk) > 0 {
		id, ok := chunkID(f.chunk)
		if _, there := o.chunks[id]; !ok || !there {
			return fmt.Errorf("record %d (file %q) refers to chunk %q, which has no record before it", o.lines+1, f.path, f.chunk)
		}
	}
	o.path = append(o.path[:0], f.path...)
	o.file = fileHead{path: o.path, id: f.id}
	o.fileLine = o.lines + 1
	return nil
}

// chunkID takes the first eight bytes of a digest in hex. Two chunks that share them only make the check of references
// miss a missing chunk.
func chunkID(hex []byte) (uint64, bool) {
	if len(hex) != 64 {
		return 0, false
	}
	var id uint64
	for _, c := range hex[:16] {
		switch {
		case c >= '0' && c <= '9':
			id = id<<4 | uint64(c-'0')
		case c >= 'a' && c <= 'f':
			id = id<<4 | uint64(c-'a'+10)
		default:
			return 0, false
		}
	}
	return id, true
}

// fileHead is what order asks of a file record.
type fileHead struct {
	area, path []byte
	id         int64
	chunk      []byte // hex
}

// compareFiles compares as FileKey does.
func compareFiles(a, b fileHead) int {
	if (len(a.path) == 0) != (len(b.path) == 0) {
		return cmp.Compare(len(b.path), len(a.path))
	}
	return cmp.Or(bytes.Compare(a.path, b.path), cmp.Compare(a.id, b.id))
}

const (
	filePrefix = `{"kind":"file","area":"`
	idPrefix   = `,"id":`
	pathPrefix = `,"path":"`
	chunkMark  = `chunk":"` // behind ,"
)

// scanFileHead takes the head of a file record without decoding the rest where the line is as AppendJSON makes it. The
// slices point into raw or scratch.
func scanFileHead(raw []byte, scratch *[]byte) (fileHead, error) {
	if f, ok := quickFileHead(raw, scratch); ok {
		return f, nil
	}
	var slow struct {
		Area, Path, Chunk string
		ID                int64
	}
	if err := json.Unmarshal(raw, &slow); err != nil {
		return fileHead{}, err
	}
	return fileHead{[]byte(slow.Area), []byte(slow.Path), slow.ID, []byte(slow.Chunk)}, nil
}

func quickFileHead(raw []byte, scratch *[]byte) (f fileHead, ok bool) {
	rest, ok := bytes.CutPrefix(raw, []byte(filePrefix))
	if !ok {
		return f, false
	}
	if f.area, rest, ok = cutPlain(rest); !ok {
		return f, false
	}
	after, hasID := bytes.CutPrefix(rest, []byte(idPrefix))
	if hasID {
		if f.id, rest, ok = cutInt(after); !ok {
			return f, false
		}
	}
	after, hasPath := bytes.CutPrefix(rest, []byte(pathPrefix))
	if hasPath {
		if f.path, rest, ok = cutString(after, scratch); !ok {
			return f, false
		}
	}
	if !hasID && bytes.Contains(rest, []byte(`"id"`)) || !hasPath && bytes.Contains(rest, []byte(`"path"`)) {
		return f, false // in another order than ours
	}
	if i := bytes.Index(rest, []byte(chunkMark)); i >= 0 { // never inside a string, where the quotes would be escaped
		if !bytes.HasSuffix(rest[:i], []byte(`,"`)) {
			return f, false
		}
		if f.chunk, _, ok = cutPlain(rest[i+len(chunkMark):]); !ok {
			return f, false
		}
	}
	return f, true
}

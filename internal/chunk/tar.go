package chunk

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"
)

// Limits of a content chunk. An entry that is larger by itself has a chunk of its own.
const (
	MaxRaw     = 32 << 20 // bytes of tar stream, its end included
	MaxEntries = 8192     // entries
)

const (
	tarBlock = 512
	tarEnd   = 2 * tarBlock // the two blocks of zeros that end a tar stream
	// maxName bounds names so that a header cannot outgrow a frame. Windows and Linux end far below.
	maxName = 32 << 10
	// maxUSTARSize is the largest size that the octal field of a plain header holds; above it a PAX record does.
	maxUSTARSize = 1<<33 - 1
	// maxTarSeconds is the latest time that the octal field of a plain header holds (in the year 2242).
	maxTarSeconds = 1<<33 - 1
)

// Entry is one member of a file chunk: a regular file, or with Link a hard link to another member's name.
type Entry struct {
	Name  string    // "<area>/<path>", slash-separated, relative, valid UTF-8
	Size  int64     // bytes of content; 0 for a link
	MTime time.Time // kept as TarTime says
	Link  string    // the name that a hard link points to, in the same form as Name; empty for a file
}

// TarTime returns what a tar header keeps of a modification time: whole seconds in UTC, not before 1970 nor after 2242.
// Outside this range a header would need a record more, and boundaries of chunks would no longer follow from names and
// sizes alone. The manifest holds the exact time.
func TarTime(t time.Time) time.Time {
	return time.Unix(min(max(t.Unix(), 0), maxTarSeconds), 0).UTC()
}

// check refuses what the format has no room for.
func (e Entry) check() error {
	if err := checkName(e.Name); err != nil {
		return fmt.Errorf("entry %q: %w", e.Name, err)
	}
	switch {
	case e.Size < 0:
		return fmt.Errorf("entry %q: negative size %d", e.Name, e.Size)
	case e.Link == "":
		return nil
	case e.Size != 0:
		return fmt.Errorf("entry %q: a link has no content, but its size is %d", e.Name, e.Size)
	case e.Link == e.Name:
		return fmt.Errorf("entry %q: links to itself", e.Name)
	}
	if err := checkName(e.Link); err != nil {
		return fmt.Errorf("entry %q: link to %q: %w", e.Name, e.Link, err)
	}
	return nil
}

// checkName accepts names that mean the same place for every tar and that stay below the folder they are unpacked in.
func checkName(name string) error {
	switch {
	case name == "." || !fs.ValidPath(name):
		return fmt.Errorf("not a relative slash-separated path in UTF-8")
	case strings.IndexByte(name, 0) >= 0:
		return fmt.Errorf("holds a NUL byte")
	case len(name) > maxName:
		return fmt.Errorf("longer than %d bytes", maxName)
	}
	return nil
}

// appendHeader appends the header blocks of e: one plain block where its fields have room, else a PAX record before it.
func appendHeader(dst []byte, e Entry) ([]byte, error) {
	h := tar.Header{
		Typeflag: tar.TypeReg,
		Name:     e.Name,
		Size:     e.Size,
		Mode:     0o644,
		ModTime:  TarTime(e.MTime),
	}
	if e.Link != "" {
		h.Typeflag, h.Linkname = tar.TypeLink, e.Link
	}
	// A tar.Writer for each header, since content does not pass through it.
	b := bytes.NewBuffer(dst)
	if err := tar.NewWriter(b).WriteHeader(&h); err != nil {
		return dst, fmt.Errorf("entry %q: %w", e.Name, err)
	}
	return b.Bytes(), nil
}

// headerSize returns the bytes that the header of e takes, without making it: that takes 16 µs with a PAX record, too
// much for every one of ten million names. It follows archive/tar, against which it is tested.
func headerSize(e Entry) int64 {
	if plain(e.Name, 100) && plain(e.Link, 100) && e.Size <= maxUSTARSize {
		return tarBlock
	}
	if splits(e.Name) && plain(e.Link, 100) && e.Size <= maxUSTARSize {
		return tarBlock
	}
	records := 0
	if !plain(e.Name, 100) {
		records += recordSize("path", len(e.Name))
	}
	if !plain(e.Link, 100) {
		records += recordSize("linkpath", len(e.Link))
	}
	if e.Size > maxUSTARSize {
		records += recordSize("size", digits(e.Size))
	}
	return 2*tarBlock + int64(records) + padding(int64(records))
}

// plain reports whether a name is ASCII and at most limit bytes long.
func plain(name string, limit int) bool {
	if len(name) > limit {
		return false
	}
	for i := range len(name) {
		if name[i] >= 0x80 {
			return false
		}
	}
	return true
}

// splits reports whether a long name fits the prefix and name fields of a plain header.
func splits(name string) bool {
	if len(name) <= 100 || !plain(name, 256) {
		return false
	}
	i := strings.LastIndexByte(name[:min(len(name), 156)], '/')
	return i > 0 && len(name)-i-1 <= 100
}

// recordSize returns the length of the PAX record "LENGTH KEY=VALUE\n", whose LENGTH counts itself.
func recordSize(key string, value int) int {
	n := len(key) + value + 3
	size := n + digits(int64(n))
	return n + digits(int64(size))
}

func digits(n int64) int { return len(strconv.FormatInt(n, 10)) }

// padding returns the zeros that follow content of size bytes.
func padding(size int64) int64 { return -size & (tarBlock - 1) }

// EntrySize returns the exact bytes that a file takes in the tar stream: header, content and padding.
func EntrySize(name string, size int64) int64 {
	return headerSize(Entry{Name: name, Size: size}) + size + padding(size)
}

// LinkSize returns the exact bytes that a hard link takes in the tar stream.
func LinkSize(name, link string) int64 {
	return headerSize(Entry{Name: name, Link: link})
}

// Planner says where chunks end, from names and sizes alone: it is fed with all entries in order, and neither workers
// nor duplicates among them move a boundary. Its zero value stands before the first chunk.
type Planner struct {
	raw     int64
	entries int
}

// Add takes the next file and reports whether a new chunk begins with it, which is so for the first one.
func (p *Planner) Add(name string, size int64) bool { return p.add(EntrySize(name, size)) }

// AddLink takes the next hard link, as Add does a file.
func (p *Planner) AddLink(name, link string) bool { return p.add(LinkSize(name, link)) }

func (p *Planner) add(bytes int64) bool {
	if p.entries > 0 && p.entries < MaxEntries && p.raw+bytes <= MaxRaw {
		p.raw += bytes
		p.entries++
		return false
	}
	p.raw = bytes + tarEnd
	p.entries = 1
	return true
}

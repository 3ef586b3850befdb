package pack

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/openomt/omt/internal/manifest"
)

// journal remembers finished groups, so that a run after a kill, or one that finds nothing changed, need not read their
// files again. It is an append-only file of lines
//
//	<SHA-256 of the rest> <fingerprint> <JSON>
//
// each synced before the group is reported. A torn last line is cut off; a line whose sum does not agree is as if it
// were not there. Memory holds a place for each group.
type journal struct {
	f      *os.File
	end    int64
	places map[groupPrint]place
}

type place struct {
	off int64
	len int
}

// groupPrint names a group by everything that its chunk depends on but the files' bytes: what they are called and where
// they lie, their sizes and times, and how they are packed.
type groupPrint [sha256.Size]byte

// outcome is what became of a group.
type outcome struct {
	Chunk *manifest.Chunk `json:"chunk,omitempty"` // nil when every file was a copy
	Files []fileOutcome   `json:"files"`           // the files that were to be packed, in order
}

type fileOutcome struct {
	SHA256 manifest.Digest `json:"sha256"`
	Offset int64           `json:"offset,omitempty"` // in Chunk; 0 for a copy
	Same   string          `json:"same,omitempty"`
}

const linePrefix = 2*sha256.Size + 1 + 2*sha256.Size + 1

// openJournal opens or creates the journal and reads which groups it holds.
func openJournal(name string) (*journal, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the journal of packed groups: %w", err)
	}
	j := &journal{f: f, places: map[groupPrint]place{}}
	if err := j.scan(); err != nil {
		f.Close()
		return nil, fmt.Errorf("reading the journal of packed groups %q: %w", name, err)
	}
	return j, nil
}

func (j *journal) scan() error {
	r := bufio.NewReaderSize(j.f, 1<<20)
	for {
		head, err := r.Peek(linePrefix)
		if err != nil {
			break // the end, or a torn line shorter than any
		}
		var print groupPrint
		_, bad := hex.Decode(print[:], head[2*sha256.Size+1:linePrefix-1])
		n, err := skipLine(r)
		if err != nil {
			break // a torn line
		}
		if bad == nil {
			j.places[print] = place{off: j.end, len: n}
		}
		j.end += int64(n)
	}
	return j.f.Truncate(j.end)
}

// skipLine reads to the next LF and returns how many bytes that were.
func skipLine(r *bufio.Reader) (int, error) {
	n := 0
	for {
		b, err := r.ReadSlice('\n')
		n += len(b)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return n, err
		}
	}
}

// get returns the outcome of a group, or nil when the journal does not hold it whole.
func (j *journal) get(print groupPrint) (*outcome, error) {
	p, ok := j.places[print]
	if !ok {
		return nil, nil
	}
	line := make([]byte, p.len)
	if _, err := j.f.ReadAt(line, p.off); err != nil {
		return nil, fmt.Errorf("reading the journal of packed groups: %w", err)
	}
	sum := sha256.Sum256(line[2*sha256.Size:])
	if !bytes.Equal(line[:2*sha256.Size], hex.AppendEncode(nil, sum[:])) {
		return nil, nil
	}
	var o outcome
	if err := json.Unmarshal(line[linePrefix:], &o); err != nil {
		return nil, nil //nolint:nilerr // a line that does not decode is as if it were not there
	}
	return &o, nil
}

// put appends a group and syncs.
func (j *journal) put(print groupPrint, o outcome) error {
	b, err := json.Marshal(o)
	if err != nil {
		return fmt.Errorf("encoding a packed group: %w", err)
	}
	rest := append([]byte{' '}, hex.AppendEncode(nil, print[:])...)
	rest = append(append(append(rest, ' '), b...), '\n')
	sum := sha256.Sum256(rest)
	line := append(hex.AppendEncode(nil, sum[:]), rest...)
	if _, err := j.f.WriteAt(line, j.end); err != nil {
		return fmt.Errorf("writing the journal of packed groups: %w", err)
	}
	if err := j.f.Sync(); err != nil {
		return fmt.Errorf("syncing the journal of packed groups: %w", err)
	}
	j.places[print] = place{off: j.end, len: len(line)}
	j.end += int64(len(line))
	return nil
}

// keep rewrites the journal with the groups of this run alone, when most of it is of groups that no longer exist.
func (j *journal) keep(used map[groupPrint]bool) error {
	var size int64
	for p := range used {
		size += int64(j.places[p].len)
	}
	if j.end < 2*size+1<<20 {
		return nil
	}
	name := j.f.Name()
	f, err := os.OpenFile(name+".new", os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("shortening the journal of packed groups: %w", err)
	}
	for p := range used {
		at := j.places[p]
		if _, err := io.Copy(f, io.NewSectionReader(j.f, at.off, int64(at.len))); err != nil {
			f.Close()
			return fmt.Errorf("shortening the journal of packed groups: %w", err)
		}
	}
	if err := errors.Join(f.Sync(), f.Close(), j.f.Close(), os.Rename(name+".new", name)); err != nil {
		return fmt.Errorf("shortening the journal of packed groups: %w", err)
	}
	j.f = nil
	return nil
}

func (j *journal) close() error {
	if j.f == nil {
		return nil
	}
	return j.f.Close()
}

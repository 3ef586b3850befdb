package push

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"strings"
	"time"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/progress"
	"github.com/openomt/omt/internal/tenant"
)

// item is a chunk that the manifest names.
type item struct {
	digest manifest.Digest
	typ    string
	area   manifest.Area
	bytes  int64

	receipt manifest.Receipt // zero until the chunk is at the destination
	meter   progress.Meter   // of its area, once it was offered
}

func (i *item) stored() bool { return !i.receipt.Chunk.IsZero() }

// survey is what is known of the input once it was read.
type survey struct {
	header       manifest.Header
	installation manifest.Installation
	installed    bool // there was an installation record
	chunks       []*item
	byDigest     map[manifest.Digest]*item
	bytes        int64 // of all chunks
	standing     manifest.Standing
	missing      missing

	end    manifest.End
	edited bool
	was    manifest.Digest // of the end record that did not match
	digest manifest.Digest // of the lines
	lines  hash.Hash       // nil when the end record is sure to have it

	receipts bool // those in the manifest are this tenant's
}

// ended reports whether the end record was read.
func (s *survey) ended() bool { return s.end.Tool != "" }

// pushed reports whether omt-push wrote the manifest.
func (s *survey) pushed() bool { return s.writer() == "omt-push" }

// writer is the program that wrote the manifest, once its end was read.
func (s *survey) writer() string {
	by, _, _ := strings.Cut(s.end.Tool, " ")
	return by
}

func (s *survey) phase() tenant.Phase { return tenant.Phase(s.header.Phase) }

// read takes the lines that next gives up to io.EOF. found, which may be nil, hears of every chunk once.
func (s *survey) read(next func() (manifest.Line, error), acceptEdits bool, found func(*item) error) error {
	s.byDigest = map[manifest.Digest]*item{}
	if acceptEdits {
		s.lines = sha256.New()
	}
	for {
		l, err := next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = s.take(l, found)
		}
		if err != nil {
			return err
		}
	}
}

// finish takes what the reader knows once it has come to the end.
func (s *survey) finish(r *manifest.Reader) {
	s.end = r.End()
	s.was, s.edited = r.Edited()
	s.digest = s.end.SHA256
	if s.edited {
		s.digest = manifest.Digest(s.lines.Sum(nil))
	}
}

func (s *survey) take(l manifest.Line, found func(*item) error) error {
	if s.lines != nil {
		s.lines.Write(l.Raw)
		s.lines.Write([]byte{'\n'})
	}
	switch l.Kind {
	case manifest.KindManifest:
		return l.Decode(&s.header)
	case manifest.KindInstallation:
		s.installed = true
		return l.Decode(&s.installation)
	case manifest.KindChunk:
		return s.takeChunk(l, found)
	case manifest.KindFile:
		return s.missing.take(l)
	case manifest.KindReceipt:
		return s.takeReceipt(l)
	case manifest.KindCheck:
		return keep(l, &s.standing.Checks)
	case manifest.KindFinding:
		return keep(l, &s.standing.Findings)
	case manifest.KindWaiver:
		return keep(l, &s.standing.Waivers)
	}
	return nil
}

// takeReceipt spares a chunk of an earlier revision the journal. What a receipt says is confirmed before the commit.
func (s *survey) takeReceipt(l manifest.Line) error {
	if !s.receipts {
		return nil
	}
	var rec manifest.Receipt
	if err := l.Decode(&rec); err != nil {
		return err
	}
	if it := s.byDigest[rec.Chunk]; it != nil && it.bytes == rec.Bytes {
		it.receipt = rec
	}
	return nil
}

func keep[T any](l manifest.Line, list *[]T) error {
	var rec T
	if err := l.Decode(&rec); err != nil {
		return err
	}
	*list = append(*list, rec)
	return nil
}

func (s *survey) takeChunk(l manifest.Line, found func(*item) error) error {
	var c manifest.Chunk
	if err := l.Decode(&c); err != nil {
		return err
	}
	if err := tenant.CheckChunk(c); err != nil {
		return manifest.Errorf(manifest.BadInput, "line %d: %w", l.Number, err)
	}
	if it := s.byDigest[c.SHA256]; it != nil {
		if it.typ != c.Type || it.bytes != c.Bytes {
			return manifest.Errorf(manifest.BadInput, "line %d: chunk %s has %d bytes (%s), an earlier line says %d (%s)",
				l.Number, c.SHA256, c.Bytes, c.Type, it.bytes, it.typ)
		}
		return nil
	}
	it := &item{digest: c.SHA256, typ: c.Type, area: c.Area, bytes: c.Bytes}
	s.chunks = append(s.chunks, it)
	s.byDigest[c.SHA256] = it
	s.bytes += c.Bytes
	if found != nil {
		return found(it)
	}
	return nil
}

// refuse says why the input must not be pushed, as far as its own content tells; what blocks is told one line a rule. What
// blocks a migration does not keep a part of it from going ahead.
func (s *survey) refuse(now time.Time, tell func(format string, args ...any)) error {
	if s.writer() != "omt-pack" {
		return manifest.Errorf(manifest.Refused, "the manifest was written by %q: omt-push takes what omt-pack wrote", s.end.Tool).
			WithHint("run omt-pack on it first")
	}
	if s.phase() == tenant.Preseed {
		return nil
	}
	blocks := s.standing.Blocks(now)
	for _, line := range manifest.Lines(blocks) {
		tell("%s", line)
	}
	return manifest.Refuse(blocks)
}

// missing counts what should have moved and did not.
type missing struct {
	total  int64
	states map[manifest.State]int64
	other  bool // not all of it are documents
	first  []manifest.File
}

const shownMissing = 10

var (
	keyChunk     = []byte(`"chunk":"`)
	statePresent = []byte(`"state":"present"`)
	stateStored  = []byte(`"state":"stored"`)
)

// take looks at a file record. Nearly all of them are packed and are told by two searches: inside a string the quotes
// of what is searched for would be escaped.
func (m *missing) take(l manifest.Line) error {
	if bytes.Contains(l.Raw, keyChunk) && (bytes.Contains(l.Raw, statePresent) || bytes.Contains(l.Raw, stateStored)) {
		return nil
	}
	f, err := l.File()
	if err != nil {
		return err
	}
	if !isMissing(f) {
		return nil
	}
	if m.states == nil {
		m.states = map[manifest.State]int64{}
	}
	m.total++
	m.states[f.State]++
	m.other = m.other || f.Area != manifest.Document
	if len(m.first) < shownMissing {
		m.first = append(m.first, f)
	}
	return nil
}

// isMissing tells a row without its file, or a file that was to move and has no chunk, from what is meant to stay.
func isMissing(f manifest.File) bool {
	switch f.State {
	case manifest.NoRow, manifest.Shadowed, manifest.Left:
		return false
	}
	return f.Chunk.IsZero()
}

package freeze

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/openomt/omt/internal/durable"
	"github.com/openomt/omt/internal/manifest"
)

// JournalName is the journal's name in the spool.
const JournalName = "freeze.jsonl"

// The steps that the journal tells of.
const (
	stepBegin  = "begin"
	stepIntend = "intend"
	stepMade   = "made"
	stepFrozen = "frozen"
	stepUndone = "undone"
	stepThawed = "thawed"
)

// entry is a line of the journal.
type entry struct {
	Step     string           `json:"step"`
	At       manifest.Time    `json:"at"`
	Manifest string           `json:"manifest,omitempty"`
	Database string           `json:"database,omitempty"`
	Prefix   string           `json:"prefix,omitempty"`
	What     string           `json:"what,omitempty"`
	Record   *manifest.Freeze `json:"record,omitempty"`
}

// journal is the open journal with what counts of it: all behind the last line that says thawed.
type journal struct {
	f     *os.File
	end   int64
	now   func() time.Time
	state state
}

// state is what the lines of a journal say together.
type state struct {
	begun    bool
	frozen   bool // all was frozen
	manifest string
	database string
	prefix   string
	records  []manifest.Freeze // the last that was intended of each kind, in their order
}

func (s *state) take(e entry) {
	switch e.Step {
	case stepBegin:
		s.begun, s.manifest, s.database, s.prefix = true, e.Manifest, e.Database, e.Prefix
	case stepIntend:
		for i, r := range s.records {
			if r.What == e.Record.What {
				s.records[i] = *e.Record
				return
			}
		}
		s.records = append(s.records, *e.Record)
	case stepFrozen:
		s.frozen = true
	case stepThawed:
		*s = state{}
	}
}

// record is what was intended last of a kind.
func (s *state) record(what string) (manifest.Freeze, bool) {
	for _, r := range s.records {
		if r.What == what {
			return r, true
		}
	}
	return manifest.Freeze{}, false
}

// openJournal opens the journal of a spool. Without create a journal that is not there is nil.
func openJournal(spool string, create bool, now func() time.Time) (*journal, error) {
	name := filepath.Join(spool, JournalName)
	mode := os.O_RDWR
	if create {
		mode |= os.O_CREATE
	}
	f, err := os.OpenFile(name, mode, 0o600)
	if errors.Is(err, fs.ErrNotExist) && !create {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("opening the journal of the freeze: %w", err)
	}
	j := &journal{f: f, now: now}
	if err = j.read(name); err == nil && create {
		err = durable.SyncDir(spool)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return j, nil
}

// read takes all whole lines. What is behind the last one that can be read was being written when the process ended.
func (j *journal) read(name string) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("reading the journal of the freeze: %w", err)
	}
	for n := 1; len(data) > 0; n++ {
		line, rest, whole := bytes.Cut(data, []byte("\n"))
		var e entry
		err := json.Unmarshal(line, &e)
		if err == nil && e.Step == stepIntend && e.Record == nil {
			err = errors.New("it has no record")
		}
		if !whole || err != nil {
			if whole && len(bytes.Trim(rest, "\x00")) > 0 {
				return manifest.Errorf(manifest.Failed, "the journal of the freeze %q is damaged in line %d: %v", name, n, err).
					WithHint("thaw with the manifest: omt-pack thaw --in FILE")
			}
			return nil
		}
		j.end += int64(len(line)) + 1
		j.state.take(e)
		data = rest
	}
	return nil
}

// write appends a line and syncs it, in place of what a torn line left.
func (j *journal) write(e entry) error {
	e.At = manifest.At(j.now())
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("writing the journal of the freeze: %w", err)
	}
	line = append(line, '\n')
	err = j.f.Truncate(j.end)
	if err == nil {
		_, err = j.f.WriteAt(line, j.end)
	}
	if err == nil {
		err = j.f.Sync()
	}
	if err != nil {
		return fmt.Errorf("writing the journal of the freeze: %w", err)
	}
	j.end += int64(len(line))
	j.state.take(e)
	return nil
}

func (j *journal) close() {
	if j != nil {
		j.f.Close()
	}
}

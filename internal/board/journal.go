package board

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/openomt/omt/internal/durable"
)

// entry is a line of the journal: an edit, or the word that one was undone or made again.
type entry struct {
	At time.Time `json:"at"`
	Do string    `json:"do"` // "edit", "undo", "redo"
	*Edit
}

// journal keeps the steps of a session in a file, so that a crash loses at most the one that was being written. One
// process holds it at a time; a second one works without.
type journal struct {
	path    string
	f       *os.File
	entries []entry // of an earlier session
}

// errHeld says that another process has the journal.
var errHeld = errors.New("another board works on the same input")

// openJournal opens the journal of the input named id below dir, and reads what an earlier session left.
func openJournal(dir, id string) (*journal, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	safe := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return '_'
	}, id)
	j := &journal{path: filepath.Join(dir, "board-"+safe+".jsonl")}
	var err error
	if j.f, err = os.OpenFile(j.path, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return nil, err
	}
	free, err := durable.TryLock(j.f, false)
	if err == nil && !free {
		err = errHeld
	}
	if err == nil {
		err = j.read()
	}
	if err != nil {
		j.f.Close()
		return nil, err
	}
	return j, nil
}

// read takes whole lines; what follows the last of them was cut by a crash and goes.
func (j *journal) read() error {
	r := bufio.NewReader(j.f)
	var good int64
	for {
		line, err := r.ReadBytes('\n')
		if err != nil {
			break // the end, or a line without its end
		}
		var e entry
		if json.Unmarshal(bytes.TrimSpace(line), &e) != nil {
			break
		}
		j.entries = append(j.entries, e)
		good += int64(len(line))
	}
	if err := j.f.Truncate(good); err != nil {
		return err
	}
	_, err := j.f.Seek(good, 0)
	return err
}

// add writes a step.
func (j *journal) add(e entry) error {
	b, err := json.Marshal(e)
	if err != nil {
		return err
	}
	if _, err := j.f.Write(append(b, '\n')); err != nil {
		return fmt.Errorf("keeping the work in %q: %w", j.path, err)
	}
	return j.f.Sync()
}

// clear forgets all steps.
func (j *journal) clear() error {
	if err := j.f.Truncate(0); err != nil {
		return err
	}
	_, err := j.f.Seek(0, 0)
	return err
}

// close ends the journal; forget says that nothing is left to be offered again.
func (j *journal) close(forget bool) error {
	info, err := j.f.Stat()
	j.f.Close()
	if forget || err == nil && info.Size() == 0 {
		if rerr := os.Remove(j.path); rerr != nil && !errors.Is(rerr, fs.ErrNotExist) {
			return rerr
		}
		return nil
	}
	return err
}

// replay makes the steps of an earlier session again. What no longer can be (a user or plan that is gone) is left out and
// counted.
func (s *session) replay(entries []entry) (left int) {
	for _, e := range entries {
		switch e.Do {
		case "undo":
			s.done = max(0, s.done-1)
		case "redo":
			s.done = min(len(s.edits), s.done+1)
		case "edit":
			if e.Edit == nil {
				continue
			}
			edit := *e.Edit
			edit.Changes = nil
			for _, c := range e.Changes {
				if s.check(Edit{Changes: []Change{c}}) != nil {
					left++
					continue
				}
				edit.Changes = append(edit.Changes, c)
			}
			if s.check(edit) == nil {
				s.edits = append(slices.Clip(s.edits[:s.done]), edit)
				s.done++
			}
		}
	}
	s.revision++
	s.fold()
	return left
}

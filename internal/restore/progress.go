package restore

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/openomt/omt/internal/durable"
	"github.com/openomt/omt/internal/manifest"
)

// staleAfter is how long what a broken-off proof has read counts for the one that goes on with it.
const staleAfter = 7 * 24 * time.Hour

// proofHead is the first line of the progress of a proof.
type proofHead struct {
	Destination string          `json:"destination"`
	Revision    string          `json:"revision"`
	End         manifest.Digest `json:"end"` // of the manifest
	Depth       Depth           `json:"depth"`
	Begun       manifest.Time   `json:"begun"`
}

// proofLine says that a piece of a proof was read and found good, or with an empty key that a run has begun.
type proofLine struct {
	Key   string `json:"key,omitempty"`
	Files int64  `json:"files,omitempty"`
	Rows  int64  `json:"rows,omitempty"`
	Bytes int64  `json:"bytes,omitempty"` // of a piece of a chunk
	Run   int    `json:"run,omitempty"`
}

// proofLog is the progress of a proof in a file: what was found good is not read again when the proof is broken off. It is
// safe for concurrent use. A nil one keeps nothing.
type proofLog struct {
	mu    sync.Mutex
	f     *os.File
	head  proofHead
	runs  int
	good  map[string]proofLine
	wrong error // of writing; the proof goes on without
}

// errProofHeld says that another process is proving the same.
var errProofHeld = errors.New("another run proves the same")

// proofLogName is the file of a proof below the folder for such.
func proofLogName(dir string, h proofHead) string {
	key := keyOf(fmt.Sprintf("%s\n%s\n%s\n%s", h.Destination, h.Revision, h.End, h.Depth))
	return filepath.Join(dir, "verify-"+key.String()[:24]+".jsonl")
}

// openProofLog begins the progress of a proof, or goes on with it.
func openProofLog(dir string, h proofHead) (*proofLog, error) {
	f, err := os.OpenFile(proofLogName(dir, h), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	l := &proofLog{f: f, head: h, good: map[string]proofLine{}}
	free, err := durable.TryLock(f, false)
	if err == nil && !free {
		err = errProofHeld
	}
	if err == nil {
		err = l.begin()
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return l, nil
}

// begin reads what is there, and cuts off a line that a kill left torn.
func (l *proofLog) begin() error {
	now := l.head
	size, err := l.read()
	if err != nil {
		return err
	}
	if size == 0 {
		l.head, l.runs, l.good = now, 0, map[string]proofLine{}
	}
	if err := l.f.Truncate(size); err != nil {
		return err
	}
	if _, err := l.f.Seek(size, 0); err != nil {
		return err
	}
	if size == 0 {
		if err := l.write(l.head); err != nil {
			return err
		}
	}
	l.runs++
	return l.write(proofLine{Run: l.runs})
}

// read takes the lines that are whole and returns how many bytes they have; 0 where nothing of it counts.
func (l *proofLog) read() (size int64, err error) {
	r := bufio.NewReader(l.f)
	for n := 0; ; n++ {
		line, err := r.ReadBytes('\n')
		if err != nil {
			return size, nil // the end, or a line without its end
		}
		if n == 0 {
			now := l.head
			var h proofHead
			if json.Unmarshal(line, &h) != nil {
				return 0, nil
			}
			age := now.Begun.Sub(h.Begun.Time)
			if h.Destination != now.Destination || h.Revision != now.Revision || h.End != now.End || h.Depth != now.Depth || age < 0 || age > staleAfter {
				return 0, nil
			}
			l.head = h
		} else if !l.take(line) {
			return size, nil
		}
		size += int64(len(line))
	}
}

func (l *proofLog) take(line []byte) bool {
	var p proofLine
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if d.Decode(&p) != nil {
		return false
	}
	if p.Key == "" {
		l.runs = max(l.runs, p.Run)
	} else {
		l.good[p.Key] = p
	}
	return true
}

func (l *proofLog) write(v any) error {
	b, err := json.Marshal(v)
	if err == nil {
		_, err = l.f.Write(append(b, '\n'))
	}
	return err
}

// done tells whether something was found good before, and what was counted then.
func (l *proofLog) done(key string) (proofLine, bool) {
	if l == nil {
		return proofLine{}, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	p, ok := l.good[key]
	return p, ok
}

// note keeps that something was found good. It is not synced: what a power failure takes is read again.
func (l *proofLog) note(p proofLine) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.wrong == nil {
		l.wrong = l.write(p)
	}
}

// close ends the progress; over says that the proof has come to its end, so that nothing is to be gone on with.
func (l *proofLog) close(over bool) error {
	if l == nil {
		return nil
	}
	name := l.f.Name()
	err := errors.Join(l.wrong, l.f.Close())
	if !over {
		return err
	}
	if rerr := os.Remove(name); rerr != nil && !errors.Is(rerr, fs.ErrNotExist) {
		err = errors.Join(err, rerr)
	}
	return err
}

package push

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Rate is how fast a push was.
type Rate struct {
	To    string // the destination's URL
	At    time.Time
	Bytes int64 // that were sent
	Time  time.Duration
}

const (
	rateGap    = 10 * time.Minute // between two receipts: the line was down, or the clock was set
	rateTime   = 5 * time.Second  // what lasts shorter, or has fewer chunks, measures nothing
	rateChunks = 5
)

// Measured tells how fast the last push from a spool to a destination was, or, where to is empty, the last one to any, as its
// receipts journal says, which is only read. It is false where there is none, or none that lasted long enough. Chunks that were
// there already do not count, nor does the first one: nothing says when it was begun.
func Measured(spool, to string) (Rate, bool, error) {
	f, err := os.Open(filepath.Join(spool, "receipts.jsonl"))
	if errors.Is(err, fs.ErrNotExist) {
		return Rate{}, false, nil
	}
	if err != nil {
		return Rate{}, false, fmt.Errorf("opening the receipts journal: %w", err)
	}
	defer f.Close()
	rate, err := measure(f, to)
	if err != nil {
		return Rate{}, false, fmt.Errorf("reading the receipts journal: %w", err)
	}
	return rate, rate.Bytes > 0, nil
}

func measure(r io.Reader, to string) (last Rate, err error) {
	in, pushes := bufio.NewReaderSize(r, maxEntry), map[string]*stretch{}
	for {
		line, whole, _, err := readLine(in)
		if err != nil || !whole {
			return last, err
		}
		e, ok := parseEntry(line)
		if !ok || !e.Sent || to != "" && e.To != to {
			continue
		}
		s := pushes[e.To]
		if s == nil || !s.goesOn(e) {
			s = &stretch{push: e.Push.Time, first: e.At.Time, last: e.At.Time}
			pushes[e.To] = s
			continue
		}
		if s.add(e); s.measures() {
			last = Rate{To: e.To, At: s.last, Bytes: s.bytes, Time: s.last.Sub(s.first)}
		}
	}
}

// stretch is receipts of one push that came one soon after another.
type stretch struct {
	push, first, last time.Time
	bytes             int64
	chunks            int
}

// goesOn reports whether a receipt belongs to the stretch. A clock that was set back ends it too.
func (s *stretch) goesOn(e entry) bool {
	return e.Push.Equal(s.push) && e.At.Sub(s.last).Abs() <= rateGap
}

func (s *stretch) add(e entry) {
	s.bytes += e.Bytes
	s.chunks++
	if e.At.After(s.last) {
		s.last = e.At.Time
	}
}

func (s *stretch) measures() bool { return s.chunks >= rateChunks && s.last.Sub(s.first) >= rateTime }

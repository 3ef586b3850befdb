package cli

import (
	"io"
	"sync"

	"github.com/vbauerster/mpb/v8"
)

// screen is standard error. While bars are shown it gives what is written to their container, which prints it above
// them, so that lines and bars never mix.
type screen struct {
	terminal bool

	mu   sync.Mutex
	raw  io.Writer
	bars *mpb.Progress
}

func newScreen(w io.Writer, terminal bool) *screen { return &screen{raw: w, terminal: terminal} }

// Write prints whole lines.
func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bars != nil {
		if n, err := s.bars.Write(p); err == nil {
			return n, nil
		}
	}
	return s.raw.Write(p)
}

// open returns the container of the bars, made when the first bar is needed.
func (s *screen) open(options ...mpb.ContainerOption) *mpb.Progress {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bars == nil {
		s.bars = mpb.New(append([]mpb.ContainerOption{mpb.WithOutput(s.raw)}, options...)...)
	}
	return s.bars
}

// close draws everything a last time and gives standard error back. All bars must have ended.
func (s *screen) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bars == nil {
		return
	}
	// The container forgets lines that are written after its last drawing; a bar that vanishes makes it draw once more.
	if last, err := s.bars.Add(0, nil, mpb.BarRemoveOnComplete()); err == nil {
		last.Abort(true)
	}
	s.bars.Wait()
	s.bars = nil
}

package cli

import (
	"cmp"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"

	"github.com/openomt/omt/internal/progress"
)

// mode says how meters are shown.
type mode int

const (
	silent mode = iota // in the log alone
	plain              // a line every half minute
	bars               // drawn on a terminal
)

// plainEvery is how often plain progress prints its lines.
const plainEvery = 30 * time.Second

// meterMode decides from the flags, the terminal and whether the output goes into a pipe.
func meterMode(j *Job) mode {
	switch {
	case j.Quiet, j.Common.Progress == "none":
		return silent
	case j.Common.Progress == "plain":
		return plain
	case !j.env.screen.terminal:
		return silent
	case standard(j.Out) && isPipe(j.env.Stdout):
		return plain // another stage of ours shares the terminal, and bars of two programs erase each other
	}
	return bars
}

// meters is the progress.Reporter of a job.
type meters struct {
	env     *Env
	mode    mode
	log     *slog.Logger
	options []mpb.ContainerOption // for tests, which have no terminal

	mu      sync.Mutex
	live    []*meter // in the order of their lines
	opened  int
	held    *forecast // what sending is held to; nil: nothing
	ticking bool
	stopped bool
	quit    chan struct{}
	tick    sync.WaitGroup
}

func newMeters(env *Env, m mode, log *slog.Logger) *meters {
	return &meters{env: env, mode: m, log: log, quit: make(chan struct{})}
}

// Meter opens a line.
func (m *meters) Meter(name string, total int64, unit progress.Unit) progress.Meter {
	t := &meter{owner: m, name: name, unit: unit, began: m.env.Now()}
	t.rate.at = t.began
	t.total.Store(total)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.opened++
	t.place = 1000*rank(name) + m.opened
	if m.mode == plain && !m.ticking && !m.stopped {
		m.ticking = true
		m.tick.Go(m.clock)
	}
	m.live = append(m.live, t)
	slices.SortFunc(m.live, func(a, b *meter) int { return cmp.Compare(a.place, b.place) })
	if m.mode == bars && !m.stopped {
		t.draw(m.env.screen.open(m.options...))
	}
	return t
}

// clock prints the lines of plain progress until stop.
func (m *meters) clock() {
	ticker := time.NewTicker(plainEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			m.print()
		case <-m.quit:
			return
		}
	}
}

// print prints a line for each meter that has not ended.
func (m *meters) print() {
	m.mu.Lock()
	live := slices.Clone(m.live)
	m.mu.Unlock()
	for _, t := range live {
		m.env.tell("%s: %s", title(t.name), t.text(m.env.Now(), 0))
	}
}

// forget takes a meter that has ended off the list.
func (m *meters) forget(t *meter) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.live = slices.DeleteFunc(m.live, func(l *meter) bool { return l == t })
}

// hold tells that bytes are sent no faster than at says of a time.
func (m *meters) hold(at func(time.Time) int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.held = &forecast{at: at, limit: at(m.env.Now())}
}

// stop ends what is still running and gives standard error back.
func (m *meters) stop() {
	m.mu.Lock()
	live := m.live
	m.live = nil
	if !m.stopped {
		m.stopped = true
		close(m.quit)
	}
	m.mu.Unlock()
	for _, t := range live {
		if t.bar != nil {
			t.bar.Abort(false)
		}
	}
	m.tick.Wait()
	m.env.screen.close()
}

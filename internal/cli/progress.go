package cli

import (
	"fmt"
	"io"
	"log/slog"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

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
	live    []*meter
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
	if m.mode == plain && !m.ticking && !m.stopped {
		m.ticking = true
		m.tick.Go(m.clock)
	}
	m.live = append(m.live, t)
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
		m.env.tell("%s: %s", t.name, t.text(m.env.Now()))
	}
}

// forget takes a meter that has ended off the list.
func (m *meters) forget(t *meter) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.live = slices.DeleteFunc(m.live, func(l *meter) bool { return l == t })
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

// meter is one line. Add is called for every file, so it costs an atomic addition and nothing else.
type meter struct {
	owner *meters
	name  string
	unit  progress.Unit
	began time.Time
	bar   *mpb.Bar

	total, count, skipped atomic.Int64
	ended                 atomic.Bool

	mu   sync.Mutex
	rate rate
}

// Add counts work done.
func (t *meter) Add(n int64) { t.count.Add(n) }

// Skip counts what needed no work.
func (t *meter) Skip(n int64) { t.skipped.Add(n) }

// SetTotal corrects the total.
func (t *meter) SetTotal(n int64) { t.total.Store(n) }

// Done ends the line, once.
func (t *meter) Done() {
	if t.ended.Swap(true) {
		return
	}
	t.owner.forget(t)
	now := t.owner.env.Now()
	t.owner.log.Info("progress", "of", t.name, "done", t.count.Load(), "skipped", t.skipped.Load(), "took", now.Sub(t.began))
	if t.bar != nil {
		t.bar.SetTotal(-1, true)
	}
	if t.owner.mode == plain {
		t.owner.env.tell("%s: %s", t.name, t.final(now))
	}
}

// draw puts the line on the screen. The bar is filled from our counters when it is drawn, not when they change.
func (t *meter) draw(p *mpb.Progress) {
	style := mpb.BarStyle().Build()
	fill := mpb.BarFillerFunc(func(w io.Writer, s decor.Statistics) error {
		s.Total, s.Current = t.total.Load(), t.count.Load()+t.skipped.Load()
		if s.Total <= 0 || s.AvailableWidth < 8 {
			return nil // nothing to compare with, or no room
		}
		s.Current = min(s.Current, s.Total)
		s.RequestedWidth = 30
		return style.Fill(w, s)
	})
	text := func(s decor.Statistics) string {
		if t.ended.Load() {
			return t.final(t.owner.env.Now())
		}
		return t.text(t.owner.env.Now())
	}
	bar, err := p.Add(0, fill, mpb.PrependDecorators(decor.Name(t.name, decor.WCSyncWidthR)), mpb.AppendDecorators(decor.Any(text)))
	if err == nil {
		t.bar = bar
	}
}

// text says how far the meter is: "1,200 of 5,000 items, 35 items/s, 2m left, 12 skipped".
func (t *meter) text(now time.Time) string {
	count, skipped, total := t.count.Load(), t.skipped.Load(), t.total.Load()
	parts := []string{t.amount(count + skipped)}
	if total > 0 {
		parts[0] = t.show(count+skipped) + " of " + t.amount(total)
	}
	t.mu.Lock()
	perSecond := t.rate.sample(now, count)
	t.mu.Unlock()
	if perSecond > 0 {
		parts = append(parts, t.amount(int64(math.Round(perSecond)))+"/s")
		if left := total - count - skipped; left > 0 {
			parts = append(parts, FormatDuration(time.Duration(float64(left)/perSecond*float64(time.Second)).Round(time.Second))+" left")
		}
	}
	return strings.Join(append(parts, t.skips(skipped)...), ", ")
}

// final says what there was: "5,000 items in 3m2s, 12 skipped".
func (t *meter) final(now time.Time) string {
	skipped := t.skipped.Load()
	s := fmt.Sprintf("%s in %s", t.amount(t.count.Load()+skipped), FormatDuration(now.Sub(t.began)))
	return strings.Join(append([]string{s}, t.skips(skipped)...), ", ")
}

func (t *meter) skips(n int64) []string {
	if n == 0 {
		return nil
	}
	return []string{t.show(n) + " skipped"}
}

// show is a number without its unit's name; a size has its unit in it.
func (t *meter) show(n int64) string {
	if t.unit == progress.Bytes {
		return FormatSize(n)
	}
	return FormatCount(n)
}

func (t *meter) amount(n int64) string {
	if t.unit == progress.Bytes {
		return FormatSize(n)
	}
	return FormatCount(n) + " items"
}

// rate is a moving average of units per second that forgets with a time constant of ten seconds. It begins at at.
type rate struct {
	at    time.Time
	count int64
	value float64
	known bool
}

// sample adds what was counted until now, and returns the average. Samples closer than a second are put together.
func (r *rate) sample(now time.Time, count int64) float64 {
	passed := now.Sub(r.at).Seconds()
	if passed < 1 {
		return r.value
	}
	fresh := float64(count-r.count) / passed
	if r.known {
		fresh = r.value + (fresh-r.value)*(1-math.Exp(-passed/10))
	}
	r.at, r.count, r.value, r.known = now, count, fresh, true
	return fresh
}

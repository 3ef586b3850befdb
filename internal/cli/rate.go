package cli

import (
	"math"
	"time"

	"github.com/openomt/omt/internal/progress"
)

// rate is a moving average of units per second that forgets with a time constant of ten seconds. It begins at at.
type rate struct {
	at    time.Time
	count int64
	value float64
	known bool
}

// sample adds what was counted until now, and returns the average. Samples closer than a second are put together. What must
// be done again makes it slower, and never less than nothing. Before anything moves, there is no average.
func (r *rate) sample(now time.Time, count int64) float64 {
	passed := now.Sub(r.at).Seconds()
	if passed < 1 {
		return r.value
	}
	fresh := max(0, float64(count-r.count)/passed)
	if !r.known && fresh == 0 {
		r.at = now // whoever waits for his turn is not slow
		return 0
	}
	if r.known {
		fresh = r.value + (fresh-r.value)*(1-math.Exp(-passed/10))
	}
	r.at, r.count, r.value, r.known = now, count, fresh, true
	return fresh
}

// forecast knows what sending is held to now and later, and what the line gives where it is not held.
type forecast struct {
	at    func(time.Time) int64 // bytes in a second, 0 for no limit
	limit int64                 // at the last look
	line  float64               // what the line was seen to give; 0: not known
}

// see takes note of what all meters together move in a second. It returns by how much faster they are to be expected at once
// since the limit has changed, 1 where it has not.
func (f *forecast) see(now time.Time, perSecond float64) float64 {
	limit := f.at(now)
	if limit != f.limit {
		was := f.expected(f.limit, perSecond)
		f.limit = limit
		if was > 0 {
			return f.expected(limit, perSecond) / was
		}
		return 1
	}
	switch {
	case limit == 0 || perSecond < 0.9*float64(limit):
		f.line = perSecond
	case f.line < float64(limit):
		f.line = 0 // it gives more than was seen
	}
	return 1
}

// expected is what would move in a second with a limit, of which all together move perSecond now.
func (f *forecast) expected(limit int64, perSecond float64) float64 {
	switch {
	case limit == 0 && f.line > 0:
		return f.line
	case limit == 0:
		return max(perSecond, float64(f.limit)) // no slower than what is let through now
	case f.line > 0:
		return min(f.line, float64(limit))
	}
	return float64(limit)
}

// longest is how far the forecast looks; what takes longer is not said.
const longest = 30 * 24 * time.Hour

// left is how long bytes take of which perSecond move now, of all together. It looks at each minute to come.
func (f *forecast) left(now time.Time, bytes int64, perSecond, all float64) time.Duration {
	today := f.expected(f.limit, all)
	if today <= 0 || perSecond <= 0 {
		return 0
	}
	rest, at := float64(bytes), now
	for at.Sub(now) < longest {
		speed := perSecond * f.expected(f.at(at), all) / today
		next := at.Truncate(time.Minute).Add(time.Minute)
		if moved := speed * next.Sub(at).Seconds(); moved < rest {
			rest -= moved
			at = next
			continue
		}
		return at.Sub(now) + time.Duration(rest/speed*float64(time.Second))
	}
	return 0
}

// pace takes a change of the limit into account. It reports whether there is one that may hold.
func (m *meters) pace(now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.held == nil {
		return false
	}
	if faster := m.held.see(now, m.together()); faster != 1 {
		for _, t := range m.live {
			t.mu.Lock()
			t.rate.at, t.rate.count, t.rate.value = now, max(0, t.count.Load()), t.rate.value*faster
			t.mu.Unlock()
		}
	}
	return true
}

// together is what all meters of bytes move in a second.
func (m *meters) together() (sum float64) {
	for _, t := range m.live {
		if t.unit == progress.Bytes {
			t.mu.Lock()
			sum += t.rate.value
			t.mu.Unlock()
		}
	}
	return sum
}

// left is how long the rest of a meter takes; 0 where that cannot be told.
func (m *meters) left(now time.Time, rest int64, perSecond float64, held bool) time.Duration {
	if rest <= 0 || perSecond <= 0 {
		return 0
	}
	if held {
		m.mu.Lock()
		defer m.mu.Unlock()
		return m.held.left(now, rest, perSecond, m.together())
	}
	seconds := float64(rest) / perSecond
	if seconds > longest.Seconds() {
		return 0
	}
	return time.Duration(seconds * float64(time.Second)).Round(time.Second)
}

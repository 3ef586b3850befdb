package cli

import (
	"testing"
	"time"

	"github.com/openomt/omt/internal/progress"
)

const megabyte = 1_000_000

// byDay limits to 1 MB/s from 8 to 17 o'clock, and else to night.
func byDay(night int64) func(time.Time) int64 {
	return func(at time.Time) int64 {
		if at.Hour() >= 8 && at.Hour() < 17 {
			return megabyte
		}
		return night
	}
}

// The time that is left follows the timetable: before a change, at it, and where the line is slower than what is allowed.
func TestLeftFollowsTheTimetable(t *testing.T) {
	day := func(hour, minute int) time.Time { return time.Date(2026, 11, 26, hour, minute, 0, 0, time.UTC) }
	for name, c := range map[string]struct {
		from       time.Time
		night      int64
		before     int64 // moves in a second until from, for a minute
		after      int64 // moves in a second from then on, for a second
		left       int64 // of the one meter then
		total      string
		wantBefore string
	}{
		// A second after five, ten times as much is let through: the time left is a tenth, and not what it was.
		"faster": {day(17, 0), 10 * megabyte, megabyte, 10 * megabyte, 5000 * megabyte, "16m40s", "16m40s"},
		"slower": {day(8, 0), 10 * megabyte, 10 * megabyte, megabyte, 5000 * megabyte, "2h47m", "2h47m"},
		// What the line gives is not known: no more than now is expected of it.
		"no limit": {day(17, 0), 0, megabyte, megabyte, 5000 * megabyte, "2h47m", "2h47m"},
	} {
		t.Run(name, func(t *testing.T) {
			m, k, _ := newTestMeters(plain)
			k.add(c.from.Add(-time.Minute).Sub(k.Now()))
			m.env.Now = func() time.Time { return k.Now().UTC() }
			m.hold(byDay(c.night))
			a, b := m.Meter("document", 0, progress.Bytes).(*meter), m.Meter("database", 0, progress.Bytes).(*meter)
			a.rate.at, b.rate.at = k.Now(), k.Now()
			move(k, a, b, c.before, 59)
			a.SetTotal(a.count.Load() + c.left)
			if got := leftOf(a, k); !near(t, got, c.wantBefore) {
				t.Errorf("before the change: %v left, want %s", got, c.wantBefore)
			}
			move(k, a, b, c.before, 1)
			for range 60 {
				a.SetTotal(a.count.Load() + c.left)
				if got := leftOf(a, k); !near(t, got, c.total) {
					t.Errorf("after the change: %v left, want %s", got, c.total)
					break
				}
				move(k, a, b, c.after, 1)
			}
			m.stop()
		})
	}
}

// move lets two meters move together at a rate, and looks at them each second.
func move(c *clock, a, b *meter, perSecond int64, seconds int) {
	for range seconds {
		c.add(time.Second)
		a.Add(perSecond / 2)
		b.Add(perSecond / 2)
		a.text(c.Now().UTC(), 0)
		b.text(c.Now().UTC(), 0)
	}
}

func leftOf(t *meter, c *clock) time.Duration {
	now := c.Now().UTC()
	t.owner.pace(now)
	return t.owner.left(now, t.total.Load()-t.count.Load(), t.rate.value, true)
}

// near allows a tenth.
func near(t *testing.T, got time.Duration, want string) bool {
	t.Helper()
	w, err := time.ParseDuration(want)
	if err != nil {
		t.Fatal(err)
	}
	return got > w*9/10 && got < w*11/10
}

// Over several days, each hour counts as it will be.
func TestLeftOverDays(t *testing.T) {
	at := time.Date(2026, 11, 26, 16, 0, 0, 0, time.UTC)
	f := &forecast{at: byDay(10 * megabyte), limit: megabyte}
	// An hour at 1 MB/s, fifteen at 10, nine at 1, and then one more at 10.
	bytes := int64(3600 * (1 + 15*10 + 9*1 + 10) * megabyte)
	if got := f.left(at, bytes, megabyte, megabyte); got != 26*time.Hour {
		t.Errorf("%v left, want 26h", got)
	}
	// The line gives no more than 2 MB/s.
	f.line = 2 * megabyte
	if got := f.left(at, 3600*(1+15*2+9*1)*megabyte, megabyte, megabyte); got != 25*time.Hour {
		t.Errorf("%v left, want 25h", got)
	}
	// One of two that share the rate.
	if got := f.left(at, 1800*megabyte, megabyte/2, megabyte); got != time.Hour {
		t.Errorf("%v left, want 1h", got)
	}
	if got := f.left(at, 1<<60, 1, megabyte); got != 0 {
		t.Errorf("%v left of what never ends", got)
	}
}

// What the line gives is learnt where the limit does not hold, and forgotten where more than that goes through.
func TestForecastLearns(t *testing.T) {
	at := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	f := &forecast{at: byDay(0), limit: megabyte}
	f.see(at, 0.95*megabyte)
	if f.line != 0 {
		t.Errorf("held by the limit, the line is taken to give %v", f.line)
	}
	f.see(at, 0.5*megabyte)
	if f.line != 0.5*megabyte {
		t.Errorf("the line gives %v, want half a megabyte", f.line)
	}
	if faster := f.see(at.Add(6*time.Hour), 0.5*megabyte); faster != 1 || f.limit != 0 {
		t.Errorf("%v times faster although the line holds", faster)
	}
	f.see(at.Add(6*time.Hour), 4*megabyte)
	if faster := f.see(at.Add(24*time.Hour), 4*megabyte); faster != 0.25 {
		t.Errorf("%v times faster, want a quarter", faster)
	}
}

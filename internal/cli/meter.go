package cli

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/progress"
)

// lines are those of the vendor's upload page, in its order: the name of a meter and what people read. Between a tool's
// other lines they stand as they were opened.
var lines = [...]struct{ name, title string }{
	{"checking input", "checking input"},
	{progress.Starting, "Starting"},
	{string(manifest.Database), "Database"},
	{string(manifest.Template), "Templates"},
	{string(manifest.Document), "Documents"},
	{string(manifest.Service), "Customer Service"},
	{string(manifest.Attachment), "Attachments"},
	{"", ""}, // all others
	{progress.Finishing, "Finishing"},
}

// rank is the place of a meter's line among others.
func rank(name string) int {
	others := 0
	for i, l := range lines {
		switch l.name {
		case name:
			return i
		case "":
			others = i
		}
	}
	return others
}

// title is what people read for a meter's name.
func title(name string) string {
	for _, l := range lines {
		if l.name == name && name != "" {
			return l.title
		}
	}
	return name
}

// meter is one line. Add is called for every file, so it costs an atomic addition and nothing else.
type meter struct {
	owner *meters
	name  string
	place int
	unit  progress.Unit
	began time.Time
	bar   *mpb.Bar

	total, count, skipped atomic.Int64
	first                 atomic.Int64 // when something moved first, in nanoseconds; 0: not yet
	ended                 atomic.Bool

	mu   sync.Mutex
	rate rate
	last string // the final text
}

// Add counts work done; less than nothing where it must be done again.
func (t *meter) Add(n int64) {
	if t.count.Add(n) == n {
		t.first.CompareAndSwap(0, t.owner.env.Now().UnixNano())
	}
}

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
	last := t.final(now)
	if t.bar != nil {
		t.bar.SetTotal(-1, true)
	}
	if t.owner.mode == plain {
		t.owner.env.tell("%s: %s", title(t.name), last)
	}
}

// draw puts the line on the screen. The bar is filled from our counters when it is drawn, not when they change.
func (t *meter) draw(p *mpb.Progress) {
	style := mpb.BarStyle().Build()
	fill := mpb.BarFillerFunc(func(w io.Writer, s decor.Statistics) error {
		s.Total, s.Current = t.total.Load(), t.count.Load()+t.skipped.Load()
		if s.Total <= 0 || s.AvailableWidth < 8 || t.ended.Load() {
			return nil // nothing to compare with, no room, or over
		}
		s.Current = max(0, min(s.Current, s.Total))
		s.RequestedWidth = 30
		return style.Fill(w, s)
	})
	text := func(s decor.Statistics) string {
		now := t.owner.env.Now()
		if t.ended.Load() {
			return t.final(now)
		}
		return t.text(now, s.AvailableWidth-1)
	}
	bar, err := p.Add(0, fill, mpb.BarPriority(t.place), mpb.PrependDecorators(decor.Name(title(t.name)+" ", decor.WCSyncWidthR)),
		mpb.AppendDecorators(decor.Any(text)))
	if err == nil {
		t.bar = bar
	}
}

// text says how far the meter is: "1,200 and 12 skipped of 5,000 items, 35 items/s, 2m left". Where there are columns and it
// has more characters than that, what is least wanted is left out.
func (t *meter) text(now time.Time, columns int) string {
	count, skipped, total := max(0, t.count.Load()), t.skipped.Load(), t.total.Load()
	held := t.unit == progress.Bytes && t.owner.pace(now)
	t.mu.Lock()
	perSecond := t.rate.sample(now, count)
	t.mu.Unlock()
	parts := []string{t.sum(t.show, count, skipped) + " of " + t.amount(total)}
	if total <= 0 {
		parts[0] = t.sum(t.amount, count, skipped)
	}
	if perSecond > 0 {
		parts = append(parts, t.amount(int64(math.Round(perSecond)))+"/s")
		if left := t.owner.left(now, total-count-skipped, perSecond, held); left > 0 {
			parts = append(parts, formatLeft(left)+" left")
		}
	}
	for len(parts) > 1 && columns > 0 && len(strings.Join(parts, ", ")) > columns {
		parts = slices.Delete(parts, 1, 2) // the rate, then the time
	}
	return strings.Join(parts, ", ")
}

// final says what there was: "5,000 items and 12 skipped in 3m2s, 27 items/s". It is the same however often it is asked.
func (t *meter) final(now time.Time) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.last != "" {
		return t.last
	}
	count, skipped, took := t.count.Load(), t.skipped.Load(), now.Sub(t.began)
	if first := t.first.Load(); first != 0 {
		took = now.Sub(time.Unix(0, first)) // it may have waited for others
	}
	t.last = fmt.Sprintf("%s in %s", t.sum(t.amount, count, skipped), FormatDuration(took))
	if count > 0 && took >= time.Second {
		t.last += ", " + t.amount(int64(math.Round(float64(count)/took.Seconds()))) + "/s"
	}
	return t.last
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
		return t.show(n)
	}
	return t.show(n) + " items"
}

// sum is what was done and what was skipped: "5,000", "5,000 and 12 skipped", "12 skipped".
func (t *meter) sum(show func(int64) string, count, skipped int64) string {
	switch {
	case skipped == 0:
		return show(count)
	case count == 0:
		return show(skipped) + " skipped"
	}
	return show(count) + " and " + t.show(skipped) + " skipped"
}

// formatLeft shows how long something takes, no more exactly than it is known.
func formatLeft(d time.Duration) string {
	switch {
	case d < time.Minute:
		return d.Round(time.Second).String()
	case d < time.Hour:
		d = d.Round(5 * time.Second)
		if whole, ok := strings.CutSuffix(d.String(), "m0s"); ok {
			return whole + "m"
		}
		return d.String()
	}
	d = d.Round(time.Minute)
	days, rest := d/(24*time.Hour), d%(24*time.Hour)
	s := fmt.Sprintf("%dh%dm", rest/time.Hour, rest%time.Hour/time.Minute)
	if days > 0 {
		s = fmt.Sprintf("%dd%s", days, s)
	}
	return s
}

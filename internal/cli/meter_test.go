package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/openomt/omt/internal/progress"
)

// The lines stand in the order of the vendor's page under its titles, whatever order they are opened in.
func TestLinesOfTheUploadPage(t *testing.T) {
	m, c, out := newTestMeters(plain)
	names := []string{"reading back", progress.Finishing, "attachment", "service", "document", "template", "database", progress.Starting, "rows"}
	for _, name := range names {
		m.Meter(name, 10, progress.Items).Add(1)
	}
	c.add(30 * time.Second)
	m.print()
	m.stop()
	var got []string
	for line := range strings.Lines(out.String()) {
		got = append(got, strings.Split(line, ": ")[1])
	}
	want := "Starting Database Templates Documents Customer Service Attachments reading back rows Finishing"
	if strings.Join(got, " ") != want {
		t.Errorf("lines are %q, want %q", got, want)
	}
}

// What was there from before counts neither for the rate nor for the time that is left.
func TestResumedLine(t *testing.T) {
	m, c, _ := newTestMeters(plain)
	d := m.Meter("document", 1_000_000_000, progress.Bytes).(*meter)
	d.Skip(800_000_000)
	if got, want := d.text(c.Now(), 0), "800 MB skipped of 1.0 GB"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for range 10 {
		c.add(time.Second)
		d.Add(1_000_000)
		d.text(c.Now(), 0)
	}
	if got, want := d.text(c.Now(), 0), "10 MB and 800 MB skipped of 1.0 GB, 1.0 MB/s, 3m10s left"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	// Something that was sent has to be sent again: no rate is less than nothing, and no count either.
	d.Add(-12_000_000)
	c.add(10 * time.Second)
	got := d.text(c.Now(), 0)
	if !strings.HasPrefix(got, "800 MB skipped of 1.0 GB, ") || strings.Contains(got, "-") {
		t.Errorf("got %q", got)
	}
	d.Add(202_000_000)
	c.add(10 * time.Second)
	if got := d.text(c.Now(), 0); !strings.HasPrefix(got, "200 MB and 800 MB skipped of 1.0 GB, ") || strings.Contains(got, "left") {
		t.Errorf("got %q", got)
	}
	d.Done()
	if got, want := d.final(c.Now()), "200 MB and 800 MB skipped in 29s, 6.9 MB/s"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	c.add(time.Hour)
	if got, want := d.final(c.Now()), "200 MB and 800 MB skipped in 29s, 6.9 MB/s"; got != want {
		t.Errorf("an hour later: %q, want %q", got, want)
	}
	m.stop()
}

// Of a stream nobody knows the total before its end.
func TestUnknownTotal(t *testing.T) {
	m, c, _ := newTestMeters(plain)
	d := m.Meter("document", 0, progress.Bytes).(*meter)
	d.Add(50_000_000)
	c.add(10 * time.Second)
	if got, want := d.text(c.Now(), 0), "50 MB, 5.0 MB/s"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	d.SetTotal(100_000_000)
	if got, want := d.text(c.Now(), 0), "50 MB of 100 MB, 5.0 MB/s, 10s left"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	m.stop()
}

// On a narrow terminal the rate goes first, then the time; how far it is stays.
func TestNarrow(t *testing.T) {
	m, c, _ := newTestMeters(plain)
	d := m.Meter("document", 5_000_000, progress.Items).(*meter)
	d.Skip(1_000_000)
	d.Add(300_000)
	c.add(10 * time.Second)
	for columns, want := range map[int]string{
		0:  "300,000 and 1,000,000 skipped of 5,000,000 items, 30,000 items/s, 2m5s left",
		75: "300,000 and 1,000,000 skipped of 5,000,000 items, 30,000 items/s, 2m5s left",
		74: "300,000 and 1,000,000 skipped of 5,000,000 items, 2m5s left",
		50: "300,000 and 1,000,000 skipped of 5,000,000 items",
		10: "300,000 and 1,000,000 skipped of 5,000,000 items",
	} {
		if got := d.text(c.Now(), columns); got != want {
			t.Errorf("%d columns: %q, want %q", columns, got, want)
		}
	}
	m.stop()
}

func TestFormatLeft(t *testing.T) {
	for d, want := range map[time.Duration]string{
		300 * time.Millisecond: "0s", 42 * time.Second: "42s", 59900 * time.Millisecond: "1m0s", 2 * time.Minute: "2m", 123 * time.Second: "2m5s",
		20 * time.Minute: "20m", 90 * time.Minute: "1h30m", 25 * time.Hour: "1d1h0m", 3599 * time.Second: "1h0m",
	} {
		if got := formatLeft(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

package cli

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
)

// The words for what a flag takes, in messages.
const (
	wantSize    = "a size such as 500MB, 10GB or 2TiB"
	wantRate    = "a rate such as 10MB/s"
	wantAge     = "an age such as 30d, 12h or 2w"
	wantTime    = "a length of time such as 90s, 5m or 2h"
	wantPercent = "a percentage such as 5%"
)

// ParseSize reads a number of bytes: 10GB is 10¹⁰, 10GiB is 10 × 2³⁰, 4096 is itself. It is never negative.
func ParseSize(s string) (int64, error) {
	n, err := humanize.ParseBytes(strings.TrimSpace(s))
	if err != nil || n > math.MaxInt64 || strings.HasPrefix(strings.TrimSpace(s), "-") {
		return 0, errors.New("want " + wantSize)
	}
	return int64(n), nil
}

// ParseRate reads bytes per second: 10MB/s, or 10MB.
func ParseRate(s string) (int64, error) {
	n, err := ParseSize(strings.TrimSuffix(strings.TrimSpace(s), "/s"))
	if err != nil {
		return 0, errors.New("want " + wantRate)
	}
	return n, nil
}

// ParseAge reads a length of time: 30d and 2w besides what [time.ParseDuration] takes. It is never negative.
func ParseAge(s string) (time.Duration, error) {
	s = strings.TrimSpace(s)
	for suffix, day := range map[string]time.Duration{"d": 24 * time.Hour, "w": 7 * 24 * time.Hour} {
		number, found := strings.CutSuffix(s, suffix)
		if !found {
			continue
		}
		n, err := strconv.ParseInt(number, 10, 32)
		if err != nil || n < 0 || n > int64(math.MaxInt64/day) {
			return 0, errors.New("want " + wantAge)
		}
		return time.Duration(n) * day, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, errors.New("want " + wantAge)
	}
	return d, nil
}

// ParsePercent reads 5% as 0.05; it must lie above 0 and not above 100.
func ParsePercent(s string) (float64, error) {
	number, found := strings.CutSuffix(strings.TrimSpace(s), "%")
	f, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || !found || !(f > 0 && f <= 100) {
		return 0, errors.New("want " + wantPercent)
	}
	return f / 100, nil
}

// FormatSize shows bytes for people: "1.2 GB", powers of ten.
func FormatSize(n int64) string { return humanize.Bytes(uint64(max(n, 0))) }

// FormatCount shows a count with thousands set apart: "1,234,567".
func FormatCount(n int64) string { return humanize.Comma(n) }

// FormatDuration shows a length of time to the second, or to the millisecond below ten seconds.
func FormatDuration(d time.Duration) string {
	if d < 10*time.Second {
		return d.Round(time.Millisecond).String()
	}
	d = d.Round(time.Second)
	if d < 24*time.Hour {
		return d.String()
	}
	return fmt.Sprintf("%dd%s", d/(24*time.Hour), (d % (24 * time.Hour)).String())
}

package cli

import (
	"testing"
	"time"
)

func TestParseSize(t *testing.T) {
	for in, want := range map[string]int64{
		"0": 0, "4096": 4096, "10GB": 10_000_000_000, "10 gb": 10_000_000_000, "10GiB": 10 << 30, "1.5MB": 1_500_000, " 2TiB ": 2 << 40, "500k": 500_000,
		"-1": -1, "": -1, "GB": -1, "10 parsecs": -1, "9EB": 9e18, "10EB": -1, "1e400": -1,
	} {
		got, err := ParseSize(in)
		if want < 0 {
			if err == nil || err.Error() != "want a size such as 500MB, 10GB or 2TiB" {
				t.Errorf("%q: %d, %v", in, got, err)
			}
			continue
		}
		if err != nil || got != want {
			t.Errorf("%q: %d, %v, want %d", in, got, err, want)
		}
	}
}

func TestParseRate(t *testing.T) {
	for in, want := range map[string]int64{"10MB/s": 10_000_000, "10MB": 10_000_000, "1KiB /s": 1024, "/s": -1, "10MB/h": -1} {
		got, err := ParseRate(in)
		if want < 0 != (err != nil) || err == nil && got != want {
			t.Errorf("%q: %d, %v", in, got, err)
		}
	}
}

func TestParseAge(t *testing.T) {
	const day = 24 * time.Hour
	for in, want := range map[string]time.Duration{
		"30d": 30 * day, "2w": 14 * day, "12h": 12 * time.Hour, "1h30m": 90 * time.Minute, "0": 0, "0d": 0,
		"-1d": -1, "-1h": -1, "d": -1, "1.5d": -1, "": -1, "30": -1, "106752d": -1, "99999999999w": -1,
	} {
		got, err := ParseAge(in)
		if want < 0 != (err != nil) || err == nil && got != want {
			t.Errorf("%q: %s, %v", in, got, err)
		}
	}
}

func TestParsePercent(t *testing.T) {
	for in, want := range map[string]float64{"5%": 0.05, "100%": 1, " 0.5 % ": 0.005, "0%": -1, "101%": -1, "5": -1, "NaN%": -1, "-1%": -1, "%": -1} {
		got, err := ParsePercent(in)
		if want < 0 != (err != nil) || err == nil && got != want {
			t.Errorf("%q: %v, %v", in, got, err)
		}
	}
}

func TestFormat(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{FormatSize(0), "0 B"}, {FormatSize(1_234_567), "1.2 MB"}, {FormatSize(-5), "0 B"},
		{FormatCount(1234567), "1,234,567"},
		{FormatDuration(1234567 * time.Microsecond), "1.235s"}, {FormatDuration(62*time.Second + 400*time.Millisecond), "1m2s"},
		{FormatDuration(49*time.Hour + time.Minute), "2d1h1m0s"},
	} {
		if tt.got != tt.want {
			t.Errorf("%q, want %q", tt.got, tt.want)
		}
	}
}

func FuzzUnits(f *testing.F) {
	f.Add("10GB")
	f.Add("30d")
	f.Add("5%")
	f.Fuzz(func(t *testing.T, s string) {
		if n, err := ParseSize(s); err == nil && n < 0 {
			t.Errorf("size %q is %d", s, n)
		}
		if d, err := ParseAge(s); err == nil && d < 0 {
			t.Errorf("age %q is %d", s, d)
		}
		if p, err := ParsePercent(s); err == nil && !(p > 0 && p <= 1) {
			t.Errorf("percentage %q is %v", s, p)
		}
	})
}

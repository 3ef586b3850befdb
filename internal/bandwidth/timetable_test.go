package bandwidth

import (
	"strings"
	"testing"
	"time"
)

const mbit = 1_000_000 / 8

func parse(t testing.TB, text string) Timetable {
	t.Helper()
	table, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func at(hour, minute int) time.Time { return time.Date(2026, 11, 26, hour, minute, 59, 0, time.UTC) }

func TestParse(t *testing.T) {
	for _, c := range []struct {
		text string
		want map[string]int64 // by HH:MM
	}{
		{"20Mbit", map[string]int64{"00:00": 20 * mbit, "23:59": 20 * mbit}},
		{"20mbit/s", map[string]int64{"12:00": 20 * mbit}},
		{" 2.5 MB/s ", map[string]int64{"12:00": 2_500_000}},
		{"8kbit", map[string]int64{"12:00": 1000}},
		{"1GiB", map[string]int64{"12:00": 1 << 30}},
		{"unlimited", map[string]int64{"12:00": 0}},
		{"08:00-17:00=20Mbit,100Mbit", map[string]int64{"07:59": 100 * mbit, "08:00": 20 * mbit, "16:59": 20 * mbit, "17:00": 100 * mbit}},
		{"8:00-17:00=20Mbit", map[string]int64{"07:59": 0, "08:00": 20 * mbit, "17:00": 0}},
		{"22:00-06:00=100Mbit, 12:00 - 13:00 = 50Mbit, 20Mbit", map[string]int64{
			"21:59": 20 * mbit, "22:00": 100 * mbit, "00:00": 100 * mbit, "05:59": 100 * mbit, "06:00": 20 * mbit, "12:30": 50 * mbit, "13:00": 20 * mbit,
		}},
		{"00:00-24:00=1MB/s", map[string]int64{"00:00": 1_000_000, "23:59": 1_000_000}},
		{"17:30-24:00=1MB/s,00:00-06:00=2MB/s,unlimited", map[string]int64{"17:29": 0, "17:30": 1_000_000, "23:59": 1_000_000, "00:00": 2_000_000, "06:00": 0}},
	} {
		table, err := Parse(c.text)
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		for clock, want := range c.want {
			when, err := time.Parse("15:04", clock)
			if err != nil {
				t.Fatal(err)
			}
			if got := table.At(when); got != want {
				t.Errorf("%q at %s: %d, want %d", c.text, clock, got, want)
			}
		}
		if limits := c.text != "unlimited"; table.Limits() != limits {
			t.Errorf("%q: limits is %v", c.text, !limits)
		}
	}
}

// Whoever has typed it wrong is told which entry, where, and what would be right, in one line.
func TestParseErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                             `entry 1, at character 1: "" is no rate: want a number with its unit`,
		"20":                           `entry 1, at character 1: "20" has no unit: want a number with its unit, bits as in 20Mbit or bytes as in 2.5MB/s, or unlimited`,
		"20Mb":                         `entry 1, at character 1: "Mb" is no unit`,
		"20mB/s":                       `entry 1, at character 1: "mB/s" is no unit`,
		"20 Mbit/m":                    `"Mbit/m" is no unit`,
		"fast":                         `entry 1, at character 1: "fast" is no rate`,
		"-3Mbit":                       `"-3Mbit" is no rate`,
		"1e3Mbit":                      `"1e3Mbit" is no rate`,
		"1.2.3Mbit":                    `"1.2.3Mbit" is no rate`,
		"0Mbit":                        `"0Mbit" is not from 8kbit to 8000Gbit; for no limit write unlimited`,
		"100bit":                       "is not from 8kbit",
		"9999999GB":                    "is not from 8kbit",
		"08:00-17:00=20Mbit,5x":        `entry 2, at character 20: "x" is no unit`,
		"08:00-17:00=20Mbit,  5x":      `entry 2, at character 22: "x" is no unit`,
		"08:00-17:00=fast,5Mbit":       `entry 1, at character 13: "fast" is no rate`,
		"08:00-17:00=20Mbit,":          `entry 2, at character 20: "" is no rate`,
		"08:00=20Mbit":                 `entry 1, at character 1: "08:00" is no range of the day: want HH:MM-HH:MM`,
		"08-17=20Mbit":                 `"08-17" is no range of the day`,
		"08:00-25:00=20Mbit":           `"08:00-25:00" is no range of the day`,
		"08:00-24:01=20Mbit":           "is no range of the day",
		"24:00-08:00=20Mbit":           "is no range of the day",
		"08:60-17:00=20Mbit":           "is no range of the day",
		"08:0-17:00=20Mbit":            "is no range of the day",
		"é:00-17:00=20Mbit,1MB":        "entry 1, at character 1: ",
		"08:00-08:00=20Mbit":           `the range "08:00-08:00" ends when it begins: leave it out for the whole day`,
		"20Mbit,08:00-17:00=1Mbit":     `entry 1, at character 1: "20Mbit" is for all other times, and stands last`,
		"20Mbit,30Mbit":                "stands last",
		"8:00-9:00=1MB,8:30-10:00=1MB": `entry 2, at character 15: the range "8:30-10:00" overlaps that of entry 1`,
		"22:00-6:00=1MB,1:00-2:00=2MB": `entry 2, at character 16: the range "1:00-2:00" overlaps that of entry 1`,
		"1:00-2:00=2MB,22:00-6:00=1MB": `overlaps that of entry 1`,
	} {
		table, err := Parse(text)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: error is %v, want %q", text, err, want)
		}
		if table.Limits() {
			t.Errorf("%q limits although it is refused", text)
		}
	}
}

// The hour that comes twice in autumn has its rate twice, the one that is left out in spring is passed over.
func TestClocksThatAreChanged(t *testing.T) {
	oslo, err := time.LoadLocation("Europe/Oslo")
	if err != nil {
		t.Skip("this machine has no table of time zones")
	}
	table := parse(t, "02:15-02:45=1MB/s,03:30-04:00=2MB/s,3MB/s")
	rates := func(from time.Time, hours int) (seen []int64) {
		for m := range hours * 4 {
			seen = append(seen, table.At(from.Add(time.Duration(m)*15*time.Minute).In(oslo))/1_000_000)
		}
		return seen
	}
	for name, c := range map[string]struct {
		from time.Time
		want []int64
	}{
		"autumn, 2:00 twice": {time.Date(2026, 10, 25, 0, 0, 0, 0, time.UTC), []int64{3, 1, 1, 3, 3, 1, 1, 3, 3, 3, 2, 2}},
		"spring, no 2:00":    {time.Date(2026, 3, 29, 0, 0, 0, 0, time.UTC), []int64{3, 3, 3, 3, 3, 3, 2, 2, 3, 3, 3, 3}},
	} {
		got := rates(c.from, 3)
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%s: %v, want %v", name, got, c.want)
				break
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"20Mbit", "08:00-17:00=20Mbit,100Mbit", "22:00-06:00=1MB/s", ",", "=", "-=", "24:00-0:00=1B"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		table, err := Parse(s)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "entry ") {
				t.Errorf("%q: error without its place: %v", s, err)
			}
			return
		}
		for m := range day {
			if got := table.At(at(m/60, m%60)); got != 0 && got < least {
				t.Errorf("%q: %d at minute %d", s, got, m)
			}
		}
	})
}

package push

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/openomt/omt/internal/manifest"
)

// How fast the last push was, by what stands in the journal.
func TestMeasured(t *testing.T) {
	start := time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)
	const mb = 1_000_000
	// of are n receipts of a megabyte, one every second, the first one at that time.
	of := func(to string, at time.Duration, n int, sent bool) (list []entry) {
		for i := range n {
			list = append(list, entry{Chunk: manifest.Digest{1}, Bytes: mb, Sent: sent, At: manifest.At(start.Add(at + time.Duration(i)*time.Second)), To: to})
		}
		return list
	}
	// by makes them those of a push that began then.
	by := func(push time.Duration, list []entry) []entry {
		for i := range list {
			list[i].Push = manifest.At(start.Add(push))
		}
		return list
	}
	join := func(lists ...[]entry) (all []entry) {
		for _, l := range lists {
			all = append(all, l...)
		}
		return all
	}
	cases := map[string]struct {
		entries []entry
		damage  bool // of the last line
		to      string
		bytes   int64
		time    time.Duration
		whose   string
	}{
		"nothing":                       {},
		"one push":                      {entries: of("a", 0, 11, true), to: "a", bytes: 10 * mb, time: 10 * time.Second, whose: "a"},
		"to another destination":        {entries: of("a", 0, 11, true), to: "b"},
		"to any":                        {entries: join(of("a", 0, 11, true), of("b", 0, 21, true)), bytes: 20 * mb, time: 20 * time.Second, whose: "b"},
		"of two, mixed":                 {entries: join(of("a", 0, 4, true), of("b", 0, 21, true), of("a", 4*time.Second, 4, true)), to: "a", bytes: 7 * mb, time: 7 * time.Second, whose: "a"},
		"the last of two pushes":        {entries: join(of("a", 0, 11, true), of("a", time.Hour, 6, true)), to: "a", bytes: 5 * mb, time: 5 * time.Second, whose: "a"},
		"a last one too short":          {entries: join(of("a", 0, 11, true), of("a", time.Hour, 3, true)), to: "a", bytes: 10 * mb, time: 10 * time.Second, whose: "a"},
		"two pushes soon after another": {entries: join(by(0, of("a", 0, 11, true)), by(time.Minute, of("a", time.Minute, 6, true))), to: "a", bytes: 5 * mb, time: 5 * time.Second, whose: "a"},
		"too short":                     {entries: of("a", 0, 5, true), to: "a"},
		"there already":                 {entries: of("a", 0, 100, false), to: "a"},
		"the clock was set back":        {entries: join(of("a", 0, 3, true), of("a", -24*time.Hour, 11, true)), to: "a", bytes: 10 * mb, time: 10 * time.Second, whose: "a"},
		"a damaged line is nobody":      {entries: of("a", 0, 12, true), damage: true, to: "a", bytes: 10 * mb, time: 10 * time.Second, whose: "a"},
	}
	for name, c := range cases {
		spool := t.TempDir()
		var lines []byte
		for i, e := range c.entries {
			line, err := e.append(nil)
			if err != nil {
				t.Fatal(err)
			}
			if c.damage && i == len(c.entries)-1 {
				line[10] ^= 1
			}
			lines = append(lines, line...)
		}
		if c.entries != nil {
			if err := os.WriteFile(filepath.Join(spool, "receipts.jsonl"), append(lines, "{\"torn"...), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		got, ok, err := Measured(spool, c.to)
		if err != nil || ok != (c.bytes > 0) || got.Bytes != c.bytes || got.Time != c.time || got.To != c.whose {
			t.Errorf("%s: %+v, %v, %v", name, got, ok, err)
		}
	}
	if _, _, err := Measured("rate.go", "a"); err == nil {
		t.Error("a spool that is no folder has a rate")
	}
}

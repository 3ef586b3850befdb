package pack

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/openomt/omt/internal/manifest"
)

// The instant comes from the manifest, never from the clock: at whatever time a run is repeated, on whatever machine, and
// whatever stage decided it.
func TestTheInstantIsFrozen(t *testing.T) {
	made := time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)
	const day = 24 * time.Hour
	cases := map[string]struct {
		before time.Time // in the input
		age    time.Duration
		want   time.Time
		phase  string
		told   string
	}{
		"of any age":           {phase: "full"},
		"pack decides":         {age: 30 * day, want: made.Add(-30 * day), phase: "preseed"},
		"scan decided":         {before: made.Add(-30 * day), want: made.Add(-30 * day), phase: "preseed"},
		"both, and they agree": {before: made.Add(-30 * day), age: 30 * day, want: made.Add(-30 * day), phase: "preseed"},
		"both, and they do not": {before: made.Add(-30 * day), age: 10 * day, want: made.Add(-30 * day), phase: "preseed",
			told: "files that were changed after 2026-10-23T04:00:00Z are left"},
	}
	for name, c := range cases {
		for _, clock := range []time.Time{made.Add(-day), made, made.Add(400 * day)} {
			var told strings.Builder
			in := &intake{header: manifest.Header{Created: manifest.At(made), Before: manifest.At(c.before), Phase: "full"}}
			r := &run{in: in, o: Options{OlderThan: c.age, Now: func() time.Time { return clock },
				Remark: func(format string, args ...any) { fmt.Fprintf(&told, format, args...) }}}
			h := r.header()
			if !r.cutoff().Equal(c.want) || !h.Before.Equal(c.want) || h.Phase != c.phase {
				t.Errorf("%s, clock %s: cut-off %s, phase %q, before %s", name, clock, r.cutoff(), h.Phase, h.Before)
			}
			// What the run writes is the input of a later one, which is given no age.
			again := &run{in: &intake{header: h}}
			if !again.cutoff().Equal(c.want) || again.header() != h {
				t.Errorf("%s: a later run goes by %s and writes %+v", name, again.cutoff(), again.header())
			}
			if r.sayAge(); !strings.HasPrefix(told.String(), c.told) || c.told == "" && told.Len() > 0 {
				t.Errorf("%s: told %q", name, told.String())
			}
		}
	}
}

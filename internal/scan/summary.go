package scan

import (
	"fmt"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/openomt/omt/internal/manifest"
)

// summary is what is told at the end.
type summary struct {
	users, admins, tables int
	rows, addresses       int64
	files                 map[manifest.Area]*tally
}

// tally counts the files of one area.
type tally struct {
	bytes  int64 // of those that are there
	states map[manifest.State]int64
}

func (s *summary) count(f manifest.File) {
	t := s.files[f.Area]
	if t == nil {
		t = &tally{states: map[manifest.State]int64{}}
		s.files[f.Area] = t
	}
	t.states[f.State]++
	t.bytes += f.Size
}

// stateOrder is the order in which states are told.
var stateOrder = [...]manifest.State{
	manifest.Present, manifest.Missing, manifest.BlankName, manifest.Elsewhere, manifest.NoAppointment, manifest.NoAssociate,
	manifest.NoRow, manifest.Shadowed, manifest.Unreadable, manifest.Left,
}

func (s *summary) say(say func(format string, args ...any), areas []manifest.Area) {
	say("users: %d, of them %d administrators; addresses of other persons: %s", s.users, s.admins, humanize.Comma(s.addresses))
	for _, a := range areas {
		if a == manifest.Database {
			say("%s: %d tables, %s rows", a, s.tables, humanize.Comma(s.rows))
			continue
		}
		t := s.files[a]
		if t == nil {
			say("%s: nothing", a)
			continue
		}
		var parts []string
		for _, state := range stateOrder {
			if n := t.states[state]; n > 0 {
				parts = append(parts, fmt.Sprintf("%s %s", humanize.Comma(n), state))
			}
		}
		say("%s: %s; %s", a, strings.Join(parts, ", "), humanize.Bytes(uint64(max(t.bytes, 0))))
	}
}

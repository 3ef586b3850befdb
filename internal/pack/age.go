package pack

import (
	"time"

	"github.com/openomt/omt/internal/manifest"
)

// cutoff is the instant after which a file must not have been changed to go ahead; zero: its age does not matter. It is the
// input's, where that has one, and else the age before the input was made: not before now, since a rerun would then take
// other files, and make other chunks of them.
func (r *run) cutoff() time.Time {
	if at := r.in.header.Before; !at.IsZero() {
		return at.Time
	}
	if r.o.OlderThan == 0 {
		return time.Time{}
	}
	return r.in.header.Created.Add(-r.o.OlderThan)
}

// sayAge tells who asked for another age than the input goes by.
func (r *run) sayAge() {
	h := r.in.header
	if r.o.OlderThan == 0 || h.Before.IsZero() || h.Before.Equal(h.Created.Add(-r.o.OlderThan)) {
		return
	}
	r.o.Remark("files that were changed after %s are left, as the manifest says, and --older-than of this run does not count: scan again for another age", text(h.Before))
}

// text is an instant for people.
func text(t manifest.Time) string { return t.UTC().Format(time.RFC3339) }

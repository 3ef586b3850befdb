package push

import (
	"fmt"
	"slices"
	"strings"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/tenant"
)

// remarks tells what is missing at the tenant, and gives the run's result: nil, or an error of status Remarks.
func (r *run) remarks(c tenant.Commit) error {
	m := r.in.missing
	if m.total == 0 {
		return nil
	}
	for _, f := range m.first {
		r.o.Notice("missing: %s", describe(f))
	}
	if more := m.total - int64(len(m.first)); more > 0 {
		r.o.Notice("missing: and %d more, which the manifest lists", more)
	}
	noun, verb := "documents", "are"
	if m.other {
		noun = "files"
	}
	if m.total == 1 {
		noun, verb = strings.TrimSuffix(noun, "s"), "is"
	}
	what, still := fmt.Sprintf("committed as revision %d", c.Revision), ""
	if r.gained != nil {
		if still = " still"; !r.gained.Made {
			what = fmt.Sprintf("nothing new was found, and revision %d stands", c.Revision)
		}
	}
	return manifest.Errorf(manifest.Remarks, "%s; %d %s %s%s missing (%s)", what, m.total, noun, verb, still, m.byState()).
		WithHint("put what is found into the archive and give omt-push the manifest that it wrote: it looks again, and what it finds becomes the next revision")
}

// tellGained says what a run that looked again, or took files, has found, one line an area.
func (r *run) tellGained(c tenant.Commit) {
	verb := "found"
	if r.how == tenant.RecoverMissing {
		verb = "taken from the input"
	}
	told := false
	for _, area := range manifest.Areas[1:] {
		g, ok := r.gained.Areas[area]
		if !ok || g == (Gained{}) {
			continue
		}
		var parts []string
		say := func(n int64, one, many string) {
			switch {
			case n == 1:
				parts = append(parts, "1 "+one)
			case n > 1:
				parts = append(parts, fmt.Sprintf("%d %s", n, many))
			}
		}
		say(g.Found, "that was missing is "+verb, "that were missing are "+verb)
		say(g.Changed, "has changed", "have changed")
		say(g.Touched, "has another time and the same content, or cannot be read, and stays as it is stored",
			"have another time and the same content, or cannot be read, and stay as they are stored")
		say(g.Gone, "is stored and no longer on disk", "are stored and no longer on disk")
		say(g.Unknown, "of the input is not in the tenant's migration and is left out", "of the input are not in the tenant's migration and are left out")
		told = told || g.Found+g.Changed > 0
		r.o.Notice("%s: %s", area, strings.Join(parts, ", "))
	}
	if !told && r.in.missing.total == 0 {
		r.o.Notice("nothing is missing, and nothing has changed: revision %d stands", c.Revision)
	}
}

// renew takes records as they are now in the place of those that the manifest has.
func (m *missing) renew(now []manifest.File) {
	for i, was := range m.first {
		for _, f := range now {
			if f.Area == was.Area && f.ID == was.ID && f.Path == was.Path {
				m.first[i] = f
			}
		}
	}
}

func (m missing) byState() string {
	states := make([]manifest.State, 0, len(m.states))
	for s := range m.states {
		states = append(states, s)
	}
	slices.Sort(states)
	parts := make([]string, len(states))
	for i, s := range states {
		parts[i] = fmt.Sprintf("%d %s", m.states[s], s)
	}
	return strings.Join(parts, ", ")
}

// describe names a file that is missing.
func describe(f manifest.File) string {
	var b strings.Builder
	b.WriteString(string(f.Area))
	if f.ID != 0 {
		fmt.Fprintf(&b, " %d", f.ID)
	}
	if f.Path != "" {
		fmt.Fprintf(&b, " %q", f.Path)
	}
	if f.Title != "" {
		fmt.Fprintf(&b, ", title %q", f.Title)
	}
	fmt.Fprintf(&b, ": %s", f.State)
	if f.Reason != "" {
		fmt.Fprintf(&b, " (%s)", f.Reason)
	}
	for i, c := range f.Candidates {
		if i == 0 {
			b.WriteString("; perhaps ")
		} else {
			b.WriteString(" or ")
		}
		fmt.Fprintf(&b, "%q", c)
	}
	return b.String()
}

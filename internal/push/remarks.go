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
	return manifest.Errorf(manifest.Remarks, "committed as revision %d; %d %s %s missing (%s)", c.Revision, m.total, noun, verb, m.byState()).
		WithHint("put what is found into the archive, run omt-pack again on the same input and push what it writes: it becomes the next revision")
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
	return b.String()
}

package tenant_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/tenant"
)

// What a stage before the push hears of a tenant, by what was pushed to it.
func TestForesee(t *testing.T) {
	seed := b()
	seed.phase = tenant.Preseed
	cases := map[string]struct {
		pushed          []push
		company, serial string
		want            string // mode, or empty where it is refused
	}{
		"nothing there":      {nil, "Kalles", "18", "initial"},
		"a part alone":       {[]push{seed}, "Kalles", "18", "initial"},
		"the same migration": {[]push{a()}, "Kalles", "18", "initial"},
		"another migration":  {[]push{b()}, "Kalles", "18", "recovery"},
		"another company":    {[]push{b()}, "Ola", "18", ""},
		"another serial":     {[]push{a()}, "Kalles", "19", ""},
		"a part of another":  {[]push{seed}, "Kalles", "19", ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			d, _ := folder(t)
			for _, p := range c.pushed {
				_, _, err := p.run(t.Context(), d)
				check(t, err)
			}
			mode, err := tenant.Open(d).Foresee(t.Context(), c.company, c.serial, idA)
			if c.want == "" {
				wantRefused(t, err, fmt.Sprintf("the installation is of %q, %q", c.company, c.serial))
				return
			}
			check(t, err)
			if mode != c.want {
				t.Errorf("mode %q, want %q", mode, c.want)
			}
		})
	}
}

// All that a manifest may refer to, each once and the oldest first.
func TestKnown(t *testing.T) {
	d, path := folder(t)
	ask := func(id string) (list []string) {
		t.Helper()
		commits, err := tenant.Open(d).Known(t.Context(), id)
		check(t, err)
		for _, c := range commits {
			list = append(list, fmt.Sprintf("%s %s %d", c.Phase, c.ID[35:], c.Revision))
		}
		return list
	}
	if got := ask(idA); got != nil {
		t.Errorf("of nothing: %v", got)
	}
	seed := b()
	seed.phase, seed.input, seed.at = tenant.Preseed, "seed", 0
	first, second, later := a(), a(), seed
	first.at = 1
	second.input, second.at = "a again", 2
	later.input, later.at = "seed again", 3
	for _, p := range []push{seed, first, second, later} {
		_, _, err := p.run(t.Context(), d)
		check(t, err)
	}
	// A revision that was claimed and not committed does not exist.
	check(t, os.MkdirAll(filepath.Join(path, "preseeds", idA, "000001"), 0o755))
	check(t, os.WriteFile(filepath.Join(path, "preseeds", idA, "000001", "open.json"), []byte("{}\n"), 0o644))
	want := []string{"preseed b 1", "full a 1", "full a 2", "preseed b 2"}
	if got := ask(idA); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	// To another migration the tenant's own is known, and the revisions before it are not.
	want = []string{"preseed b 1", "full a 2", "preseed b 2"}
	if got := ask(idB); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// denied refuses to list.
type denied struct{ destination.Destination }

func (d denied) List(context.Context, string, func(destination.Info) error) error {
	return destination.ErrDenied
}

func TestForeseeNothing(t *testing.T) {
	d, _ := folder(t)
	far := tenant.Open(denied{d})
	if mode, err := far.Foresee(t.Context(), "Kalles", "18", idA); err == nil || mode != "" {
		t.Errorf("mode %q of a tenant that cannot be listed (%v)", mode, err)
	}
	if list, err := far.Known(t.Context(), idA); err == nil || manifest.StatusOf(err) == manifest.Refused {
		t.Errorf("%v is known of it (%v)", list, err)
	}
}

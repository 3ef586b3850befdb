package scan_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/openomt/omt/internal/manifest"
)

// What the tenant says of the mode stands in the header; a part that goes ahead has none, and a refusal ends the run.
func TestForesee(t *testing.T) {
	no := manifest.Errorf(manifest.Refused, "another company")
	cases := map[string]struct {
		mode string
		err  error
		age  time.Duration
		want string
	}{
		"initial":     {mode: "initial", want: "initial"},
		"recovery":    {mode: "recovery", want: "recovery"},
		"a pre-seed":  {mode: "recovery", age: time.Hour},
		"refused":     {err: no},
		"nobody asks": {},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			w := open(t, shared)
			asked := ""
			if name != "nobody asks" {
				w.o.Foresee = func(_ context.Context, company, serial, id string) (string, error) {
					asked = company + " " + serial + " " + id
					return c.mode, c.err
				}
			}
			w.o.OlderThan = c.age
			err := w.run(t)
			if c.err != nil {
				if !errors.Is(err, c.err) {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil && manifest.StatusOf(err) != manifest.Remarks {
				t.Fatal(err)
			}
			id, err := w.o.Reader.Identity(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			h := records[manifest.Header](t, w, manifest.KindManifest)[0]
			if h.Mode != c.want {
				t.Errorf("mode %q, want %q", h.Mode, c.want)
			}
			if want := id.Owner + " " + id.Serial + " " + h.ID; w.o.Foresee != nil && asked != want {
				t.Errorf("asked for %q, want %q", asked, want)
			}
		})
	}
}

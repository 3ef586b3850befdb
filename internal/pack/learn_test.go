package pack

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/destination/dir"
	"github.com/openomt/omt/internal/manifest"
)

// The header gets the mode that the tenant is going to have, where it has none; a part that goes ahead has none.
func TestModeInTheHeader(t *testing.T) {
	cases := map[string]struct {
		had  string
		only []manifest.Area
		to   bool
		want string
	}{
		"none yet":             {to: true, want: "initial"},
		"scan said it":         {had: "recovery", to: true, want: "recovery"},
		"a part":               {only: []manifest.Area{manifest.Document}, to: true},
		"nobody was asked":     {},
		"said, and nobody now": {had: "initial", want: "initial"},
	}
	for name, c := range cases {
		d, err := dir.Open(filepath.Join(t.TempDir(), "tenant"), time.Now)
		if err != nil {
			t.Fatal(err)
		}
		r := &run{o: Options{Only: c.only, Log: slog.New(slog.DiscardHandler)}, in: &intake{installation: kalles,
			header: manifest.Header{ID: "019b7d00-0000-7000-8000-00000000000a", Phase: "full", Mode: c.had}}}
		if c.to {
			r.o.To = func(context.Context) (destination.Destination, error) { return d, nil }
		}
		if err := r.meet(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := r.header().Mode; got != c.want {
			t.Errorf("%s: mode %q, want %q", name, got, c.want)
		}
		// At an empty destination nothing is known, and nothing is planned.
		if err := r.learn(t.Context()); err != nil || r.known != nil {
			t.Errorf("%s: known of nothing: %v, %v", name, r.known, err)
		}
		r.end()
	}
}

func TestRehashNeedsSomethingKnown(t *testing.T) {
	o := Options{Level: 1, Workers: 1, Rehash: true}
	if err := o.Validate(); err == nil {
		t.Error("nothing is known, and it is to be compared")
	}
	o.Known = []Known{{}}
	if err := o.Validate(); err != nil {
		t.Error(err)
	}
}

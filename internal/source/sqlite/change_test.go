package sqlite_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/openomt/omt/internal/freeze"
	"github.com/openomt/omt/internal/freeze/freezetest"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
	"github.com/openomt/omt/internal/source/sqlite"
)

func TestFreeze(t *testing.T) {
	path := filepath.Join(t.TempDir(), "crm.sqlite")
	freezetest.Run(t, freezetest.Site{
		Loader: func(t *testing.T) source.Loader {
			l, err := sqlite.OpenLoader(path)
			if err != nil {
				t.Fatal(err)
			}
			return l
		},
		Writer: func(t *testing.T) freeze.Database {
			w, err := sqlite.OpenWriter("sqlite:" + path)
			if err != nil {
				t.Fatal(err)
			}
			return w
		},
	})
}

func TestWriterMakesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gone.sqlite")
	if _, err := sqlite.OpenWriter(path); manifest.StatusOf(err) != manifest.Usage || !strings.Contains(err.Error(), "gone.sqlite") {
		t.Errorf("%v", err)
	}
}

package sqlite_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	"github.com/openomt/omt/internal/source"
	"github.com/openomt/omt/internal/source/sourcetest"
	"github.com/openomt/omt/internal/source/sqlite"
)

func TestSuite(t *testing.T) {
	sourcetest.Run(t, sourcetest.Engine{Digits: 7, NoComputed: true, Blocks: true, Times: asStored, New: func(t *testing.T) sourcetest.Database {
		path := filepath.Join(t.TempDir(), "crm 100%?#é.sqlite")
		return sourcetest.Database{
			Driver: func(t *testing.T) source.Driver {
				f, err := os.OpenFile(path, os.O_CREATE, 0o600) // a Driver opens only what is there
				if err != nil {
					t.Fatal(err)
				}
				f.Close()
				d, err := sqlite.Open("sqlite:" + path)
				if err != nil {
					t.Fatal(err)
				}
				return d
			},
			Loader: func(t *testing.T) source.Loader {
				l, err := sqlite.OpenLoader("sqlite:" + path)
				if err != nil {
					t.Fatal(err)
				}
				return l
			},
		}
	}})
}

// asStored is a time as it is stored: text.
func asStored(s string) string { return s }

func BenchmarkSuite(b *testing.B) {
	sourcetest.Bench(b, func(b *testing.B) (source.Loader, source.Driver, *sql.DB) {
		path := filepath.Join(b.TempDir(), "bench.sqlite")
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			b.Fatal(err)
		}
		l, err := sqlite.OpenLoader(path)
		if err != nil {
			b.Fatal(err)
		}
		d, err := sqlite.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		db, err := sql.Open("sqlite", path)
		if err != nil {
			b.Fatal(err)
		}
		return l, d, db
	})
}

package s3

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/destination/destinationtest/servers"
)

// A bucket of many objects is listed a page at a time, and no page is kept.
func TestListMany(t *testing.T) {
	objects := 10_000
	if os.Getenv("OMT_TEST_LONG") != "" {
		objects = 100_000
	}
	g := servers.StartVersityGW(t)
	bucket := g.Bucket(t)
	for i := range objects {
		name := filepath.Join(g.Dir, bucket, "chunks", fmt.Sprintf("%02x", i%256), fmt.Sprintf("%064d.tar.zst", i))
		if i < 256 {
			if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(name, []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	d := open(t, g.URL(bucket, ""), g.Getenv, Options{})
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before, most, seen := heap(), uint64(0), 0
	err := d.List(t.Context(), "chunks/", func(destination.Info) error {
		if seen++; seen%5_000 == 0 {
			most = max(most, heap())
		}
		return nil
	})
	if err != nil || seen != objects {
		t.Fatalf("%d objects, error %v", seen, err)
	}
	if grown := int64(most) - int64(before); grown > 16<<20 {
		t.Errorf("listing holds %d bytes", grown)
	}
}

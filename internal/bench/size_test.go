//go:build unix

package main

import (
	"context"
	"database/sql"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestNumbers(t *testing.T) {
	for _, c := range []struct {
		in   string
		want []int
		ok   bool
	}{
		{"5", []int{5}, true},
		{"100000,1000000", []int{100_000, 1_000_000}, true},
		{"", nil, false},
		{"5,", nil, false},
		{"0", nil, false},
		{"many", nil, false},
	} {
		var got []int
		err := numbers(c.in, &got)
		if (err == nil) != c.ok || c.ok && !slices.Equal(got, c.want) {
			t.Errorf("numbers(%q) = %v, %v; want %v", c.in, got, err, c.want)
		}
	}
}

func TestCount(t *testing.T) {
	for n, want := range map[int]string{7: "7", 999: "999", 1000: "1,000", 20_000_000: "20,000,000"} {
		if got := count(n); got != want {
			t.Errorf("count(%d) = %q, want %q", n, got, want)
		}
	}
}

// An installation has as many tiny files as documents and no two alike, and as many rows as were asked for.
func TestMakeInstallation(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "inst")
	if err := makeInstallation(context.Background(), dir, 300, 1000); err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for _, arc := range []string{"so_arc", "so_arc2"} {
		err := filepath.WalkDir(filepath.Join(dir, arc), func(p string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				if d != nil && d.Name() == "Template" {
					return fs.SkipDir
				}
				return err
			}
			b, err := os.ReadFile(p)
			if len(b) == 0 || len(b) > 32 {
				t.Errorf("%s has %d bytes", p, len(b))
			}
			if other := seen[string(b)]; other != "" {
				t.Errorf("%s and %s have the same content", p, other)
			}
			seen[string(b)] = p
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if n := len(seen); n < 300 || n > 320 { // a sample adds a few of its own
		t.Errorf("%d documents on disk, want 300", n)
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "crm.sqlite")+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for q, want := range map[string]int{
		`SELECT COUNT(*) FROM crm7_document WHERE document_id <= 300`:       300,
		`SELECT COUNT(*) FROM crm7_appointment WHERE appointment_id > 1000`: 1000,
		`SELECT COUNT(*) FROM crm7_appointment WHERE registered IS NULL`:    0,
	} {
		var n int
		if err := db.QueryRow(q).Scan(&n); err != nil || n != want {
			t.Errorf("%s: %d (%v), want %d", q, n, err, want)
		}
	}
}

// A volume leaves nothing behind, whether or not it is a file system of its own, and takes over from one that was left.
func TestVolumeLeavesNothing(t *testing.T) {
	b := &bench{dir: t.TempDir()}
	var v *volume
	for range 2 {
		var err error
		if v, err = b.newVolume("v", 100, 1<<26); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(v.path("f")); err == nil {
			t.Error("a file of the volume before is there")
		}
		if err := os.WriteFile(v.path("f"), []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("in %s, %d bytes of disk", v.kind(), v.used())
	if v.image != "" && v.used() == 0 {
		t.Error("the image takes no disk")
	}
	if err := v.remove(); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(b.dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
}

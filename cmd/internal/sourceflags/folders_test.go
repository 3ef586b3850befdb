package sourceflags

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/cli"
	"github.com/openomt/omt/internal/manifest"
)

// The folders of a manifest are found on this machine without its database, which is not there.
func TestInstallation(t *testing.T) {
	if filepath.Separator != '/' {
		t.Skip("the paths are those of Unix")
	}
	record := func() manifest.Installation {
		return manifest.Installation{
			Owner: "Kalles", Serial: "1", Engine: "mssql", Database: "sqlserver://gone?database=crm", Prefix: "crm7", Areas: manifest.Areas[:],
			Roots:   map[string][]string{"document": {"/arc", "/arc2"}, "template": {"/arc/Template"}, "service": {"/cs", "", "/text"}, "attachment": {`D:\att`}},
			Folders: []string{"GKS=GS"}, Map: []string{`D:\=/d`},
		}
	}
	for name, c := range map[string]struct {
		args    []string
		want    map[string][]string
		folders []string
		fails   string
	}{
		"a folder of another system": {fails: `names the folder "D:\\att" of area attachment, which is no path of this machine`},
		"a mapping of one":           {args: []string{"--map", `D:\=/mnt/d`}, want: map[string][]string{"document": {"/arc", "/arc2"}, "template": {"/arc/Template"}, "service": {"/cs", "", "/text"}, "attachment": {"/mnt/d/att"}}},
		"mappings of all": {args: []string{"--map", `D:\att=/a`, "--map", "/arc=/copy", "--map", "/cs=/c"},
			want: map[string][]string{"document": {"/copy", "/arc2"}, "template": {"/copy/Template"}, "service": {"/c", "", "/text"}, "attachment": {"/a"}}},
		"other roots, fewer and more": {args: []string{"--root", "document=/x", "--root", "attachment=/a", "--root", "attachment=/b"},
			want: map[string][]string{"document": {"/x"}, "template": {"/arc/Template"}, "service": {"/cs", "", "/text"}, "attachment": {"/a", "/b"}}},
		"areas that are left as they are": {args: []string{"--root", "attachment=", "--root", "service=", "--folder", "KK=KLO"},
			want: map[string][]string{"document": {"/arc", "/arc2"}, "template": {"/arc/Template"}, "service": nil, "attachment": nil}, folders: []string{"KK=KLO", "GKS=GS"}},
		"no area": {args: []string{"--root", "documents=/x"}, fails: "want AREA=DIR"},
	} {
		t.Run(name, func(t *testing.T) {
			err := in(t, c.args, nil, func(_ context.Context, f *Flags, _ *cli.Job) error {
				got, err := f.Installation(record())
				if err != nil {
					return err
				}
				want := record()
				if want.Roots = c.want; c.folders != nil {
					want.Folders = c.folders
				}
				if d := cmp.Diff(want, got); d != "" {
					t.Error(d)
				}
				return nil
			})
			switch {
			case c.fails == "" && err != nil:
				t.Fatal(err)
			case c.fails != "" && (manifest.StatusOf(err) != manifest.Usage || !strings.Contains(err.Error(), c.fails)):
				t.Errorf("%v, want %q", err, c.fails)
			}
		})
	}
	if n := len(New().Again()); n != 5 {
		t.Errorf("%d flags say where the folders are, want 5", n)
	}
}

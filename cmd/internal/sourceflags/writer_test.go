package sourceflags

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/openomt/omt/internal/cli"
	"github.com/openomt/omt/internal/cli/clitest"
	"github.com/openomt/omt/internal/install"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/scan/scantest"
)

// A database is opened to be changed where the manifest or a flag names it; nothing is made.
func TestOpenWriter(t *testing.T) {
	site := scantest.New(filepath.Join(t.TempDir(), "site"))
	if err := site.Write(context.Background()); err != nil {
		t.Fatal(err)
	}
	gone := "sqlite:" + filepath.Join(site.Dir, "gone.sqlite")
	for name, c := range map[string]struct {
		args []string
		inst manifest.Installation
		want string
	}{
		"of the manifest": {inst: manifest.Installation{Database: site.URL()}},
		"of a flag":       {args: []string{"--db", site.URL()}, inst: manifest.Installation{Database: gone}},
		"of the files":    {args: []string{"--install", site.Dir}},
		"gone":            {inst: manifest.Installation{Database: gone}, want: "gone.sqlite"},
		"none":            {want: "names no database"},
	} {
		t.Run(name, func(t *testing.T) {
			err := in(t, c.args, nil, func(ctx context.Context, f *Flags, j *cli.Job) error {
				w, err := f.OpenWriter(ctx, j, c.inst)
				if err != nil {
					return err
				}
				if w.URL() != site.URL() {
					t.Errorf("%q", w.URL())
				}
				return w.Close()
			})
			if (err != nil) != (c.want != "") || err != nil && !strings.Contains(err.Error()+manifest.HintOf(err), c.want) {
				t.Errorf("%v", err)
			}
		})
	}
	if _, err := os.Stat(filepath.Join(site.Dir, "gone.sqlite")); err == nil {
		t.Error("it was made")
	}
}

// However often a database is opened in a run, its password is asked for once.
func TestPasswordIsAskedOnce(t *testing.T) {
	console := &clitest.Console{Answers: []string{"typed"}}
	err := in(t, []string{"--db", "sqlserver://u@sql1?database=crm"}, func(p *clitest.Process) { p.Console = console }, func(ctx context.Context, f *Flags, j *cli.Job) error {
		c, err := f.Load()
		if err != nil {
			return err
		}
		for range 2 {
			d, err := f.openDriver(ctx, j, c)
			if err != nil {
				return err
			}
			d.Close()
			w, err := f.OpenWriter(ctx, j, manifest.Installation{})
			if err != nil {
				return err
			}
			w.Close()
		}
		other := c
		other.Credentials = install.NewSecret("v", "")
		_, err = f.openDriver(ctx, j, other)
		return err
	})
	if err == nil || !strings.Contains(err.Error(), "the password of v was asked for and not given") || len(console.Prompts) != 2 || !strings.Contains(console.Prompts[1], "password of v") {
		t.Errorf("%v; %q", err, console.Prompts)
	}
}

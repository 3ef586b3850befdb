package rules

import (
	"os"
	"path/filepath"

	"github.com/openomt/omt/internal/cli"
	"github.com/openomt/omt/internal/manifest"
)

// Flags hold --plugins.
type Flags struct {
	dir    string
	beside func() (string, error) // the executable, beside which plugins are looked for
}

// New makes the flags of one command.
func New() *Flags { return &Flags{beside: os.Executable} }

// Flag is --plugins.
func (f *Flags) Flag() *cli.Flag {
	return cli.String("plugins", "take the preflight rules from the plugins in `DIR`; else from plugins beside this program", &f.dir)
}

// folder is a folder of plugins.
type folder struct {
	path  string
	given bool // by the flag or its variable
}

// find finds the folder of plugins: the one that was named, else plugins beside the executable. Neither the working
// directory nor PATH is looked into. Without any the path is empty; lacks is where one was looked for.
func (f *Flags) find() (dir folder, lacks string, err error) {
	if f.dir != "" {
		info, err := os.Stat(f.dir)
		if err != nil || !info.IsDir() {
			return folder{}, "", manifest.Errorf(manifest.Usage, "--plugins %q: no such folder", f.dir).
				WithHint("name the folder in which the plugins and their plugins.lock lie")
		}
		return folder{f.dir, true}, "", nil
	}
	program, err := f.beside()
	if err != nil {
		return folder{}, "the folder of this program, which the system does not tell", nil //nolint:nilerr // then there is none
	}
	if real, err := filepath.EvalSymlinks(program); err == nil {
		program = real
	}
	path := filepath.Join(filepath.Dir(program), "plugins")
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		return folder{}, path, nil //nolint:nilerr // then there is none
	}
	return folder{path, false}, "", nil
}

package sourceflags

import (
	"path/filepath"
	"slices"

	"github.com/openomt/omt/internal/archive"
	"github.com/openomt/omt/internal/install"
	"github.com/openomt/omt/internal/manifest"
)

// Installation gives the installation that a manifest names with the folders that the flags name over its own. No database
// is opened. A mapping that a flag gives rewrites the manifest's folders, too, so that it can be used on another machine.
// An area that a flag takes away (AREA=) has no folders.
func (f *Flags) Installation(inst manifest.Installation) (manifest.Installation, error) {
	c, err := f.Load()
	if err != nil {
		return inst, err
	}
	var mappings []archive.Mapping
	for _, m := range c.Map {
		mapping, err := archive.ParseMapping(m)
		if err != nil {
			return inst, manifest.Errorf(manifest.Usage, "%w", err)
		}
		mappings = append(mappings, mapping)
	}
	var areas []manifest.Area
	recorded := install.Config{}
	for _, a := range manifest.Areas[1:] {
		dirs := inst.Roots[string(a)]
		if len(dirs) == 0 {
			continue
		}
		areas = append(areas, a)
		here := make([]string, len(dirs))
		for i, d := range dirs {
			here[i] = archive.Rewrite(d, mappings)
		}
		recorded.Give(a, here, theManifest)
	}
	c.Fill(recorded)
	out := inst
	out.Roots, out.Folders = map[string][]string{}, slices.Clone(f.Folders)
	for _, l := range inst.Folders {
		if !slices.Contains(out.Folders, l) {
			out.Folders = append(out.Folders, l)
		}
	}
	if len(areas) == 0 {
		return out, nil
	}
	folders, err := c.Folders(install.Site{}, areas)
	if err != nil {
		return inst, err
	}
	for _, a := range areas {
		dirs := folders.Roots[string(a)]
		for _, d := range dirs {
			if d != "" && !filepath.IsAbs(d) {
				return inst, manifest.Errorf(manifest.Usage, "the manifest names the folder %q of area %s, which is no path of this machine", d, a).
					WithHint("give --map 'FROM=TO', where FROM is how the path begins there and TO what that folder is called here, or --root %s=DIR; --root %s= leaves the area as it is", a, a)
			}
		}
		out.Roots[string(a)] = dirs
	}
	return out, nil
}

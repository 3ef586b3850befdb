package inventory

import (
	"context"
	"errors"
	"strings"

	"github.com/openomt/omt/internal/archive"
	"github.com/openomt/omt/internal/manifest"
)

// parts are the folders of the service area in the order of the roots, with what stands before the paths of each.
var parts = [...]string{"", "template/", "text/"}

func (l *listing) service(ctx context.Context) error {
	if len(l.roots) > len(parts) {
		return manifest.Errorf(manifest.Usage, "area %q has %d folders: want base, template and text", l.area, len(l.roots))
	}
	join, out := l.newSorter(), l.newOutput()
	defer out.close()
	defer join.Close() //nolint:errcheck // temporary files
	for index, root := range l.roots {
		if root == "" || l.covered(index) {
			continue
		}
		empty := true
		err := l.walkTree(ctx, tree{index: index, root: root, lost: newLost(), file: func(f manifest.File) error {
			empty = false
			if temporary(f.Disk) || f.Reason == archive.Vanished {
				return nil
			}
			f.Path = parts[index] + f.Disk
			if f.State == manifest.Present && secret(index, f.Disk) {
				f.State, f.Reason = manifest.Left, "secrets"
			}
			return keep(join, []byte(foldPath(f.Path, f.Raw)), tagFile, &f)
		}})
		allowed := index > 0 && empty && errors.Is(err, archive.ErrEmptyRoot)
		if err != nil && !allowed {
			return err
		}
	}
	err := distinct(ctx, join, func(f *manifest.File) { f.Path = parts[f.Root] + f.Path }, out.add)
	if err != nil {
		return err
	}
	return out.flush(ctx)
}

// covered reports whether a folder lies in one that is walked before it.
func (l *listing) covered(index int) bool {
	for n := range index {
		if l.roots[n] == "" {
			continue
		}
		if rest, ok := archive.Below(l.roots[index], l.roots[n]); ok && (n == 0 || rest == "") {
			return true
		}
	}
	return false
}

// secret reports whether a file holds passwords of the installation: see the package comment.
func secret(index int, path string) bool {
	folded := archive.Fold(path)
	switch base(folded) {
	case "web.config", "superoffice.config":
		return true
	}
	rest, ok := strings.CutPrefix(folded, "config")
	return index == 0 && ok && !strings.Contains(rest, "/") && (rest == "" || strings.ContainsAny(rest[:1], ".~-_ ("))
}

// distinct hands files that a sorter holds by folded path to add. Where files of several roots have one path, rename is
// called for each of them.
func distinct(ctx context.Context, join *manifest.Sorter, rename func(*manifest.File), add func(manifest.File) error) error {
	var group []manifest.File
	current := ""
	settle := func() error {
		several := len(group) > 0 && group[len(group)-1].Root != group[0].Root // they come by root
		for n := range group {
			if several {
				rename(&group[n])
			}
			if err := add(group[n]); err != nil {
				return err
			}
		}
		group = group[:0]
		return nil
	}
	err := each(ctx, join, func(key []byte, _ byte, f manifest.File) error {
		if string(key) != current {
			if err := settle(); err != nil {
				return err
			}
			current = string(key)
		}
		group = append(group, f)
		return nil
	})
	if err == nil {
		err = settle()
	}
	if err != nil {
		return err
	}
	return join.Close()
}

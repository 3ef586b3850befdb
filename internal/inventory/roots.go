package inventory

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"

	"github.com/openomt/omt/internal/archive"
	"github.com/openomt/omt/internal/manifest"
)

// maxLost is how many folders that cannot be listed an area may have; more means that rights are wrong altogether.
const maxLost = 100_000

// checkRoots refuses roots that cannot be meant: none for the area, or one folder for two areas.
func (i *Inventory) checkRoots(area manifest.Area) error {
	roots := i.o.Installation.Roots
	if len(roots[string(area)]) == 0 || roots[string(area)][0] == "" {
		return manifest.Errorf(manifest.Usage, "area %q has no folder", area).WithHint("name it with --root %s=DIR", area)
	}
	for _, root := range roots[string(area)] {
		for _, other := range manifest.Areas {
			if other == area {
				continue
			}
			for _, o := range roots[string(other)] {
				if root != "" && o != "" && same(root, o) {
					return manifest.Errorf(manifest.Usage, "folder %q is given for area %q and for area %q", root, area, other).
						WithHint("each file moves with one area; name the folders with --root")
				}
			}
		}
	}
	return nil
}

func same(a, b string) bool {
	rest, ok := archive.Below(a, b)
	return ok && rest == ""
}

// inside gives the folders below root, relative to it, that are walked as roots of their own.
func (l *listing) inside(root string) map[string]bool {
	in := map[string]bool{}
	for area, roots := range l.o.Installation.Roots {
		for n, other := range roots {
			if other == "" || area == string(manifest.Service) && l.area == manifest.Service && l.covered(n) {
				continue
			}
			if rest, ok := archive.Below(other, root); ok && rest != "" {
				in[rest] = true
			}
		}
	}
	return in
}

// firstRoot gives the index of the first root that is the same folder as the one at index; later ones are not walked.
func (l *listing) firstRoot(index int) int {
	return slices.IndexFunc(l.roots, func(root string) bool { return same(root, l.roots[index]) })
}

// tree is one root that is walked.
type tree struct {
	index int
	root  string
	skip  func(path string) bool      // folders that are not looked into; may be nil
	top   func(e archive.Entry)       // is told of the top-level folders; may be nil
	file  func(f manifest.File) error // is given everything else, with its path in Disk
	lost  *lost
}

// walkTree walks a root. Folders that belong to another root are not looked into.
func (l *listing) walkTree(ctx context.Context, t tree) error {
	nested := l.inside(t.root)
	windows := strings.ContainsAny(t.root, `\:`)
	folded := map[string]bool{}
	for p := range nested {
		folded[archive.Fold(p)] = true
	}
	return l.walk(ctx, t.root, func(e archive.Entry) error {
		if e.Kind != archive.Dir {
			l.meter.Add(1)
			return l.walked(t, e)
		}
		if e.Err != nil {
			return l.lostFolder(t, e)
		}
		if nested[e.Path] || windows && folded[archive.Fold(e.Path)] || t.skip != nil && t.skip(e.Path) {
			return fs.SkipDir
		}
		if t.top != nil && !strings.Contains(e.Path, "/") {
			t.top(e)
		}
		return nil
	})
}

func (l *listing) walked(t tree, e archive.Entry) error {
	f := manifest.File{Area: l.area, Disk: e.Path, Raw: e.Raw, Root: t.index, Size: e.Size, State: manifest.Present}
	if y := e.ModTime.UTC().Year(); !e.ModTime.IsZero() && y >= 0 && y <= 9999 { // what RFC 3339 can hold
		f.MTime = manifest.At(e.ModTime)
	}
	switch {
	case e.Reason != "":
		f.State, f.Reason = manifest.Unreadable, e.Reason
		if e.Err != nil {
			l.o.Log.Warn("a file cannot be read", "area", l.area, "root", t.root, "path", e.Path, "error", e.Err)
		}
		if err := t.perhapsFolder(e); err != nil {
			return err
		}
	case l.newer(f):
		f.State, f.Reason = manifest.Left, "age"
	}
	return t.file(f)
}

// perhapsFolder notes an entry that may be a folder: a link, or something that could not be looked at. Only those high up
// count, since no row's folder lies deeper; so their number stays small.
func (t tree) perhapsFolder(e archive.Entry) error {
	if e.Kind == archive.Special || e.Reason == archive.Vanished || strings.Count(e.Path, "/") > 1 {
		return nil
	}
	return t.lost.add(t.index, e.Path, e.Raw, e.Reason)
}

// newer reports whether a file was changed after the time up to which files are wanted.
func (l *listing) newer(f manifest.File) bool {
	return !l.o.OlderThan.IsZero() && f.MTime.After(l.o.OlderThan)
}

func (l *listing) lostFolder(t tree, e archive.Entry) error {
	l.o.Log.Warn("a folder cannot be listed", "area", l.area, "root", t.root, "path", e.Path, "error", e.Err)
	subject := "folder:" + e.Path
	if l.area != manifest.Document {
		subject = "folder:" + string(l.area) + ":" + e.Path
	}
	l.report.cannotRead(subject, "folder %q below %q cannot be listed: %s; the files in it are not known", e.Path, t.root, why(e.Reason))
	return t.lost.add(t.index, e.Path, e.Raw, e.Reason)
}

// lost holds the folders that could not be listed, and links, which may lead to folders.
type lost struct {
	reason map[string]string // by folded path
	roots  map[int]string    // a reason by root
}

func newLost() *lost { return &lost{reason: map[string]string{}, roots: map[int]string{}} }

var errTooManyLost = errors.New("too many folders cannot be listed")

func (l *lost) add(root int, path string, raw bool, reason string) error {
	l.reason[foldPath(path, raw)] = reason
	l.roots[root] = reason
	if len(l.reason) > maxLost {
		return manifest.Errorf(manifest.Failed, "%w: more than %d", errTooManyLost, maxLost).
			WithHint("look at the rights of the account that runs this; the log names the folders")
	}
	return nil
}

// above gives the reason why a folder above a folded path could not be listed.
func (l *lost) above(folded string) (reason string, ok bool) {
	for n := 0; n < len(folded); n++ {
		if folded[n] == '/' {
			if reason, ok = l.reason[folded[:n]]; ok {
				return reason, true
			}
		}
	}
	return "", false
}

package preflight

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"

	"github.com/openomt/omt/internal/manifest"
)

// found is a file of the plugin folder.
type found struct {
	name    string // relative to the folder, with /
	regular bool
	launch  bool   // it is a plugin
	sum     string // SHA-256 in hex, of a regular file
}

// list lists the files of a plugin folder by name, with their digests: all but hidden ones and the lock file.
func list(dir string) ([]found, error) {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, manifest.Errorf(manifest.Usage, "looking for plugins: the folder %q does not exist", dir).
			WithHint("name the folder of the plugins with --plugins DIR or OMT_PLUGINS")
	case err != nil:
		return nil, manifest.Errorf(manifest.Usage, "looking for plugins: %w", err)
	case !info.IsDir():
		return nil, manifest.Errorf(manifest.Usage, "looking for plugins: %q is no folder", dir)
	}
	files, err := walk(dir)
	if err != nil {
		return nil, manifest.Errorf(manifest.Failed, "looking for plugins in %q: %w", dir, err)
	}
	var g errgroup.Group
	g.SetLimit(4)
	for i := range files {
		if f := &files[i]; f.regular {
			g.Go(func() (err error) {
				f.sum, err = sum(filepath.Join(dir, filepath.FromSlash(f.name)))
				return err
			})
		}
	}
	if err := g.Wait(); err != nil {
		return nil, manifest.Errorf(manifest.Failed, "reading plugins: %w", err)
	}
	return files, nil
}

func walk(dir string) ([]found, error) {
	var files []found
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == "." {
			return err
		}
		if strings.HasPrefix(path.Base(name), ".") {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if d.IsDir() || name == LockFile {
			return nil
		}
		f := found{name: name, regular: d.Type().IsRegular() && utf8.ValidString(name) && !strings.Contains(name, `\`)}
		if f.regular && !strings.Contains(name, "/") {
			info, err := d.Info()
			if err != nil {
				return err
			}
			f.launch = executable(info)
		}
		files = append(files, f)
		return nil
	})
	return files, err
}

// sum is the SHA-256 of a file.
func sum(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// warnWritable puts it into the log where others than its owner can write into the folder.
func (h *Host) warnWritable(ctx context.Context) {
	if info, err := os.Stat(h.o.Dir); err == nil && worldWritable(info) {
		h.o.Log.WarnContext(ctx, "every user of this machine can write into the plugin folder", "dir", h.o.Dir)
	}
}

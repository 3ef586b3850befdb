package inventory

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/openomt/omt/internal/archive"
	"github.com/openomt/omt/internal/manifest"
)

func TestServiceInside(t *testing.T) {
	w := newWorld(t)
	w.root(manifest.Service, "cs", "cs/www/templates", "cs/text")
	w.root(manifest.Attachment, "cs/attachments")
	w.files("cs/config", "cs/CONFIG.bak", "cs/config - copy", "cs/configuration.xml", "cs/config.d/x", "cs/bin/config", "cs/bin/upgrade.exe",
		"cs/www/web.config", "cs/www/templates/head.html", "cs/www/templates/~$x", "cs/text/trashbin/1.eml", "cs/attachments/1.dat",
		"cs/www/doc/Thumbs.db", "cs/crontab.txt", "cs/www/SuperOffice.config", "cs/br\xf8d")
	i := w.want(manifest.Service,
		"CONFIG.bak left reason=secrets",
		"bin/config present",
		"bin/upgrade.exe present",
		"br%F8d present raw",
		"config left reason=secrets",
		"config - copy left reason=secrets",
		"config.d/x present",
		"configuration.xml present",
		"crontab.txt present",
		"text/trashbin/1.eml present",
		"www/SuperOffice.config left reason=secrets",
		"www/templates/head.html present",
		"www/web.config left reason=secrets",
	)
	w.wantFindings(i)
}

func TestServiceOutside(t *testing.T) {
	w := newWorld(t)
	w.root(manifest.Service, "cs", "tmpl", "tmpl/text")
	w.files("cs/bin/a", "cs/Template/head.html", "cs/template/only.html", "tmpl/head.html", "tmpl/sub/foot.html", "tmpl/config", "tmpl/text/1.eml")
	w.want(manifest.Service,
		"Template/head.html present",
		"bin/a present",
		"template/config present disk=config root=1",
		"template/only.html present",
		"template/sub/foot.html present disk=sub/foot.html root=1",
		"template/template/head.html present disk=head.html root=1",
		"text/1.eml present disk=1.eml root=2",
	)
}

func TestServiceParts(t *testing.T) {
	w := newWorld(t)
	w.root(manifest.Service, "cs", "", "text")
	w.files("cs/a")
	w.want(manifest.Service, "a present") // text is empty, which it may be
	w.files("text/b")
	w.want(manifest.Service, "a present", "text/b present disk=b root=2")
	w.o.Installation.Roots["service"][1] = w.o.Installation.Roots["service"][2] // one folder for both
	w.want(manifest.Service, "a present", "template/b present disk=b root=1")
	w.o.Installation.Roots["service"] = w.o.Installation.Roots["service"][:1]
	w.want(manifest.Service, "a present")
}

func TestServiceErrors(t *testing.T) {
	w := newWorld(t)
	w.root(manifest.Service, "cs", "tmpl", "text")
	w.files("tmpl/a")
	if _, err := w.list(New(w.o), manifest.Service); !errors.Is(err, archive.ErrEmptyRoot) {
		t.Errorf("an empty base: got %v", err)
	}
	w.files("cs/template/template/x", "cs/template/x", "tmpl/x", "cs/a")
	_, err := w.list(New(w.o), manifest.Service)
	if manifest.StatusOf(err) != manifest.Failed || !strings.Contains(err.Error(), `"template/template/x"`) {
		t.Errorf("two files of one name: got %v", err)
	}
	roots := w.o.Installation.Roots["service"]
	roots[2] = filepath.Join(w.dir, "nowhere")
	if _, err := w.list(New(w.o), manifest.Service); manifest.StatusOf(err) != manifest.Failed || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("a text folder that is not there: got %v", err)
	}
	w.o.Installation.Roots["service"] = append(roots, "x")
	if _, err := w.list(New(w.o), manifest.Service); manifest.StatusOf(err) != manifest.Usage {
		t.Errorf("four folders: got %v", err)
	}
}

func TestServiceUnreadable(t *testing.T) {
	w := newWorld(t)
	w.root(manifest.Service, "cs")
	w.files("cs/a", "cs/b", "cs/config", "cs/dir/c", "cs/gone")
	i := New(w.o)
	i.faults(map[string]string{"a": archive.Locked, "dir": archive.Denied, "config": archive.Denied, "gone": archive.Vanished})
	w.wantFrom(i, manifest.Service, "a unreadable reason=locked", "b present", "config unreadable reason=denied")
	if _, findings := i.Results(); len(findings) != 3 {
		t.Errorf("got %d findings, want 3: %+v", len(findings), findings)
	}
}

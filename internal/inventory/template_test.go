package inventory

import (
	"errors"
	"testing"

	"github.com/openomt/omt/internal/archive"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

func TestTemplates(t *testing.T) {
	w := newWorld(t)
	w.root(manifest.Template, "arc/Template", "more")
	w.root(manifest.Document, "arc")
	w.files(
		"arc/Template/Std.DOTX", "arc/Template/US/std.dotx", "arc/Template/no/std.dotx", "arc/Template/Old/std.dotx", "more/std.dotx",
		"more/GE/only here.dotx", "arc/Template/letters/sub.dotx", "arc/Template/NO/letters/sub.dotx", "arc/Template/x.sxf",
		"arc/Template/Travel/AREA0.DB", "arc/Template/~$std.dotx", "arc/Template/old.tmp", "arc/Template/provided.dotx",
		"arc/Template/br\xf8d.dotx", "arc/Template/Archive/deleted.dotx",
	)
	w.fake.templates = []source.Tmpl{
		{ID: 1, Title: "Standard", File: "std.dotx"}, {ID: 2, Title: "Standard again", File: "STD.dotx"}, {ID: 3, Title: "Variant", File: "only here.dotx"},
		{ID: 4, Title: "Sub", File: `letters\sub.dotx`}, {ID: 5, Title: "Missing", File: "missing.dotx"},
		{ID: 6, Title: "Blank", File: "  "}, {ID: 7, Title: "URL", File: "https://host/x.dotx"},
		{ID: 8, Title: "Provided", File: "provided.dotx", Provider: 3}, {ID: 9, Title: "Provided away", File: "12345", Provider: 3},
		{ID: 10, Title: "Outside", File: `..\..\x.dotx`}, {ID: 11, Title: "Deleted", File: "deleted.dotx", Deleted: true},
	}
	i := w.want(manifest.Template,
		"Archive/deleted.dotx no-row",
		"GE/only here.dotx present id=3 root=1",
		"NO/letters/sub.dotx present id=4",
		"Old/std.dotx no-row",
		"Std.DOTX present id=1",
		"Std.DOTX present id=2",
		"US/std.dotx present id=1",
		"US/std.dotx present id=2",
		"br%F8d.dotx no-row raw",
		"deleted.dotx missing id=11 reason=deleted candidates=Archive/deleted.dotx",
		"letters/sub.dotx present id=4",
		"missing.dotx missing id=5",
		"no/std.dotx present id=1",
		"no/std.dotx present id=2",
		"provided.dotx present id=8",
		"std.dotx shadowed root=1",
		"x.sxf no-row",
		"- blank-name id=6",
		"- elsewhere id=7 reason=url",
		"- elsewhere id=9 reason=provider 3",
		"- missing id=10 reason=outside",
	)
	w.wantFindings(i)
	checks, _ := i.Results()
	if len(checks) != 1 || checks[0].Rule != ruleRead {
		t.Errorf("checks are %+v, want that of %s alone", checks, ruleRead)
	}
}

func TestTemplatesUnreadable(t *testing.T) {
	w := newWorld(t)
	w.root(manifest.Template, "t")
	w.files("t/a.dotx", "t/b.dotx", "t/US/c.dotx", "t/sub/d.dotx", "t/gone.dotx", "t/ok.dotx")
	w.fake.templates = []source.Tmpl{{ID: 1, File: "a.dotx"}, {ID: 2, File: "c.dotx"}, {ID: 3, File: "sub/d.dotx"}, {ID: 4, File: "ok.dotx"}}
	i := New(w.o)
	i.faults(map[string]string{"a.dotx": archive.Denied, "b.dotx": archive.Locked, "US": archive.Network, "sub": archive.Denied, "gone.dotx": archive.Vanished})
	w.wantFrom(i, manifest.Template,
		"a.dotx unreadable id=1 reason=denied",
		"b.dotx unreadable reason=locked",
		"c.dotx unreadable id=2 reason=network",
		"ok.dotx present id=4",
		"sub/d.dotx unreadable id=3 reason=denied",
	)
	_, findings := i.Results()
	subjects := map[string]bool{}
	for _, f := range findings {
		subjects[f.Subjects[0]] = true
	}
	for _, s := range []string{"folder:template:US", "folder:template:sub", "file:template:1", "file:template:b.dotx", "file:template:2", "file:template:3"} {
		if !subjects[s] {
			t.Errorf("no finding is about %s", s)
		}
	}
}

func TestTemplateErrors(t *testing.T) {
	w := newWorld(t)
	w.root(manifest.Template, "t")
	if _, err := w.list(New(w.o), manifest.Template); !errors.Is(err, archive.ErrEmptyRoot) {
		t.Errorf("an empty root: got %v", err)
	}
	w.files("t/a.dotx")
	w.fake.fail = errors.New("boom")
	if _, err := w.list(New(w.o), manifest.Template); !errors.Is(err, w.fake.fail) {
		t.Errorf("an error of the database: got %v", err)
	}
}

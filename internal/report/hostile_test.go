package report

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/openomt/omt/internal/manifest"
)

// What comes from the installation can neither run in the page nor be a formula in a spreadsheet.
func TestHostileText(t *testing.T) {
	for text, want := range map[string]string{
		"=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)", "\t=1": "'\t=1", " =1": "' =1", "\n=1": "'\n=1", "\u00a0=1": "'\u00a0=1",
		"＝1": "'＝1", "a=1": "a=1", "": "", "é": "é", "a\x00b": "a\ufffdb", "'=1": "'=1", "  ": "  ",
	} {
		if got := cell(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
	evil := []string{`"><script>alert(1)</script>`, `<img src=x onerror=alert(1)>`, `</style><script>alert(1)</script>`, `javascript:alert(1)`,
		"{{.Style}}", "=HYPERLINK(\"http://x\")", "\u202egnp.exe", "\x00\x01", "' onload='x"}
	for _, text := range evil {
		list := small(false)
		for i, r := range list {
			switch x := r.(type) {
			case manifest.Installation:
				x.Owner, x.Serial, x.Version, x.Database = text, text, text, text
				list[i] = x
			case manifest.Migrator:
				x.Name, x.Email = text, text
				list[i] = x
			case manifest.User:
				x.Name, x.Login, x.Username = text, text, text
				list[i] = x
			case manifest.Plan:
				x.Title = text
				list[i] = x
			case manifest.Removal:
				x.Email = text
				list[i] = x
			case manifest.File:
				x.Title, x.Owner = text, text
				if fateOf(x) == missed {
					x.Reason, x.Candidates = text, []string{text}
				}
				list[i] = x
			case manifest.Finding:
				x.Message, x.Waived, x.Severity = text, text, manifest.Severity(text)
				list[i] = x
			case manifest.Waiver:
				x.Reason, x.By, x.Subject, x.Until = text, text, text, text
				list[i] = x
			case manifest.Edit:
				x.By, x.Tool = text, text
				list[i] = x
			}
		}
		s := newSite(t)
		s.commit(idA, 60, list, nil)
		r := s.must("")
		page := written(t, func(b *bytes.Buffer) error { return r.WriteHTML(b) })
		for _, bad := range []string{"<script", "<img", "onerror=alert(1)>", "\x00", "</style><", "\u202e"} {
			if bytes.Contains(page, []byte(bad)) {
				t.Errorf("%q: the page holds %q", text, bad)
			}
		}
		for _, write := range []func(*bytes.Buffer) error{
			func(b *bytes.Buffer) error { return r.WriteCSV(b, ';') }, func(b *bytes.Buffer) error { return r.WriteUsersCSV(b, ';') },
			func(b *bytes.Buffer) error { return r.WriteMissingCSV(b, ';') },
		} {
			for _, row := range records(t, written(t, write), ';') {
				for name, c := range row {
					if strings.IndexAny(c, "=+-@\t") == 0 {
						t.Errorf("%q: the cell %q is %q", text, name, c)
					}
				}
			}
		}
		if b := written(t, func(b *bytes.Buffer) error { return r.WriteJSON(b) }); !json.Valid(b) {
			t.Errorf("%q: the JSON is none", text)
		}
	}
}

// Nothing is loaded from elsewhere.
func TestSelfContained(t *testing.T) {
	r := told(t)
	page := string(written(t, func(b *bytes.Buffer) error { return r.WriteHTML(b) }))
	for _, bad := range []string{"http:", "https:", "url(", `src="`, "@import", "<link", "<script", "<form"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
}

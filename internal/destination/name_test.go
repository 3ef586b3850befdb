package destination

import (
	"path"
	"strings"
	"testing"
)

func TestCheckName(t *testing.T) {
	for name, want := range map[string]string{
		"":                        "want 1 to 900 bytes",
		strings.Repeat("a/", 500): "want 1 to 900 bytes",
		"a//b":                    "an element is empty",
		strings.Repeat("a", 201):  "longer than 200 bytes",
		"a/../b":                  `element ".." begins or ends with a dot`,
		"x/nul.json":              "is a device on Windows",
		"lpt9":                    "is a device on Windows",
		"a b":                     `element "a b" holds ' '`,
		`a\b`:                     "holds '\\\\'",
	} {
		if err := CheckName(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error is %v, want %q", name, err, want)
		}
	}
	for _, name := range []string{"a", "a.b/c-d_e", "lpt", "lpt10", "com", "nulls", "console.json", strings.Repeat("a", 200)} {
		if err := CheckName(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func FuzzCheckName(f *testing.F) {
	for _, s := range []string{"a/b", "../a", "a/./b", "a\\..\\b", "C:x", "a\x00", "chunks/ab/x.tar.zst"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if CheckName(name) != nil {
			return
		}
		if path.Clean(name) != name || path.IsAbs(name) || strings.HasPrefix(path.Join("root", name), "root/") == false ||
			strings.ContainsAny(name, "\\:%?*\x00 ") {
			t.Errorf("%q was let through", name)
		}
	})
}

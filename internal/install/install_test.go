package install

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"github.com/openomt/omt/internal/manifest"
)

// tree writes files below a new folder and returns it.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func utf16le(s string) string { return encode(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), s) }
func utf16be(s string) string { return encode(unicode.UTF16(unicode.BigEndian, unicode.UseBOM), s) }
func ansi(s string) string {
	b, err := charmap.Windows1252.NewEncoder().String(s)
	if err != nil {
		panic(err)
	}
	return b
}

func encode(e encoding.Encoding, s string) string {
	b, err := e.NewEncoder().String(s)
	if err != nil {
		panic(err)
	}
	return b
}

// wantUsage checks that err has status 2 and that its message holds each of the parts and none of the secrets.
func wantUsage(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	if s := manifest.StatusOf(err); s != manifest.Usage {
		t.Errorf("status %d, want 2: %v", s, err)
	}
	text := err.Error() + "\n" + manifest.HintOf(err)
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("error lacks %q: %s", p, text)
		}
	}
	if strings.Contains(text, password) {
		t.Errorf("the error shows the password: %s", text)
	}
}

// password stands in every file of these tests that can hold one.
const password = "Tr0ub4dor&3"

package preflight

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/manifest"
)

// plain files of a folder: mode x makes a plugin.
func makeFolder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(strings.TrimSuffix(name, "*")))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		mode := os.FileMode(0o644)
		if strings.HasSuffix(name, "*") {
			mode = 0o755
		}
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func states(t testing.TB, dir string) map[string]LockState {
	t.Helper()
	files, err := Verify(dir)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]LockState{}
	for _, f := range files {
		got[f.Name] = f.State
	}
	return got
}

const sumOfA = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"

func TestLockWritesWhatLiesThere(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("plugins have another mark there")
	}
	dir := makeFolder(t, map[string]string{"crm*": "a", "README": "a", "rules/old.sql": "a", "lib/deep/x*": "a", ".hidden*": "a", ".git/x": "a"})
	changes, err := Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]Change{{"README", "added"}, {"crm", "added"}, {"lib/deep/x", "added"}, {"rules/old.sql", "added"}}, changes); d != "" {
		t.Error(d)
	}
	b, err := os.ReadFile(filepath.Join(dir, "plugins.lock"))
	if err != nil {
		t.Fatal(err)
	}
	var got, want any
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	text := `{"files":{"crm":{"sha256":"S","tls":"auto"},"README":{"sha256":"S"},"rules/old.sql":{"sha256":"S"},"lib/deep/x":{"sha256":"S"}}}`
	if err := json.Unmarshal([]byte(strings.ReplaceAll(text, `"S"`, `"`+sumOfA+`"`)), &want); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if again, err := Lock(dir); err != nil || again != nil {
		t.Errorf("a second time: %v %v", again, err)
	}
}

func TestLockKeepsHowAPluginIsSpokenWith(t *testing.T) {
	dir := makeFolder(t, map[string]string{"node*": "a", "gone": "a", "same": "a",
		"plugins.lock": `{"files":{"node":{"sha256":"` + strings.Repeat("0", 64) + `","tls":"none"},"gone2":{"sha256":"` + sumOfA + `"},"same":{"sha256":"` + sumOfA + `"}}}`})
	if runtime.GOOS == "windows" {
		t.Skip("plugins have another mark there")
	}
	changes, err := Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]Change{{"gone", "added"}, {"gone2", "removed"}, {"node", "changed"}}, changes); d != "" {
		t.Error(d)
	}
	files, err := Verify(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := []File{{Name: "gone", State: Locked}, {Name: "node", State: Locked, Plugin: true, TLS: "none"}, {Name: "same", State: Locked}}
	if d := cmp.Diff(want, files); d != "" {
		t.Error(d)
	}
}

func TestStatesOfFiles(t *testing.T) {
	dir := makeFolder(t, map[string]string{"a": "a", "b": "b", "c": "c"})
	lockFolder(t, dir)
	for name, content := range map[string]string{"b": "B", "d": "d", ".hidden": "x"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(filepath.Join(dir, "c")); err != nil {
		t.Fatal(err)
	}
	want := map[string]LockState{"a": Locked, "b": Changed, "c": Absent, "d": Unlocked}
	if runtime.GOOS != "windows" {
		if err := os.Symlink(filepath.Join(dir, "a"), filepath.Join(dir, "link")); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(t.TempDir(), filepath.Join(dir, "folder")); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, `back\slash`), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		want["link"], want["folder"], want[`back\slash`] = NotRegular, NotRegular, NotRegular
	}
	if d := cmp.Diff(want, states(t, dir)); d != "" {
		t.Error(d)
	}
}

func TestLockRefusesLinks(t *testing.T) {
	dir := makeFolder(t, map[string]string{"a": "a"})
	if err := os.Symlink("a", filepath.Join(dir, "link")); err != nil {
		t.Skip(err)
	}
	_, err := Lock(dir)
	if manifest.StatusOf(err) != manifest.Refused || !strings.Contains(err.Error(), `"link" is no regular file`) {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, LockFile)); err == nil {
		t.Error("a lock file was written")
	}
}

func TestOpenRefusesWhatIsNotLocked(t *testing.T) {
	dir := makeFolder(t, map[string]string{"a": "1", "b": "1"})
	lockFolder(t, dir)
	if err := os.WriteFile(filepath.Join(dir, "a"), []byte("2"), 0o644); err != nil {
		t.Fatal(err)
	}
	for i := range 12 {
		if err := os.WriteFile(filepath.Join(dir, "n"+string(rune('a'+i))), nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	o := options(dir)
	for _, tt := range []struct {
		given bool
		hint  string
	}{
		{false, "if you trust what lies there: omt-scan rules --lock"},
		{true, "if you trust what lies there: omt-scan rules --lock --plugins " + dir},
	} {
		o.Given = tt.given
		_, err := Open(t.Context(), o)
		if manifest.StatusOf(err) != manifest.Refused || manifest.HintOf(err) != tt.hint {
			t.Fatalf("status %d, hint %q", manifest.StatusOf(err), manifest.HintOf(err))
		}
		want := `the plugin folder "` + dir + `" does not agree with its plugins.lock: "a" is changed, "na" is unlocked, "nb" is unlocked`
		if !strings.HasPrefix(err.Error(), want) || !strings.HasSuffix(err.Error(), `"ni" is unlocked and 3 more`) {
			t.Errorf("error %v", err)
		}
	}
}

func TestFoldersThatAreNone(t *testing.T) {
	file := filepath.Join(makeFolder(t, map[string]string{"a": "1"}), "a")
	for _, dir := range []string{filepath.Join(t.TempDir(), "nowhere"), file} {
		if _, err := Open(t.Context(), options(dir)); manifest.StatusOf(err) != manifest.Usage || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: %v", dir, err)
		}
	}
}

func TestLockFilesThatAreWrong(t *testing.T) {
	sum := `{"sha256":"` + sumOfA + `"}`
	for _, content := range []string{
		"", "[]", `{"files":{"a":{"sha256":"12"}}}`, `{"files":{"a":{"sha256":"` + strings.ToUpper(sumOfA) + `"}}}`,
		`{"files":{"../a":` + sum + `}}`, `{"files":{"/a":` + sum + `}}`, `{"files":{"x\\a":` + sum + `}}`,
		`{"files":{"a":{"sha256":"` + sumOfA + `","tls":"off"}}}`,
	} {
		dir := makeFolder(t, map[string]string{"a": "a", LockFile: content})
		for what, f := range map[string]func() error{
			"verify": func() error { _, err := Verify(dir); return err },
			"lock":   func() error { _, err := Lock(dir); return err },
			"open":   func() error { _, err := Open(t.Context(), options(dir)); return err },
		} {
			if err := f(); manifest.StatusOf(err) != manifest.Refused || manifest.HintOf(err) == "" {
				t.Errorf("%s with %s: %v", what, content, err)
			}
		}
	}
	dir := makeFolder(t, map[string]string{"a": "a", "elsewhere/b": sum})
	if err := os.Symlink("elsewhere/b", filepath.Join(dir, LockFile)); err == nil {
		if _, err := Verify(dir); manifest.StatusOf(err) != manifest.Refused {
			t.Errorf("a lock file that is a link: %v", err)
		}
	}
}

// Whatever byte of whatever file is changed, added or taken away, the folder is refused; put back, it is not.
func TestEveryByteIsLocked(t *testing.T) {
	files := map[string]string{"crm": "\x7fELF program", "rules/a.sql": "SELECT 1\n", "rules/deep/script.ps1": "exit 0", "empty": ""}
	dir := makeFolder(t, files)
	lockFolder(t, dir)
	refused := func() bool {
		files, err := Verify(dir)
		if err != nil {
			t.Fatal(err)
		}
		return Refusal(dir, false, files) != nil
	}
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		put := func(b []byte) {
			if err := os.WriteFile(path, b, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		for i := range len(content) {
			for _, flip := range []byte{1, 0x80} {
				b := []byte(content)
				b[i] ^= flip
				if put(b); !refused() {
					t.Errorf("%s: byte %d was changed", name, i)
				}
			}
			if put([]byte(content[:i])); !refused() {
				t.Errorf("%s: cut at %d", name, i)
			}
		}
		if put([]byte(content + "\x00")); !refused() {
			t.Errorf("%s: a byte was added", name)
		}
		if put([]byte(content)); refused() {
			t.Errorf("%s: refused as it was", name)
		}
	}
}

// A plugin is compared with its lock again right before it starts.
func TestAPluginThatIsSwappedBeforeItStarts(t *testing.T) {
	dir := folder(t, "honest")
	l, err := readLock(dir)
	if err != nil {
		t.Fatal(err)
	}
	e := l.Files["honest"]
	e.SHA256 = sumOfA
	h := &Host{o: options(dir)}
	h.o.complete()
	h.temp = t.TempDir()
	for range 2 {
		_, err := h.launch(t.Context(), found{name: "honest"}, e)
		if err == nil || !strings.Contains(err.Error(), "it was changed since its digest was compared with its lock") {
			t.Errorf("error %v", err)
		}
	}
}

func TestAFolderThatEverybodyCanWrite(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no such modes")
	}
	dir := t.TempDir()
	for mode, want := range map[os.FileMode]bool{0o755: false, 0o777: true} {
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		o := options(dir)
		log := logged(&o)
		open(t, o)
		if got := strings.Contains(log.String(), "every user of this machine can write into the plugin folder"); got != want {
			t.Errorf("mode %o: %s", mode, log)
		}
	}
}

// A plugin without certificates is spoken with in the clear, where its entry says so.
func TestPluginsWithoutCertificates(t *testing.T) {
	dir := folder(t, "honest")
	name := filepath.Join(dir, LockFile)
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(strings.ReplaceAll(string(b), `"auto"`, `"none"`)), 0o644); err != nil {
		t.Fatal(err)
	}
	h := open(t, options(dir))
	if checks, _ := check(t, h, header()); checks[0].Status != manifest.CheckDone {
		t.Errorf("checks %+v", checks)
	}
}

func TestPathsInHints(t *testing.T) {
	for in, want := range map[string]string{"/opt/omt": "/opt/omt", `C:\Program Files\omt`: `'C:\Program Files\omt'`, "it's here": `"it's here"`} {
		if got := quoted(in); got != want {
			t.Errorf("%s: %s", in, got)
		}
	}
}

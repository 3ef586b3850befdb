package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// module has a package for each way that a package may end.
var module = map[string]string{
	"go.mod":         "module example.com/omt/omt\n\ngo 1.24\n",
	"good/a_test.go": "package good\n\nimport \"testing\"\n\nfunc TestGood(t *testing.T) { t.Log(\"unheard\") }\n\nfunc TestLater(t *testing.T) { t.Log(\"first\"); t.Skip(\"no server\") }\n\nfunc TestParts(t *testing.T) { t.Run(\"one\", func(t *testing.T) { t.Skip(\"no server\") }) }\n",
	"bare/a.go":      "package bare\n",
	"bad/a_test.go":  "package bad\n\nimport \"testing\"\n\nfunc TestBad(t *testing.T) { t.Error(\"this is wrong\") }\n",
	"dies/a_test.go": "package dies\n\nimport \"testing\"\n\nfunc TestDies(t *testing.T) { t.Log(\"last words\"); panic(\"so it ends\") }\n",
	"ill/a_test.go":  "package ill\n\nimport \"testing\"\n\nfunc TestIll(t *testing.T) { undefinedName() }\n",
}

// of runs go test in the module on packages, and tells what it wrote.
func of(t *testing.T, packages ...string) (string, bool) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range module {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	x := exec.Command("go", append([]string{"test", "-json"}, packages...)...)
	x.Dir, x.Env = dir, append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	out, err := x.Output()
	if len(out) == 0 {
		t.Fatalf("go test wrote nothing: %v", err)
	}
	var said strings.Builder
	ok, err := tell(strings.NewReader(string(out)), &said)
	if err != nil {
		t.Fatal(err)
	}
	return said.String(), ok
}

func TestTell(t *testing.T) {
	for name, c := range map[string]struct {
		packages []string
		ok       bool
		say, not []string
	}{
		"all is well": {[]string{"./good", "./bare"}, true,
			[]string{"ok  \texample.com/omt/omt/good", "\nslowest:\n", "2 tests passed; 2 skipped:\n  no server: omt/good TestLater, omt/good TestParts/one\n"},
			[]string{"unheard", "bare", "=== RUN", "PASS"}},
		"a test fails": {[]string{"./good", "./bad"}, false, []string{"--- FAIL: TestBad", "a_test.go:5: this is wrong", "; failed: omt/bad TestBad, omt/bad; 2 skipped"}, []string{"unheard"}},
		"a test dies":  {[]string{"./dies"}, false, []string{"last words", "panic: so it ends", "0 tests passed; failed: omt/dies"}, nil},
		"no build":     {[]string{"./ill"}, false, []string{"undefined: undefinedName", "[build failed]", "0 tests passed; failed: omt/ill"}, nil},
		"no tests":     {[]string{"./bare"}, false, []string{"0 tests passed"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			said, ok := of(t, c.packages...)
			if ok != c.ok {
				t.Errorf("it says %v", ok)
			}
			for _, s := range c.say {
				if !strings.Contains(said, s) {
					t.Errorf("it does not say %q", s)
				}
			}
			for _, s := range c.not {
				if strings.Contains(said, s) {
					t.Errorf("it says %q", s)
				}
			}
			if t.Failed() {
				t.Log(said)
			}
		})
	}
}

// A line that is no event is passed on and counts as a failure, and nothing at all is no success.
func TestTellOther(t *testing.T) {
	good := `{"Action":"pass","Package":"p","Test":"TestGood"}` + "\n"
	for in, want := range map[string]bool{"": false, good: true, good + "go test: status 2\n": false, "go test: status 2": false} {
		var said strings.Builder
		if ok, err := tell(strings.NewReader(in), &said); ok != want || err != nil || strings.HasPrefix(said.String(), "go test: status 2") != strings.Contains(in, "status") {
			t.Errorf("%q: %v, %v: %s", in, ok, err, said.String())
		}
	}
}

//go:build unix

package freeze_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// What is kept of the file is kept by the freeze and by the thaw.
func TestFileIsKept(t *testing.T) {
	r := newRig(t)
	if err := os.Chmod(r.config(), 0o440); err != nil { // read-only, and stays so
		t.Fatal(err)
	}
	owned := os.Chown(r.config(), 1234, 4321) == nil
	attributed := unix.Setxattr(r.config(), "user.omt", []byte("kept"), 0) == nil
	check := func(when string) {
		t.Helper()
		info, err := os.Lstat(r.config())
		if err != nil || info.Mode() != 0o440 {
			t.Errorf("%s: %v, %v", when, info.Mode(), err)
		}
		if st := info.Sys().(*syscall.Stat_t); owned && (st.Uid != 1234 || st.Gid != 4321) {
			t.Errorf("%s it belongs to %d, %d", when, st.Uid, st.Gid)
		}
		value := make([]byte, 10)
		if n, err := unix.Getxattr(r.config(), "user.omt", value); attributed && (err != nil || string(value[:n]) != "kept") {
			t.Errorf("%s the attribute is %q, %v", when, value[:n], err)
		}
		if list, _ := os.ReadDir(r.base); strings.Contains(names(list), "omt-freeze") {
			t.Errorf("%s there is %s", when, names(list))
		}
	}
	before := r.look()
	r.freeze()
	check("frozen")
	r.mustThaw(2, 0, 0)
	check("thawed")
	r.same("thawed", before)
	t.Logf("owner tried: %v, attributes tried: %v", owned, attributed)
}

func names(list []os.DirEntry) string {
	s := ""
	for _, e := range list {
		s += e.Name() + " "
	}
	return s
}

// A link is followed: what it leads to is frozen, and the link stays.
func TestLink(t *testing.T) {
	r := newRig(t)
	real := filepath.Join(r.dir, "elsewhere")
	if err := os.Rename(r.config(), real); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(real, filepath.Join(r.base, "CONFIG")); err != nil {
		t.Fatal(err)
	}
	before := r.look()
	if rec := r.freeze()[0]; rec.Path != real || rec.Already {
		t.Errorf("%+v", rec)
	}
	if info, err := os.Lstat(filepath.Join(r.base, "CONFIG")); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is no link: %v", err)
	}
	r.mustThaw(2, 0, 0)
	r.same("thawed", before)
}

// Every form of file comes back byte for byte.
func TestFormsOnDisk(t *testing.T) {
	r := newRig(t)
	r.o.What = r.o.What[:1]
	for name, text := range map[string]string{
		"ANSI": "a = \xe6\xf8\xe5\r\n# frozen\r\n", "UTF-8": "\ufeffa = æ\n", "no end": "a = b", "UTF-16": "\xff\xfea\x00=\x00b\x00\r\x00\n\x00", "empty": "",
	} {
		write(t, r.base, "config", text, 0o640)
		before := r.look()
		rec := r.freeze()[0]
		if now, err := os.ReadFile(r.config()); err != nil || len(now) <= len(text) || !strings.HasPrefix(string(now), text) {
			t.Errorf("%s: %q, %v", name, now, err)
		}
		if rec.Offset != int64(len(text)) || rec.Already {
			t.Errorf("%s: %+v", name, rec)
		}
		r.mustThaw(1, 0, 0)
		r.same(name+" thawed", before)
	}
}

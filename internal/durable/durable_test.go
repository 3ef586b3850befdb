package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantFile(t testing.TB, name, want string) {
	t.Helper()
	if data, err := os.ReadFile(name); err != nil || string(data) != want {
		t.Errorf("%q holds %q, error %v, want %q", filepath.Base(name), data, err, want)
	}
}

func TestPublish(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "x")
	for _, text := range []string{"one", "two"} {
		check(t, os.WriteFile(name+".tmp", []byte(text), 0o600))
		check(t, Publish(name+".tmp", name))
		wantFile(t, name, text)
	}
	if err := Publish(name+".tmp", name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error is %v", err)
	}
}

// Every way of giving a name only if it is free, on any system that has it.
func TestPublishNew(t *testing.T) {
	for way, publish := range map[string]func(tmp, name string) error{
		"the system's": PublishNew, "look and rename": lookAndRename,
	} {
		t.Run(way, func(t *testing.T) {
			dir := t.TempDir()
			name, tmp := filepath.Join(dir, "x"), filepath.Join(dir, "tmp")
			check(t, os.WriteFile(tmp, []byte("one"), 0o600))
			check(t, publish(tmp, name))
			if _, err := os.Stat(tmp); err == nil {
				t.Error("the temporary file is still there")
			}
			check(t, os.WriteFile(tmp, []byte("two"), 0o600))
			if err := publish(tmp, name); !errors.Is(err, fs.ErrExist) {
				t.Errorf("error is %v", err)
			}
			wantFile(t, name, "one")
			wantFile(t, tmp, "two")
			if err := publish(filepath.Join(dir, "none"), filepath.Join(dir, "y")); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("error is %v", err)
			}

			var wg sync.WaitGroup
			const racers = 20
			errs := make([]error, racers)
			for i := range racers {
				own := filepath.Join(dir, fmt.Sprint("tmp", i))
				check(t, os.WriteFile(own, []byte(fmt.Sprint(i)), 0o600))
				wg.Go(func() { errs[i] = publish(own, filepath.Join(dir, "raced")) })
			}
			wg.Wait()
			winners := 0
			for i, err := range errs {
				switch {
				case err == nil:
					winners++
					wantFile(t, filepath.Join(dir, "raced"), fmt.Sprint(i))
				case !errors.Is(err, fs.ErrExist):
					t.Error(err)
				}
			}
			if winners != 1 {
				t.Errorf("%d won", winners)
			}
		})
	}
}

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "x")
	check(t, WriteFile(name, []byte("one"), 0o600))
	check(t, WriteFile(name, []byte("two"), 0o600))
	wantFile(t, name, "two")
	if err := WriteFile(filepath.Join(dir, "no", "x"), nil, 0o600); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error is %v", err)
	}
	check(t, os.Mkdir(filepath.Join(dir, "folder"), 0o700))
	if err := WriteFile(filepath.Join(dir, "folder"), nil, 0o600); err == nil {
		t.Error("a folder was replaced")
	}
	entries, err := os.ReadDir(dir)
	check(t, err)
	if len(entries) != 2 {
		t.Errorf("left behind: %v", entries)
	}
}

func TestMkdirAll(t *testing.T) {
	dir := t.TempDir()
	deep := filepath.Join(dir, "a", "b", "c")
	check(t, MkdirAll(deep, 0o700))
	check(t, MkdirAll(deep, 0o700))
	if st, err := os.Stat(deep); err != nil || !st.IsDir() {
		t.Errorf("%v, error %v", st, err)
	}
	check(t, os.WriteFile(filepath.Join(dir, "file"), nil, 0o600))
	if err := MkdirAll(filepath.Join(dir, "file", "x"), 0o700); !errors.Is(err, errNotDir) {
		t.Errorf("error is %v", err)
	}
	if err := MkdirAll(filepath.Join(dir, "file"), 0o700); !errors.Is(err, errNotDir) {
		t.Errorf("error is %v", err)
	}
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			if err := MkdirAll(filepath.Join(dir, "x", "y", "z"), 0o700); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestTryLock(t *testing.T) {
	name := filepath.Join(t.TempDir(), "lock")
	open := func() *os.File {
		f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
		check(t, err)
		t.Cleanup(func() { f.Close() })
		return f
	}
	try := func(f *os.File, shared, want bool) {
		t.Helper()
		if ok, err := TryLock(f, shared); err != nil || ok != want {
			t.Errorf("locked is %v, error %v, want %v", ok, err, want)
		}
	}
	one, two, three := open(), open(), open()
	try(one, false, true)
	try(two, false, false)
	try(two, true, false)
	_, err := one.WriteString("the owner may write")
	check(t, err)
	check(t, one.Close())
	try(two, true, true)
	try(three, true, true)
	try(open(), false, false)
	check(t, two.Close())
	check(t, three.Close())
	check(t, Lock(open()))
	if _, err := TryLock(two, false); err == nil {
		t.Error("a closed file was locked")
	}
}

package spool

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/openomt/omt/internal/manifest"
)

func open(t testing.TB) *Spool {
	t.Helper()
	s, err := Open(filepath.Join(t.TempDir(), "a", "spool"))
	check(t, err)
	return s
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestOpen(t *testing.T) {
	if _, err := Open(""); manifest.StatusOf(err) != manifest.Usage {
		t.Errorf("error is %v", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	check(t, os.WriteFile(file, nil, 0o600))
	if _, err := Open(file); err == nil || !strings.Contains(err.Error(), "a file of that name is in the way") {
		t.Errorf("a file in place of the folder: error is %v", err)
	}
	t.Chdir(t.TempDir())
	s, err := Open("omt-spool")
	check(t, err)
	t.Chdir(t.TempDir())
	check(t, os.WriteFile(s.Path("x"), nil, 0o600))
	if !filepath.IsAbs(s.Dir()) {
		t.Errorf("dir is %q", s.Dir())
	}
}

func put(t testing.TB, s *Spool, data string) manifest.Digest {
	t.Helper()
	dir, err := s.Temp("pack")
	check(t, err)
	tmp := filepath.Join(dir, "new")
	check(t, os.WriteFile(tmp, []byte(data), 0o600))
	d := manifest.Digest(sha256.Sum256([]byte(data)))
	check(t, s.Publish(tmp, d, manifest.ChunkTar))
	if _, err := os.Stat(tmp); err == nil {
		t.Error("the temporary file is still there")
	}
	return d
}

func TestChunks(t *testing.T) {
	s := open(t)
	for want, data := range map[int64]string{3: "abc"} {
		d := put(t, s, data)
		put(t, s, data)
		hex := d.String()
		if got := s.ChunkPath(d, manifest.ChunkTar); got != filepath.Join(s.Dir(), "chunks", hex[:2], hex+".tar.zst") {
			t.Errorf("path is %q", got)
		}
		if used, err := s.Used(t.Context()); err != nil || used != want {
			t.Errorf("%d bytes are used, error %v, want %d", used, err, want)
		}
		other := put(t, s, "defgh")
		if used, err := s.Used(t.Context()); err != nil || used != want+5 {
			t.Errorf("%d bytes are used, error %v, want %d", used, err, want+5)
		}
		check(t, s.Remove(d, manifest.ChunkTar))
		check(t, s.Remove(d, manifest.ChunkTar))
		if used, err := s.Used(t.Context()); err != nil || used != 5 {
			t.Errorf("%d bytes are used, error %v, want 5", used, err)
		}
		if data, err := os.ReadFile(s.ChunkPath(other, manifest.ChunkTar)); err != nil || string(data) != "defgh" {
			t.Errorf("the other chunk holds %q, error %v", data, err)
		}
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Used(cancelled); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
}

func TestTemp(t *testing.T) {
	s := open(t)
	pack, err := s.Temp("pack")
	check(t, err)
	push, err := s.ClearTemp("push")
	check(t, err)
	for _, dir := range []string{pack, push} {
		check(t, os.WriteFile(filepath.Join(dir, "x"), nil, 0o600))
	}
	_, err = s.ClearTemp("push")
	check(t, err)
	if _, err := os.Stat(filepath.Join(push, "x")); err == nil {
		t.Error("push's file is still there")
	}
	if _, err := os.Stat(filepath.Join(pack, "x")); err != nil {
		t.Error("pack's file is gone")
	}
}

func TestID(t *testing.T) {
	s := open(t)
	n := 0
	newID := func() string { n++; return fmt.Sprint("id ", n) }
	for range 2 {
		if id, err := s.ID(newID); err != nil || id != "id 1" {
			t.Errorf("id is %q, error %v", id, err)
		}
	}
	for i, damaged := range []string{"", "{", `{"id":""}`, "\x00"} {
		check(t, os.WriteFile(s.Path("spool.json"), []byte(damaged), 0o600))
		if id, err := s.ID(newID); err != nil || id != fmt.Sprint("id ", i+2) {
			t.Errorf("after %q the id is %q, error %v", damaged, id, err)
		}
	}
}

func TestLimited(t *testing.T) {
	s := open(t)
	for _, want := range []bool{false, true, true, false, false} {
		check(t, s.SetLimited(want))
		if s.Limited() != want {
			t.Errorf("limited is %v, want %v", s.Limited(), want)
		}
	}
}

func TestLocks(t *testing.T) {
	s := open(t)
	again, err := Open(s.Dir())
	check(t, err)
	push, err := s.LockPush(t.Context())
	check(t, err)
	pack, err := again.LockPack(t.Context())
	check(t, err)
	for name, f := range map[string]func() (bool, error){"push": again.PushRunning, "pack": s.PackRunning} {
		if running, err := f(); err != nil || !running {
			t.Errorf("%s is running: %v, error %v", name, running, err)
		}
	}
	_, err = again.LockPush(t.Context())
	if !errors.Is(err, ErrLocked) || manifest.StatusOf(err) != manifest.Refused || !strings.Contains(err.Error(), "in use by another omt-push") {
		t.Errorf("error is %v", err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err = again.LockPush(cancelled); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
	check(t, push.Unlock())
	check(t, push.Unlock())
	if running, err := again.PushRunning(); err != nil || running {
		t.Errorf("push is running: %v, error %v", running, err)
	}
	push, err = again.LockPush(t.Context())
	check(t, err)
	check(t, push.Unlock())
	check(t, pack.Unlock())
}

// Asking never keeps a push from taking its lock.
func TestAskingDoesNotLock(t *testing.T) {
	s := open(t)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := s.PushRunning(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 20 {
		l, err := s.LockPush(t.Context())
		if err != nil {
			t.Error(err)
			continue
		}
		check(t, l.Unlock())
	}
	close(stop)
	wg.Wait()
}

// TestHelperProcess is no test: it holds the lock until it is killed.
func TestHelperProcess(t *testing.T) {
	dir := os.Getenv("OMT_TEST_SPOOL_LOCK")
	if dir == "" {
		t.Skip("run by TestLockEndsWithProcess alone")
	}
	s, err := Open(dir)
	check(t, err)
	l, err := s.LockPush(t.Context())
	check(t, err)
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin)
	_ = l.Unlock()
}

func TestLockEndsWithProcess(t *testing.T) {
	s := open(t)
	cmd := exec.Command(os.Args[0], "-test.run=^TestHelperProcess$")
	cmd.Env = append(os.Environ(), "OMT_TEST_SPOOL_LOCK="+s.Dir())
	stdin, err := cmd.StdinPipe()
	check(t, err)
	defer stdin.Close()
	out, err := cmd.StdoutPipe()
	check(t, err)
	check(t, cmd.Start())
	_, err = io.ReadFull(out, make([]byte, 5))
	check(t, err)
	if running, err := s.PushRunning(); err != nil || !running {
		t.Errorf("push is running: %v, error %v", running, err)
	}
	if _, err := s.LockPush(t.Context()); !errors.Is(err, ErrLocked) {
		t.Errorf("error is %v", err)
	}
	check(t, cmd.Process.Kill())
	_ = cmd.Wait()
	l, err := s.LockPush(t.Context())
	check(t, err)
	check(t, l.Unlock())
}

package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// store gives the objects that a service keeps.
type store func(yield func(name string, b []byte))

// site is a folder that commands work in. All their relative paths are from it.
type site struct {
	t   testing.TB
	dir string
	env []string // besides the process's own, without any OMT_ variable, and the secrets that all are given

	secrets []string // that are searched for, besides those of the environment
	stores  []store  // what was stored with services
	started int      // processes
}

func newSite(t testing.TB) *site {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return siteAt(t, dir)
}

// siteAt is a site in a folder that is there. It is searched for secrets when the test ends.
func siteAt(t testing.TB, dir string) *site {
	t.Helper()
	s := &site{t: t, dir: dir}
	if err := os.MkdirAll(s.path("tmp"), 0o755); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(dir, shared.dir) { // the base world is searched once, by who makes it
		t.Cleanup(func() {
			if n := s.hunt(); n == 0 && s.started > 0 && s.has() {
				t.Error("not a file was searched for secrets")
			}
		})
	}
	return s
}

func (s *site) path(elem ...string) string { return filepath.Join(append([]string{s.dir}, elem...)...) }

// result is how a process ended.
type result struct {
	line   string // what was started
	status int    // -1: killed
	out    []byte // standard output
	err    string // standard error
}

func (r result) String() string {
	return fmt.Sprintf("%s ended with %d\n%s", r.line, r.status, r.err)
}

// patience is how long a process may take before it counts as standing still.
const patience = 3 * time.Minute

// command is a process that has not been started. One that stands still is killed, which gives it the status -1.
func (s *site) command(args ...string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	s.t.Cleanup(cancel)
	x := exec.CommandContext(ctx, tool(args[0]), args[1:]...)
	x.Dir = s.dir
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "OMT_") && !strings.HasPrefix(e, "TMPDIR=") {
			x.Env = append(x.Env, e)
		}
	}
	x.Env = append(append(append(x.Env, "TMPDIR="+s.path("tmp"), "TMP="+s.path("tmp"), "TEMP="+s.path("tmp")), plants()...), s.env...)
	s.started++
	shared.started.Add(1)
	return x
}

// feed runs a command with standard input.
func (s *site) feed(in io.Reader, args ...string) result {
	s.t.Helper()
	x := s.command(args...)
	var out, said bytes.Buffer
	x.Stdin, x.Stdout, x.Stderr = in, &out, &said
	return s.ended(x, x.Run(), &out, &said)
}

func (s *site) ended(x *exec.Cmd, err error, out, said *bytes.Buffer) result {
	s.t.Helper()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.t.Fatalf("%v: %v", x.Args, err)
	}
	args := append([]string{filepath.Base(x.Args[0])}, x.Args[1:]...)
	s.heard(args[0], out.Bytes(), said.Bytes())
	return result{strings.Join(args, " "), x.ProcessState.ExitCode(), out.Bytes(), said.String()}
}

// run runs a command without standard input.
func (s *site) run(args ...string) result {
	s.t.Helper()
	return s.feed(nil, args...)
}

// want runs a command that must end with the status.
func (s *site) want(status int, args ...string) result {
	s.t.Helper()
	r := s.run(args...)
	if r.status != status {
		s.t.Fatalf("want status %d: %s", status, r)
	}
	return r
}

// pipe runs commands, each reading what the one before writes, through the filters that stand between them (none where
// there are none), and returns how each ended.
func (s *site) pipe(through func(dst io.Writer, src io.Reader) error, list ...[]string) []result {
	s.t.Helper()
	var wait []func() result
	var filters sync.WaitGroup
	var from *os.File
	for i, args := range list {
		x := s.command(args...)
		var out, said bytes.Buffer
		x.Stderr = &said
		if from != nil {
			x.Stdin = from
		}
		next, w := (*os.File)(nil), (*os.File)(nil)
		if i < len(list)-1 {
			next, w = s.newPipe()
			x.Stdout = w
		} else {
			x.Stdout = &out
		}
		if err := x.Start(); err != nil {
			s.t.Fatal(err)
		}
		for _, f := range []*os.File{from, w} {
			if f != nil {
				f.Close()
			}
		}
		if from = next; next != nil && through != nil {
			r, w := s.newPipe()
			filters.Add(1)
			go func() {
				defer filters.Done()
				defer w.Close()
				defer next.Close()
				if err := through(w, next); err != nil {
					s.t.Errorf("the filter behind %v: %v", args, err)
				}
			}()
			from = r
		}
		wait = append(wait, func() result { return s.ended(x, x.Wait(), &out, &said) })
	}
	var results []result
	for _, w := range wait {
		results = append(results, w())
	}
	filters.Wait()
	return results
}

func (s *site) newPipe() (r, w *os.File) {
	s.t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		s.t.Fatal(err)
	}
	return r, w
}

// wantAll fails where a stage of a pipe did not end as it should.
func (s *site) wantAll(results []result, statuses ...int) {
	s.t.Helper()
	for i, r := range results {
		if r.status != statuses[i] {
			s.t.Fatalf("want status %d: %s", statuses[i], r)
		}
	}
}

func (s *site) read(elem ...string) []byte {
	s.t.Helper()
	b, err := os.ReadFile(s.path(elem...))
	if err != nil {
		s.t.Fatal(err)
	}
	return b
}

// write writes a file. What ends with .url holds a secret, which stands nowhere else.
func (s *site) write(b []byte, elem ...string) {
	s.t.Helper()
	if strings.HasSuffix(elem[len(elem)-1], ".url") {
		s.hide(secretsOfURL(string(b))...)
	}
	if err := os.MkdirAll(filepath.Dir(s.path(elem...)), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(s.path(elem...), b, 0o644); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) has(elem ...string) bool {
	_, err := os.Lstat(s.path(elem...))
	return err == nil
}

// copyTree copies a folder, times included.
func copyTree(t testing.TB, from, to string) {
	t.Helper()
	err := filepath.WalkDir(from, func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, p)
		if err != nil {
			return err
		}
		dst := filepath.Join(to, rel)
		if e.IsDir() {
			return os.MkdirAll(dst, 0o755)
		}
		b, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if err := os.WriteFile(dst, b, 0o644); err != nil {
			return err
		}
		return os.Chtimes(dst, info.ModTime(), info.ModTime())
	})
	if err != nil {
		t.Fatal(err)
	}
}

// tree names all files below a folder with the sizes and contents they have.
func tree(t testing.TB, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && p == dir {
			return nil
		}
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(p)
		rel, _ := filepath.Rel(dir, p)
		files[filepath.ToSlash(rel)] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// chunksIn names the chunks below a folder.
func chunksIn(t testing.TB, dir string) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(dir, "chunks", "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range list {
		list[i] = filepath.Base(list[i])
	}
	return list
}

// noLitter fails when processes that ended well have left something in the folder for temporary files but their logs.
func (s *site) noLitter() {
	s.t.Helper()
	for name := range tree(s.t, s.path("tmp")) {
		if !strings.HasPrefix(name, "SoMigration/") || !strings.HasSuffix(name, ".log") {
			s.t.Errorf("left in the folder for temporary files: %q", name)
		}
	}
}

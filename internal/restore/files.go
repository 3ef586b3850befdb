package restore

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/openomt/omt/internal/chunk"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/progress"
)

// The files of an unfinished run, in the folder that is unpacked into.
const (
	markName = ".omt-unpack.json"
	doneName = ".omt-unpack.done"
)

// mark names what an unfinished folder is being filled with.
type mark struct {
	Revision string          `json:"revision"`
	Areas    []manifest.Area `json:"areas"`
}

// folder is the folder that files are unpacked into. Nothing outside it can be reached through it.
type folder struct {
	dir      string
	root     *os.Root
	mu       sync.Mutex
	done     map[manifest.Digest]bool
	log      *os.File
	new      bool              // this run made the mark
	unsynced []manifest.Digest // finished chunks that done and log do not have yet
	own      bool              // this run made the folder
	made     map[string]bool   // folders of the present chunks that exist already
}

// openFolder takes an empty or absent folder, or one that an unfinished run with the same mark left.
func openFolder(dir string, want mark) (*folder, error) {
	_, err := os.Lstat(dir)
	own := errors.Is(err, fs.ErrNotExist)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("making the folder to unpack into: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the folder to unpack into: %w", err)
	}
	f := &folder{dir: dir, root: root, own: own, done: map[manifest.Digest]bool{}, made: map[string]bool{}}
	if err := f.begin(want); err != nil {
		f.close()
		return nil, err
	}
	return f, nil
}

func (f *folder) begin(want mark) error {
	b, err := f.root.ReadFile(markName)
	switch {
	case err == nil:
		var have mark
		if json.Unmarshal(b, &have) != nil || !have.equal(want) {
			return manifest.Errorf(manifest.Refused, "%q holds an unfinished run of something else (%s)", f.dir, have.Revision).
				WithHint("unpack into an empty folder, or remove this one")
		}
		if err := f.readDone(); err != nil {
			return err
		}
	case errors.Is(err, fs.ErrNotExist):
		if err := f.refuseContent(); err != nil {
			return err
		}
		if b, err = json.Marshal(want); err != nil {
			return err
		}
		if err := f.root.WriteFile(markName+".tmp", append(b, '\n'), 0o644); err != nil {
			return err
		}
		if err := f.root.Rename(markName+".tmp", markName); err != nil {
			return err
		}
		f.new = true
	default:
		return err
	}
	f.log, err = f.root.OpenFile(doneName, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	return err
}

func (m mark) equal(o mark) bool {
	if m.Revision != o.Revision || len(m.Areas) != len(o.Areas) {
		return false
	}
	for i := range m.Areas {
		if m.Areas[i] != o.Areas[i] {
			return false
		}
	}
	return true
}

func (f *folder) refuseContent() error {
	d, err := f.root.Open(".")
	if err != nil {
		return err
	}
	defer d.Close()
	names, err := d.Readdirnames(2)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	for _, n := range names {
		if n != markName+".tmp" {
			return manifest.Errorf(manifest.Refused, "%q is not empty", f.dir).WithHint("unpack into an empty folder")
		}
	}
	return nil
}

// readDone reads which chunks were unpacked. A torn last line counts for nothing.
func (f *folder) readDone() error {
	b, err := f.root.Open(doneName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer b.Close()
	for s := bufio.NewScanner(b); s.Scan(); {
		if d, err := manifest.ParseDigest(s.Text()); err == nil {
			f.done[d] = true
		}
	}
	return nil
}

func (f *folder) finished(d manifest.Digest) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.done[d]
}

// syncEvery is how many chunks are noted with one sync: it writes the whole file system, and with it what other programs
// have not written yet. A run that is killed does as many again.
const syncEvery = 8

// finish notes that all files of a chunk are there, with others that were finished before.
func (f *folder) finish(d manifest.Digest) error {
	f.mu.Lock()
	f.unsynced = append(f.unsynced, d)
	full := len(f.unsynced) >= syncEvery
	f.mu.Unlock()
	if !full {
		return nil
	}
	return f.sync()
}

// sync notes the chunks that are finished, after the system was asked to keep their files.
func (f *folder) sync() error {
	f.mu.Lock()
	list := f.unsynced
	f.unsynced = nil
	f.mu.Unlock()
	if len(list) == 0 {
		return nil
	}
	if err := syncTree(f.root); err != nil {
		return fmt.Errorf("syncing %q: %w", f.dir, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var lines []byte
	for _, d := range list {
		lines = append(hex.AppendEncode(lines, d[:]), '\n')
	}
	if _, err := f.log.Write(lines); err != nil {
		return fmt.Errorf("noting finished chunks: %w", err)
	}
	if err := f.log.Sync(); err != nil {
		return fmt.Errorf("noting finished chunks: %w", err)
	}
	for _, d := range list {
		f.done[d] = true
	}
	return nil
}

// abandon leaves the folder as it was found, where this run has put nothing into it but the mark.
func (f *folder) abandon() {
	if f == nil || !f.new {
		return
	}
	f.close()
	for _, name := range []string{doneName, markName} {
		os.Remove(filepath.Join(f.dir, name))
	}
	if f.own {
		os.Remove(f.dir)
	}
}

// complete removes the traces of the run.
func (f *folder) complete() error {
	if f == nil {
		return nil
	}
	if err := f.log.Close(); err != nil {
		return err
	}
	f.log = nil
	return errors.Join(f.root.Remove(doneName), f.root.Remove(markName))
}

// close lets go of the folder. It does nothing the second time.
func (f *folder) close() {
	if f.log != nil {
		f.log.Close()
		f.log = nil
	}
	f.root.Close() //nolint:errcheck // a folder has nothing to lose
}

// target is where a record's file goes, below the folder.
func target(f manifest.File) (string, error) {
	name := f.Path
	if f.Raw && runtime.GOOS != "windows" {
		b, err := manifest.UnescapeName(name)
		if err != nil {
			return "", fmt.Errorf("the name %q: %w", f.Path, err)
		}
		name = string(b)
	}
	if f.Area.Rank() < 1 {
		return "", fmt.Errorf("file %q: %q is no area of files", f.Path, f.Area)
	}
	for _, e := range strings.Split(name, "/") {
		if e == "" || e == "." || e == ".." || strings.ContainsRune(e, 0) ||
			(runtime.GOOS == "windows" && strings.ContainsAny(e, `\:`)) {
			return "", manifest.Errorf(manifest.Failed, "the path %q would leave the folder that is unpacked into", f.Path)
		}
	}
	return string(f.Area) + "/" + name, nil
}

// unpack writes the files of all jobs.
func (f *folder) unpack(ctx context.Context, m Migration, c *contents, workers int, meters map[manifest.Area]progress.Meter) error {
	pool := new(chunk.Pool)
	eg, ctx := errgroup.WithContext(ctx)
	eg.SetLimit(min(max(1, workers), maxWorkers))
	err := c.jobs(ctx, func(j job) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		eg.Go(func() error { return f.job(ctx, m, pool, j, meters[j.chunk.Area]) })
		return nil
	})
	return errors.Join(firstOf(eg.Wait(), err), f.sync())
}

// firstOf returns the failure of a worker, or what its failing broke off.
func firstOf(worker, rest error) error {
	if worker != nil {
		return worker
	}
	return rest
}

func (f *folder) job(ctx context.Context, m Migration, pool *chunk.Pool, j job, meter progress.Meter) error {
	// Of several jobs only the last one is noted: the others are done again.
	if !j.more && f.finished(j.chunk.SHA256) {
		for _, r := range j.files {
			meter.Skip(r.Size)
		}
		return nil
	}
	h := &hand{folder: f}
	defer h.close()
	err := m.walk(ctx, pool, j, func(files []manifest.File, e chunk.Entry, r io.Reader) error {
		return h.entry(files, e, r, meter)
	})
	if err != nil || j.more {
		return err
	}
	return f.finish(j.chunk.SHA256)
}

func (f *folder) mkdir(dir string) error {
	f.mu.Lock()
	known := f.made[dir]
	f.mu.Unlock()
	if known {
		return nil
	}
	if err := f.root.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.made) > 10_000 {
		clear(f.made)
	}
	f.made[dir] = true
	return nil
}

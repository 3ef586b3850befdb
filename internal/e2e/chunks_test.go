package e2e

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// The same input gives the same chunks and the same manifest, however many workers make them.
func TestWorkers(t *testing.T) {
	t.Parallel()
	b, w := fresh(t)
	w.write(b.read("assigned.jsonl"), "assigned.jsonl")
	for _, n := range []string{"1", "3"} {
		spool, out := "spool"+n, "packed"+n+".jsonl"
		w.want(0, append(with(with(packStep, "--spool", spool), "--out", out), "--workers", n)...)
		same(t, out, normal(t, b.read("packed.jsonl")), normal(t, w.read(out)))
		same(t, "the chunks with "+n+" workers", chunksIn(t, b.path("spool")), chunksIn(t, w.path(spool)))
	}
}

// watch measures the chunks in a spool over and over until stop is called, which returns the most there was.
func watch(dir string) (stop func() int64) {
	done := make(chan struct{})
	var wg sync.WaitGroup
	var most int64
	wg.Add(1)
	go func() {
		defer wg.Done()
		for {
			var now int64
			_ = filepath.WalkDir(filepath.Join(dir, "chunks"), func(_ string, e fs.DirEntry, err error) error {
				if err == nil && !e.IsDir() {
					if info, err := e.Info(); err == nil {
						now += info.Size()
					}
				}
				return nil // what goes meanwhile is not there
			})
			most = max(most, now)
			select {
			case <-done:
				return
			case <-time.After(time.Millisecond):
			}
		}
	}()
	return func() int64 {
		close(done)
		wg.Wait()
		return most
	}
}

// Under a limit smaller than the data a pipe of pack and push completes, and the spool never holds more than the limit
// and the largest chunk, though chunks of an earlier run that nobody wants lie there.
func TestSpoolLimit(t *testing.T) {
	t.Parallel()
	b, w := fresh(t)
	w.write(b.read("assigned.jsonl"), "assigned.jsonl")
	const limit = 40_000
	stale := filepath.Join("spool", "chunks", "00", strings.Repeat("0", 64)+".tar.zst")
	w.write(make([]byte, 2*limit), stale)
	var all, largest int64
	for _, name := range chunksIn(t, b.path("spool")) {
		info, err := os.Stat(chunkFile(b.path("spool"), name))
		if err != nil {
			t.Fatal(err)
		}
		all, largest = all+info.Size(), max(largest, info.Size())
	}
	if all < largest+2*limit {
		t.Fatalf("the data has %d bytes, the largest chunk %d: this proves too little", all, largest)
	}
	stop := watch(w.path("spool"))
	results := w.pipe(nil, append(without(packStep, "--out"), "--spool-limit", "40000"), without(pushStep, "--in"))
	most := stop()
	w.wantAll(results, 0, 3)
	if most > 2*limit+limit+largest {
		t.Errorf("the spool held %d bytes, the limit is %d, the largest chunk has %d and %d were there before", most, limit, largest, 2*limit)
	}
	if most < 2*limit+1000 {
		t.Errorf("the spool was seen to hold %d bytes at most: this proves nothing", most)
	}
	same(t, "done.jsonl", normal(t, b.read("done.jsonl"), b.dir), normal(t, w.read("done.jsonl"), w.dir, b.dir))
	w.want(0, "omt-pack", "verify", "--from", "dest")
	if !w.has(stale) {
		t.Error("a chunk of another run was removed")
	}
	// Without the limit the spool is free again.
	w.want(0, packStep...)
	if w.has("spool", "limit") {
		t.Error("the spool is still limited")
	}
}

// Without a push that takes chunks away pack stops, and says what may be the cause.
func TestSpoolLimitWithoutAPush(t *testing.T) {
	t.Parallel()
	if os.Getenv("OMT_TEST_LONG") == "" {
		t.Skip("OMT_TEST_LONG is not set: this waits for 30 seconds")
	}
	b, w := fresh(t)
	w.write(b.read("assigned.jsonl"), "assigned.jsonl")
	began := time.Now()
	got := w.want(1, append(packStep, "--spool-limit", "40000")...)
	if !strings.Contains(got.err, "PowerShell 5.1") || w.has("packed.jsonl") || time.Since(began) < 29*time.Second {
		t.Errorf("after %s: %s", time.Since(began), got)
	}
	w.want(0, packStep...)
	same(t, "packed.jsonl after it", normal(t, b.read("packed.jsonl")), normal(t, w.read("packed.jsonl")))
}

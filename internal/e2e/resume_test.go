package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/openomt/omt/internal/destination/destinationtest"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/spool"
	"github.com/openomt/omt/internal/tenant"
)

const (
	mib     = 1 << 20
	workers = 4
)

// bulk makes packed.jsonl and a spool with chunks of a size: what there is to send, and nothing else.
func (w world) bulk(chunks, size int) (names []string) {
	w.t.Helper()
	s, err := spool.Open(w.path("spool"))
	if err != nil {
		w.t.Fatal(err)
	}
	tmp, err := s.Temp("pack")
	if err != nil {
		w.t.Fatal(err)
	}
	var b bytes.Buffer
	m := manifest.NewWriter(&b, "omt-pack 0.1.0")
	write := func(rec manifest.Record) {
		if err := m.Write(rec); err != nil {
			w.t.Fatal(err)
		}
	}
	write(manifest.Header{
		Format: manifest.Format, ID: "019b7d00-0000-7000-8000-0000000000b1", Tool: "omt-scan 0.1.0", Created: manifest.At(time.Unix(1_700_000_000, 0)),
		Migration: "test", Phase: "full",
	})
	write(manifest.Installation{Owner: "Kalles", Serial: "18", Engine: "sqlite", Database: "sqlite:/x", Prefix: "crm7"})
	for i := range chunks {
		data := destinationtest.Content(7000+i, size)
		c := manifest.Chunk{SHA256: sha256.Sum256(data), Type: manifest.ChunkTar, Area: manifest.Document, Role: manifest.RoleContent, Bytes: int64(size), Items: 1}
		if err := os.WriteFile(filepath.Join(tmp, "new"), data, 0o600); err != nil {
			w.t.Fatal(err)
		}
		if err := s.Publish(filepath.Join(tmp, "new"), c.SHA256, c.Type); err != nil {
			w.t.Fatal(err)
		}
		write(c)
		write(manifest.File{Area: manifest.Document, ID: int64(i + 1), Path: fmt.Sprintf("bob/%05d.zip", i), Size: int64(size), State: manifest.Present, SHA256: c.SHA256, Chunk: c.SHA256})
		names = append(names, tenant.ChunkName(c.SHA256, c.Type))
	}
	for _, rule := range manifest.RequiredRules() {
		write(manifest.Check{Rule: rule, Plugin: "crm 0.1.0", Tool: "omt-pack 0.1.0", Status: manifest.CheckDone})
	}
	if _, err := m.End(); err != nil {
		w.t.Fatal(err)
	}
	w.write(b.Bytes(), "packed.jsonl")
	return names
}

// killAt starts a command and kills it with kill -9 once so much has happened.
func (w world) killAt(much func() bool, args ...string) {
	w.t.Helper()
	x := w.command(args...)
	if err := x.Start(); err != nil {
		w.t.Fatal(err)
	}
	over := make(chan struct{})
	go func() { _ = x.Wait(); close(over) }()
	for !much() {
		select {
		case <-over:
			w.t.Fatal("it ended before it could be killed")
		case <-time.After(time.Millisecond):
		}
	}
	_ = x.Process.Kill()
	<-over
}

var (
	chunkInURL   = regexp.MustCompile(`/chunks/[0-9a-f]{2}/([0-9a-f]{64})`)
	chunksListed = regexp.MustCompile(`^GET .*prefix=[^&]*chunks%2F(&|$)`)
)

// asked are the chunks that requests named, and how often chunks were listed.
func asked(requests []string) (chunks map[string]int, lists int) {
	chunks = map[string]int{}
	for _, r := range requests {
		if m := chunkInURL.FindStringSubmatch(r); m != nil {
			chunks[m[1]]++
		} else if chunksListed.MatchString(r) {
			lists++
		}
	}
	return chunks, lists
}

// TestResumeFigures kills a push with kill -9 when half has gone over the wire, and counts what the next one sends: no more
// than a block for each worker again on Azure, a chunk or part on S3. The journal may be lost meanwhile: the destination is
// listed, once before the first chunk and once before the commit, and no request names a chunk that is there.
// OMT_TEST_RESUME_GB makes so much to send for each push: from 2 on what is sent again is also a small share of it.
func TestResumeFigures(t *testing.T) {
	t.Parallel()
	gb := number(t, "OMT_TEST_RESUME_GB", 0)
	for name, c := range map[string]struct {
		cloud        string
		chunks, size int
		again        int64   // at most, for each worker
		share        float64 // of all, at most, where it is large
		lost         []bool  // the journal is
	}{
		"azure, blocks": {"azure", 6, 32 * mib, 8 * mib, 0.02, []bool{false, true}},
		"s3, single":    {"s3", 6, 32 * mib, 32 * mib, 0.05, []bool{true}},
		"s3, in parts":  {"s3", 2, 80 * mib, 16 * mib, 0.05, []bool{false}},
	} {
		t.Run(name, func(t *testing.T) {
			if gb > 0 {
				c.chunks = gb * 1e9 / c.size
			}
			fresh := clouds[c.cloud](t)
			for _, lost := range c.lost {
				w := world{siteAt(t, t.TempDir())}
				to := fresh(t)
				w.use(to)
				w.bulk(c.chunks, c.size)
				total := int64(c.chunks) * int64(c.size)
				push := append(toCloud(pushStep, "--to"), "--workers", fmt.Sprint(workers), "--keep")
				w.killAt(func() bool { return to.relay.Bytes() >= total/2 }, push...)
				if lost {
					if err := os.Remove(w.path("spool", "receipts.jsonl")); err != nil {
						t.Fatal(err)
					}
				}
				there := w.chunksThere("@tenant.url")
				first := len(to.relay.Seen())
				w.want(0, push...)
				again := to.relay.Bytes() - total
				chunks, lists := asked(to.relay.Seen()[first:])
				t.Logf("lost journal %v: %d of %d bytes were sent again (%.2f %%), %d of %d chunks were there", lost, again, total, 100*float64(again)/float64(total), there, c.chunks)
				if most := workers*c.again + mib/4; again > most { // a quarter for manifest and records
					t.Errorf("lost journal %v: %d bytes were sent again, at most %d should be", lost, again, most)
				}
				if gb > 1 && float64(again) > c.share*float64(total) {
					t.Errorf("lost journal %v: %d bytes of %d were sent again, more than a share of %v", lost, again, total, c.share)
				}
				// What the service had whole when the push was killed may still come to be there: one object for each worker.
				if missed := c.chunks - there; len(chunks) > missed || len(chunks) < missed-workers || lists != 2 {
					t.Errorf("lost journal %v: requests name %d chunks of %d that were not there; chunks were listed %d times\n%s", lost, len(chunks), c.chunks-there, lists,
						strings.Join(to.relay.Seen()[first:], "\n"))
				}
				if n := w.chunksThere("@tenant.url"); n != c.chunks {
					t.Errorf("%d chunks are there", n)
				}
			}
		})
	}
}

// TestBandwidth pushes with a limit into each kind of destination: it takes as long as the limit makes it, at least.
func TestBandwidth(t *testing.T) {
	t.Parallel()
	const chunks, size, rate = 3, mib, 1_500_000
	least := time.Duration(float64(chunks*size-rate/5) / rate * float64(time.Second)) // a tenth of a second's worth may go at once, twice
	for _, name := range []string{"azure", "s3", "folder"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			to := cloud{to: "dest"}
			if name != "folder" {
				to = clouds[name](t)(t)
			}
			w := world{siteAt(t, t.TempDir())}
			w.use(to)
			w.bulk(chunks, size)
			began := time.Now()
			w.want(0, append(toCloud(pushStep, "--to"), "--bandwidth", "00:00-12:00=12Mbit,1.5MB/s")...)
			if took := time.Since(began); took < least {
				t.Errorf("it took %v, at least %v should it", took, least)
			}
			if n := w.chunksThere("@tenant.url"); n != chunks {
				t.Errorf("%d chunks are there", n)
			}
		})
	}
}

// chunksThere asks how many chunks a tenant has.
func (w world) chunksThere(to string) int {
	w.t.Helper()
	var st struct{ Chunks int }
	if err := json.Unmarshal(w.want(0, "omt-push", "status", "--to", to, "--json").out, &st); err != nil {
		w.t.Fatal(err)
	}
	return st.Chunks
}

// TestResumeFolder does the same with a folder: what was written of a chunk is gone on with in the same file.
func TestResumeFolder(t *testing.T) {
	t.Parallel()
	for _, lost := range []bool{false, true} {
		w := world{siteAt(t, t.TempDir())}
		const chunks, size = 12, 10 * mib
		w.bulk(chunks, size)
		push := append(without(pushStep, "--to"), "--to", "dest", "--workers", fmt.Sprint(workers), "--keep", "--bandwidth", "100MB/s")
		w.killAt(func() bool { return written(w.path("dest")) >= chunks*size/2 }, push...)
		before := w.parts()
		had := written(w.path("dest"))
		if lost {
			if err := os.Remove(w.path("spool", "receipts.jsonl")); err != nil {
				t.Fatal(err)
			}
		}
		w.want(0, append(push, "--log", w.path("second.log"))...)
		if len(before) == 0 {
			t.Fatal("no chunk was on its way")
		}
		after := slices.Collect(maps.Values(w.filesIn("dest", "chunks")))
		for name, part := range before {
			if !slices.ContainsFunc(after, func(chunk fs.FileInfo) bool { return os.SameFile(part, chunk) }) {
				t.Errorf("lost journal %v: %s was not gone on with", lost, name)
			}
		}
		sent := sentOf(t, w.read("second.log"))
		t.Logf("lost journal %v: %d of %d bytes were there, some of them in %d parts of chunks; %d were sent", lost, had, chunks*size, len(before), sent)
		if sent != chunks*size-had {
			t.Errorf("lost journal %v: %d bytes were sent, %d were missing", lost, sent, chunks*size-had)
		}
	}
}

// written are the bytes of chunks in a folder, whole or on their way.
func written(dest string) (n int64) {
	for _, dir := range []string{"chunks", "tmp"} {
		_ = filepath.WalkDir(filepath.Join(dest, dir), func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || strings.HasSuffix(name, ".new") {
				return nil
			}
			if st, err := d.Info(); err == nil {
				n += st.Size()
			}
			return nil
		})
	}
	return n
}

// parts are the files of chunks on their way.
func (w world) parts() map[string]fs.FileInfo {
	parts := w.filesIn("dest", "tmp")
	for name := range parts {
		if !strings.HasSuffix(name, ".part") {
			delete(parts, name)
		}
	}
	return parts
}

func (w world) filesIn(elem ...string) map[string]fs.FileInfo {
	w.t.Helper()
	found := map[string]fs.FileInfo{}
	err := filepath.WalkDir(w.path(elem...), func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		st, err := d.Info()
		if err == nil {
			found[name] = st
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return found
}

// sentOf adds up what the log says was sent of the areas.
func sentOf(t *testing.T, log []byte) (sent int64) {
	t.Helper()
	m := regexp.MustCompile(`of"?[=:]"?document"? "?,?"?done"?[=:](\d+)`).FindSubmatch(log)
	if m == nil {
		t.Fatalf("the log says nothing of documents: %s", log)
	}
	fmt.Sscan(string(m[1]), &sent)
	return sent
}

//go:build unix

package main

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/openomt/omt/internal/destination/destinationtest/relay"
	"github.com/openomt/omt/internal/destination/destinationtest/servers"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/tenant"
)

// TestListing measures a push whose journal is lost and whose chunks are all there: OMT_BENCH_LISTING of them, as many as 3 TB
// of files have. versitygw has them as files. Azurite would take an hour to be filled, so a stub before it answers the
// listing of chunks in pages of 5,000, as Azure does, and leaves all else to it.
func TestListing(t *testing.T) {
	n := 0
	if _, err := fmt.Sscan(os.Getenv("OMT_BENCH_LISTING"), &n); err != nil || n < 1 {
		t.Skip("OMT_BENCH_LISTING does not say how many chunks are to be listed")
	}
	b := &bench{bin: os.Getenv("OMT_BENCH_BIN"), dir: t.TempDir()}
	objects := b.manyChunks(t, n)
	for name, place := range map[string]func(*testing.T, map[string]int64) (string, []string, *relay.Relay){"versitygw": bucketOf, "stub before Azurite": stubOf} {
		to, env, r := place(t, objects)
		b.newTenant(t, to)
		c, err := measure(b.push(env...), 0)
		if err != nil {
			t.Fatal(err)
		}
		pages, others := 0, 0
		for _, s := range r.Seen() {
			switch {
			case strings.Contains(s, "/chunks/"):
				t.Fatalf("a chunk was asked for: %s", s)
			case strings.Contains(s, "chunks%2F"):
				pages++
			default:
				others++
			}
		}
		t.Logf("%s: %d chunks in %d pages (listed twice) and %d other requests: %.1f s wall, %.1f s of processor, %d MiB", name, n, pages, others,
			c.wall.Seconds(), c.cpu.Seconds(), c.peak)
	}
}

// manyChunks writes a manifest of n chunks, none of which is in the spool, and gives their objects.
func (b *bench) manyChunks(t *testing.T, n int) map[string]int64 {
	t.Helper()
	if err := os.MkdirAll(b.path("spool"), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(b.path("packed.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := manifest.NewWriter(f, "omt-pack 0.1.0")
	write := func(rec manifest.Record) {
		if err := w.Write(rec); err != nil {
			t.Fatal(err)
		}
	}
	write(manifest.Header{
		Format: manifest.Format, ID: "019b7d00-0000-7000-8000-0000000000b2", Tool: "omt-scan 0.1.0", Created: manifest.At(time.Unix(1_700_000_000, 0)),
		Migration: "test", Phase: "full",
	})
	write(manifest.Installation{Owner: "Kalles", Serial: "18", Engine: "sqlite", Database: "sqlite:/x", Prefix: "crm7"})
	objects := map[string]int64{}
	for i := range n {
		c := manifest.Chunk{SHA256: sha256.Sum256(fmt.Append(nil, i)), Type: manifest.ChunkTar, Area: manifest.Document, Role: manifest.RoleContent, Bytes: int64(100 + i%1000), Items: 1}
		write(c)
		write(manifest.File{Area: manifest.Document, ID: int64(i + 1), Path: fmt.Sprintf("bob/%07d.txt", i), Size: 10, State: manifest.Present, SHA256: c.SHA256, Chunk: c.SHA256})
		objects[tenant.ChunkName(c.SHA256, c.Type)] = c.Bytes
	}
	for _, rule := range manifest.RequiredRules() {
		write(manifest.Check{Rule: rule, Plugin: "crm 0.1.0", Tool: "omt-pack 0.1.0", Status: manifest.CheckDone})
	}
	if _, err := w.End(); err != nil {
		t.Fatal(err)
	}
	return objects
}

func bucketOf(t *testing.T, objects map[string]int64) (string, []string, *relay.Relay) {
	g := servers.StartVersityGW(t)
	bucket, r := g.Bucket(t), relay.New(t, g.Host)
	for name, n := range objects {
		file := filepath.Join(g.Dir, bucket, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, make([]byte, n), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	to := strings.Replace(g.URL(bucket, ""), g.Host, r.URL, 1)
	return to, []string{"AWS_ACCESS_KEY_ID=" + g.Access, "AWS_SECRET_ACCESS_KEY=" + g.Secret}, r
}

func stubOf(t *testing.T, objects map[string]int64) (string, []string, *relay.Relay) {
	a := servers.StartAzurite(t)
	names := make([]string, 0, len(objects))
	for name := range objects {
		names = append(names, name)
	}
	sort.Strings(names)
	target, err := url.Parse(a.Host)
	if err != nil {
		t.Fatal(err)
	}
	rest := relay.New(t, a.Host).Handler(target)
	stub := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		q := req.URL.Query()
		if q.Get("comp") != "list" || q.Get("prefix") != "chunks/" {
			rest.ServeHTTP(w, req)
			return
		}
		from := sort.SearchStrings(names, q.Get("marker"))
		to, next := min(from+5000, len(names)), ""
		if to < len(names) {
			next = names[to]
		}
		w.Header().Set("Content-Type", "application/xml")
		fmt.Fprint(w, `<?xml version="1.0" encoding="utf-8"?><EnumerationResults><Blobs>`)
		for _, name := range names[from:to] {
			fmt.Fprintf(w, `<Blob><Name>%s</Name><Properties><Content-Length>%d</Content-Length></Properties></Blob>`, name, objects[name])
		}
		fmt.Fprintf(w, `</Blobs><NextMarker>%s</NextMarker></EnumerationResults>`, next)
	}))
	t.Cleanup(stub.Close)
	r := relay.New(t, stub.URL)
	return strings.Replace(a.SAS(t, a.Container(t), "rcwl", time.Hour), a.Host, r.URL, 1), nil, r
}

package report

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/tenant"
)

// TestScale reports a migration of so many files as OMT_TEST_SCALE says, each twentieth of them missing, and tells what it took.
func TestScale(t *testing.T) {
	n, _ := strconv.Atoi(os.Getenv("OMT_TEST_SCALE"))
	if n == 0 {
		t.Skip("OMT_TEST_SCALE names no number of files")
	}
	s := newSite(t)
	s.commitMany(n)
	begun := time.Now()
	r := s.must("")
	took := time.Since(begun)
	for name, write := range map[string]func(io.Writer) error{
		"html": r.WriteHTML, "json": r.WriteJSON, "csv": func(w io.Writer) error { return r.WriteCSV(w, ';') }} {
		begun, c := time.Now(), &counter{}
		check(t, write(c))
		t.Logf("%s: %d bytes in %s", name, c.n, time.Since(begun).Round(time.Millisecond))
	}
	status, err := os.ReadFile("/proc/self/status")
	check(t, err)
	peak, _, _ := strings.Cut(string(status[bytes.Index(status, []byte("VmHWM")):]), "\n")
	t.Logf("%d files, %d missing, read in %s; %s", n, r.Missing, took.Round(time.Millisecond), peak)
	if r.Missing != int64(n/20) {
		t.Errorf("%d of %d are missing", r.Missing, n)
	}
}

type counter struct{ n int }

func (c *counter) Write(p []byte) (int, error) {
	c.n += len(p)
	return len(p), nil
}

// commitMany commits a manifest of many files without holding it.
func (s *site) commitMany(n int) {
	t := s.t
	t.Helper()
	f, err := os.Create(filepath.Join(t.(*testing.T).TempDir(), "manifest"))
	check(t, err)
	defer f.Close()
	h := sha256.New()
	z, err := tenant.NewManifestWriter(io.MultiWriter(f, h))
	check(t, err)
	w := manifest.NewWriter(z, "omt-push 0.1.0")
	check(t, w.Write(manifest.Header{Format: manifest.Format, ID: idA, Tool: "omt-scan 0.1.0", Created: moment(0), Migration: "test", Phase: "full"}))
	check(t, w.Write(manifest.Installation{Owner: "Kalles", Areas: []manifest.Area{manifest.Document}, Roots: map[string][]string{}}))
	c := tenant.Commit{ID: idA, Phase: tenant.Full, Migration: "test", Mode: "initial", Company: "Kalles", Serial: "1", Tool: "omt-push 0.1.0", At: moment(60), Missing: int64(n / 20)}
	var chunks []manifest.Digest
	for i := range n {
		file := manifest.File{Area: manifest.Document, ID: int64(i + 1), Path: fmt.Sprintf("BOB/2002.1/document %09d.docx", i), Size: 20_000, Owner: "BOB",
			Title: fmt.Sprintf("Offer number %d to a customer", i), State: manifest.Present, MTime: moment(0)}
		if i%800 == 0 {
			d := digest(strconv.Itoa(i))
			chunks = append(chunks, d)
			check(t, w.Write(manifest.Chunk{SHA256: d, Type: manifest.ChunkTar, Area: manifest.Document, Role: manifest.RoleContent, Bytes: 1000, Items: 800}))
		}
		if i%20 == 19 {
			file.State, file.Size, file.Candidates = manifest.Missing, 0, []string{"GS/2002.1/somewhere else.docx"}
		} else {
			file.SHA256, file.Chunk, file.Offset = digest("x"), chunks[len(chunks)-1], int64(i)
		}
		check(t, w.Write(file))
	}
	for _, d := range chunks {
		check(t, w.Write(manifest.Receipt{Chunk: d, Bytes: 1000, Sent: true, At: moment(30)}))
	}
	end, err := w.End()
	check(t, err)
	check(t, z.Close())
	size, err := f.Seek(0, io.SeekEnd)
	check(t, err)
	c.Chunks, c.Bytes, c.End, c.Counts = int64(len(chunks)), int64(1000*len(chunks)), end.SHA256, end.Counts
	c.Manifest = tenant.Stored{SHA256: manifest.Digest(h.Sum(nil)), Bytes: size}
	claim, err := s.ten.Begin(t.Context(), tenant.Claim{ID: idA, Phase: c.Phase, Migration: "test", Company: c.Company, Serial: c.Serial, Manifest: c.Manifest, Spool: "s", Tool: c.Tool, At: moment(59)})
	check(t, err)
	name := filepath.Join(s.path, filepath.FromSlash(claim.ManifestName()))
	check(t, os.MkdirAll(filepath.Dir(name), 0o755))
	check(t, os.Rename(f.Name(), name))
	c.Revision = claim.Revision
	_, err = s.ten.Commit(t.Context(), claim, c, func(context.Context) error { return nil })
	check(t, err)
}

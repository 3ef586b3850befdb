package runbook

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/openomt/omt/internal/destination/dir"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/tenant"
)

const (
	idTest = "019b7d00-0000-7000-8000-00000000000a"
	idLive = "019b7d00-0000-7000-8000-00000000000b"
	// hostile is a name that would do harm where it is not escaped.
	hostile = "Kalles *& Co* <script>alert(1)</script> | \u202eevil\u202c \x1b[2J`x`"
	// root is a folder that shells would take apart.
	root = "/srv/it's \u2018arkiv\u2019 $(rm -rf ~); \u202egpj"
)

// at is so many minutes after the beginning.
func at(minutes int) time.Time {
	return time.Date(2026, 11, 20, 18, 0, 0, 0, time.UTC).Add(time.Duration(minutes) * time.Minute)
}

func moment(minutes int) manifest.Time { return manifest.At(at(minutes)) }

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func digest(text string) manifest.Digest { return sha256.Sum256([]byte(text)) }

func ptr[T any](v T) *T { return &v }

// site is a destination that migrations are committed to.
type site struct {
	t    testing.TB
	path string
	ten  *tenant.Tenant
}

func newSite(t testing.TB) *site {
	t.Helper()
	path := filepath.Join(t.TempDir(), "dest")
	d, err := dir.Open(path, time.Now)
	check(t, err)
	return &site{t, path, tenant.Open(d)}
}

// commit commits records as the next revision, as a push does.
func (s *site) commit(records []manifest.Record, minutes int) tenant.Commit {
	t := s.t
	t.Helper()
	var b bytes.Buffer
	z, err := tenant.NewManifestWriter(&b)
	check(t, err)
	w := manifest.NewWriter(z, "omt-push 0.1.0")
	h := records[0].(manifest.Header)
	inst := records[1].(manifest.Installation)
	c := tenant.Commit{ID: h.ID, Phase: tenant.Full, Migration: h.Migration, Mode: "initial", Company: inst.Owner, Serial: inst.Serial, Tool: "omt-push 0.1.0", At: moment(minutes)}
	for _, r := range records {
		check(t, w.Write(r))
		if f, ok := r.(manifest.File); ok && f.State == manifest.Missing {
			c.Missing++
		}
	}
	end, err := w.End()
	check(t, err)
	check(t, z.Close())
	c.End, c.Counts, c.Input = end.SHA256, end.Counts, digest(fmt.Sprint("input", h.ID, minutes))
	c.Manifest = tenant.Stored{SHA256: sha256.Sum256(b.Bytes()), Bytes: int64(b.Len())}
	claim := tenant.Claim{ID: h.ID, Phase: c.Phase, Migration: c.Migration, Company: c.Company, Serial: c.Serial, Input: c.Input, Manifest: c.Manifest,
		Spool: "s", Tool: c.Tool, At: moment(minutes - 1)}
	if st, err := s.ten.State(t.Context()); err == nil && st.Migration != nil && st.Migration.ID != h.ID {
		claim.Recover, claim.Over = tenant.RecoverOverwrite, st.Migration.ID
	}
	claim, err = s.ten.Begin(t.Context(), claim)
	check(t, err)
	name := filepath.Join(s.path, filepath.FromSlash(claim.ManifestName()))
	check(t, os.MkdirAll(filepath.Dir(name), 0o755))
	check(t, os.WriteFile(name, b.Bytes(), 0o644))
	c.Revision = claim.Revision
	c, err = s.ten.Commit(t.Context(), claim, c, func(context.Context) error { return nil })
	check(t, err)
	return c
}

// prove keeps a proof of a commit's content.
func (s *site) prove(c tenant.Commit, minutes, took int, edit func(*tenant.Proof)) {
	s.t.Helper()
	p := tenant.Proof{ID: c.ID, Revision: c.Revision, Phase: c.Phase, End: c.End, Depth: "content", Sample: 1, Chunks: 3, Bytes: 60_000_000_000, Read: 3,
		BytesRead: 60_000_000_000, Tool: "omt-pack 0.1.0", Begun: moment(minutes), Ended: moment(minutes + took), Runs: 1}
	if edit != nil {
		edit(&p)
	}
	_, err := s.ten.PutProof(s.t.Context(), p)
	check(s.t, err)
}

// scanned is what a scan writes.
func scanned(kind string) []manifest.Record {
	id := idTest
	if kind == "live" {
		id = idLive
	}
	return []manifest.Record{
		manifest.Header{Format: manifest.Format, ID: id, Tool: "omt-scan 0.1.0", Created: moment(0), Migration: kind, Phase: "full"},
		manifest.Installation{Owner: hostile, Serial: "1801830017", Version: "8.5", Engine: "mssql", Database: "sqlserver://crm:1433?database=crm", Prefix: "crm7",
			Areas: []manifest.Area{manifest.Database, manifest.Template, manifest.Document, manifest.Service},
			Roots: map[string][]string{"document": {root, `D:\so arc\`}, "service": {"/srv/service"}}, Map: []string{`D:\CS=/srv/cs`}, Folders: []string{"GKS=GS"}},
		manifest.Migrator{Login: "KK", Name: "Karl O'Klopp", Email: "karl@example.com", Language: "no", Verified: "database", Admin: "guessed"},
		manifest.User{ID: 7, Login: "BOB", Name: "Bob", Emails: []string{"bob@example.com"}, Plan: ptr("Sales"), Username: "bob@Example.com"},
		manifest.User{ID: 8, Login: "EVA", Name: "Eva", Emails: []string{}, Plan: ptr("Sales"), Username: "eva@b\u00f8.example"},
		manifest.User{ID: 9, Login: "OLD", Name: "Old", Emails: []string{}, Plan: ptr(""), Username: "old@gone.example"},
		manifest.Table{Name: "document", Rows: 900_000, Columns: []manifest.Column{{Name: "document_id", Type: "int"}}, Key: []string{"document_id"}},
		manifest.File{Area: manifest.Document, ID: 1, Path: "BOB/2002.1/a.docx", Size: 90_000_000_000, State: manifest.Present},
		manifest.File{Area: manifest.Document, ID: 2, Path: "BOB/2002.1/b.docx", State: manifest.Missing},
		manifest.Finding{Rule: "satellite", Severity: manifest.SeverityError, Subjects: []string{"satellite:1"}, Message: "satellite 1 is registered"},
		manifest.Finding{Rule: "service-mailbox", Severity: manifest.SeverityWarning, Subjects: []string{}, Message: "1 mailbox"},
	}
}

// pushed is the same with chunks and receipts of a push of 9 minutes, and of a small one an hour later.
func pushed(kind string) []manifest.Record {
	list := scanned(kind)
	table, first, second := digest("table"), digest("first"), digest("second")
	chunks := []manifest.Record{
		manifest.Chunk{SHA256: table, Type: manifest.ChunkParquet, Area: manifest.Database, Bytes: 6_000_000_000, Items: 1, Table: "document", Rows: 900_000},
		manifest.Chunk{SHA256: first, Type: manifest.ChunkTar, Area: manifest.Document, Role: manifest.RoleContent, Bytes: 24_000_000_000, Items: 1},
		manifest.Chunk{SHA256: second, Type: manifest.ChunkTar, Area: manifest.Document, Role: manifest.RoleContent, Bytes: 30_000_000_000, Items: 1},
	}
	out := append([]manifest.Record{}, list[:7]...)
	out = append(append(out, chunks...), list[7:9]...)
	for _, r := range []manifest.Receipt{
		{Chunk: table, Bytes: 6_000_000_000, Sent: true, At: moment(30)},
		{Chunk: first, Bytes: 24_000_000_000, Sent: true, At: moment(39)},
		{Chunk: second, Bytes: 1_000, Sent: true, At: moment(120)},
		{Chunk: second, Bytes: 30_000_000_000, Sent: false, At: moment(45)},
	} {
		out = append(out, r)
	}
	f := list[9].(manifest.Finding)
	f.Waived = "closed in May"
	return append(out, f, list[10], manifest.Waiver{Rule: "satellite", Reason: "closed in May", By: "KK", At: moment(14), Covers: 1})
}

// reader reads records as a manifest.
func reader(t testing.TB, records []manifest.Record) *manifest.Reader {
	t.Helper()
	var b bytes.Buffer
	w := manifest.NewWriter(&b, "omt-scan 0.1.0")
	for _, r := range records {
		check(t, w.Write(r))
	}
	_, err := w.End()
	check(t, err)
	return manifest.NewReader(&b, manifest.ReadOptions{})
}

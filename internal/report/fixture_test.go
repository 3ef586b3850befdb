package report

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
	"github.com/openomt/omt/internal/progress"
	"github.com/openomt/omt/internal/tenant"
)

const (
	idA = "019b7d00-0000-7000-8000-00000000000a"
	idB = "019b7d00-0000-7000-8000-00000000000b"
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

// site is a destination that migrations are committed to.
type site struct {
	t    testing.TB
	path string
	d    *dir.Dir
	ten  *tenant.Tenant
}

func newSite(t testing.TB) *site {
	t.Helper()
	path := filepath.Join(t.TempDir(), "dest")
	d, err := dir.Open(path, time.Now)
	check(t, err)
	return &site{t: t, path: path, d: d, ten: tenant.Open(d)}
}

// commit commits records as a revision, as a push does. edit may change what the commit says.
func (s *site) commit(id string, minutes int, records []manifest.Record, edit func(*tenant.Commit)) tenant.Commit {
	t := s.t
	t.Helper()
	var b bytes.Buffer
	z, err := tenant.NewManifestWriter(&b)
	check(t, err)
	w := manifest.NewWriter(z, "omt-push 0.1.0")
	c := tenant.Commit{ID: id, Phase: tenant.Full, Migration: "test", Mode: "initial", Company: "Kalles", Serial: "1801830017", Tool: "omt-push 0.1.0", At: moment(minutes)}
	seen := map[manifest.Digest]bool{}
	for _, r := range records {
		check(t, w.Write(r))
		switch r := r.(type) {
		case manifest.Header:
			c.Phase, c.Migration = tenant.Phase(r.Phase), r.Migration
		case manifest.Chunk:
			if !seen[r.SHA256] {
				seen[r.SHA256] = true
				c.Chunks++
				c.Bytes += r.Bytes
			}
		case manifest.File:
			if fateOf(r) == missed {
				c.Missing++
			}
		}
	}
	end, err := w.End()
	check(t, err)
	check(t, z.Close())
	c.End, c.Counts, c.Input = end.SHA256, end.Counts, digest(fmt.Sprint("input", id, minutes))
	c.Manifest = tenant.Stored{SHA256: sha256.Sum256(b.Bytes()), Bytes: int64(b.Len())}
	if edit != nil {
		edit(&c)
	}
	claim, err := s.ten.Begin(t.Context(), tenant.Claim{ID: id, Phase: c.Phase, Migration: c.Migration, Company: c.Company, Serial: c.Serial,
		Input: c.Input, Manifest: c.Manifest, Spool: "s", Tool: c.Tool, At: moment(minutes - 1)})
	check(t, err)
	name := filepath.Join(s.path, filepath.FromSlash(claim.ManifestName()))
	check(t, os.MkdirAll(filepath.Dir(name), 0o755))
	check(t, os.WriteFile(name, b.Bytes(), 0o644))
	c.Revision = claim.Revision
	c, err = s.ten.Commit(t.Context(), claim, c, func(context.Context) error { return nil })
	check(t, err)
	return c
}

// gather makes the report of what the tenant holds.
func (s *site) gather(id string) (*Report, error) {
	s.t.Helper()
	temp := s.t.TempDir()
	r, err := Gather(s.t.Context(), Options{Tenant: s.ten, Migration: id, Temp: temp, Tool: "omt-push 0.1.0", Now: func() time.Time { return at(600) }, Progress: progress.None{}})
	if err == nil {
		s.t.Cleanup(func() {
			r.Close()
			if left, _ := os.ReadDir(temp); len(left) > 0 {
				s.t.Errorf("left in the folder for temporary files: %v", left)
			}
		})
		r.Destination = "file:///srv/tenant" // the folder of a test has another name each time
		r.Proved, r.Good = r.verdict()
	} else if left, _ := os.ReadDir(temp); len(left) > 0 {
		s.t.Errorf("left in the folder for temporary files: %v", left)
	}
	return r, err
}

func (s *site) must(id string) *Report {
	s.t.Helper()
	r, err := s.gather(id)
	check(s.t, err)
	return r
}

func ptr[T any](v T) *T { return &v }

// small is a manifest in which most of what a report tells of occurs. With later, what was missing first has been found.
func small(later bool) []manifest.Record {
	part, rowsOf, template, document, attachment := digest("part"), digest("document rows"), digest("template"), digest("document"), digest("attachment")
	file := func(area manifest.Area, id int64, path string, size int64, chunk manifest.Digest) manifest.File {
		return manifest.File{Area: area, ID: id, Path: path, Size: size, Owner: "BOB", Title: "Offer to " + path, State: manifest.Present, SHA256: digest(path), Chunk: chunk}
	}
	gone := func(f manifest.File, state manifest.State, reason string) manifest.File {
		f.State, f.Reason, f.Chunk, f.SHA256, f.Size = state, reason, manifest.Digest{}, manifest.Digest{}, 0
		return f
	}
	none := manifest.Digest{}
	list := []manifest.Record{
		manifest.Header{Format: manifest.Format, ID: idA, Tool: "omt-scan 0.1.0", Created: moment(0), Migration: "test", Mode: "initial", Phase: "full"},
		manifest.Edit{By: "karl", At: moment(20), Tool: "omt-pack 0.1.0"},
		manifest.Installation{Owner: "Kalles <& Co>", Serial: "1801830017", Version: "8.5", Engine: "mssql", Database: "sqlserver://crm:1433?database=crm", Prefix: "crm7",
			Areas: []manifest.Area{manifest.Database, manifest.Template, manifest.Document, manifest.Service, manifest.Attachment}, Roots: map[string][]string{}},
		manifest.Migrator{Login: "KK", Name: "Karl Klopp", Email: "karl@example.com", Verified: "database", Admin: "guessed"},
		manifest.Plan{Name: "SalesPREM", Title: "Sales Premium", Seats: 20, Source: "tenant"},
		manifest.Plan{Name: "ServicePREM", Title: "Service Premium", Unlimited: true, Source: "tenant"},
		manifest.User{ID: 7, Login: "BOB", Name: "Bob Bobsen", Admin: true, Emails: []string{"bob@example.com"}, Plan: ptr("SalesPREM"), Username: "bob@example.com", Welcome: ptr(true)},
		manifest.User{ID: 8, Login: "DANA", Name: "דנה כהן", Emails: []string{"dana@example.com"}, Plan: ptr("ServicePREM"), Username: "dana@example.com", Welcome: ptr(false)},
		manifest.User{ID: 9, Login: "OLD", Name: "=cmd|'/c calc'!A1", Emails: []string{}, Plan: ptr("")},
		manifest.User{ID: 10, Login: "NEW", Name: `New "<script>alert(1)</script>"`, Emails: []string{}},
		manifest.Review{Item: "plans", By: "KK", At: moment(15), How: "board"}, manifest.Review{Item: "usernames", By: "KK", At: moment(15), How: "board"},
		manifest.Review{Item: "notifications", By: "KK", At: moment(15), How: "board", Summary: ptr("boss@example.com")},
		manifest.Removal{Person: 12, Email: "bob@example.com", User: 7},
		manifest.Table{Name: "associate", Rows: 21, Columns: []manifest.Column{{Name: "associate_id", Type: "int"}}, Key: []string{"associate_id"}},
		manifest.Chunk{SHA256: part, Type: manifest.ChunkParquet, Area: manifest.Database, Bytes: 5124, Items: 21, Table: "associate", Rows: 21},
		manifest.Table{Name: "document", Rows: 9, Columns: []manifest.Column{{Name: "document_id", Type: "int"}}, Key: []string{"document_id"}},
		manifest.Chunk{SHA256: rowsOf, Type: manifest.ChunkParquet, Area: manifest.Database, Bytes: 900, Items: 9, Table: "document", Rows: 9},
		manifest.Chunk{SHA256: template, Type: manifest.ChunkTar, Area: manifest.Template, Role: manifest.RoleContent, Bytes: 700, Items: 1},
		file(manifest.Template, 3, "offer.dotx", 1200, template),
		manifest.Chunk{SHA256: document, Type: manifest.ChunkTar, Area: manifest.Document, Role: manifest.RoleContent, Bytes: 40_000_000, Items: 4},
	}
	copied := file(manifest.Document, 103, "BOB/2002.2/copy.docx", 1_500_000, document)
	copied.Same = "BOB/2002.1/first.docx"
	activity := file(manifest.Document, 105, "BOB/2003.1/no activity.docx", 900, document)
	activity.State = manifest.NoAppointment
	found := gone(file(manifest.Document, 104, "BOB/2002.2/lost.docx", 0, none), manifest.Missing, "")
	found.Candidates = []string{"GS/2002.2/lost.docx", "old/lost.docx"}
	if later {
		found = file(manifest.Document, 104, "BOB/2002.2/lost.docx", 44_000, document)
	}
	blank := gone(file(manifest.Document, 108, "", 0, none), manifest.BlankName, "")
	blank.Title, blank.Path = "\u202eevil\u202c <img src=x onerror=alert(1)>", ""
	list = append(list,
		file(manifest.Document, 101, "BOB/2002.1/first.docx", 1_500_000, document),
		gone(file(manifest.Document, 0, "BOB/2002.1/mail.htm", 0, none), manifest.NoRow, ""),
		copied, found, activity,
		gone(file(manifest.Document, 106, "DANA/2024.1/=2+5.docx", 0, none), manifest.Unreadable, "denied"),
		gone(file(manifest.Document, 0, "DANA/2024.1/old.docx", 0, none), manifest.Shadowed, ""),
		file(manifest.Document, 102, "דנה/2024.2/הצעה.docx", 2_000_000, document),
		gone(manifest.File{Area: manifest.Document, ID: 107, Owner: "DANA", Title: "Elsewhere"}, manifest.Elsewhere, "provider 5"),
		blank,
		gone(manifest.File{Area: manifest.Document, ID: 109, Title: "\tNo author"}, manifest.NoAssociate, "author"),
		gone(file(manifest.Service, 0, "config", 0, none), manifest.Left, "secrets"),
		manifest.Chunk{SHA256: attachment, Type: manifest.ChunkTar, Area: manifest.Attachment, Role: manifest.RoleContent, Bytes: 1000, Items: 1},
		file(manifest.Attachment, 1, "1.pdf", 3000, attachment),
	)
	for i, d := range []manifest.Digest{part, rowsOf, template, document, attachment} {
		list = append(list, manifest.Receipt{Chunk: d, Bytes: []int64{5124, 900, 700, 40_000_000, 1000}[i], Sent: true, At: moment(30 + 5*i)})
	}
	return append(list,
		manifest.Check{Rule: "duplicate-email", Plugin: "crm 0.1.0", Tool: "omt-pack 0.1.0", Status: manifest.CheckDone},
		manifest.Check{Rule: "satellite", Plugin: "crm 0.1.0", Tool: "omt-pack 0.1.0", Status: manifest.CheckDone, Findings: 1},
		manifest.Finding{Rule: "document-name", Severity: manifest.SeverityWarning, Subjects: []string{"file:document:108"}, Message: "document 108 (\"\u202eevil\u202c <img src=x onerror=alert(1)>\") has no name"},
		manifest.Finding{Rule: "satellite", Severity: manifest.SeverityError, Subjects: []string{"satellite:1"}, Message: "satellite 1 (area 1) is registered", Waived: "closed in May"},
		manifest.Waiver{Rule: "satellite", Reason: "closed in May", By: "KK", At: moment(14), Covers: 1},
	)
}

// proof is a good one of the content of a commit.
func proof(c tenant.Commit, minutes int) tenant.Proof {
	return tenant.Proof{ID: c.ID, Revision: c.Revision, Phase: c.Phase, End: c.End, Depth: "content", Sample: 1, Chunks: c.Chunks, Bytes: c.Bytes, Read: c.Chunks, BytesRead: c.Bytes,
		Files: 6, Rows: 30, Tool: "omt-pack 0.1.0", Begun: moment(minutes), Ended: moment(minutes + 7), Runs: 1}
}

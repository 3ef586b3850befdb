package tenant_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/destination/destinationtest"
	"github.com/openomt/omt/internal/destination/dir"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/tenant"
)

const (
	idA = "019b7d00-0000-7000-8000-00000000000a"
	idB = "019b7d00-0000-7000-8000-00000000000b"
)

func folder(t testing.TB) (destination.Destination, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tenant")
	d, err := dir.Open(path, time.Now)
	check(t, err)
	return d, path
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func quick() destination.Retry {
	return destination.Retry{Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }}
}

// push is what a push is to the tenant.
type push struct {
	id, company, serial, input, spool string
	migration, mode                   string
	recover                           tenant.Recover
	base                              int
	judged                            func() // happens once it was judged
	phase                             tenant.Phase
	at                                int // minutes after the beginning
}

func a() push {
	return push{id: idA, company: "Kalles", serial: "18", input: "a", spool: "spool a", phase: tenant.Full}
}

func b() push {
	p := a()
	p.id, p.input, p.spool, p.at = idB, "b", "spool b", 1
	return p
}

func (p push) time() manifest.Time {
	return manifest.At(time.Date(2026, 1, 2, 3, p.at, 0, 0, time.UTC))
}

func (p push) inputDigest() manifest.Digest { return sha256.Sum256([]byte(p.input)) }

// manifest is a stored manifest, of one line.
func (p push) manifest() []byte {
	var b bytes.Buffer
	w, err := tenant.NewManifestWriter(&b)
	if err != nil {
		panic(err)
	}
	fmt.Fprintf(w, "manifest of %s\n", p.input)
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func (p push) claim() tenant.Claim {
	m := p.manifest()
	return tenant.Claim{
		ID: p.id, Phase: p.phase, Migration: cmp.Or(p.migration, "test"), Company: p.company, Serial: p.serial, Input: p.inputDigest(),
		Recover: p.recover, Base: p.base, Manifest: tenant.Stored{SHA256: sha256.Sum256(m), Bytes: int64(len(m))}, Spool: p.spool, Tool: "omt-push 0.1.0", At: p.time(),
	}
}

// run is a whole push. mine tells whether its own commit stands.
func (p push) run(ctx context.Context, d destination.Destination) (c tenant.Commit, mine bool, err error) {
	t := tenant.Open(d)
	v, err := t.Judge(ctx, p.claim(), p.recover)
	if err != nil {
		return c, false, err
	}
	if p.judged != nil {
		p.judged()
	}
	found, _, err := t.Committed(ctx, p.phase, p.id, p.inputDigest())
	if err != nil || found != nil {
		if found != nil {
			c = *found
		}
		return c, false, err
	}
	claim, err := t.Begin(ctx, p.claim().Under(v, p.recover))
	if err != nil {
		return c, false, err
	}
	data := p.manifest()
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
	if err := t.PutManifest(ctx, quick(), claim, open, nil); err != nil {
		return c, false, err
	}
	own := tenant.Commit{
		ID: claim.ID, Revision: claim.Revision, Phase: claim.Phase, Migration: claim.Migration, Mode: cmp.Or(p.mode, "initial"),
		Company: claim.Company, Serial: claim.Serial, Manifest: claim.Manifest, End: sha256.Sum256([]byte("end of " + p.input)),
		Input: claim.Input, Counts: map[string]int64{"file": 3}, Chunks: 2, Bytes: 100, Missing: 1, Tool: claim.Tool, At: p.time(),
	}
	c, err = t.Commit(ctx, claim, own, func(context.Context) error { return nil })
	return c, err == nil && c.Revision == own.Revision && c.ID == own.ID, err
}

// wantTenant checks everything that must hold of a tenant whose migration is of p, whatever happened to it before.
func wantTenant(t testing.TB, d destination.Destination, p push) tenant.State {
	t.Helper()
	tn := tenant.Open(d)
	s, err := tn.State(t.Context())
	check(t, err)
	if s.State != tenant.OfflineMaintenance && s.State != tenant.Running || s.Pending != nil || s.Migration == nil {
		t.Fatalf("the tenant's state is %+v", s)
	}
	if s.Migration.ID != p.id || s.Migration.Input != p.inputDigest() || s.Company != p.company || s.Serial != p.serial {
		t.Fatalf("the tenant's migration is %+v, want that of %+v", s.Migration, p)
	}
	if last := s.History[len(s.History)-1]; last.Number > s.Number || last.ID != p.id || last.Revision != s.Migration.Revision {
		t.Errorf("history ends with %+v, state is number %d", last, s.Number)
	}
	last, err := tn.LastCommitted(t.Context())
	check(t, err)
	if diff := gocmp.Diff(s.Migration, last); diff != "" {
		t.Errorf("last committed differs from the state: %s", diff)
	}
	c, err := tn.Last(t.Context(), p.phase, p.id)
	check(t, err)
	if diff := gocmp.Diff(*s.Migration, c); diff != "" {
		t.Errorf("commit.json differs from the state: %s", diff)
	}
	rc, err := tn.OpenManifest(t.Context(), c)
	check(t, err)
	defer rc.Close()
	if got, err := io.ReadAll(rc); err != nil || string(got) != "manifest of "+p.input+"\n" {
		t.Errorf("the stored manifest is %q, error %v", got, err)
	}
	if data := destinationtest.Read(t, d, "omt-tenant.json"); !bytes.Equal(data, destinationtest.Read(t, d, fmt.Sprintf("state/%08d.json", s.Number))) {
		t.Error("omt-tenant.json is not the state")
	}
	return s
}

// wantOne checks that of all migrations only one is committed.
func wantOne(t testing.TB, d destination.Destination, id string) {
	t.Helper()
	revisions, err := tenant.Open(d).Revisions(t.Context(), tenant.Full, "")
	check(t, err)
	for _, r := range revisions {
		if r.Finished && r.ID != id {
			t.Errorf("revision %d of %s is committed beside %s", r.Number, r.ID, id)
		}
		if r.Finished && (!r.Claimed || !r.Stored) {
			t.Errorf("%+v", r)
		}
	}
}

func wantRefused(t testing.TB, err error, text string) {
	t.Helper()
	if manifest.StatusOf(err) != manifest.Refused || !strings.Contains(err.Error(), text) || manifest.HintOf(err) == "" {
		t.Errorf("error is %v (status %d, hint %q), want a refusal that says %q", err, manifest.StatusOf(err), manifest.HintOf(err), text)
	}
}

func TestEmpty(t *testing.T) {
	d, _ := folder(t)
	tn := tenant.Open(d)
	s, err := tn.State(t.Context())
	if err != nil || s.Number != 0 {
		t.Errorf("state is %+v, error %v", s, err)
	}
	if c, err := tn.LastCommitted(t.Context()); c != nil || err != nil {
		t.Errorf("last committed is %v, error %v", c, err)
	}
	if _, err := tn.Last(t.Context(), tenant.Full, idA); !errors.Is(err, destination.ErrNotExist) {
		t.Errorf("error is %v", err)
	}
	if _, err := tn.Last(t.Context(), tenant.Full, "../x"); manifest.StatusOf(err) != manifest.Usage {
		t.Errorf("error is %v", err)
	}
}

func TestPushOnce(t *testing.T) {
	d, _ := folder(t)
	c, mine, err := a().run(t.Context(), d)
	check(t, err)
	if !mine || c.Revision != 1 {
		t.Errorf("committed %+v, mine is %v", c, mine)
	}
	s := wantTenant(t, d, a())
	if s.Number != 2 || len(s.History) != 1 {
		t.Errorf("state is %+v", s)
	}
	want := []string{
		"migrations/" + idA + "/000001/commit.json", "migrations/" + idA + "/000001/manifest.jsonl.zst",
		"migrations/" + idA + "/000001/open.json", "omt-tenant.json", "state/00000001.json", "state/00000002.json",
	}
	got := destinationtest.Listed(t, d, "")
	for _, name := range want {
		if _, ok := got[name]; !ok {
			t.Errorf("%q is not there", name)
		}
	}
	if len(got) != len(want) {
		t.Errorf("there are %v", got)
	}
}

func TestPushAgain(t *testing.T) {
	d, _ := folder(t)
	first, _, err := a().run(t.Context(), d)
	check(t, err)
	before := destinationtest.Listed(t, d, "")
	again := a()
	again.spool, again.at = "another spool", 5
	c, mine, err := again.run(t.Context(), d)
	check(t, err)
	if diff := gocmp.Diff(first, c); mine || diff != "" {
		t.Errorf("mine is %v, and it differs: %s", mine, diff)
	}
	if diff := gocmp.Diff(before, destinationtest.Listed(t, d, "")); diff != "" {
		t.Errorf("pushing again changed the tenant: %s", diff)
	}
	// What push wrote is the same migration too.
	found, superseded, err := tenant.Open(d).Committed(t.Context(), tenant.Full, idA, sha256.Sum256([]byte("end of a")))
	if err != nil || found == nil || superseded {
		t.Errorf("found %v, superseded %v, error %v", found, superseded, err)
	}
	// Packed again, it becomes the next revision.
	packed := a()
	packed.input = "packed again"
	if c, _, err = packed.run(t.Context(), d); err != nil || c.Revision != 2 {
		t.Fatalf("revision %d, error %v", c.Revision, err)
	}
	if s := wantTenant(t, d, packed); s.Number != 4 || len(s.History) != 2 || s.History[0].Revision != 1 {
		t.Errorf("state is %+v", s)
	}
	found, superseded, err = tenant.Open(d).Committed(t.Context(), tenant.Full, idA, a().inputDigest())
	if err != nil || found == nil || found.Revision != 1 || !superseded {
		t.Errorf("found %v, superseded %v, error %v", found, superseded, err)
	}
}

func TestRefusals(t *testing.T) {
	d, _ := folder(t)
	_, _, err := a().run(t.Context(), d)
	check(t, err)
	before := destinationtest.Listed(t, d, "")

	company, serial, other := a(), a(), b()
	company.company, company.input = "Kalle & Co", "x"
	serial.serial, serial.input = "19", "x"
	for text, p := range map[string]push{
		`company "Kalles", serial number "18"; the manifest is of "Kalle & Co", "18"`: company,
		`the manifest is of "Kalles", "19"`:                                           serial,
		"holds migration " + idA + " (test), committed 2026-01-02 03:00 UTC":          other,
	} {
		_, _, err := p.run(t.Context(), d)
		wantRefused(t, err, text)
	}
	bad := a().claim()
	for _, id := range []string{"", "../../x", strings.ToUpper(idA), idA + "0", strings.Repeat("a", 36)} {
		bad.ID = id
		if _, err := tenant.Open(d).Judge(t.Context(), bad, ""); manifest.StatusOf(err) != manifest.BadInput {
			t.Errorf("id %q: error is %v", id, err)
		}
		if _, _, err := tenant.Open(d).Committed(t.Context(), tenant.Full, id, bad.Input); manifest.StatusOf(err) != manifest.BadInput {
			t.Errorf("id %q: error is %v", id, err)
		}
	}
	bad = a().claim()
	bad.Phase = "half"
	if _, err := tenant.Open(d).Judge(t.Context(), bad, ""); manifest.StatusOf(err) != manifest.BadInput {
		t.Errorf("error is %v", err)
	}
	if diff := gocmp.Diff(before, destinationtest.Listed(t, d, "")); diff != "" {
		t.Errorf("what was refused changed the tenant: %s", diff)
	}
}

func TestPreseed(t *testing.T) {
	d, _ := folder(t)
	p := b()
	p.phase = tenant.Preseed
	c, mine, err := p.run(t.Context(), d)
	check(t, err)
	if !mine || c.Revision != 1 || c.Phase != tenant.Preseed {
		t.Errorf("committed %+v", c)
	}
	if s, err := tenant.Open(d).State(t.Context()); err != nil || s.Number != 2 || s.State != tenant.Unknown || s.Migration != nil || len(s.History) > 0 || s.Company != "Kalles" {
		t.Errorf("after a preseed the state is %+v, error %v", s, err)
	}
	stranger := a()
	stranger.company = "Others"
	_, _, err = stranger.run(t.Context(), d)
	wantRefused(t, err, `of company "Kalles"`)
	if _, mine, err := p.run(t.Context(), d); err != nil || mine {
		t.Errorf("the same preseed again: mine is %v, error %v", mine, err)
	}
	_, _, err = a().run(t.Context(), d)
	check(t, err)
	p.input = "more of it" // after a migration was committed too
	if c, _, err = p.run(t.Context(), d); err != nil || c.Revision != 2 {
		t.Errorf("revision %d, error %v", c.Revision, err)
	}
	wantTenant(t, d, a())
	wantOne(t, d, idA)
}

// One bit changed anywhere in the records or the manifest is found by the next push or by reading, never believed.
func TestFlippedBytes(t *testing.T) {
	d, path := folder(t)
	_, _, err := a().run(t.Context(), d)
	check(t, err)
	for name := range destinationtest.Listed(t, d, "") {
		if name == "omt-tenant.json" || strings.HasSuffix(name, "open.json") || name == "state/00000001.json" {
			continue // nothing is decided by them any more
		}
		file := filepath.Join(path, filepath.FromSlash(name))
		good, err := os.ReadFile(file)
		check(t, err)
		for at := 0; at < len(good); at += 1 + len(good)/300 {
			bad := bytes.Clone(good)
			bad[at] ^= 1 << (at % 8)
			check(t, os.WriteFile(file, bad, 0o600))
			if err := readAll(t.Context(), d); err == nil {
				t.Fatalf("%s: a bit flipped at %d was not found", name, at)
			} else if manifest.StatusOf(err) != manifest.Failed || !strings.Contains(err.Error(), filepath.Base(name)) {
				t.Fatalf("%s: flipped at %d: error is %v", name, at, err)
			}
		}
		for cut := 0; cut < len(good); cut += 1 + len(good)/50 {
			check(t, os.WriteFile(file, good[:cut], 0o600))
			if err := readAll(t.Context(), d); err == nil {
				t.Fatalf("%s: cut at %d was not found", name, cut)
			}
		}
		check(t, os.WriteFile(file, good, 0o600))
		check(t, readAll(t.Context(), d))
	}
	// A record in another's place is not believed either.
	two := destinationtest.Read(t, d, "state/00000002.json")
	check(t, d.Create(t.Context(), "state/00000009.json", two))
	if _, err := tenant.Open(d).State(t.Context()); err == nil || !strings.Contains(err.Error(), "says that it is number 2") {
		t.Errorf("error is %v", err)
	}
	check(t, d.Create(t.Context(), "migrations/"+idB+"/000001/commit.json", destinationtest.Read(t, d, "migrations/"+idA+"/000001/commit.json")))
	if _, err := tenant.Open(d).Last(t.Context(), tenant.Full, idB); err == nil || !strings.Contains(err.Error(), "it is of revision 1 of") {
		t.Errorf("error is %v", err)
	}
}

// readAll reads everything of the tenant that is believed.
func readAll(ctx context.Context, d destination.Destination) error {
	t := tenant.Open(d)
	if _, err := t.State(ctx); err != nil {
		return err
	}
	c, err := t.Last(ctx, tenant.Full, idA)
	if err != nil {
		return err
	}
	rc, err := t.OpenManifest(ctx, c)
	if err != nil {
		return err
	}
	defer rc.Close()
	_, err = io.Copy(io.Discard, rc)
	return err
}

func TestForeignObjects(t *testing.T) {
	d, _ := folder(t)
	for _, name := range []string{
		"state/x.json", "state/1.json", "state/00000000.json", "state/-0000001.json", "migrations/x/000001/commit.json",
		"migrations/" + idA + "/1/commit.json", "migrations/" + idA + "/000000/commit.json", "migrations/" + idA + "/readme",
		"chunks/readme", "chunks/ab/" + strings.Repeat("ab", 32) + ".exe", "chunks/cd/" + strings.Repeat("ab", 32) + ".parquet",
	} {
		check(t, d.Create(t.Context(), name, nil))
	}
	tn := tenant.Open(d)
	s, err := tn.State(t.Context())
	check(t, err)
	revisions, err := tn.Revisions(t.Context(), tenant.Full, "")
	check(t, err)
	if s.Number != 0 || len(revisions) != 0 {
		t.Errorf("state %+v, revisions %+v", s, revisions)
	}
	chunk := manifest.Digest(sha256.Sum256([]byte("x")))
	check(t, d.Create(t.Context(), tenant.ChunkName(chunk, manifest.ChunkTar), []byte("xyz")))
	seen := 0
	check(t, tn.Chunks(t.Context(), func(d manifest.Digest, typ string, bytes int64) error {
		if seen++; d != chunk || typ != manifest.ChunkTar || bytes != 3 {
			t.Errorf("chunk %s.%s of %d bytes", d, typ, bytes)
		}
		return nil
	}))
	if seen != 1 {
		t.Errorf("%d chunks", seen)
	}
}

func TestManifestThatIsNotOurs(t *testing.T) {
	d, _ := folder(t)
	claim, err := tenant.Open(d).Begin(t.Context(), a().claim())
	check(t, err)
	check(t, d.Create(t.Context(), claim.ManifestName(), []byte("something else")))
	_, _, err = a().run(t.Context(), d)
	if manifest.StatusOf(err) != manifest.Failed || !strings.Contains(err.Error(), "is not the manifest that this push had stored") {
		t.Errorf("error is %v", err)
	}
	_, err = tenant.Open(d).Commit(t.Context(), claim, tenant.Commit{}, nil)
	if err == nil || !strings.Contains(err.Error(), "not the one that was claimed") {
		t.Errorf("error is %v", err)
	}
}

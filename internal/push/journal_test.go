package push

import (
	"bytes"
	"crypto/sha256"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/destination/destinationtest"
	"github.com/openomt/omt/internal/manifest"
)

func receipt(i int) manifest.Receipt {
	return manifest.Receipt{
		Chunk: sha256.Sum256([]byte{byte(i)}), Bytes: int64(100 + i), Sent: i%2 == 0,
		At: manifest.At(time.Date(2026, 1, 2, 3, 4, i, 5000, time.UTC)),
	}
}

func openAt(t testing.TB, name, to string) *journal {
	t.Helper()
	j, err := openJournal(name, to, slog.New(slog.DiscardHandler))
	check(t, err)
	t.Cleanup(j.close)
	return j
}

func TestJournal(t *testing.T) {
	name := filepath.Join(t.TempDir(), "receipts.jsonl")
	a := openAt(t, name, "file:///a")
	for i := range 3 {
		check(t, a.add(receipt(i)))
	}
	a.close()
	b := openAt(t, name, "file:///b")
	if len(b.known) != 0 || b.doubt {
		t.Errorf("another destination knows %d", len(b.known))
	}
	check(t, b.add(receipt(9)))
	b.close()
	a = openAt(t, name, "file:///a")
	want := map[manifest.Digest]manifest.Receipt{}
	for i := range 3 {
		want[receipt(i).Chunk] = receipt(i)
	}
	if diff := cmp.Diff(want, a.known); diff != "" || a.doubt {
		t.Errorf("doubt is %v: %s", a.doubt, diff)
	}
	data, err := os.ReadFile(name)
	check(t, err)
	first, _, _ := strings.Cut(string(data), "\n")
	golden := `{"chunk":"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d","bytes":100,"sent":true,` +
		`"at":"2026-01-02T03:04:00.000005Z","to":"file:///a","sum":"`
	if !strings.HasPrefix(first, golden) || len(first) != len(golden)+18 {
		t.Errorf("the first line is %s, want %s", first, golden)
	}
	a.close()
	if err := a.add(receipt(4)); err == nil || !strings.Contains(err.Error(), "receipts journal") {
		t.Errorf("error is %v", err)
	}
}

func TestJournalConcurrently(t *testing.T) {
	name := filepath.Join(t.TempDir(), "receipts.jsonl")
	j := openAt(t, name, "x")
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			if err := j.add(receipt(i)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	j.close()
	if again := openAt(t, name, "x"); len(again.known) != 40 || again.doubt {
		t.Errorf("%d are known, doubt is %v", len(again.known), again.doubt)
	}
}

// A journal that is cut anywhere knows what stands before the cut and can be appended to.
func TestJournalCut(t *testing.T) {
	name := filepath.Join(t.TempDir(), "receipts.jsonl")
	j := openAt(t, name, "x")
	for i := range 3 {
		check(t, j.add(receipt(i)))
	}
	j.close()
	good, err := os.ReadFile(name)
	check(t, err)
	for cut := 0; cut <= len(good); cut += 1 + cut%5 {
		check(t, os.WriteFile(name, good[:cut], 0o600))
		j := openAt(t, name, "x")
		whole := bytes.Count(good[:cut], []byte("\n"))
		if len(j.known) != whole || j.doubt {
			t.Fatalf("cut at %d: %d are known, want %d; doubt is %v", cut, len(j.known), whole, j.doubt)
		}
		check(t, j.add(receipt(7)))
		j.close()
		j = openAt(t, name, "x")
		if len(j.known) != whole+1 || j.doubt {
			t.Fatalf("cut at %d and appended to: %d are known, doubt is %v", cut, len(j.known), j.doubt)
		}
		j.close()
	}
}

// A flipped byte loses a line or two and is told, except in the last line end; nothing wrong is ever believed.
func TestJournalFlipped(t *testing.T) {
	name := filepath.Join(t.TempDir(), "receipts.jsonl")
	j := openAt(t, name, "x")
	want := map[manifest.Digest]manifest.Receipt{}
	for i := range 3 {
		check(t, j.add(receipt(i)))
		want[receipt(i).Chunk] = receipt(i)
	}
	j.close()
	good, err := os.ReadFile(name)
	check(t, err)
	for at := range good {
		for _, c := range []byte{good[at] ^ 1<<(at%8), '\n'} {
			if c == good[at] {
				continue
			}
			bad := bytes.Clone(good)
			bad[at] = c
			check(t, os.WriteFile(name, bad, 0o600))
			j := openAt(t, name, "x")
			if len(j.known) > 2 || len(j.known) == 2 && !j.doubt && at < len(good)-1 || len(j.known) < 1 {
				t.Fatalf("%q at %d: %d are known, doubt is %v", c, at, len(j.known), j.doubt)
			}
			for d, r := range j.known {
				if diff := cmp.Diff(want[d], r); diff != "" {
					t.Fatalf("%q at %d: %s", c, at, diff)
				}
			}
			known := len(j.known)
			if at%20 == 0 { // a sync takes long
				check(t, j.add(receipt(7)))
				known++
			}
			j.close()
			j = openAt(t, name, "x")
			if len(j.known) != known || j.doubt {
				t.Fatalf("%q at %d, opened again: %d are known, want %d; doubt is %v", c, at, len(j.known), known, j.doubt)
			}
			j.close()
		}
	}
}

func TestJournalOfSomethingElse(t *testing.T) {
	name := filepath.Join(t.TempDir(), "receipts.jsonl")
	check(t, os.WriteFile(name, append(bytes.Repeat([]byte("x"), 3*maxEntry), "\ny\n"...), 0o600))
	j := openAt(t, name, "x")
	if len(j.known) != 0 || !j.doubt {
		t.Errorf("%d are known, doubt is %v", len(j.known), j.doubt)
	}
	check(t, j.add(receipt(1)))
	j.close()
	if j = openAt(t, name, "x"); len(j.known) != 1 || j.doubt {
		t.Errorf("%d are known, doubt is %v", len(j.known), j.doubt)
	}
	if _, err := openJournal(t.TempDir(), "x", slog.New(slog.DiscardHandler)); err == nil {
		t.Error("a folder passed for a journal")
	}
}

func FuzzParseEntry(f *testing.F) {
	line, err := entry{Chunk: manifest.Digest{1}, To: "x"}.append(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(bytes.TrimSuffix(line, []byte("\n")))
	f.Add([]byte(`{"sum":""}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		e, ok := parseEntry(line)
		if !ok {
			return
		}
		if again, err := e.append(nil); err != nil || len(again) == 0 {
			t.Errorf("%q was read and cannot be written: %v", line, err)
		}
	})
}

// interrupted pushes everything but the commit and returns what is there then.
func interrupted(t *testing.T, p packed) place {
	t.Helper()
	at := newPlace(t, p)
	o := at.options(t, p.bytes(t))
	o.To = destinationtest.NewFaulty(t, at.destination(t), destinationtest.Fault{Op: destinationtest.OpCreate, Call: 1, Die: true})
	_, err := run1(t.Context(), o)
	wantError(t, err, manifest.Failed, "died")
	return at
}

// What the journal knows is not asked for chunk by chunk, nor sent; without it the destination is listed once more.
func TestRequests(t *testing.T) {
	p := small()
	p.chunks = 20
	for name, c := range map[string]struct {
		harm    func(t *testing.T, journal string)
		uploads int // the manifest's included
		lists   int
	}{
		"whole":                {func(*testing.T, string) {}, 1, 1},
		"lost":                 {func(t *testing.T, j string) { check(t, os.Remove(j)) }, 1, 2},
		"empty":                {func(t *testing.T, j string) { check(t, os.WriteFile(j, nil, 0o600)) }, 1, 2},
		"of another":           {func(t *testing.T, j string) { replace(t, j, "/tenant", "/tenent") }, 1, 2},
		"damaged in the midst": {func(t *testing.T, j string) { replace(t, j, `"bytes":1005`, `"bytes":1006`) }, 1, 2},
	} {
		t.Run(name, func(t *testing.T) {
			at := interrupted(t, p)
			c.harm(t, filepath.Join(at.spool, "receipts.jsonl"))
			o := at.options(t, p.bytes(t))
			faulty := destinationtest.NewFaulty(t, at.destination(t))
			o.To = faulty
			_, err := run1(t.Context(), o)
			wantError(t, err, manifest.Remarks, "committed as revision 1")
			at.wantPushed(t, p)
			others := 0
			counter := destinationtest.NewFaulty(t, at.destination(t))
			o = at.options(t, p.bytes(t))
			o.To = counter
			_, err = run1(t.Context(), o)
			wantError(t, err, manifest.Remarks, "committed as revision 1")
			others = counter.Calls(destinationtest.OpList)
			if n := faulty.Calls(destinationtest.OpUpload); n != c.uploads {
				t.Errorf("%d uploads, want %d", n, c.uploads)
			}
			if n := faulty.Calls(destinationtest.OpStat); n != 0 {
				t.Errorf("%d objects were asked for one by one", n)
			}
			// Beside those of chunks/ there are lists of states and revisions, whose number does not depend on chunks.
			if n := faulty.Calls(destinationtest.OpList); n > others+c.lists+8 {
				t.Errorf("%d lists, want about %d", n, others+c.lists)
			}
		})
	}
}

// replace changes the first occurrence in a file, and with an old text of a path all of them with their sums.
func replace(t *testing.T, file, old, text string) {
	t.Helper()
	data, err := os.ReadFile(file)
	check(t, err)
	if !bytes.Contains(data, []byte(old)) {
		t.Fatalf("%q is not in the journal", old)
	}
	if !strings.HasPrefix(old, "/") {
		check(t, os.WriteFile(file, bytes.Replace(data, []byte(old), []byte(text), 1), 0o600))
		return
	}
	var out []byte
	for line := range bytes.Lines(data) {
		e, ok := parseEntry(bytes.TrimSuffix(line, []byte("\n")))
		if !ok {
			t.Fatalf("line %q is damaged", line)
		}
		e.To = strings.Replace(e.To, old, text, 1)
		out, err = e.append(out)
		check(t, err)
	}
	check(t, os.WriteFile(file, out, 0o600))
}

// Whichever byte of the journal is flipped, what is committed is whole.
func TestPushWithFlippedJournal(t *testing.T) {
	p := small()
	at := interrupted(t, p)
	good, err := os.ReadFile(filepath.Join(at.spool, "receipts.jsonl"))
	check(t, err)
	for i := 0; i < len(good); i += 53 {
		at := interrupted(t, p)
		name := filepath.Join(at.spool, "receipts.jsonl")
		data, err := os.ReadFile(name)
		check(t, err)
		data[i] ^= 4
		check(t, os.WriteFile(name, data, 0o600))
		_, err = at.push(t, p.bytes(t))
		wantError(t, err, manifest.Remarks, "committed as revision 1")
		at.wantPushed(t, p)
	}
}

// A journal that says more than is true is found out before the commit.
func TestJournalThatLies(t *testing.T) {
	p := small()
	at := interrupted(t, p)
	check(t, os.RemoveAll(at.to)) // another disk under the same path
	_, err := at.push(t, p.bytes(t))
	wantError(t, err, manifest.Remarks, "committed as revision 1")
	at.wantPushed(t, p)
	if !strings.Contains(at.logged.text(), "sending them again") {
		t.Errorf("it was not logged: %s", at.logged.text())
	}

	at = interrupted(t, p)
	check(t, os.RemoveAll(at.to))
	check(t, os.Remove(filepath.Join(at.spool, filepath.FromSlash(p.names()[2]))))
	_, err = at.push(t, p.bytes(t))
	wantError(t, err, manifest.Failed, "is neither in the spool")
	at.wantNothingCommitted(t)
}

// A destination that loses what it has just acknowledged is no place for a tenant.
func TestDestinationThatLoses(t *testing.T) {
	p := small()
	at := newPlace(t, p)
	o := at.options(t, p.bytes(t))
	o.To = &forgetful{at.destination(t), p.names()[1]}
	_, err := run1(t.Context(), o)
	wantError(t, err, manifest.Failed, "was acknowledged by")
	at.wantNothingCommitted(t)
}

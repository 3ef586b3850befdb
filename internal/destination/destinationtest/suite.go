// Package destinationtest holds the conformance suite that every driver of package destination passes, and Faulty, a
// destination that fails where a test wants it to.
package destinationtest

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/openomt/omt/internal/destination"
)

// Opener opens the same store again each time it is called.
type Opener func() destination.Destination

// Run runs the suite, but for the tests that are named. fresh makes an empty store of its own for each test; what it opens
// is closed by the suite.
func Run(t *testing.T, fresh func(t *testing.T) Opener, but ...string) {
	tests := []struct {
		name string
		f    func(t *testing.T, open Opener)
	}{
		{"empty", empty},
		{"create", create},
		{"create race", createRace},
		{"replace", replace},
		{"remove", remove},
		{"modified", modified},
		{"names", names},
		{"list", list},
		{"ranges", ranges},
		{"upload", upload},
		{"empty object", uploadEmpty},
		{"resume after reopening", resume},
		{"any split", anySplit},
		{"source fails", sourceFails},
		{"wrong digest", wrongDigest},
		{"too much", tooMuch},
		{"wrong offset", wrongOffset},
		{"commit too early", tooEarly},
		{"name is taken", taken},
		{"upload race", uploadRace},
		{"cancelled", cancelled},
		{"concurrent", concurrent},
	}
	for _, test := range tests {
		if slices.Contains(but, test.name) {
			continue
		}
		t.Run(test.name, func(t *testing.T) {
			open := fresh(t)
			test.f(t, func() destination.Destination {
				d := open()
				t.Cleanup(func() { check(t, d.Close()) })
				return d
			})
		})
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantClass(t testing.TB, err, class error) {
	t.Helper()
	if !errors.Is(err, class) {
		t.Fatalf("error is %v, want class %q", err, class)
	}
}

// Content makes n bytes that depend on seed.
func Content(seed, n int) []byte {
	b := make([]byte, 0, n+32)
	for block := sha256.Sum256(fmt.Appendf(nil, "seed %d", seed)); len(b) < n; block = sha256.Sum256(block[:]) {
		b = append(b, block[:]...)
	}
	return b[:n]
}

// Listed is the names and sizes below prefix.
func Listed(t testing.TB, d destination.Destination, prefix string) map[string]int64 {
	t.Helper()
	got := map[string]int64{}
	check(t, d.List(t.Context(), prefix, func(i destination.Info) error {
		if _, twice := got[i.Name]; twice {
			t.Errorf("%q is listed twice", i.Name)
		}
		got[i.Name] = i.Size
		return nil
	}))
	return got
}

func wantListed(t testing.TB, d destination.Destination, prefix string, want ...string) {
	t.Helper()
	var got []string
	for name := range Listed(t, d, prefix) {
		got = append(got, name)
	}
	want = slices.Clone(want)
	sort.Strings(got)
	sort.Strings(want)
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Fatalf("listing %q: got %q, want %q", prefix, got, want)
	}
}

// Read is an object's content.
func Read(t testing.TB, d destination.Destination, name string) []byte {
	t.Helper()
	rc, err := d.Open(t.Context(), name, 0, -1)
	check(t, err)
	defer rc.Close()
	data, err := io.ReadAll(rc)
	check(t, err)
	return data
}

func wantContent(t testing.TB, d destination.Destination, name string, want []byte) {
	t.Helper()
	if got := Read(t, d, name); !bytes.Equal(got, want) {
		t.Fatalf("%q holds %d bytes that are not the %d that were stored", name, len(got), len(want))
	}
	info, err := d.Stat(t.Context(), name)
	check(t, err)
	if info.Name != name || info.Size != int64(len(want)) {
		t.Fatalf("stat is %+v, want %q with %d bytes", info, name, len(want))
	}
}

func wantNothing(t testing.TB, d destination.Destination, name string) {
	t.Helper()
	_, err := d.Stat(t.Context(), name)
	wantClass(t, err, destination.ErrNotExist)
	_, err = d.Open(t.Context(), name, 0, -1)
	wantClass(t, err, destination.ErrNotExist)
	wantListed(t, d, name)
}

func empty(t *testing.T, open Opener) {
	d := open()
	wantListed(t, d, "")
	wantListed(t, d, "chunks/")
	wantNothing(t, d, "chunks/ab/abc.tar.zst")
	if u := open().URL(); u == "" || u != d.URL() {
		t.Errorf("URL is %q once and %q then", d.URL(), u)
	}
}

func create(t *testing.T, open Opener) {
	d := open()
	check(t, d.Create(t.Context(), "state/00000001.json", []byte("one")))
	wantContent(t, d, "state/00000001.json", []byte("one"))
	wantClass(t, d.Create(t.Context(), "state/00000001.json", []byte("two")), destination.ErrExists)
	wantContent(t, open(), "state/00000001.json", []byte("one"))
	check(t, d.Create(t.Context(), "none", nil))
	wantContent(t, d, "none", nil)
	wantListed(t, d, "", "none", "state/00000001.json")
}

// A driver may ask for another try while somebody else's object is on its way.
func createRace(t *testing.T, open Opener) {
	const racers = 16
	again := destination.Retry{Base: 10 * time.Millisecond}
	for round := range 5 {
		name := fmt.Sprintf("state/%08d.json", round)
		var wg sync.WaitGroup
		errs := make([]error, racers)
		start := make(chan struct{})
		for i := range racers {
			d := again.Wrap(open())
			wg.Go(func() {
				<-start
				errs[i] = d.Create(t.Context(), name, Content(i, 2000))
			})
		}
		close(start)
		wg.Wait()
		winner := -1
		for i, err := range errs {
			switch {
			case err == nil && winner >= 0:
				t.Fatalf("%d and %d both created %q", winner, i, name)
			case err == nil:
				winner = i
			default:
				wantClass(t, err, destination.ErrExists)
			}
		}
		if winner < 0 {
			t.Fatal("nobody won")
		}
		wantContent(t, open(), name, Content(winner, 2000))
	}
}

func replace(t *testing.T, open Opener) {
	d := open()
	for i := range 3 {
		check(t, d.Replace(t.Context(), "omt-tenant.json", Content(i, 100*(3-i))))
		wantContent(t, d, "omt-tenant.json", Content(i, 100*(3-i)))
	}
	wantListed(t, d, "", "omt-tenant.json")
}

func remove(t *testing.T, open Opener) {
	d := open()
	for _, name := range []string{"chunks/ab/one", "chunks/ab/two"} {
		check(t, d.Create(t.Context(), name, []byte(name)))
	}
	check(t, d.Remove(t.Context(), "chunks/ab/one"))
	wantNothing(t, d, "chunks/ab/one")
	wantListed(t, d, "", "chunks/ab/two")
	check(t, d.Remove(t.Context(), "chunks/ab/one"))
	check(t, d.Remove(t.Context(), "chunks/never/was"))
	check(t, d.Create(t.Context(), "chunks/ab/one", []byte("again")))
	wantContent(t, d, "chunks/ab/one", []byte("again"))
}

// modified holds the far side's clock to a day of ours, since nobody sets it for a test.
func modified(t *testing.T, open Opener) {
	d := open()
	check(t, d.Create(t.Context(), "chunks/ab/one", []byte("one")))
	one, err := d.Stat(t.Context(), "chunks/ab/one")
	check(t, err)
	if off := time.Since(one.Modified); off.Abs() > 24*time.Hour {
		t.Errorf("stored at %s, which is %s ago", one.Modified, off)
	}
	check(t, d.List(t.Context(), "chunks/", func(i destination.Info) error {
		if off := i.Modified.Sub(one.Modified); off.Abs() > time.Second {
			t.Errorf("listed with %s, asked for with %s", i.Modified, one.Modified)
		}
		return nil
	}))
}

func names(t *testing.T, open Opener) {
	d := open()
	bad := []string{
		"", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/..", "./a", ".hidden", "a/.b", "a.", `a\b`, `..\a`, "a:b",
		"C:/a", "a b", "a\x00b", "a\nb", "æ", "a?b", "a*b", "%2e%2e/a", "nul", "COM1.json", strings.Repeat("a", 300),
		strings.Repeat("abcdefgh/", 120) + "a",
	}
	for _, name := range bad {
		_, serr := d.Stat(t.Context(), name)
		_, oerr := d.Open(t.Context(), name, 0, -1)
		_, uerr := d.Upload(t.Context(), name, 1, sha256.Sum256([]byte("x")))
		for op, err := range map[string]error{
			"stat": serr, "open": oerr, "upload": uerr,
			"create": d.Create(t.Context(), name, []byte("x")), "replace": d.Replace(t.Context(), name, []byte("x")),
			"remove": d.Remove(t.Context(), name),
		} {
			if err == nil || errors.Is(err, destination.ErrNotExist) || errors.Is(err, destination.ErrExists) {
				t.Errorf("%s of %q: error is %v, want the name refused", op, name, err)
			}
		}
	}
	wantListed(t, d, "")
	for _, name := range []string{"a", "A-b_c.9", "b/c/d/e/f", "chunks/ab/" + strings.Repeat("ab", 32) + ".tar.zst"} {
		check(t, d.Create(t.Context(), name, []byte(name)))
		wantContent(t, d, name, []byte(name))
	}
}

func list(t *testing.T, open Opener) {
	d := open()
	all := []string{"a/1", "a/2", "a/20", "a/b/3", "ab/4", "a.b", "omt-tenant.json", "state/00000001.json"}
	for i, name := range all {
		check(t, d.Create(t.Context(), name, Content(i, i)))
	}
	wantListed(t, d, "", all...)
	wantListed(t, d, "a/", "a/1", "a/2", "a/20", "a/b/3")
	wantListed(t, d, "a/2", "a/2", "a/20")
	wantListed(t, d, "a", "a/1", "a/2", "a/20", "a/b/3", "ab/4", "a.b")
	wantListed(t, d, "a/b/", "a/b/3")
	wantListed(t, d, "a/b/3/")
	wantListed(t, d, "nothing/")
	for name, size := range Listed(t, d, "") {
		for i := range all {
			if all[i] == name && size != int64(i) {
				t.Errorf("%q is listed with %d bytes, want %d", name, size, i)
			}
		}
	}
	stop := errors.New("stop")
	calls := 0
	if err := d.List(t.Context(), "", func(destination.Info) error { calls++; return stop }); !errors.Is(err, stop) || calls != 1 {
		t.Errorf("list ends with %v after %d calls, want the function's own error after one", err, calls)
	}
}

func ranges(t *testing.T, open Opener) {
	d := open()
	data := Content(1, 5000)
	check(t, d.Create(t.Context(), "x", data))
	for _, r := range []struct{ off, n, from, to int64 }{
		{0, -1, 0, 5000},
		{0, 0, 0, 0},
		{0, 1, 0, 1},
		{4999, 1, 4999, 5000},
		{4999, 10, 4999, 5000},
		{1000, 2000, 1000, 3000},
		{1000, -1, 1000, 5000},
		{5000, -1, 5000, 5000},
	} {
		rc, err := d.Open(t.Context(), "x", r.off, r.n)
		check(t, err)
		got, err := io.ReadAll(rc)
		check(t, err)
		check(t, rc.Close())
		if !bytes.Equal(got, data[r.from:r.to]) {
			t.Errorf("%d bytes from %d: got %d bytes that are not those", r.n, r.off, len(got))
		}
	}
}

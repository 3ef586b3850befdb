// Package destinationtest holds the conformance suite that every driver of package destination passes, and Faulty, a
// destination that fails where a test wants it to.
package destinationtest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/openomt/omt/internal/destination"
)

// Opener opens the same store again each time it is called.
type Opener func() destination.Destination

// Run runs the suite. fresh makes an empty store of its own for each test; what it opens is closed by the suite.
func Run(t *testing.T, fresh func(t *testing.T) Opener) {
	tests := []struct {
		name string
		f    func(t *testing.T, open Opener)
	}{
		{"empty", empty},
		{"create", create},
		{"create race", createRace},
		{"replace", replace},
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

func createRace(t *testing.T, open Opener) {
	const racers = 16
	for round := range 5 {
		name := fmt.Sprintf("state/%08d.json", round)
		var wg sync.WaitGroup
		errs := make([]error, racers)
		start := make(chan struct{})
		for i := range racers {
			d := open()
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
	if err := d.List(t.Context(), "", func(destination.Info) error { calls++; return stop }); err != stop || calls != 1 {
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

func begin(t testing.TB, d destination.Destination, name string, data []byte) destination.Upload {
	t.Helper()
	u, err := d.Upload(t.Context(), name, int64(len(data)), sha256.Sum256(data))
	check(t, err)
	return u
}

func wantOffset(t testing.TB, u destination.Upload, want int64) {
	t.Helper()
	got, err := u.Offset(t.Context())
	check(t, err)
	if got != want {
		t.Fatalf("offset is %d, want %d", got, want)
	}
}

// send sends all of data from where the far side stands.
func send(t testing.TB, u destination.Upload, data []byte) {
	t.Helper()
	for {
		off, err := u.Offset(t.Context())
		check(t, err)
		if off == int64(len(data)) {
			return
		}
		n, err := u.Send(t.Context(), off, bytes.NewReader(data[off:]))
		check(t, err)
		if n == 0 {
			t.Fatalf("nothing was accepted at %d of %d", off, len(data))
		}
	}
}

func upload(t *testing.T, open Opener) {
	d := open()
	data := Content(1, 300_000)
	u := begin(t, d, "chunks/ab/x.parquet", data)
	wantOffset(t, u, 0)
	wantNothing(t, d, "chunks/ab/x.parquet")
	send(t, u, data)
	wantNothing(t, d, "chunks/ab/x.parquet")
	wantListed(t, d, "")
	check(t, u.Commit(t.Context()))
	check(t, u.Close())
	check(t, u.Close())
	wantContent(t, d, "chunks/ab/x.parquet", data)
	wantContent(t, open(), "chunks/ab/x.parquet", data)
	wantListed(t, d, "", "chunks/ab/x.parquet")
}

func uploadEmpty(t *testing.T, open Opener) {
	d := open()
	u := begin(t, d, "none", nil)
	check(t, u.Commit(t.Context()))
	check(t, u.Close())
	wantContent(t, d, "none", nil)
}

// resume goes on in a store that was opened anew, as a later process does.
func resume(t *testing.T, open Opener) {
	data := Content(2, 200_000)
	u := begin(t, open(), "a/b", data)
	n, err := u.Send(t.Context(), 0, bytes.NewReader(data[:70_000]))
	check(t, err)
	wantOffset(t, u, n)
	check(t, u.Close())

	d := open()
	wantNothing(t, d, "a/b")
	other := begin(t, d, "a/b", Content(3, 200_000)) // the same name and size, other content
	wantOffset(t, other, 0)
	check(t, other.Close())
	u = begin(t, d, "a/b", data)
	defer u.Close()
	wantOffset(t, u, n)
	send(t, u, data)
	check(t, u.Commit(t.Context()))
	wantContent(t, d, "a/b", data)
}

// anySplit sends in pieces of every kind of size, reopening between them.
func anySplit(t *testing.T, open Opener) {
	data := Content(4, 10_007)
	for _, step := range []int64{1009, 4096, 10_006} {
		d := open()
		name := fmt.Sprintf("split/%d", step)
		for off := int64(0); off < int64(len(data)); {
			u := begin(t, d, name, data)
			at, err := u.Offset(t.Context())
			check(t, err)
			if at > off {
				t.Fatalf("offset is %d, only %d bytes were sent", at, off)
			}
			n, err := u.Send(t.Context(), at, bytes.NewReader(data[at:min(at+step, int64(len(data)))]))
			check(t, err)
			off = at + n
			if off == int64(len(data)) {
				check(t, u.Commit(t.Context()))
			}
			check(t, u.Close())
		}
		wantContent(t, d, name, data)
	}
}

func sourceFails(t *testing.T, open Opener) {
	d := open()
	data := Content(5, 50_000)
	own := errors.New("the source broke")
	u := begin(t, d, "x", data)
	defer u.Close()
	n, err := u.Send(t.Context(), 0, io.MultiReader(bytes.NewReader(data[:20_000]), iotest.ErrReader(own)))
	wantClass(t, err, own)
	if n > 20_000 {
		t.Fatalf("%d bytes were accepted of 20,000", n)
	}
	wantOffset(t, u, n)
	wantNothing(t, d, "x")
	send(t, u, data)
	check(t, u.Commit(t.Context()))
	wantContent(t, d, "x", data)
}

func wrongDigest(t *testing.T, open Opener) {
	d := open()
	data := Content(6, 50_000)
	wrong := bytes.Clone(data)
	wrong[31_000] ^= 1
	u := begin(t, d, "x", data)
	send(t, u, wrong)
	wantClass(t, u.Commit(t.Context()), destination.ErrMismatch)
	check(t, u.Close())
	wantNothing(t, d, "x")
	u = begin(t, d, "x", data)
	defer u.Close()
	wantOffset(t, u, 0)
	send(t, u, data)
	check(t, u.Commit(t.Context()))
	wantContent(t, d, "x", data)
}

func tooMuch(t *testing.T, open Opener) {
	d := open()
	data := Content(7, 9_000)
	u := begin(t, d, "x", data)
	defer u.Close()
	n, err := u.Send(t.Context(), 0, bytes.NewReader(append(bytes.Clone(data), "more"...)))
	check(t, err)
	if n > int64(len(data)) {
		t.Fatalf("%d bytes were accepted of an object of %d", n, len(data))
	}
	send(t, u, data)
	check(t, u.Commit(t.Context()))
	wantContent(t, d, "x", data)
}

func wrongOffset(t *testing.T, open Opener) {
	d := open()
	data := Content(8, 9_000)
	u := begin(t, d, "x", data)
	defer u.Close()
	for _, off := range []int64{-1, 1, 9_000, 9_001} {
		if n, err := u.Send(t.Context(), off, bytes.NewReader(data)); err == nil || n != 0 {
			t.Errorf("sending from %d at the beginning: %d bytes, error %v", off, n, err)
		}
	}
	send(t, u, data)
	check(t, u.Commit(t.Context()))
	wantContent(t, d, "x", data)
}

func tooEarly(t *testing.T, open Opener) {
	d := open()
	data := Content(9, 9_000)
	u := begin(t, d, "x", data)
	defer u.Close()
	_, err := u.Send(t.Context(), 0, bytes.NewReader(data[:8_999]))
	check(t, err)
	if err := u.Commit(t.Context()); err == nil || errors.Is(err, destination.ErrMismatch) {
		t.Fatalf("committing an incomplete upload: error is %v", err)
	}
	wantNothing(t, d, "x")
	send(t, u, data)
	check(t, u.Commit(t.Context()))
	wantContent(t, d, "x", data)
}

func taken(t *testing.T, open Opener) {
	d := open()
	data := Content(10, 9_000)
	u := begin(t, d, "x", data)
	send(t, u, data)
	check(t, d.Create(t.Context(), "x", []byte("first")))
	wantClass(t, u.Commit(t.Context()), destination.ErrExists)
	check(t, u.Close())
	wantContent(t, d, "x", []byte("first"))
	_, err := d.Upload(t.Context(), "x", int64(len(data)), sha256.Sum256(data))
	wantClass(t, err, destination.ErrExists)
}

// uploadRace sends one object many times at once; what becomes visible is whole whoever wins.
func uploadRace(t *testing.T, open Opener) {
	data := Content(11, 400_000)
	const racers = 6
	wins := make(chan bool, racers)
	var wg sync.WaitGroup
	for range racers {
		d := open()
		wg.Go(func() {
			sent, err := destination.Retry{}.Put(t.Context(), d,
				destination.Object{Name: "chunks/x", Size: int64(len(data)), Sum: sha256.Sum256(data)},
				func() (io.ReadCloser, error) { return io.NopCloser(iotest.HalfReader(bytes.NewReader(data))), nil }, nil)
			if err != nil {
				t.Error(err)
			}
			wins <- sent
		})
	}
	wg.Wait()
	close(wins)
	won := 0
	for w := range wins {
		if w {
			won++
		}
	}
	if won != 1 {
		t.Errorf("%d of %d say that they stored it", won, racers)
	}
	wantContent(t, open(), "chunks/x", data)
	wantListed(t, open(), "", "chunks/x")
}

func cancelled(t *testing.T, open Opener) {
	d := open()
	data := Content(12, 50_000)
	check(t, d.Create(t.Context(), "there", data))
	u := begin(t, d, "x", data)
	defer u.Close()
	ctx, cancel := context.WithCancel(t.Context())
	n, err := u.Send(ctx, 0, io.MultiReader(bytes.NewReader(data[:10_000]), cancelReader{cancel},
		iotest.OneByteReader(bytes.NewReader(data[10_000:]))))
	if ctx.Err() == nil || err == nil && n == int64(len(data)) {
		t.Errorf("send took %d bytes, error %v, though it was cancelled", n, err)
	}
	_, serr := d.Stat(ctx, "there")
	_, oerr := d.Open(ctx, "there", 0, -1)
	_, uerr := d.Upload(ctx, "y", 1, sha256.Sum256(nil))
	_, ferr := u.Offset(ctx)
	for op, err := range map[string]error{
		"stat": serr, "open": oerr, "upload": uerr, "offset": ferr, "commit": u.Commit(ctx),
		"create": d.Create(ctx, "y", data), "replace": d.Replace(ctx, "y", data),
		"list": d.List(ctx, "", func(destination.Info) error { return nil }),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error is %v, want that it was cancelled", op, err)
		}
	}
	wantListed(t, d, "", "there")
	send(t, u, data)
	check(t, u.Commit(t.Context()))
}

type cancelReader struct{ cancel func() }

func (r cancelReader) Read([]byte) (int, error) {
	r.cancel()
	return 0, io.EOF
}

func concurrent(t *testing.T, open Opener) {
	d := open()
	var wg sync.WaitGroup
	const n = 8
	for i := range n {
		wg.Go(func() {
			data := Content(i, 20_000+i)
			o := destination.Object{Name: fmt.Sprintf("chunks/%02d", i), Size: int64(len(data)), Sum: sha256.Sum256(data)}
			sent, err := destination.Retry{}.Put(t.Context(), d, o,
				func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }, nil)
			if err != nil || !sent {
				t.Errorf("storing %q: sent %v, error %v", o.Name, sent, err)
			}
			if err := d.Create(t.Context(), fmt.Sprintf("state/%02d", i), data); err != nil {
				t.Error(err)
			}
			if err := d.List(t.Context(), "", func(destination.Info) error { return nil }); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for i := range n {
		wantContent(t, d, fmt.Sprintf("chunks/%02d", i), Content(i, 20_000+i))
		wantContent(t, d, fmt.Sprintf("state/%02d", i), Content(i, 20_000+i))
	}
}

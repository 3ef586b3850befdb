package destinationtest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/openomt/omt/internal/destination"
)

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
	defer func() { check(t, u.Close()) }()
	wantOffset(t, u, n)
	send(t, u, data)
	check(t, u.Commit(t.Context()))
	wantContent(t, d, "a/b", data)
}

// anySplit sends in pieces of every kind of size, reopening between them. A destination that accepts nothing of a piece gets
// a larger one.
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
			if n == 0 {
				step *= 2
			}
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
	defer func() { check(t, u.Close()) }()
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
	defer func() { check(t, u.Close()) }()
	wantOffset(t, u, 0)
	send(t, u, data)
	check(t, u.Commit(t.Context()))
	wantContent(t, d, "x", data)
}

func tooMuch(t *testing.T, open Opener) {
	d := open()
	data := Content(7, 9_000)
	u := begin(t, d, "x", data)
	defer func() { check(t, u.Close()) }()
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
	defer func() { check(t, u.Close()) }()
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
	defer func() { check(t, u.Close()) }()
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
	check(t, d.Replace(t.Context(), "x", []byte("first"))) // an upload that was begun may stand in the way of create
	wantClass(t, u.Commit(t.Context()), destination.ErrExists)
	check(t, u.Close())
	wantContent(t, d, "x", []byte("first"))
	_, err := d.Upload(t.Context(), "x", int64(len(data)), sha256.Sum256(data))
	wantClass(t, err, destination.ErrExists)
}

// uploadRace sends one object many times at once; what becomes visible is whole whoever wins. At a service that lets two
// PUTs of one name both win at times, more than one may say that it stored it: a chunk's name holds its digest, so that they
// have stored the same. For records, where that would matter, see createRace.
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
	if won == 0 {
		t.Errorf("none of %d says that it stored it", racers)
	}
	wantContent(t, open(), "chunks/x", data)
	wantListed(t, open(), "", "chunks/x")
}

func cancelled(t *testing.T, open Opener) {
	d := open()
	data := Content(12, 50_000)
	check(t, d.Create(t.Context(), "there", data))
	u := begin(t, d, "x", data)
	defer func() { check(t, u.Close()) }()
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

package destination_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"testing"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/destination/destinationtest"
)

// counts is what Put tells.
type counts struct{ moved, there, least int64 }

func (c *counts) put(t *testing.T, d destination.Destination, name string, data []byte) bool {
	t.Helper()
	*c = counts{}
	o := object(name, data)
	o.There = func(n int64) { c.there += n }
	sent, err := quick().Put(t.Context(), d, o, reader(data), func(n int64) {
		c.moved += n
		c.least = min(c.least, c.moved)
	})
	ok(t, err)
	if c.least < 0 {
		t.Errorf("less than nothing was sent: %d", c.least)
	}
	return sent
}

// begun leaves an upload of which the first bytes have arrived.
func begun(t *testing.T, d destination.Destination, name string, data, first []byte) {
	t.Helper()
	u, err := d.Upload(t.Context(), name, int64(len(data)), object(name, data).Sum)
	ok(t, err)
	_, err = u.Send(t.Context(), 0, bytes.NewReader(first))
	ok(t, err)
	ok(t, u.Close())
}

// What an earlier process sent is told apart from what this one sends; what turns out damaged is sent after all.
func TestPutCounts(t *testing.T) {
	data := destinationtest.Content(1, 1000)
	damaged := bytes.Clone(data[:600])
	damaged[3] ^= 1
	for name, c := range map[string]struct {
		first  []byte
		faults []destinationtest.Fault
		want   counts
		sent   bool
	}{
		"nothing was there":        {nil, nil, counts{moved: 1000}, true},
		"some was there":           {data[:600], nil, counts{moved: 400, there: 600}, true},
		"all was there":            {data, nil, counts{there: 1000}, true},
		"what was there is wrong":  {damaged, nil, counts{moved: 1000}, true},
		"the rest breaks off":      {data[:600], []destinationtest.Fault{{Op: destinationtest.OpSend, Call: 1, Short: 100}}, counts{moved: 400, there: 600}, true},
		"an answer is lost":        {data[:600], []destinationtest.Fault{{Op: destinationtest.OpSend, Call: 1, Late: true}}, counts{moved: 400, there: 600}, true},
		"the answer to the commit": {data[:600], []destinationtest.Fault{{Op: destinationtest.OpCommit, Call: 1, Late: true}}, counts{moved: 400, there: 600}, true},
		"another one was faster":   {data[:600], []destinationtest.Fault{{Op: destinationtest.OpCommit, Call: 1, Err: destination.ErrExists}}, counts{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			d := folder(t)
			if c.first != nil {
				begun(t, d, "x", data, c.first)
			}
			var got counts
			if sent := got.put(t, destinationtest.NewFaulty(t, d, c.faults...), "x", data); sent != c.sent || got != c.want {
				t.Errorf("sent %v, %+v, want %+v", sent, got, c.want)
			}
		})
	}
}

// wild is a destination whose uploads tell what they like while they send, and pass over bytes.
type wild struct {
	destination.Destination
	tells  []int64
	passes int64
	late   func(int64)
}

func (w *wild) Upload(ctx context.Context, name string, size int64, sum [32]byte) (destination.Upload, error) {
	u, err := w.Destination.Upload(ctx, name, size, sum)
	return &wildUpload{Upload: u, w: w}, err
}

type wildUpload struct {
	destination.Upload
	w    *wild
	tell func(int64)
}

func (u *wildUpload) Tell(f func(int64)) { u.tell = f }
func (u *wildUpload) Passed() int64      { return u.w.passes }
func (u *wildUpload) Send(ctx context.Context, off int64, src io.Reader) (int64, error) {
	for _, n := range u.w.tells {
		u.tell(n)
	}
	u.w.late = u.tell
	return u.Upload.Send(ctx, off, src)
}

// Whatever is told on the way, what was accepted counts, and nothing that is heard of later.
func TestPutTellers(t *testing.T) {
	data := destinationtest.Content(1, 1000)
	for _, c := range []struct {
		tells  []int64
		passes int64
	}{{nil, 0}, {[]int64{400, 600}, 0}, {[]int64{100}, 0}, {[]int64{900, 900}, 0}, {[]int64{300}, 700}, {[]int64{500}, 700}, {nil, 1000}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			w := &wild{Destination: folder(t), tells: c.tells, passes: c.passes}
			var got counts
			got.put(t, w, "x", data)
			w.late(77)
			if got.moved != 1000-c.passes || got.there != c.passes {
				t.Errorf("%+v", got)
			}
		})
	}
}

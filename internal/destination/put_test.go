package destination_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/iotest"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/destination/destinationtest"
)

type op = destinationtest.Op

// Whatever single call fails, is cut short or loses its answer, the object arrives, and exactly its bytes are counted.
func TestPutSurvives(t *testing.T) {
	data := destinationtest.Content(1, 1_000_000)
	mismatch := destination.ErrMismatch
	for _, f := range []destinationtest.Fault{
		{Op: destinationtest.OpUpload, Call: 1},
		{Op: destinationtest.OpUpload, Call: 1, Late: true},
		{Op: destinationtest.OpOffset, Call: 1},
		{Op: destinationtest.OpSend, Call: 1},
		{Op: destinationtest.OpSend, Call: 1, Late: true},
		{Op: destinationtest.OpSend, Call: 1, Short: 1},
		{Op: destinationtest.OpSend, Call: 1, Short: 300_000},
		{Op: destinationtest.OpSend, Call: 1, Short: 300_000, Quiet: true},
		{Op: destinationtest.OpSend, Call: 1, Short: 999_999, Quiet: true},
		{Op: destinationtest.OpSend, Call: 1, Damage: true},
		{Op: destinationtest.OpCommit, Call: 1},
		{Op: destinationtest.OpCommit, Call: 1, Late: true},
		{Op: destinationtest.OpCommit, Call: 1, Err: mismatch},
	} {
		t.Run(fmt.Sprintf("%+v", f), func(t *testing.T) {
			d := destinationtest.NewFaulty(t, folder(t), f)
			var moved int64
			sent, err := quick().Put(t.Context(), d, object("x", data), reader(data), func(n int64) { moved += n })
			if err != nil || !sent {
				t.Fatalf("sent is %v, error %v", sent, err)
			}
			if got := destinationtest.Read(t, d, "x"); !bytes.Equal(got, data) {
				t.Error("something else arrived")
			}
			if f.Err == nil && moved != int64(len(data)) {
				t.Errorf("%d bytes were counted, want %d", moved, len(data))
			}
		})
	}
}

func TestPutGivesUp(t *testing.T) {
	data := destinationtest.Content(1, 1000)
	twice := func(o op, err error) []destinationtest.Fault {
		return []destinationtest.Fault{{Op: o, Call: 1, Err: err, Damage: err == nil}, {Op: o, Call: 2, Err: err, Damage: err == nil}}
	}
	d := destinationtest.NewFaulty(t, folder(t), twice(destinationtest.OpSend, nil)...)
	_, err := quick().Put(t.Context(), d, object("x", data), reader(data), nil)
	if !errors.Is(err, destination.ErrMismatch) {
		t.Errorf("damaged twice on the way: error is %v", err)
	}
	d = destinationtest.NewFaulty(t, folder(t), destinationtest.Fault{Op: destinationtest.OpSend, Call: 1, Err: destination.ErrDenied})
	if _, err = quick().Put(t.Context(), d, object("x", data), reader(data), nil); !errors.Is(err, destination.ErrDenied) {
		t.Errorf("denied: error is %v", err)
	}
	// Quiet short writes of nothing are no progress and no end.
	var none []destinationtest.Fault
	for i := range 8 {
		none = append(none, destinationtest.Fault{Op: destinationtest.OpSend, Call: i + 1, Quiet: true})
	}
	d = destinationtest.NewFaulty(t, folder(t), none...)
	if _, err = quick().Put(t.Context(), d, object("x", data), reader(data), nil); !errors.Is(err, destination.ErrTransient) {
		t.Errorf("nothing is ever accepted: error is %v", err)
	}
	destinationtest.Listed(t, d, "")
}

func TestPutExisting(t *testing.T) {
	data := destinationtest.Content(1, 1000)
	d := folder(t)
	for _, want := range []bool{true, false} {
		sent, err := quick().Put(t.Context(), d, object("x", data), reader(data), nil)
		if err != nil || sent != want {
			t.Errorf("sent is %v, error %v, want %v", sent, err, want)
		}
	}
	// Another one commits between our beginning and our commit.
	inner := folder(t)
	sneaky := func() (io.ReadCloser, error) {
		if err := inner.Create(t.Context(), "y", data); err != nil && !errors.Is(err, destination.ErrExists) {
			t.Error(err)
		}
		return reader(data)()
	}
	if sent, err := quick().Put(t.Context(), inner, object("y", data), sneaky, nil); err != nil || sent {
		t.Errorf("sent is %v, error %v, though another one stored it", sent, err)
	}
}

func TestPutDamagedSource(t *testing.T) {
	data := destinationtest.Content(1, 1000)
	flipped := bytes.Clone(data)
	flipped[500] ^= 1
	for name, content := range map[string][]byte{
		"flipped": flipped, "short": data[:999], "empty": nil, "long": append(bytes.Clone(data), 0),
	} {
		t.Run(name, func(t *testing.T) {
			d := folder(t)
			_, err := quick().Put(t.Context(), d, object("x", data), reader(content), nil)
			if !errors.Is(err, destination.ErrSource) {
				t.Errorf("error is %v", err)
			}
			if got := destinationtest.Listed(t, d, ""); len(got) != 0 {
				t.Errorf("visible: %v", got)
			}
			// What is left of it at the far side does no harm to the right bytes.
			if sent, err := quick().Put(t.Context(), d, object("x", data), reader(data), nil); err != nil || !sent {
				t.Errorf("afterwards: sent is %v, error %v", sent, err)
			}
			if got := destinationtest.Read(t, d, "x"); !bytes.Equal(got, data) {
				t.Error("something else arrived")
			}
		})
	}
	own := errors.New("cannot open")
	_, err := quick().Put(t.Context(), folder(t), object("x", data), func() (io.ReadCloser, error) { return nil, own }, nil)
	if !errors.Is(err, own) {
		t.Errorf("error is %v", err)
	}
	broken := func() (io.ReadCloser, error) { return io.NopCloser(iotest.ErrReader(own)), nil }
	if _, err := quick().Put(t.Context(), folder(t), object("x", data), broken, nil); !errors.Is(err, own) {
		t.Errorf("error is %v", err)
	}
}

// A source that is damaged where the far side has the bytes already is found out as well.
func TestPutDamagedPrefix(t *testing.T) {
	data := destinationtest.Content(1, 1000)
	d := folder(t)
	u, err := d.Upload(t.Context(), "x", 1000, object("x", data).Sum)
	ok(t, err)
	_, err = u.Send(t.Context(), 0, bytes.NewReader(data[:600]))
	ok(t, err)
	ok(t, u.Close())
	flipped := bytes.Clone(data)
	flipped[10] ^= 1
	if _, err := quick().Put(t.Context(), d, object("x", data), reader(flipped), nil); !errors.Is(err, destination.ErrSource) {
		t.Errorf("error is %v", err)
	}
	var moved int64
	sent, err := quick().Put(t.Context(), d, object("x", data), reader(data), func(n int64) { moved += n })
	if err != nil || !sent || moved != 0 {
		t.Errorf("sent is %v, error %v, %d bytes were sent again", sent, err, moved)
	}
}

func TestPutStops(t *testing.T) {
	data := destinationtest.Content(1, 1000)
	for _, o := range []op{destinationtest.OpUpload, destinationtest.OpSend, destinationtest.OpCommit} {
		d := destinationtest.NewFaulty(t, folder(t), destinationtest.Fault{Op: o, Call: 1, Stall: true})
		if _, err := quick().Put(d.UntilFired(t), d, object("x", data), reader(data), nil); !errors.Is(err, context.Canceled) {
			t.Errorf("%s stalls: error is %v", o, err)
		}
	}
}

// TestPutAnyDeath kills the sender at every single change; the next one finishes, and sends only what is missing.
func TestPutAnyDeath(t *testing.T) {
	data := destinationtest.Content(1, 1000)
	for _, late := range []bool{false, true} {
		for call := 1; call <= 3; call++ { // upload, send, commit
			inner := folder(t)
			d := destinationtest.NewFaulty(t, inner, destinationtest.Fault{Op: destinationtest.OpChange, Call: call, Die: true, Late: late})
			if _, err := quick().Put(t.Context(), d, object("x", data), reader(data), nil); !errors.Is(err, destinationtest.ErrDied) {
				t.Fatalf("error is %v", err)
			}
			var moved int64
			if _, err := quick().Put(t.Context(), inner, object("x", data), reader(data), func(n int64) { moved += n }); err != nil {
				t.Fatal(err)
			}
			if again := call == 3 || call == 2 && late; again && moved != 0 {
				t.Errorf("died at change %d (late %v): %d bytes were sent again", call, late, moved)
			}
			if got := destinationtest.Read(t, inner, "x"); !bytes.Equal(got, data) {
				t.Error("something else arrived")
			}
		}
	}
}

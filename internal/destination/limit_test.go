package destination_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/destination/destinationtest"
)

// allowing lets bytes through, so many at once, until there are no more.
type allowing struct{ once, left, taken int }

var errEmpty = errors.New("no more may be sent")

func (a *allowing) Take(ctx context.Context, n int) (int, error) {
	n = min(n, a.once, a.left)
	if n == 0 {
		return 0, errors.Join(errEmpty, ctx.Err())
	}
	a.left -= n
	a.taken += n
	return n, nil
}

type free struct{}

func (free) Take(ctx context.Context, n int) (int, error) { return min(n, 100), ctx.Err() }

// A destination with a limit is a destination.
func TestLimitConformance(t *testing.T) {
	destinationtest.Run(t, func(t *testing.T) destinationtest.Opener {
		d := folder(t)
		return func() destination.Destination { return destination.Limit(d, free{}) }
	})
}

func TestLimit(t *testing.T) {
	data := destinationtest.Content(1, 10_000)
	inner := folder(t)
	l := &allowing{once: 700, left: 4000}
	d := destination.Limit(inner, l)
	_, err := quick().Put(t.Context(), d, object("x", data), reader(data), nil)
	if !errors.Is(err, errEmpty) {
		t.Fatalf("error is %v", err)
	}
	// What has arrived counted once; what is sent afterwards counts, and no more.
	l.left = 1 << 20
	if sent, err := quick().Put(t.Context(), d, object("x", data), reader(data), nil); err != nil || !sent {
		t.Fatalf("sent is %v, error %v", sent, err)
	}
	if l.taken < len(data) || l.taken > len(data)+700 {
		t.Errorf("%d bytes were taken for %d", l.taken, len(data))
	}
	if got := destinationtest.Read(t, d, "x"); !bytes.Equal(got, data) {
		t.Error("something else arrived")
	}
	l.taken = 0
	ok(t, d.Create(t.Context(), "small", data[:1500]))
	ok(t, d.Replace(t.Context(), "small", data[:100]))
	if l.taken != 1600 {
		t.Errorf("%d bytes were taken for small objects of 1600", l.taken)
	}
	l.left = 0
	for what, err := range map[string]error{
		"create": d.Create(t.Context(), "other", data), "replace": d.Replace(t.Context(), "small", data),
	} {
		if !errors.Is(err, errEmpty) {
			t.Errorf("%s: error is %v", what, err)
		}
	}
	if got := destinationtest.Listed(t, d, ""); len(got) != 2 || got["small"] != 100 {
		t.Errorf("listed %v", got)
	}
}

// What a driver would refuse is known below the wrappers.
func TestCheckBelowWrappers(t *testing.T) {
	d := quick().Wrap(destination.Limit(picky{folder(t)}, free{}))
	if err := destination.Check(d, "x", 1); !errors.Is(err, errPicky) {
		t.Errorf("error is %v", err)
	}
}

var errPicky = errors.New("not here")

type picky struct{ destination.Destination }

func (picky) Check(string, int64) error { return errPicky }

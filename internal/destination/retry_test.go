package destination_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/destination/destinationtest"
	"github.com/openomt/omt/internal/destination/dir"
)

// quick tries often and never waits.
func quick() destination.Retry {
	return destination.Retry{Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }}
}

func folder(t testing.TB) destination.Destination {
	t.Helper()
	d, err := dir.Open(filepath.Join(t.TempDir(), "d"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestPauses(t *testing.T) {
	var waits []time.Duration
	var told int
	r := destination.Retry{
		Attempts: 6, Base: 100 * time.Millisecond, Max: 500 * time.Millisecond,
		Jitter: func() float64 { return 1 },
		Sleep:  func(_ context.Context, d time.Duration) error { waits = append(waits, d); return nil },
		Notice: func(name string, err error, wait time.Duration) {
			if name != "x" || !errors.Is(err, destination.ErrTransient) || wait != waits0(waits, told) && told < len(waits) {
				t.Errorf("told of %q, %v, %v", name, err, wait)
			}
			told++
		},
	}
	calls := 0
	err := r.Do(t.Context(), "x", func() (bool, error) { calls++; return false, destination.ErrTransient })
	if !errors.Is(err, destination.ErrTransient) || !strings.Contains(err.Error(), "giving up after 6 tries") {
		t.Errorf("error is %v", err)
	}
	want := "[100ms 200ms 400ms 500ms 500ms]"
	if calls != 6 || told != 5 || fmt.Sprint(waits) != want {
		t.Errorf("%d calls, told %d times, waited %v, want %s", calls, told, waits, want)
	}

	r.Jitter, waits = func() float64 { return 0 }, nil
	_ = r.Do(t.Context(), "x", func() (bool, error) { return false, destination.ErrTransient })
	if waits[0] != 50*time.Millisecond {
		t.Errorf("without jitter it waits %v, want half of what is due", waits[0])
	}
}

func waits0(waits []time.Duration, i int) time.Duration {
	if i < len(waits) {
		return waits[i]
	}
	return 0
}

func TestDo(t *testing.T) {
	final := errors.New("final")
	for _, c := range []struct {
		name  string
		errs  []error
		want  error
		calls int
	}{
		{"works", []error{nil}, nil, 1},
		{"works the third time", []error{destination.ErrTransient, destination.ErrTransient, nil}, nil, 3},
		{"final", []error{final, nil}, final, 1},
		{"temporary, then final", []error{destination.ErrTransient, final}, final, 2},
		{"denied", []error{destination.ErrDenied, nil}, destination.ErrDenied, 1},
		{"exists", []error{destination.ErrExists, nil}, destination.ErrExists, 1},
		{"mismatch", []error{destination.ErrMismatch, nil}, destination.ErrMismatch, 1},
		{"not there", []error{destination.ErrNotExist, nil}, destination.ErrNotExist, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			calls := 0
			err := quick().Do(t.Context(), "x", func() (bool, error) { calls++; return false, c.errs[calls-1] })
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) || calls != c.calls {
				t.Errorf("error is %v after %d calls, want %v after %d", err, calls, c.want, c.calls)
			}
		})
	}
	calls := 0
	err := quick().Do(t.Context(), "x", func() (bool, error) {
		if calls++; calls == 50 {
			return false, nil
		}
		return true, destination.ErrTransient
	})
	if err != nil {
		t.Errorf("it gave up though there was progress: %v", err)
	}
}

func TestDoStopsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		r := destination.Retry{Attempts: 1000, Base: time.Second, Max: time.Second, Jitter: func() float64 { return 1 }}
		calls := 0
		err := r.Do(ctx, "x", func() (bool, error) { calls++; return false, destination.ErrTransient })
		if !errors.Is(err, context.DeadlineExceeded) || calls < 3 || calls > 4 {
			t.Errorf("error is %v after %d calls", err, calls)
		}
		cancelled, cancel2 := context.WithCancel(t.Context())
		err = r.Do(cancelled, "x", func() (bool, error) { cancel2(); return false, destination.ErrTransient })
		if !errors.Is(err, context.Canceled) || !errors.Is(err, destination.ErrTransient) {
			t.Errorf("error is %v", err)
		}
	})
}

// The wrapper is a destination as good as the one it wraps.
func TestWrapPassesSuite(t *testing.T) {
	destinationtest.Run(t, func(t *testing.T) destinationtest.Opener {
		path := filepath.Join(t.TempDir(), "d")
		return func() destination.Destination {
			d, err := dir.Open(path, time.Now)
			if err != nil {
				t.Fatal(err)
			}
			return quick().Wrap(d)
		}
	})
}

func TestWrapRepeats(t *testing.T) {
	for _, op := range []destinationtest.Op{
		destinationtest.OpStat, destinationtest.OpOpen, destinationtest.OpRead, destinationtest.OpCreate,
		destinationtest.OpReplace, destinationtest.OpUpload,
	} {
		for _, late := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s late=%v", op, late), func(t *testing.T) {
				faulty := destinationtest.NewFaulty(t, folder(t),
					destinationtest.Fault{Op: op, Call: 1, Late: late}, destinationtest.Fault{Op: op, Call: 3, Late: late})
				d := quick().Wrap(faulty)
				for _, name := range []string{"a", "b", "c"} {
					data := destinationtest.Content(1, 100_000)
					ok(t, d.Create(t.Context(), name, data))
					if info, err := d.Stat(t.Context(), name); err != nil || info.Size != 100_000 {
						t.Errorf("stat: %+v, %v", info, err)
					}
					if got := destinationtest.Read(t, d, name); !bytes.Equal(got, data) {
						t.Errorf("read %d bytes that are not those", len(got))
					}
					ok(t, d.Replace(t.Context(), name, data[:10]))
					u, err := d.Upload(t.Context(), name+"2", 1, sha256.Sum256([]byte("x")))
					ok(t, err)
					ok(t, u.Close())
				}
			})
		}
	}
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

// A create whose answer is lost and which then finds another's object has lost; one that finds its own has won.
func TestCreateWhoseAnswerIsLost(t *testing.T) {
	late := destinationtest.Fault{Op: destinationtest.OpCreate, Call: 1, Late: true}
	ok(t, quick().Wrap(destinationtest.NewFaulty(t, folder(t), late)).Create(t.Context(), "x", []byte("mine")))

	for _, other := range []string{"his", "mine, longer", "min", ""} {
		inner := folder(t)
		ok(t, inner.Create(t.Context(), "x", []byte(other)))
		err := quick().Wrap(destinationtest.NewFaulty(t, inner, late)).Create(t.Context(), "x", []byte("mine"))
		if !errors.Is(err, destination.ErrExists) {
			t.Errorf("against %q: error is %v", other, err)
		}
	}
	inner := folder(t)
	ok(t, inner.Create(t.Context(), "x", []byte("mine")))
	if err := quick().Wrap(inner).Create(t.Context(), "x", []byte("mine")); !errors.Is(err, destination.ErrExists) {
		t.Errorf("equal data without a lost answer: error is %v", err)
	}
}

func TestListRepeats(t *testing.T) {
	faulty := destinationtest.NewFaulty(t, folder(t), destinationtest.Fault{Op: destinationtest.OpList, Call: 1, Late: true})
	d := quick().Wrap(faulty)
	ok(t, d.Create(t.Context(), "a", nil))
	seen := 0
	ok(t, d.List(t.Context(), "", func(destination.Info) error { seen++; return nil }))
	if seen != 2 {
		t.Errorf("%d calls, want one for each time that it listed", seen)
	}
	if err := d.List(t.Context(), "", func(destination.Info) error { seen++; return destination.ErrTransient }); !errors.Is(err, destination.ErrTransient) || seen != 3 {
		t.Errorf("an error of the function was repeated: %v, %d calls", err, seen)
	}
}

func TestFaultyTellsWhatNeverFired(t *testing.T) {
	inner := &recorder{TB: t}
	f := destinationtest.NewFaulty(inner, folder(t),
		destinationtest.Fault{Op: destinationtest.OpStat, Call: 1}, destinationtest.Fault{Op: destinationtest.OpStat, Call: 2})
	_, _ = f.Stat(t.Context(), "x")
	inner.cleanup()
	if len(inner.errors) != 1 || !strings.Contains(inner.errors[0], "never fired") {
		t.Errorf("told %q", inner.errors)
	}
	if f.Calls(destinationtest.OpStat) != 1 {
		t.Errorf("counted %d calls", f.Calls(destinationtest.OpStat))
	}
}

// recorder is a testing.TB that fails nobody.
type recorder struct {
	testing.TB
	cleanup func()
	errors  []string
}

func (r *recorder) Cleanup(f func()) { r.cleanup = f }
func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

func reader(data []byte) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
}

func object(name string, data []byte) destination.Object {
	return destination.Object{Name: name, Size: int64(len(data)), Sum: sha256.Sum256(data)}
}

// asking is an error of a service that asks for patience.
type asking time.Duration

func (a asking) Error() string             { return "later" }
func (a asking) Unwrap() error             { return destination.ErrTransient }
func (a asking) RetryAfter() time.Duration { return time.Duration(a) }

func TestRetryAfter(t *testing.T) {
	for asked, want := range map[time.Duration]time.Duration{
		0: 50 * time.Millisecond, time.Millisecond: 50 * time.Millisecond, 7 * time.Second: 7 * time.Second, time.Hour: 10 * time.Minute,
	} {
		var waits []time.Duration
		r := destination.Retry{
			Attempts: 2, Base: 100 * time.Millisecond, Jitter: func() float64 { return 0 },
			Sleep: func(_ context.Context, d time.Duration) error { waits = append(waits, d); return nil },
		}
		err := r.Do(t.Context(), "x", func() (bool, error) { return false, fmt.Errorf("asked: %w", asking(asked)) })
		if !errors.Is(err, destination.ErrTransient) || len(waits) != 1 || waits[0] != want {
			t.Errorf("asked for %v it waits %v, want %v", asked, waits, want)
		}
	}
}

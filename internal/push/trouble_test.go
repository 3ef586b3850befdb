package push

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/destination/destinationtest"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/spool"
	"github.com/openomt/omt/internal/tenant"
)

func TestChunkTrouble(t *testing.T) {
	p := small()
	flip := func(name string) func(*testing.T, place) {
		return func(t *testing.T, at place) {
			file := filepath.Join(at.spool, filepath.FromSlash(name))
			data, err := os.ReadFile(file)
			check(t, err)
			data[len(data)/2] ^= 1
			check(t, os.WriteFile(file, data, 0o600))
		}
	}
	name := p.names()[1]
	for text, c := range map[string]struct {
		harm func(*testing.T, place)
		hint string
	}{
		"is neither in the spool": {func(t *testing.T, at place) {
			check(t, os.Remove(filepath.Join(at.spool, filepath.FromSlash(name))))
		}, "--spool"},
		"in the spool is damaged: source is damaged: its SHA-256 is": {flip(name), "run omt-pack again"},
		"in the spool is damaged: it has 3 bytes, want 1001": {func(t *testing.T, at place) {
			check(t, os.WriteFile(filepath.Join(at.spool, filepath.FromSlash(name)), []byte("abc"), 0o600))
		}, "run omt-pack again"},
		"has 3 bytes at file://": {func(t *testing.T, at place) {
			check(t, at.destination(t).Create(t.Context(), name, []byte("abc")))
		}, "remove the object"},
	} {
		for mode, how := range modes {
			t.Run(text+" "+mode, func(t *testing.T) {
				at := newPlace(t, p)
				c.harm(t, at)
				data := p.bytes(t)
				_, err := run1(t.Context(), how(at.options(t, data), data))
				wantError(t, err, manifest.Failed, text)
				if !strings.Contains(manifest.HintOf(err), c.hint) {
					t.Errorf("hint is %q, want %q", manifest.HintOf(err), c.hint)
				}
				at.wantNothingCommitted(t)
			})
		}
	}
	bad := p
	data := bytes.Replace(bad.bytes(t), []byte(`"type":"tar.zst"`), []byte(`"type":"../../x"`), 1)
	at := newPlace(t, p)
	_, err := at.push(t, reseal(t, data))
	wantError(t, err, manifest.BadInput, `type "../../x" is not known`)
}

func TestTemporaryFailures(t *testing.T) {
	p := small()
	for _, op := range []destinationtest.Op{
		destinationtest.OpList, destinationtest.OpOpen, destinationtest.OpRead, destinationtest.OpCreate, destinationtest.OpReplace,
		destinationtest.OpUpload, destinationtest.OpOffset, destinationtest.OpSend, destinationtest.OpCommit,
	} {
		for _, late := range []bool{false, true} {
			for name, mode := range modes {
				at := newPlace(t, p)
				data := p.bytes(t)
				o := at.options(t, data)
				o.To = destinationtest.NewFaulty(t, at.destination(t),
					destinationtest.Fault{Op: op, Call: 1, Late: late}, destinationtest.Fault{Op: op, Call: 2, Late: late})
				if _, err := run1(t.Context(), mode(o, data)); manifest.StatusOf(err) != manifest.Remarks {
					t.Errorf("%s, %s, late %v: %v", name, op, late, err)
				}
				if c := at.wantPushed(t, p); c.Revision != 1 {
					t.Errorf("%s, %s, late %v: revision %d", name, op, late, c.Revision)
				}
			}
		}
	}
}

func TestExplained(t *testing.T) {
	p := small()
	for class, hint := range map[error]string{
		destination.ErrDenied: "must be allowed", destination.ErrTransient: "run the same command again", destination.ErrMismatch: "does not keep what it is given",
	} {
		at := newPlace(t, p)
		o := at.options(t, p.bytes(t))
		o.Retry.Attempts = 1
		o.Workers = 1
		faults := []destinationtest.Fault{{Op: destinationtest.OpCommit, Call: 1, Err: class}}
		if errors.Is(class, destination.ErrMismatch) {
			faults = append(faults, destinationtest.Fault{Op: destinationtest.OpCommit, Call: 2, Err: class})
		}
		o.To = destinationtest.NewFaulty(t, at.destination(t), faults...)
		_, err := run1(t.Context(), o)
		wantError(t, err, manifest.Failed, "sending chunk")
		if !errors.Is(err, class) || !strings.Contains(manifest.HintOf(err), hint) {
			t.Errorf("error is %v, hint %q", err, manifest.HintOf(err))
		}
		at.wantNothingCommitted(t)
	}
}

// A failure to send ends the run although the stage before says nothing for ever.
func TestStreamStopsAtOnce(t *testing.T) {
	p := small()
	at := newPlace(t, p)
	data := p.bytes(t)
	half := bytes.Index(data, []byte(`{"kind":"check"`))
	block, unblock := io.Pipe()
	defer unblock.Close()
	o := at.base(destinationtest.NewFaulty(t, at.destination(t), destinationtest.Fault{Op: destinationtest.OpUpload, Call: 2, Err: destination.ErrDenied}))
	o.In = manifest.NewReader(io.MultiReader(bytes.NewReader(data[:half]), block), manifest.ReadOptions{})
	_, err := run1(t.Context(), o)
	wantError(t, err, manifest.Failed, "access was refused")
	at.wantNothingCommitted(t)
}

func TestInterrupted(t *testing.T) {
	p := small()
	for _, op := range []destinationtest.Op{destinationtest.OpList, destinationtest.OpUpload, destinationtest.OpSend, destinationtest.OpCreate} {
		for name, mode := range modes {
			at := newPlace(t, p)
			data := p.bytes(t)
			o := at.options(t, data)
			faulty := destinationtest.NewFaulty(t, at.destination(t), destinationtest.Fault{Op: op, Call: 1, Stall: true})
			o.To = faulty
			if _, err := run1(faulty.UntilFired(t), mode(o, data)); !errors.Is(err, context.Canceled) {
				t.Errorf("%s, %s stalls: error is %v", name, op, err)
			}
			at.wantNothingCommittedYet(t)
			if _, err := at.push(t, data); manifest.StatusOf(err) != manifest.Remarks {
				t.Errorf("afterwards: %v", err)
			}
			at.wantPushed(t, p)
		}
	}
}

// wantNothingCommittedYet allows for a claim.
func (at place) wantNothingCommittedYet(t testing.TB) {
	t.Helper()
	c, err := tenant.Open(at.destination(t)).LastCommitted(t.Context())
	if c != nil || err != nil {
		t.Errorf("committed %v, error %v", c, err)
	}
}

// The spool is emptied as receipts come when it is limited, and never with Keep.
func TestLimitedSpool(t *testing.T) {
	p := small()
	for _, keep := range []bool{false, true} {
		for _, how := range []string{"option", "spool"} {
			at := newPlace(t, p)
			s, err := spool.Open(at.spool)
			check(t, err)
			o := at.options(t, p.bytes(t))
			o.DropAsSent, o.Keep = how == "option", keep
			check(t, s.SetLimited(how == "spool"))
			// The push dies before anything is committed.
			o.To = destinationtest.NewFaulty(t, at.destination(t), destinationtest.Fault{Op: destinationtest.OpCreate, Call: 1, Die: true})
			_, err = run1(t.Context(), o)
			wantError(t, err, manifest.Failed, "died")
			if left := len(at.spoolFiles(t)); left != map[bool]int{true: 3}[keep] {
				t.Errorf("%s, keep %v: %d chunks are left in the spool", how, keep, left)
			}
			_, err = at.push(t, p.bytes(t))
			wantError(t, err, manifest.Remarks, "revision 1")
			at.wantPushed(t, p)
		}
	}
}

// narrow is a destination that holds small objects alone.
type narrow struct{ destination.Destination }

func (narrow) Check(name string, size int64) error {
	if size > 1000 {
		return errors.New("at most 1000 bytes can be stored here")
	}
	return nil
}

// What the destination cannot hold is said before anything is sent.
func TestDoesNotFit(t *testing.T) {
	p := small()
	for name, mode := range modes {
		at := newPlace(t, p)
		data := p.bytes(t)
		o := at.options(t, data)
		o.To = narrow{at.destination(t)}
		_, err := run1(t.Context(), mode(o, data))
		wantError(t, err, manifest.Refused, "cannot hold what is to be sent: at most 1000 bytes")
		at.wantNothingCommitted(t)
		if name == "file" && len(destinationtest.Listed(t, at.destination(t), "")) > 0 {
			t.Error("something was sent")
		}
	}
}

package push

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/destination/destinationtest"
	"github.com/openomt/omt/internal/manifest"
)

func (at place) accept(t testing.TB, shut bool, minute int) (string, error) {
	t.Helper()
	var b bytes.Buffer
	err := Accept(t.Context(), AcceptOptions{
		To: at.destination(t), Close: shut, Tool: "omt-push 0.1.0", At: manifest.At(long.Add(time.Duration(minute) * time.Minute)), Notice: at.notices.add,
	}, &b)
	return strings.ReplaceAll(b.String(), at.to, "/T"), err
}

// What accepting says, step by step.
func TestAccept(t *testing.T) {
	p := small()
	p.migration = "live"
	at := newPlace(t, p)
	_, err := at.accept(t, false, 0)
	wantError(t, err, manifest.Refused, "holds no migration that could be accepted")
	_, err = at.push(t, p.bytes(t))
	wantError(t, err, manifest.Remarks, "revision 1")
	const (
		open = "its database is closed; missing and changed files are added to it with --recover missing, until omt-push accept --close\n2 files are missing there\n"
		shut = "its database is closed; nothing is added to it any more\n2 files are missing there\n"
		next = "next: tell users where they log in and settle the mailboxes; documents that turn up: omt-push --in the manifest that it wrote; the source stays frozen\n"
		who  = "file:///T: migration " + idA + ", revision 1, "
	)
	for i, step := range []struct {
		shut bool
		want string
	}{
		{false, who + "is accepted\n" + open + next},
		{false, who + "was accepted already, on 2026-01-02 03:04 UTC; nothing was changed\n" + open},
		{true, who + "is accepted and closed\n" + shut + "next: omt-push collect deletes what nothing refers to any more\n"},
		{false, who + "was accepted and closed already, on 2026-01-02 03:06 UTC; nothing was changed\n" + shut},
		{true, who + "was accepted and closed already, on 2026-01-02 03:06 UTC; nothing was changed\n" + shut},
	} {
		got, err := at.accept(t, step.shut, i)
		if err != nil || got != step.want {
			t.Errorf("step %d: got\n%s\nwant\n%s\nerror %v", i, got, step.want, err)
		}
	}
	s, text, _ := at.look(t)
	wantLines(t, text, "state running and closed, since 2026-01-02 03:06 UTC: nothing is added any more", "migration "+idA+", revision 1 (live)")
	if len(s.History) != 3 || !s.Closed || s.History[1].Closed || !s.History[2].Closed {
		t.Errorf("history is %+v", s.History)
	}
}

// Who may not write is told what is needed.
func TestAcceptDenied(t *testing.T) {
	p := small()
	p.migration = "live"
	at := newPlace(t, p)
	_, err := at.push(t, p.bytes(t))
	wantError(t, err, manifest.Remarks, "revision 1")
	d := destinationtest.NewFaulty(t, at.destination(t), destinationtest.Fault{Op: destinationtest.OpCreate, Call: 1, Err: destination.ErrDenied})
	var b bytes.Buffer
	err = Accept(t.Context(), AcceptOptions{To: d, Tool: "omt-push 0.1.0", At: manifest.At(long)}, &b)
	wantError(t, err, manifest.Failed, "accepting: recording the tenant's state: ")
	if manifest.HintOf(err) == "" || b.Len() > 0 {
		t.Errorf("the hint is %q, printed was %q", manifest.HintOf(err), b.String())
	}
}

// Status tells what was replaced, what is running, what is on its way and what is being collected.
func TestStatusOfStates(t *testing.T) {
	first, second := lots(idA, 0), lots(idA, 1)
	first.migration, second.migration = "live", "live"
	at := newPlace(t, first)
	at.pushed(t, first)
	at.pushed(t, second)
	_, err := at.accept(t, false, 0)
	check(t, err)
	s, text, asJSON := at.look(t)
	wantLines(t, text, "state running, since 2026-01-02 03:04 UTC: missing files alone can be added", "3.0 kB former", "3.0 kB current")
	wantLines(t, asJSON, `"state": "running"`, `"closed": false`, `"standing": "former"`, `"standing": "current"`)
	if s.Revisions[0].Standing != Former || s.Revisions[1].Standing != Current {
		t.Errorf("revisions are %+v", s.Revisions)
	}
	// A collect that is at work, and then dead.
	o := at.collectAt(t, 0)
	o.Workers = 1
	o.Now = func() time.Time { return long }
	o.To = destinationtest.NewFaulty(t, at.destination(t), destinationtest.Fault{Op: destinationtest.OpRemove, Call: 3, Die: true})
	_, err = Collect(t.Context(), o)
	wantError(t, err, manifest.Failed, "died")
	s, text, asJSON = at.look(t)
	wantLines(t, text, "state running, since 2026-01-02 03:04 UTC", "collecting since 2026-01-02 03:04 UTC: who commits waits for it", "current")
	wantLines(t, asJSON, `"collecting": "2026-01-02T03:04:05Z"`)
	if s.Collecting.IsZero() {
		t.Errorf("status is %+v", s)
	}

	// A part that went ahead, on its way.
	seed := lots(idB, 3)
	seed.phase = "preseed"
	at = newPlace(t, seed)
	opts := at.options(t, seed.bytes(t))
	opts.To = destinationtest.NewFaulty(t, at.destination(t), destinationtest.Fault{Op: destinationtest.OpCreate, Call: 3, Die: true})
	_, err = run1(t.Context(), opts)
	wantError(t, err, manifest.Failed, "died")
	_, text, asJSON = at.look(t)
	wantLines(t, text, "company Kalles Æ", "state nothing was committed yet", "on its way "+idB+", revision 1: run its omt-push again", "not committed")
	wantLines(t, asJSON, `"seeding": {`, `"standing": "not committed"`)
	at.pushed(t, seed)
	s, text, _ = at.look(t)
	wantLines(t, text, "3.0 kB ahead")
	if s.Seeding != nil || s.Revisions[0].Standing != Ahead || s.Migration != nil {
		t.Errorf("status is %+v", s)
	}
}

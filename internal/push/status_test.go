package push

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/openomt/omt/internal/destination/destinationtest"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/tenant"
)

func (at place) look(t *testing.T) (s Status, text, asJSON string) {
	t.Helper()
	s, err := Look(t.Context(), tenant.Open(at.destination(t)))
	check(t, err)
	var a, b bytes.Buffer
	check(t, s.WriteText(&a))
	check(t, s.WriteJSON(&b))
	if !json.Valid(b.Bytes()) {
		t.Errorf("not JSON: %s", b.String())
	}
	return s, a.String(), b.String()
}

func wantLines(t *testing.T, text string, want ...string) {
	t.Helper()
	var squeezed []string
	for line := range strings.Lines(text) {
		squeezed = append(squeezed, strings.Join(strings.Fields(line), " "))
	}
	text = strings.Join(squeezed, "\n")
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("%q is not in:\n%s", w, text)
		}
	}
}

func TestStatus(t *testing.T) {
	p := small()
	at := newPlace(t, p)
	s, text, asJSON := at.look(t)
	wantLines(t, text, "state nothing was committed yet", "stored 0 B in 0 chunks")
	wantLines(t, asJSON, `"migration": null`, `"revisions": []`, `"history": []`)
	if s.Number != 0 || strings.Contains(text, "REVISION") {
		t.Errorf("status of an empty tenant: %+v\n%s", s, text)
	}

	seed := small()
	seed.phase = "preseed"
	_, err := at.push(t, seed.bytes(t))
	wantError(t, err, manifest.Remarks, "revision 1")
	_, text, _ = at.look(t)
	wantLines(t, text, "state nothing was committed yet", "stored 3.0 kB in 3 chunks",
		"000001 preseed "+idA+" 2026-01-02 03:04 UTC 4 2 1 3 3.0 kB")

	// Begun, and not committed.
	p.fill(t, at.spool)
	o := at.options(t, p.bytes(t))
	o.To = destinationtest.NewFaulty(t, at.destination(t), destinationtest.Fault{Op: destinationtest.OpCreate, Call: 2, Die: true})
	_, err = run1(t.Context(), o)
	wantError(t, err, manifest.Failed, "died")
	s, text, _ = at.look(t)
	wantLines(t, text, "000001 full "+idA+" not committed")
	if r := s.Revisions[0]; r.Committed != nil || r.Begun.IsZero() || r.Tool != "omt-push 0.1.0" {
		t.Errorf("revision is %+v", r)
	}
	claim := filepath.Join(at.to, "migrations", idA, "000001", "open.json")
	good, err := os.ReadFile(claim)
	check(t, err)
	check(t, os.WriteFile(claim, []byte("damaged"), 0o600))
	if s, _, _ = at.look(t); s.Revisions[0].Tool != "" || !s.Revisions[0].Begun.IsZero() {
		t.Errorf("revision is %+v", s.Revisions[0])
	}
	check(t, os.WriteFile(claim, good, 0o600))

	// Past the gate, and not finished.
	o = at.options(t, p.bytes(t))
	o.To = destinationtest.NewFaulty(t, at.destination(t), destinationtest.Fault{Op: destinationtest.OpCreate, Call: 2, Die: true})
	_, err = run1(t.Context(), o)
	wantError(t, err, manifest.Failed, "died")
	before := destinationtest.Listed(t, at.destination(t), "")
	_, text, _ = at.look(t)
	wantLines(t, text, "state migrationpending, since", "on its way "+idA+", revision 1: run its omt-push again", "not committed")
	if after := destinationtest.Listed(t, at.destination(t), ""); len(after) != len(before) {
		t.Errorf("looking changed %v to %v", before, after)
	}

	_, err = at.push(t, p.bytes(t))
	wantError(t, err, manifest.Remarks, "committed as revision 1")
	_, text, asJSON = at.look(t)
	wantLines(t, text, "company Kalles Æ", "serial number 18", "state offlinemaintenance, since 2026-01-02 03:04 UTC",
		"migration "+idA+", revision 1 (test)", "000001 full "+idA+" 2026-01-02 03:04 UTC 4 2 1 3 3.0 kB")
	wantLines(t, asJSON, `"company": "Kalles Æ"`, `"state": "offlinemaintenance"`, `"missing": 2`)
	if strings.Contains(text, "on its way") || strings.Contains(asJSON, "pending") {
		t.Errorf("something is still on its way:\n%s", text)
	}

	commit := filepath.Join(at.to, "migrations", idA, "000001", "commit.json")
	check(t, os.WriteFile(commit, []byte("damaged"), 0o600))
	_, err = Look(t.Context(), tenant.Open(at.destination(t)))
	wantError(t, err, manifest.Failed, "its content is damaged")
}

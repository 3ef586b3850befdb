package freeze_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/freeze"
	"github.com/openomt/omt/internal/manifest"
)

func TestFreezeAndThaw(t *testing.T) {
	r := newRig(t)
	before := r.look()
	records := r.freeze()
	if len(records) != 2 || records[0].What != "service-config" || records[1].What != "system-event" {
		t.Fatalf("%+v", records)
	}
	row := map[string]string{"SystemEvent_id": records[1].Row["SystemEvent_id"], "scope": "1", "owner": "0", "eventkey": "NoLogin", "eventmess": freeze.Message,
		"extraInfo": "", "eta": "1760-01-01 00:00:00", "registered": "2026-11-27 18:00:00", "registered_associate_id": "5", "updated": "1760-01-01 00:00:00",
		"updated_associate_id": "0", "updatedCount": "0"}
	if d := cmp.Diff(row, records[1].Row); d != "" {
		t.Error(d)
	}
	frozen := r.look()
	if !strings.Contains(frozen, "NoLogin|") || frozen == before {
		t.Error("nothing is frozen")
	}
	if again := r.freeze(); cmp.Diff(records, again) != "" {
		t.Error(cmp.Diff(records, again))
	}
	r.same("frozen twice", frozen)
	r.mustThaw(2, 0, 0)
	r.same("thawed", before)
	r.mustThaw(0, 0, 0)
	r.same("thawed twice", before)
	if left, err := freeze.Frozen(r.spool); err != nil || len(left) != 0 {
		t.Errorf("the journal says %v is frozen, %v", left, err)
	}
	r.freeze()
	r.same("frozen again", frozen)
}

// A manifest undoes as the journal does, any number of times.
func TestThawByManifest(t *testing.T) {
	r := newRig(t)
	before := r.look()
	records := r.freeze()
	by := func(o *freeze.ThawOptions) {
		o.Spool, o.Records, o.Database, o.Prefix = "", records, r.o.Installation.Database, "crm7"
	}
	for i, want := range []freeze.Thawed{{Undone: 2}, {Before: 2}, {Before: 2}} {
		if done, _, err := r.thaw(by); err != nil || done != want {
			t.Fatalf("%d: %+v, %v", i, done, err)
		}
		r.same("thawed", before)
	}
	r.mustThaw(0, 2, 0)
}

// What another one froze stays frozen when this one thaws.
func TestTwoFreezes(t *testing.T) {
	r := newRig(t)
	before := r.look()
	first := r.freeze()
	frozen := r.look()
	second := at(t, filepath.Dir(r.dir))
	second.spool = t.TempDir()
	second.o.Spool = second.spool
	for _, rec := range second.freeze() {
		if !rec.Already || rec.Inserted != "" || rec.Row != nil {
			t.Errorf("%+v", rec)
		}
	}
	second.mustThaw(0, 0, 2)
	r.same("thawed by who froze nothing", frozen)
	if rec, _ := freeze.Frozen(r.spool); cmp.Diff(first, rec) != "" {
		t.Error(cmp.Diff(first, rec))
	}
	r.mustThaw(2, 0, 0)
	r.same("thawed by who froze", before)
}

func TestParts(t *testing.T) {
	r := newRig(t)
	before := r.look()
	r.o.What = []string{freeze.Event}
	if records := r.freeze(); len(records) != 1 || records[0].What != "system-event" {
		t.Errorf("%+v", records)
	}
	r.mustThaw(1, 0, 0)
	r.o.What, r.o.Open = []string{freeze.Service}, nil
	if records := r.freeze(); len(records) != 1 || records[0].What != "service-config" {
		t.Errorf("%+v", records)
	}
	r.mustThaw(1, 0, 0)
	r.same("thawed", before)
	r.o.Installation.Roots = nil
	if records := r.freeze(); len(records) != 0 {
		t.Errorf("without Service: %+v", records)
	}
	r.o.What = []string{"web"}
	if _, err := freeze.Run(context.Background(), r.o); manifest.StatusOf(err) != manifest.Usage {
		t.Error(err)
	}
}

// A change that somebody made since is left alone, and both states are shown; what else was frozen is thawed all the same.
func TestChangedSince(t *testing.T) {
	r := newRig(t)
	records := r.freeze()
	raw, err := os.ReadFile(r.config())
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Dir(r.config()), "config", string(raw)+"\r\x00\n\x00", 0o644)
	_, said, err := r.thaw()
	for _, must := range []string{"was changed since", records[0].AfterSHA256.String(), records[0].BeforeSHA256.String(), "now sha256", "line 11 says frozen", "2026"} {
		if err == nil || !strings.Contains(err.Error(), must) {
			t.Errorf("%v does not say %q", err, must)
		}
	}
	if manifest.StatusOf(err) != manifest.Refused || !strings.Contains(said, "undone: SystemEvent") || strings.Contains(err.Error(), "sample-not-a-secret") {
		t.Errorf("status %d; %s; %v", manifest.StatusOf(err), said, err)
	}
	if _, err := freeze.Run(context.Background(), r.o); manifest.StatusOf(err) != manifest.Refused {
		t.Errorf("frozen over a change: %v", err)
	}
	if done, said, err := r.thaw(func(o *freeze.ThawOptions) { o.LeaveChanged = true }); err != nil || done != (freeze.Thawed{Before: 1, Left: 1}) || !strings.Contains(said, "left as it is") {
		t.Errorf("%+v %v %s", done, err, said)
	}
	if now, _ := os.ReadFile(r.config()); string(now) != string(raw)+"\r\x00\n\x00" {
		t.Error("the file was changed")
	}
}

func TestRowChangedSince(t *testing.T) {
	r := newRig(t)
	r.freeze()
	r.sql("UPDATE crm7_SystemEvent SET eventmess = 'back on Monday', extraInfo = 'x' WHERE eventkey = 'NoLogin'")
	_, said, err := r.thaw()
	if manifest.StatusOf(err) != manifest.Refused || !strings.Contains(err.Error(), `eventmess was "`+freeze.Message+`" and is "back on Monday"`) ||
		!strings.Contains(err.Error(), `extraInfo was "" and is "x"`) || !strings.Contains(said, `undone: "`) {
		t.Errorf("%v\n%s", err, said)
	}
	if !strings.Contains(r.look(), "back on Monday") {
		t.Error("the row is gone")
	}
	r.sql("DELETE FROM crm7_SystemEvent WHERE eventkey = 'NoLogin'")
	r.mustThaw(0, 2, 0)
}

// Keys that others have taken since stay taken.
func TestSequenceMovedOn(t *testing.T) {
	r := newRig(t)
	r.freeze()
	r.sql("UPDATE crm7_sequence SET next_id = next_id + 10 WHERE TableName = 'SYSTEMEVENT'")
	want := r.look()
	r.mustThaw(2, 0, 0)
	got := r.look()
	for _, l := range strings.Split(got, "\n") {
		if strings.Contains(l, "|SYSTEMEVENT|") && !strings.Contains(want, l) {
			t.Errorf("sequence was moved back over keys that are taken: %s", l)
		}
	}
	if strings.Contains(got, "NoLogin") {
		t.Error("the row is there")
	}
}

func TestCannotFreeze(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(r *rig)
		want  string
		hint  string
	}{
		"no config":       {func(r *rig) { os.Remove(r.config()) }, "there is no file config", "--freeze event"},
		"a folder":        {func(r *rig) { os.Remove(r.config()); os.Mkdir(r.config(), 0o700) }, "is no file", ""},
		"not text":        {func(r *rig) { write(r.t, r.base, "config", "MZ\x90\x00\x03\x00\x00\x00", 0o600) }, "it is no text", ""},
		"no table":        {func(r *rig) { r.sql("DROP TABLE crm7_SystemEvent") }, "there is no table SystemEvent", "--freeze service"},
		"no sequence":     {func(r *rig) { r.sql("DROP TABLE crm7_sequence") }, "there is no table sequence", "--freeze service"},
		"not in sequence": {func(r *rig) { r.sql("DELETE FROM crm7_sequence WHERE TableName = 'SYSTEMEVENT'") }, "sequence has no row for SystemEvent", ""},
		"a key that is taken": {func(r *rig) {
			r.sql("INSERT INTO crm7_SystemEvent SELECT next_id, 4, 5, 'Other', '', '', '1760-01-01 00:00:00', '1760-01-01 00:00:00', 0, '1760-01-01 00:00:00', 0, 0 FROM crm7_sequence WHERE TableName = 'SYSTEMEVENT'")
		},
			"gives the key 1008 to SystemEvent, where a row has it already", "--freeze service"},
		"locked": {func(r *rig) {
			r.o = r.o.WithReplace(func(string, string) error { return &os.LinkError{Op: "replace", Err: syscall.EBUSY} })
		}, "another program holds it", ""},
		"nobody can open it": {func(r *rig) {
			r.o.Open = func(context.Context) (freeze.Database, error) { return nil, errors.New("no such login") }
		}, "no such login", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			c.spoil(r)
			before := r.look()
			_, err := freeze.Run(context.Background(), r.o)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(manifest.HintOf(err), c.hint) {
				t.Errorf("%v (%s), want %q", err, manifest.HintOf(err), c.want)
			}
			if _, _, err := r.thaw(); err != nil {
				t.Error(err)
			}
			r.same("after a freeze that failed and a thaw", before)
		})
	}
}

// What somebody writes into the config at the very moment is not written over.
func TestChangedAtTheMoment(t *testing.T) {
	r := newRig(t)
	r.o = r.o.WithPoints(func(point string) {
		if point == "the config is to be written" {
			write(t, r.base, "config", "somebody else was here\n", 0o644)
		}
	})
	if _, err := freeze.Run(context.Background(), r.o); err == nil || !strings.Contains(err.Error(), "changed by somebody else at this moment") {
		t.Errorf("%v", err)
	}
	if now, err := os.ReadFile(r.config()); err != nil || string(now) != "somebody else was here\n" {
		t.Errorf("%q %v", now, err)
	}
	if _, _, err := r.thaw(); manifest.StatusOf(err) != manifest.Refused || !strings.Contains(err.Error(), "no line says frozen any more") {
		t.Errorf("%v", err)
	}
}

// A spool undoes one freeze: that of another installation is refused.
func TestAnotherInstallation(t *testing.T) {
	r := newRig(t)
	r.freeze()
	before := r.look()
	other := newRig(t)
	other.o.Spool = r.spool
	untouched := other.look()
	if _, err := freeze.Run(context.Background(), other.o); manifest.StatusOf(err) != manifest.Refused || !strings.Contains(err.Error(), "the freeze of another installation") {
		t.Errorf("%v", err)
	}
	other.same("refused", untouched)
	r.same("after another was refused", before)
	r.mustThaw(2, 0, 0)
	other.freeze()
}

func TestCheckChangesNothing(t *testing.T) {
	r := newRig(t)
	before := r.look()
	if err := freeze.Check(context.Background(), r.o); err != nil {
		t.Fatal(err)
	}
	r.same("checked", before)
	os.Remove(r.config())
	if err := freeze.Check(context.Background(), r.o); err == nil {
		t.Error("no config passes")
	}
	r.o.What = []string{freeze.Event}
	r.sql("DROP TABLE crm7_SystemEvent")
	if err := freeze.Check(context.Background(), r.o); err == nil {
		t.Error("no table passes")
	}
	if _, err := os.Stat(filepath.Join(r.spool, freeze.JournalName)); err == nil {
		t.Error("a check has a journal")
	}
}

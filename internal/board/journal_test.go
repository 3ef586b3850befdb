package board

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/openomt/omt/internal/plan"
)

func edits(t *testing.T, dir string, list ...entry) *journal {
	t.Helper()
	j, err := openJournal(dir, "id/1")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		if err := j.add(e); err != nil {
			t.Fatal(err)
		}
	}
	return j
}

// TestJournalCutAnywhere: whatever a crash leaves of the last line, the steps before it are there and more can be added.
func TestJournalCutAnywhere(t *testing.T) {
	first := entry{Do: "edit", Edit: &Edit{Label: "one", Changes: []Change{{ID: 7, Plan: "-"}}}}
	second := entry{Do: "edit", Edit: &Edit{Label: "two", Changes: []Change{{ID: 8, Plan: "-"}}}}
	dir := t.TempDir()
	j := edits(t, dir, first, second)
	j.f.Close()
	whole, err := os.ReadFile(j.path)
	if err != nil {
		t.Fatal(err)
	}
	line := strings.IndexByte(string(whole), '\n') + 1
	for cut := line; cut < len(whole); cut++ {
		if err := os.WriteFile(j.path, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		got := edits(t, dir)
		if len(got.entries) != 1 || got.entries[0].Label != "one" {
			t.Fatalf("cut at %d: %+v", cut, got.entries)
		}
		if err := got.add(second); err != nil {
			t.Fatal(err)
		}
		got.f.Close()
		if again := edits(t, dir); len(again.entries) != 2 {
			t.Fatalf("cut at %d, added: %+v", cut, again.entries)
		} else {
			again.f.Close()
		}
	}
}

func TestJournalIsHeldByOne(t *testing.T) {
	dir := t.TempDir()
	j := edits(t, dir, entry{Do: "undo"})
	if _, err := openJournal(dir, "id/1"); !errors.Is(err, errHeld) {
		t.Errorf("a second one: %v", err)
	}
	if info, err := os.Stat(j.path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if err := j.close(false); err != nil {
		t.Fatal(err)
	}
	j = edits(t, dir)
	if len(j.entries) != 1 {
		t.Errorf("%d entries", len(j.entries))
	}
	if err := j.close(true); err != nil {
		t.Fatal(err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
	// A session in which nothing was done leaves nothing.
	if err := edits(t, dir).close(false); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

// TestReplayLeavesOutWhatIsGone: a user or plan of the earlier session that the input no longer has.
func TestReplayLeavesOutWhatIsGone(t *testing.T) {
	s := newSession(some(3, 1), plan.Choices{})
	left := s.replay([]entry{
		{Do: "edit", Edit: &Edit{Changes: []Change{{ID: 7, Plan: "SalesPremium"}, {ID: 99, Plan: "-"}, {ID: 8, Plan: "Gone"}}}},
		{Do: "edit", Edit: &Edit{Changes: []Change{{ID: 99, Plan: "-"}}}},
		{Do: "edit", Edit: &Edit{Changes: []Change{{ID: 9, Plan: "-"}}}}, {Do: "undo"}, {Do: "redo"}, {Do: "undo"},
		{Do: "later"}, {Do: "edit"},
	})
	if left != 3 {
		t.Errorf("%d left out", left)
	}
	if p := user(t, s, 7).Plan; p == nil || *p != "SalesPremium" {
		t.Errorf("user 7 has plan %v", p)
	}
	if p := user(t, s, 9).Plan; p != nil {
		t.Errorf("user 9 has plan %v", *p)
	}
	if !s.redo() || user(t, s, 9).Plan == nil {
		t.Error("what was undone cannot be made again")
	}
}

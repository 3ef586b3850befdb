package pack

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func outcomeOf(n int) outcome {
	return outcome{Files: []fileOutcome{{SHA256: sum(fmt.Sprint(n)), Same: strings.Repeat("x", 1000)}}}
}

func openJournalAt(t *testing.T, name string) *journal {
	t.Helper()
	j, err := openJournal(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.close() })
	return j
}

func TestJournal(t *testing.T) {
	name := filepath.Join(t.TempDir(), "j")
	j := openJournalAt(t, name)
	for i := range 3 {
		if err := j.put(groupPrint{byte(i)}, outcomeOf(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.put(groupPrint{1}, outcomeOf(77)); err != nil { // the last word counts
		t.Fatal(err)
	}
	for range 2 {
		for i, want := range []int{0, 77, 2} {
			got, err := j.get(groupPrint{byte(i)})
			if err != nil || got == nil {
				t.Fatalf("group %d: %v, %v", i, got, err)
			}
			if d := cmp.Diff(outcomeOf(want), *got); d != "" {
				t.Errorf("group %d: %s", i, d)
			}
		}
		if got, err := j.get(groupPrint{9}); got != nil || err != nil {
			t.Errorf("an unknown group: %v, %v", got, err)
		}
		j = openJournalAt(t, name)
	}
}

// A journal that is cut anywhere holds what was whole, and goes on.
func TestJournalCut(t *testing.T) {
	name := filepath.Join(t.TempDir(), "j")
	j := openJournalAt(t, name)
	var ends []int64
	for i := range 3 {
		if err := j.put(groupPrint{byte(i)}, outcomeOf(i)); err != nil {
			t.Fatal(err)
		}
		ends = append(ends, j.end)
	}
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; n <= len(whole); n += 7 {
		if err := os.WriteFile(name, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		cut := openJournalAt(t, name)
		known := 0
		for _, e := range ends {
			if int64(n) >= e {
				known++
			}
		}
		if len(cut.places) != known {
			t.Fatalf("cut at %d: %d groups, want %d", n, len(cut.places), known)
		}
		if err := cut.put(groupPrint{9}, outcomeOf(9)); err != nil {
			t.Fatal(err)
		}
		if got, err := openJournalAt(t, name).get(groupPrint{9}); got == nil || err != nil {
			t.Fatalf("cut at %d: what was put then is %v, %v", n, got, err)
		}
	}
}

// A journal that is mostly of groups that are no more is shortened, and one that is not stays as it is.
func TestJournalIsShortened(t *testing.T) {
	name := filepath.Join(t.TempDir(), "j")
	j := openJournalAt(t, name)
	used := map[groupPrint]bool{{1}: true, {2}: true}
	put := func(times int) {
		for range times {
			for i := range 4 {
				if err := j.put(groupPrint{byte(i)}, outcomeOf(i)); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	put(10)
	before := j.end
	if err := j.keep(used); err != nil || j.f == nil {
		t.Fatalf("a small journal: %v, closed %v", err, j.f == nil)
	}
	if st, _ := os.Stat(name); st.Size() != before {
		t.Errorf("a small journal was shortened from %d to %d bytes", before, st.Size())
	}
	put(300)
	if err := j.keep(used); err != nil {
		t.Fatal(err)
	}
	st, err := os.Stat(name)
	if err != nil || st.Size() > 4000 {
		t.Errorf("it still has %d bytes: %v", st.Size(), err)
	}
	j = openJournalAt(t, name)
	for i := range 4 {
		got, err := j.get(groupPrint{byte(i)})
		if err != nil || (got != nil) != used[groupPrint{byte(i)}] {
			t.Errorf("group %d: %v, %v", i, got, err)
		}
		if got != nil && got.Files[0].SHA256 != sum(fmt.Sprint(i)) {
			t.Errorf("group %d is another one", i)
		}
	}
	if left, _ := filepath.Glob(name + "*"); len(left) != 1 {
		t.Errorf("left: %v", left)
	}
	// An unfinished short one, which a kill left, is no hindrance.
	if err := os.WriteFile(name+".new", []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	put(400)
	if err := j.keep(used); err != nil {
		t.Error(err)
	}
}

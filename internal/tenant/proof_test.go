package tenant_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/destination/destinationtest"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/tenant"
)

func someProof(number int) tenant.Proof {
	return tenant.Proof{
		Format: manifest.Format, ID: idA, Revision: 1, Phase: tenant.Full, Number: number, End: manifest.Digest{1}, Depth: "content", Sample: 0.05, From: 0.1,
		Chunks: 10, Bytes: 100, Read: 1, BytesRead: 9, Files: 3, Rows: 4, Problems: 1, First: []string{"chunk x is not there"},
		Database: &tenant.ProvedDatabase{URL: "sqlite:/x", Tables: 3, Rows: 4}, Tool: "omt-pack 0.1.0", Begun: a().time(), Ended: b().time(), Runs: 2,
	}
}

var first = tenant.Revision{Phase: tenant.Full, ID: idA, Number: 1}

// Proofs are numbered in the order in which they are stored, and are read as they were written.
func TestProofs(t *testing.T) {
	d, path := folder(t)
	ten := tenant.Open(d)
	for n := 1; n <= 12; n++ {
		got, err := ten.PutProof(t.Context(), someProof(0))
		check(t, err)
		if got.Number != n {
			t.Fatalf("number %d, want %d", got.Number, n)
		}
	}
	list, damaged, err := ten.Proofs(t.Context(), first)
	check(t, err)
	if len(damaged) > 0 || len(list) != 12 {
		t.Fatalf("%d proofs, damaged %q", len(list), damaged)
	}
	if diff := cmp.Diff(someProof(12), list[11]); diff != "" {
		t.Error(diff)
	}
	if list, _, err := ten.Proofs(t.Context(), tenant.Revision{Phase: tenant.Full, ID: idA, Number: 2}); err != nil || len(list) > 0 {
		t.Errorf("of another revision: %v, %v", list, err)
	}
	// A record that was changed, that is another's, or whose name is not ours, is not taken for a proof.
	dir := filepath.Join(path, "migrations", idA, "000001")
	good, err := os.ReadFile(filepath.Join(dir, "proof-000003.json"))
	check(t, err)
	check(t, os.WriteFile(filepath.Join(dir, "proof-000003.json"), []byte(strings.Replace(string(good), `"problems":1`, `"problems":0`, 1)), 0o644))
	check(t, os.WriteFile(filepath.Join(dir, "proof-000005.json"), good, 0o644))
	check(t, os.WriteFile(filepath.Join(dir, "proof-7.json"), good, 0o644))
	list, damaged, err = ten.Proofs(t.Context(), first)
	check(t, err)
	if want := []string{"migrations/" + idA + "/000001/proof-000003.json", "migrations/" + idA + "/000001/proof-000005.json"}; len(list) != 10 || !slices.Equal(damaged, want) {
		t.Errorf("%d proofs, damaged %q, want %q", len(list), damaged, want)
	}
	if list[2].Good() {
		t.Error("a proof with a problem is good")
	}
	if p := someProof(1); func() bool { p.Problems, p.Database.Differ = 0, 1; return p.Good() }() {
		t.Error("a proof with a table that differs is good")
	}
}

// Of several that store at once none is lost, and none is written over.
func TestProofsAtOnce(t *testing.T) {
	d, _ := folder(t)
	ten := tenant.Open(d)
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() {
			p := someProof(0)
			p.Runs = i
			_, errs[i] = ten.PutProof(t.Context(), p)
		})
	}
	wg.Wait()
	check(t, errors.Join(errs...))
	list, _, err := ten.Proofs(t.Context(), first)
	check(t, err)
	var runs []int
	for i, p := range list {
		if p.Number != i+1 {
			t.Errorf("proof %d has number %d", i, p.Number)
		}
		runs = append(runs, p.Runs)
	}
	if slices.Sort(runs); !slices.Equal(runs, []int{0, 1, 2, 3, 4, 5, 6, 7}) {
		t.Errorf("kept are those of %v", runs)
	}
}

// Where nothing may be created the class of the error says so; a listing that breaks is not "nothing was proved".
func TestProofsThatCannotBe(t *testing.T) {
	d, _ := folder(t)
	denied := tenant.Open(destinationtest.NewFaulty(t, d, destinationtest.Fault{Op: destinationtest.OpCreate, Call: 1, Err: destination.ErrDenied}))
	if _, err := denied.PutProof(t.Context(), someProof(0)); !errors.Is(err, destination.ErrDenied) {
		t.Errorf("error is %v", err)
	}
	broken := tenant.Open(destinationtest.NewFaulty(t, d, destinationtest.Fault{Op: destinationtest.OpList, Call: 1}))
	if _, _, err := broken.Proofs(t.Context(), first); !errors.Is(err, destination.ErrTransient) {
		t.Errorf("error is %v", err)
	}
}

// That a summary was sent is kept for a migration, whatever the revision; a damaged record counts for nothing.
func TestMailed(t *testing.T) {
	d, path := folder(t)
	_, _, err := a().run(t.Context(), d)
	check(t, err)
	ten := tenant.Open(d)
	if list, err := ten.MailedOf(t.Context(), idA); err != nil || len(list) > 0 {
		t.Fatalf("%v, %v", list, err)
	}
	m := tenant.Mailed{ID: idA, Revision: 1, To: "kk@example.com", Content: manifest.Digest{7}, Tool: "omt-push 0.1.0", At: a().time()}
	check(t, ten.PutMailed(t.Context(), m))
	check(t, ten.PutMailed(t.Context(), m))
	list, err := ten.MailedOf(t.Context(), idA)
	check(t, err)
	m.Format, m.Number = manifest.Format, 1
	if len(list) != 2 || list[0] != m || list[1].Number != 2 {
		t.Errorf("%+v", list)
	}
	check(t, os.Truncate(filepath.Join(path, "migrations", idA, "000001", "summary-000001.json"), 50))
	if list, err := ten.MailedOf(t.Context(), idA); err != nil || len(list) != 1 {
		t.Errorf("%v, %v", list, err)
	}
}

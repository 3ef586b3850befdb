package scan_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

func TestOnly(t *testing.T) {
	s := small(t)
	s.Add("DocTmpl", 2, "Outside", `..\secret`, 0, 0)
	s.Add("document", 6, "x.doc", "Nobody's", 0, 0, time.Date(2003, 1, 1, 0, 0, 0, 0, time.UTC), 4711, nil)
	w := open(t, s)
	w.o.Only = []manifest.Area{manifest.Attachment}
	for _, area := range []string{"template", "document", "service"} { // they are not looked at
		for i := range w.o.Installation.Roots[area] {
			w.o.Installation.Roots[area][i] = `X:\nowhere`
		}
	}
	if err := w.run(t); err != nil {
		t.Fatal(err)
	}
	h := records[manifest.Header](t, w, manifest.KindManifest)[0]
	inst := records[manifest.Installation](t, w, manifest.KindInstallation)[0]
	if h.Phase != "preseed" || !slices.Equal(inst.Areas, w.o.Only) || len(inst.Roots) != 4 {
		t.Errorf("phase %q, areas %v, roots %v", h.Phase, inst.Areas, inst.Roots)
	}
	if n := len(records[manifest.Table](t, w, manifest.KindTable)); n > 0 {
		t.Errorf("%d tables", n)
	}
	var files []string
	for _, f := range records[manifest.File](t, w, manifest.KindFile) {
		files = append(files, fmt.Sprintf("%s %d %s %s %s %s", f.Area, f.ID, f.Path, f.State, f.Reason, f.Owner))
	}
	if d := gocmp.Diff([]string{
		"template 1 letter.dotx left area ", "template 2  left area ",
		"document 2 GKS/2002.2/blåbær 文書.txt left area GKS", "document 3 GKS/2003.2/lost.doc left area GKS", "document 1 KK/2002.1/offer.doc left area KK",
		"document 4  left area GKS", "document 5  left area GKS", "document 6  left area ",
		"attachment 1 1.png present  ", "attachment 2 2.png present  ",
	}, files); d != "" {
		t.Error(d)
	}
	for _, c := range records[manifest.Check](t, w, manifest.KindCheck) {
		if c.Rule == "folder-owner" {
			t.Error("a check says that documents were looked at")
		}
	}
}

func TestOnlyTheDatabase(t *testing.T) {
	w := open(t, site(t)) // a document is missing, but that is not looked at
	w.o.Only = []manifest.Area{manifest.Database}
	if err := w.run(t); err != nil {
		t.Fatal(err)
	}
	if n := len(records[manifest.Table](t, w, manifest.KindTable)); n != len(w.site.Tables) {
		t.Errorf("%d tables, want %d", n, len(w.site.Tables))
	}
	for _, f := range records[manifest.File](t, w, manifest.KindFile) {
		if f.State != manifest.Left {
			t.Errorf("file %+v", f)
		}
	}
}

func TestAnAreaThatIsNotThere(t *testing.T) {
	w := open(t, shared)
	w.o.Installation.Areas = []manifest.Area{manifest.Database, manifest.Document}
	w.o.Only = []manifest.Area{manifest.Attachment}
	wantError(t, w, w.run(t), manifest.Usage, "the installation has no area attachment", "database, document", "--root attachment=DIR")
}

func TestFindingsOfAPreseed(t *testing.T) {
	w := open(t, site(t))
	w.o.Only = []manifest.Area{manifest.Document}
	w.o.Required = []string{"document-missing"}
	w.o.Rules = ruled([]manifest.Check{done("document-missing")}, manifest.Finding{Rule: "document-missing", Severity: manifest.SeverityError, Message: "all"})
	err := w.run(t)
	if manifest.StatusOf(err) != manifest.Remarks || !strings.Contains(err.Error(), "a full migration would be blocked by document-missing (1)") {
		t.Errorf("%v", err)
	}
}

func TestOlderThan(t *testing.T) {
	s := small(t)
	w := open(t, s)
	fresh := filepath.Join(s.Dir, "so_arc", "KK", "2002.1", "offer.doc")
	if err := os.Chtimes(fresh, now, now.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	w.o.OlderThan = 24 * time.Hour
	if err := w.run(t); err != nil {
		t.Fatal(err)
	}
	if h := records[manifest.Header](t, w, manifest.KindManifest)[0]; h.Phase != "preseed" || !h.Before.Equal(h.Created.Add(-24*time.Hour)) {
		t.Errorf("made %s: phase %q, before %s", h.Created, h.Phase, h.Before)
	}
	if inst := records[manifest.Installation](t, w, manifest.KindInstallation)[0]; len(inst.Areas) != len(manifest.Areas) {
		t.Errorf("areas %v", inst.Areas)
	}
	left := 0
	for _, f := range records[manifest.File](t, w, manifest.KindFile) {
		if f.State == manifest.Left && f.Reason == "age" {
			left++
			if f.ID != 1 || f.Area != manifest.Document {
				t.Errorf("left: %+v", f)
			}
		}
	}
	if left != 1 {
		t.Errorf("%d files are left for their age, want 1", left)
	}
}

// TestRootsAreOpenedFirst holds that a folder that is not there stops a run before its first record.
func TestRootsAreOpenedFirst(t *testing.T) {
	for area, i := range map[string]int{"template": 0, "document": 0, "service": 2, "attachment": 0} {
		w := open(t, shared)
		w.o.Installation.Roots[area][i] = filepath.Join(w.site.Dir, "gone")
		wantError(t, w, w.run(t), manifest.Failed, "area "+area, w.o.Installation.Roots[area][i])
	}
	for area, i := range map[string]int{"template": 0, "document": 0, "service": 0} {
		w := open(t, shared)
		w.o.Installation.Roots[area][i] = t.TempDir()
		wantError(t, w, w.run(t), manifest.Failed, "area "+area, "the folder is empty")
	}
}

// TestErrorsOfTheDatabase holds that an answer that breaks off ends the run, whichever it is.
func TestErrorsOfTheDatabase(t *testing.T) {
	for _, what := range []string{"identity", "accounts", "rights", "plans", "users", "addresses", "facts", "lists", "count", "documents"} {
		w := open(t, shared)
		w.o.Reader = failing{w.o.Reader, what}
		err := w.run(t)
		if !errors.Is(err, errBroken) || manifest.StatusOf(err) != manifest.Failed {
			t.Errorf("%s: %v", what, err)
		}
	}
}

var errBroken = errors.New("the connection broke")

// failing is a Reader one of whose answers is an error; streams break off after their first value.
type failing struct {
	source.Reader
	what string
}

func (f failing) err(what string) error {
	if f.what == what {
		return errBroken
	}
	return nil
}

func (f failing) Identity(ctx context.Context) (source.Identity, error) {
	id, err := f.Reader.Identity(ctx)
	return id, errors.Join(err, f.err("identity"))
}

func (f failing) Accounts(ctx context.Context) ([]source.Account, error) {
	a, err := f.Reader.Accounts(ctx)
	return a, errors.Join(err, f.err("accounts"))
}

func (f failing) Rights(ctx context.Context) ([]string, error) {
	r, err := f.Reader.Rights(ctx)
	return r, errors.Join(err, f.err("rights"))
}

func (f failing) Plans(ctx context.Context) ([]source.Plan, error) {
	p, err := f.Reader.Plans(ctx)
	return p, errors.Join(err, f.err("plans"))
}

func (f failing) TableLists(ctx context.Context) ([]source.TableList, error) {
	l, err := f.Reader.TableLists(ctx)
	return l, errors.Join(err, f.err("lists"))
}

func (f failing) Users(ctx context.Context) ([]source.User, error) {
	u, err := f.Reader.Users(ctx)
	return u, errors.Join(err, f.err("users"))
}

func (f failing) Count(ctx context.Context, table string) (int64, error) {
	n, err := f.Reader.Count(ctx, table)
	return n, errors.Join(err, f.err("count"))
}

func broken[T any](seq iter.Seq2[T, error], breaks bool) iter.Seq2[T, error] {
	if !breaks {
		return seq
	}
	return func(yield func(T, error) bool) {
		for v, err := range seq {
			if !yield(v, err) {
				return
			}
			break
		}
		var zero T
		yield(zero, errBroken)
	}
}

func (f failing) Addresses(ctx context.Context) iter.Seq2[source.Address, error] {
	return broken(f.Reader.Addresses(ctx), f.what == "addresses")
}

func (f failing) Facts(ctx context.Context) iter.Seq2[source.Fact, error] {
	return broken(f.Reader.Facts(ctx), f.what == "facts")
}

func (f failing) Documents(ctx context.Context) iter.Seq2[source.Doc, error] {
	return broken(f.Reader.Documents(ctx), f.what == "documents")
}

// TestOddAddresses holds that any addresses come in the order that the Writer demands.
func TestOddAddresses(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	letters := []rune("aAbB@. \x00\x01øØ文🙂-")
	var list []source.Address
	for range 2000 {
		var b strings.Builder
		for range random.IntN(6) {
			b.WriteRune(letters[random.IntN(len(letters))])
		}
		list = append(list, source.Address{Person: int64(random.IntN(5)) - 1, Rank: random.IntN(4) - 1, Email: b.String()})
	}
	w := open(t, shared)
	w.o.Reader = addressed{w.o.Reader, list}
	if err := w.run(t); err != nil {
		t.Fatal(err)
	}
	want := 0
	for _, a := range list {
		if strings.TrimSpace(a.Email) != "" {
			want++
		}
	}
	got := records[manifest.Address](t, w, manifest.KindAddress)
	if len(got) != want {
		t.Errorf("%d addresses, want %d", len(got), want)
	}
	if !slices.IsSortedFunc(got, func(a, b manifest.Address) int {
		return cmp.Or(strings.Compare(manifest.AddressKey(a.Email), manifest.AddressKey(b.Email)), int(a.Person-b.Person), a.Rank-b.Rank)
	}) {
		t.Error("they are not sorted by address, person, rank")
	}
}

type addressed struct {
	source.Reader
	list []source.Address
}

func (a addressed) Addresses(context.Context) iter.Seq2[source.Address, error] {
	return func(yield func(source.Address, error) bool) {
		for _, x := range a.list {
			if !yield(x, nil) {
				return
			}
		}
	}
}

func TestSummary(t *testing.T) {
	w := open(t, shared)
	w.o.Installation.Areas = append(slices.Clone(w.o.Installation.Areas[:4:4]), manifest.Attachment)
	if err := w.run(t); err != nil {
		t.Fatal(err)
	}
	said := strings.Join(w.said, "\n")
	for _, line := range []string{
		"Kalles Blåbær AS, serial number 1801830017, version 8.5 (Service config.version)",
		"plans: 2 of the local licence, a hint only",
		"users: 4, of them 1 administrators; addresses of other persons: 4",
		fmt.Sprintf("database: %d tables, ", len(w.site.Tables)),
		"document: 3 present, 1 blank-name, 1 elsewhere, 2 no-row; 37 B",
		"attachment: 2 present; 7 B",
	} {
		if !strings.Contains(said, line) {
			t.Errorf("it is not said: %q in\n%s", line, said)
		}
	}
	if len(w.remarks) > 0 {
		t.Errorf("remarks without a finding: %q", w.remarks)
	}
}

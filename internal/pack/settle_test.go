package pack

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/chunk"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/settle"
	"github.com/openomt/omt/internal/source"
)

// Whenever somebody works while a database without snapshots is packed, and whatever the clock says: the parts hold what
// all tables held at one moment, or the findings name those that they do not. Where nothing is read again they hold what
// never was, and nobody says so of some.
func TestOneMomentOfTheSource(t *testing.T) {
	const runs = 8
	again, named, torn := 0, 0, 0
	for seed := range uint64(runs) {
		b := newBank(t, seed)
		b.left, b.every = 20+b.r.IntN(80), 1+b.r.IntN(12)
		tables, findings := b.packed(8 * time.Second)
		list := namedIn(findings)
		if b.moment(tables, list) < 0 {
			t.Fatalf("seed %d: %d transactions, named %q, and the others were never so together", seed, b.n, list)
		}
		if left := slices.DeleteFunc(slices.Clone(list), func(name string) bool {
			return slices.Contains(append(bankTables, "traveltransactionlog"), name)
		}); len(left) > 0 {
			t.Errorf("seed %d: named %q, in which nobody worked", seed, left)
		}
		if b.n > 0 && len(list) == 0 {
			again++
		}
		named += len(list)

		b = newBank(t, seed)
		b.left, b.every = 20+b.r.IntN(80), 1+b.r.IntN(12)
		tables, findings = b.packed(0)
		if b.moment(tables, namedIn(findings)) < 0 {
			torn++
		}
	}
	t.Logf("of %d runs %d ended with one moment although somebody worked; %d tables were named; without time %d were torn", runs, again, named, torn)
	if again < 2 || named < 5 || torn < 4 {
		t.Error("this proves too little")
	}
}

// Who worked is named by login, and the message says what to do.
func TestWhoChangedATable(t *testing.T) {
	b := newBank(t, 1)
	b.left, b.every = 1e6, 3
	tables, findings := b.packed(5 * time.Second)
	if want := append([]string{"traveltransactionlog"}, bankTables...); !slices.Equal(namedIn(findings), want) || len(tables) != 10 {
		t.Errorf("named %q, packed %q", namedIn(findings), slices.Sorted(maps.Keys(tables)))
	}
	said := map[string]string{}
	for _, f := range findings {
		said[f.Subjects[0]] = f.Message
	}
	const rest = " while the database was packed, and changed each of the 3 times that it was read, and the database gives no snapshot: its rows are not of the moment of the other tables; run omt-pack again when nobody works, with a longer --settle, or with snapshots allowed"
	for table, by := range map[string]string{"y_account": "by PF, KK", "y_saving": "by PF, KK", "y_entry": "by whom does not show"} {
		if d := cmp.Diff("it was changed ("+by+")"+rest, said["table:"+table]); d != "" {
			t.Errorf("%s: %s", table, d)
		}
	}
}

// What is listed of files later than the tables were settled is of a later moment where their rows have changed since.
func TestFilesListedLater(t *testing.T) {
	b := newBank(t, 1)
	db, err := source.New(t.Context(), adrift{b.driver, func() {}}, "")
	if err != nil {
		t.Fatal(err)
	}
	v, err := db.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		does  string
		areas []manifest.Area
		want  []string
	}{
		{"UPDATE crm7_y_version SET n = 7", []manifest.Area{manifest.Database, manifest.Document}, nil},
		{"INSERT INTO crm7_document VALUES (7)", []manifest.Area{manifest.Database}, nil},
		{"INSERT INTO crm7_document VALUES (8)", []manifest.Area{manifest.Database, manifest.Document, manifest.Template}, []string{"document"}},
	} {
		sp := openSpool(t, filepath.Join(t.TempDir(), "spool"))
		temp, err := sp.ClearTemp("pack")
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		r := &run{o: Options{Now: time.Now, Log: slog.New(slog.DiscardHandler)}, temp: temp, out: manifest.NewWriter(&out, "omt-pack 0.1.0"),
			packer: &packer{findings: &fileFindings{}}, src: Source{Reader: v, Installation: manifest.Installation{Areas: c.areas}}}
		begin(t, r)
		for _, table := range v.Tables() {
			r.counted = append(r.counted, source.ToRecord(table, 1))
		}
		if err := r.since(t.Context()); err != nil || r.moment != nil {
			t.Fatalf("before the tables were packed: %v", err)
		}
		x := &exporter{spool: sp, temp: temp, reader: v, level: 1, pool: new(chunk.Pool), room: &r.packer.room}
		if err := r.oneMoment(t.Context(), x, new(skips), 0); err != nil {
			t.Fatal(err)
		}
		b.execute(c.does)
		if err := r.since(t.Context()); err != nil {
			t.Fatal(err)
		}
		_, findings := r.packer.findings.records("x")
		if got := namedIn(findings); !slices.Equal(got, c.want) {
			t.Errorf("%s: named %q, want %q", c.does, got, c.want)
		}
	}
}

// failing is a database whose nth question after the first so many fails.
type failing struct {
	source.Reader
	left *int
}

var errGone = errors.New("connection lost")

func (f failing) spend() error {
	if *f.left--; *f.left < 0 {
		return errGone
	}
	return nil
}

func (f failing) Mark(ctx context.Context, table string) (source.Mark, error) {
	m, err := f.Reader.Mark(ctx, table)
	return m, errors.Join(err, f.spend())
}

func (f failing) Accounts(ctx context.Context) ([]source.Account, error) {
	list, err := f.Reader.Accounts(ctx)
	return list, errors.Join(err, f.spend())
}

func (f failing) Rows(ctx context.Context, t source.Table) iter.Seq2[source.Row, error] {
	if err := f.spend(); err != nil {
		return func(yield func(source.Row, error) bool) { yield(nil, err) }
	}
	return f.Reader.Rows(ctx, t)
}

// Wherever the database is lost, the run ends, and nothing is left of what was read.
func TestDatabaseLostWhileItSettles(t *testing.T) {
	b := newBank(t, 1)
	for left := range 9 {
		db, err := source.New(t.Context(), adrift{b.driver, func() {}}, "")
		if err != nil {
			t.Fatal(err)
		}
		v, err := db.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		sp := openSpool(t, filepath.Join(t.TempDir(), "spool"))
		temp, err := sp.ClearTemp("pack")
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		src := failing{v, &left}
		r := &run{o: Options{Settle: time.Minute, Now: time.Now, Log: slog.New(slog.DiscardHandler)}, temp: temp, out: manifest.NewWriter(&out, "x"),
			packer: &packer{findings: &fileFindings{}}, src: Source{Reader: src}}
		for _, name := range []string{"associate", "y_account"} {
			table, _ := source.FindTable(v.Tables(), name)
			r.counted = append(r.counted, source.ToRecord(table, 1))
		}
		x := &exporter{spool: sp, temp: temp, reader: src, level: 1, pool: new(chunk.Pool), room: &r.packer.room}
		begin(t, r)
		calls := left
		err = r.oneMoment(t.Context(), x, new(skips), 0)
		if err == nil && calls == 8 { // marks, readings, marks and second readings of two tables, and then the logins
			err = r.unsettled(t.Context(), []settle.Change{{Table: "y_account"}}, "")
		}
		if !errors.Is(err, errGone) {
			t.Errorf("after %d calls: %v", calls, err)
		}
		if files, _ := os.ReadDir(temp); len(files) > 0 {
			t.Errorf("after %d calls left in the folder for unfinished work: %v", calls, files)
		}
	}
}

// Package freezetest is the suite that every freeze.Database must pass.
package freezetest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/freeze"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

// Site opens one database, which is empty.
type Site struct {
	Loader func(t *testing.T) source.Loader
	Writer func(t *testing.T) freeze.Database

	prefix string         // of one test's tables
	tables []source.Table // what fill has made; the catalog of a server may be slow
}

// variants are tables SystemEvent as versions and servers may have them, and what of the row is worth looking at.
var variants = map[string]struct {
	columns []string
	want    map[string]string
}{
	"of the vendor": {[]string{"SystemEvent_id int key", "scope smallint", "owner int", "eventkey nvarchar(254)", "eventmess nvarchar(254)", "extraInfo nvarchar(254)",
		"eta datetime", "registered datetime", "registered_associate_id int", "updated datetime", "updated_associate_id int", "updatedCount smallint"},
		map[string]string{"SystemEvent_id": "77", "scope": "1", "owner": "0", "eventkey": "NoLogin", "eventmess": "This installation is being migrated", "extraInfo": "",
			"eta": "1760-01-01 00:00:00", "registered": "2026-11-27 18:00:01", "registered_associate_id": "9", "updated": "1760-01-01 00:00:00",
			"updated_associate_id": "0", "updatedCount": "0"}},
	"small, in other letters": {[]string{"SYSTEMEVENT_ID int key", "SCOPE int", "OWNER int", "EVENTKEY nvarchar(9)"},
		map[string]string{"SYSTEMEVENT_ID": "77", "SCOPE": "1", "OWNER": "0", "EVENTKEY": "NoLogin"}},
	"of old dates and short texts": {[]string{"SystemEvent_id int key", "scope smallint", "owner int", "eventkey nvarchar(254)", "eventmess nvarchar(7)",
		"registered int", "updated int null", "eta smalldatetime"},
		map[string]string{"SystemEvent_id": "77", "scope": "1", "owner": "0", "eventkey": "NoLogin", "eventmess": "This in", "registered": "1795802401",
			"updated": "0", "eta": "1900-01-01 00:00:00"}},
	"of a partner": {[]string{"SystemEvent_id int key", "scope smallint", "owner int", "eventkey nvarchar(254)", "x_null nvarchar(9) null", "x_text nvarchar(9)", "x_bit bit",
		"x_float float", "x_number decimal(9,2)", "x_bytes varbinary(9)", "x_day date", "x_at datetime2(3)", "x_id uniqueidentifier", "x_money money"},
		map[string]string{"SystemEvent_id": "77", "scope": "1", "owner": "0", "eventkey": "NoLogin", "x_text": "", "x_bit": "false", "x_float": "0",
			"x_number": "0.00", "x_bytes": "", "x_day": "1760-01-01", "x_at": "1760-01-01 00:00:00", "x_id": "00000000-0000-0000-0000-000000000000", "x_money": "0.0000"}},
}

// Run runs the suite, each test under a prefix of its own.
func Run(t *testing.T, s Site) {
	n := 0
	each := func(name string, test func(t *testing.T)) {
		n++
		s.prefix = fmt.Sprint("crm", n)
		t.Run(name, test)
	}
	for name, v := range variants {
		each(name, func(t *testing.T) { s.variant(t, v.columns, v.want) })
	}
	each("a row of others", func(t *testing.T) { s.taken(t) })
	each("keys taken at the same time", func(t *testing.T) { s.crowd(t) })
}

// define makes a table of texts such as "scope smallint null" and "id int key".
func define(name string, columns ...string) source.Table {
	t := source.Table{Name: name}
	for _, text := range columns {
		column, typ, _ := strings.Cut(text, " ")
		typ, null := strings.CutSuffix(typ, " null")
		typ, key := strings.CutSuffix(typ, " key")
		t.Columns = append(t.Columns, source.Column{Name: column, Type: source.ParseType(typ), Null: null})
		if key {
			t.Key = append(t.Key, column)
		}
	}
	return t
}

// fill makes the two tables with one event and a row of sequence for it.
func (s *Site) fill(t *testing.T, columns []string, other ...source.Row) {
	t.Helper()
	event := define("SystemEvent", columns...)
	sequence := define("sequence", "id int key", "next_id int null", "TableName nvarchar(255) null", "TableNumber int null")
	s.tables = []source.Table{event, sequence}
	l := s.Loader(t)
	defer l.Close() //nolint:errcheck // Finish has told
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx := t.Context()
	must(l.Begin(ctx, "freeze", s.prefix, s.tables))
	load := func(table source.Table, rows []source.Row) {
		_, err := l.Load(ctx, table.Name, table, func(yield func(source.Row, error) bool) {
			for _, r := range rows {
				if !yield(r, nil) {
					return
				}
			}
		})
		must(err)
	}
	load(event, other)
	load(sequence, []source.Row{{int64(11), int64(2), "COMPANY", int64(1)}, {int64(163), int64(77), "SYSTEMEVENT", int64(153)}, {int64(164), int64(5), "SYSTEMEVENTX", int64(154)}})
	must(l.Finish(ctx))
}

func (s Site) options(t *testing.T) freeze.Options {
	w := s.Writer(t)
	defer w.Close() //nolint:errcheck // a commit has told
	return freeze.Options{Spool: t.TempDir(), Manifest: "m", Installation: manifest.Installation{Database: w.URL(), Prefix: s.prefix}, What: []string{freeze.Event}, Associate: 9,
		Open: func(context.Context) (freeze.Database, error) { return s.Writer(t), nil },
		Now:  now}
}

func now() time.Time { return time.Date(2026, 11, 27, 18, 0, 1, 999, time.UTC) }

func (s Site) thaw(t *testing.T, spool string) (freeze.Thawed, error) {
	return freeze.Thaw(t.Context(), freeze.ThawOptions{Spool: spool, Now: now, Say: t.Logf,
		Open: func(context.Context, string) (freeze.Database, error) { return s.Writer(t), nil }})
}

// rows are all rows of both tables, as texts.
func (s Site) rows(t *testing.T) (out []string) {
	t.Helper()
	w := s.Writer(t)
	defer w.Close() //nolint:errcheck // a commit has told
	err := w.Change(t.Context(), s.prefix, func(tx freeze.Tx) error {
		for _, table := range s.tables {
			rows, err := tx.Rows(t.Context(), table, nil)
			if err != nil {
				return err
			}
			for _, r := range rows {
				out = append(out, fmt.Sprint(strings.ToLower(table.Name), r))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(out)
	return out
}

func (s Site) variant(t *testing.T, columns []string, want map[string]string) {
	s.fill(t, columns)
	before := s.rows(t)
	o := s.options(t)
	if err := freeze.Check(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(before, s.rows(t)); d != "" {
		t.Errorf("a check changed something: %s", d)
	}
	records, err := freeze.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	wantEvent(t, records[0], want)
	frozen := s.rows(t)
	if len(frozen) != len(before)+1 || !strings.Contains(strings.Join(frozen, "\n"), "sequence[163 78 SYSTEMEVENT 153]") {
		t.Errorf("%q", frozen)
	}
	if again, err := freeze.Run(t.Context(), o); err != nil || cmp.Diff(records, again) != "" || cmp.Diff(frozen, s.rows(t)) != "" {
		t.Errorf("frozen again: %v %v", again, err)
	}
	for i, want := range []freeze.Thawed{{Undone: 1}, {}} {
		if done, err := s.thaw(t, o.Spool); err != nil || done != want {
			t.Errorf("thaw %d: %+v %v", i, done, err)
		}
		if d := cmp.Diff(before, s.rows(t)); d != "" {
			t.Errorf("thaw %d: %s", i, d)
		}
	}
}

// wantEvent holds the row that was made, and what is told of it, against what the table demands.
func wantEvent(t *testing.T, got manifest.Freeze, want map[string]string) {
	t.Helper()
	row := map[string]string{}
	for k, v := range maps.All(got.Row) {
		row[k] = strings.TrimSuffix(v, ".000")
	}
	if d := cmp.Diff(want, row); d != "" || got.ID != 77 {
		t.Error(d)
	}
	if text := freeze.Describe(got); !strings.HasSuffix(text, " has the event NoLogin, row 77") {
		t.Errorf("it is told as %q", text)
	}
}

// taken: an event that others made is neither made again nor deleted; a row that was changed since is refused.
func (s Site) taken(t *testing.T) {
	columns := []string{"SystemEvent_id int key", "scope smallint", "owner int", "eventkey nvarchar(254)", "eventmess nvarchar(254)"}
	s.fill(t, columns, source.Row{int64(3), int64(1), int64(0), "nologin", "closed for lunch"}, source.Row{int64(4), int64(4), int64(9), "Other", ""})
	before := s.rows(t)
	o := s.options(t)
	if records, err := freeze.Run(t.Context(), o); err != nil || !records[0].Already || records[0].ID != 3 {
		t.Errorf("%+v %v", records, err)
	}
	if done, err := s.thaw(t, o.Spool); err != nil || done != (freeze.Thawed{Left: 1}) {
		t.Errorf("%+v %v", done, err)
	}
	if d := cmp.Diff(before, s.rows(t)); d != "" {
		t.Error(d)
	}
	o.Key = "Other"
	if records, err := freeze.Run(t.Context(), o); err != nil || records[0].Already {
		t.Errorf("the event of a user counts for all: %+v %v", records, err)
	}
	s.changed(t, o.Spool)
	if n := len(s.rows(t)); n != len(before)+1 {
		t.Errorf("%d rows, want one more than %d", n, len(before))
	}
}

// changed changes the row 77 that a freeze has made, and finds that it is not deleted.
func (s Site) changed(t *testing.T, spool string) {
	w := s.Writer(t)
	defer w.Close() //nolint:errcheck // a commit has told
	event := s.tables[0]
	err := w.Change(t.Context(), s.prefix, func(tx freeze.Tx) error {
		if ok, err := tx.Swap(t.Context(), event, freeze.Key{Column: "SystemEvent_id", Value: 77}, "owner", 5, 6); err != nil || ok {
			t.Errorf("swapped what is not there: %v %v", ok, err)
		}
		ok, err := tx.Swap(t.Context(), event, freeze.Key{Column: "SystemEvent_id", Value: 77}, "owner", 0, 8)
		if !ok {
			t.Error("nothing was swapped")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.thaw(t, spool); manifest.StatusOf(err) != manifest.Refused || !strings.Contains(err.Error(), `owner was "0" and is "8"`) {
		t.Errorf("%v", err)
	}
	err = w.Change(t.Context(), s.prefix, func(tx freeze.Tx) error {
		if ok, err := tx.Delete(t.Context(), event, freeze.Key{Column: "SystemEvent_id", Value: 77}); err != nil || !ok {
			t.Errorf("not deleted: %v", err)
		}
		return context.Canceled
	})
	if err == nil || !strings.Contains(strings.Join(s.rows(t), "\n"), "systemevent[77 1 8 ") {
		t.Errorf("what was rolled back counts: %v", err)
	}
}

// crowd: everybody who takes a key of sequence gets one of their own.
func (s Site) crowd(t *testing.T) {
	s.fill(t, []string{"SystemEvent_id int key", "scope smallint", "owner int", "eventkey nvarchar(254)"})
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() {
			o := s.options(t)
			o.Key = fmt.Sprint("Key", i)
			if _, err := freeze.Run(t.Context(), o); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	rows := strings.Join(s.rows(t), "\n")
	for i := range 4 {
		if !strings.Contains(rows, fmt.Sprint("Key", i)) || !strings.Contains(rows, fmt.Sprintf("systemevent[%d ", 77+i)) {
			t.Errorf("%s", rows)
		}
	}
}

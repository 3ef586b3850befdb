package restore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/progress"
	"github.com/openomt/omt/internal/source"
)

// memory is a database in memory.
type memory struct {
	tables []source.Table
	rows   map[string][]source.Row
	err    map[string]error // behind the rows
	asked  map[string]source.Table
}

func (m *memory) Tables() []source.Table { return m.tables }

func (m *memory) Consistent() bool { return false }

func (m *memory) Rows(_ context.Context, t source.Table) iter.Seq2[source.Row, error] {
	whole, _ := source.FindTable(m.tables, t.Name)
	if m.asked == nil {
		m.asked = map[string]source.Table{}
	}
	m.asked[t.Name] = t
	return func(yield func(source.Row, error) bool) {
		for _, full := range m.rows[t.Name] {
			var row source.Row
			for _, c := range t.Columns {
				row = append(row, full[slices.IndexFunc(whole.Columns, func(w source.Column) bool { return w.Name == c.Name })])
			}
			if !yield(row, nil) {
				return
			}
		}
		if err := m.err[t.Name]; err != nil {
			yield(nil, err)
		}
	}
}

// like is a database that holds what a draft's tables do.
func (d *draft) like(rows map[string][]source.Row) *memory {
	m := &memory{rows: map[string][]source.Row{}}
	for _, r := range d.tables {
		if t, ok := r.(manifest.Table); ok {
			m.tables = append(m.tables, source.FromRecord(t))
			m.rows[t.Name] = slices.Clone(rows[t.Name])
		}
	}
	return m
}

// sampleRows are the rows of sample's tables.
func sampleRows() map[string][]source.Row {
	return map[string][]source.Row{"associate": append(rows(1, 5), rows(70_000, 4)...), "email": rows(1, 3)}
}

// compareWith compares a migration with a database in memory, and gives what was said.
func compareWith(t *testing.T, m Migration, db *memory) (Compared, []string) {
	t.Helper()
	temp := t.TempDir()
	c, err := m.read(t.Context(), temp, func(manifest.File) bool { return false })
	check(t, err)
	defer c.sorter.Close()
	said := []string{}
	meter := progress.None{}.Meter("", 0, progress.Items)
	x := &comparer{m: m, c: c, db: db, temp: temp, log: slog.New(slog.DiscardHandler), rows: meter, result: new(Compared),
		say:   func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) },
		bytes: func() progress.Meter { return meter }}
	check(t, x.all(t.Context()))
	if left, _ := os.ReadDir(temp); len(left) > 0 {
		t.Errorf("left in the folder for temporary files: %v", left)
	}
	return *x.result, said
}

// column gives a table of the database another column in place of one.
func (m *memory) column(table, name, typ string, change func(source.Column) source.Column) {
	for i := range m.tables {
		if m.tables[i].Name != table {
			continue
		}
		m.tables[i].Columns = slices.Clone(m.tables[i].Columns)
		for j, c := range m.tables[i].Columns {
			if c.Name == name {
				c.Type = source.ParseType(typ)
				if change != nil {
					c = change(c)
				}
				m.tables[i].Columns[j] = c
			}
		}
	}
}

func TestCompareDatabase(t *testing.T) {
	for what, c := range map[string]struct {
		change func(db *memory)
		said   []string
		want   Compared
	}{
		"nothing": {func(*memory) {}, nil, Compared{Tables: 3, Rows: 12, Agreed: 3}},
		"letter case": {func(db *memory) {
			db.tables[0].Name, db.rows["ASSOCIATE"] = "ASSOCIATE", db.rows["associate"]
			db.column("ASSOCIATE", "id", "int", func(c source.Column) source.Column { c.Name = "ID"; return c })
			db.tables[0].Key = []string{"ID"}
		}, nil, Compared{Tables: 3, Rows: 12, Agreed: 3}},
		"rows": {func(db *memory) {
			r := db.rows["associate"]
			r[0] = source.Row{int64(1), "other"}
			r[1] = source.Row{int64(2), nil}
			db.rows["associate"] = slices.Concat(r[:3], r[4:], rows(200_000, 2))
		}, []string{
			`table "associate": 1 row missing, 2 too many, 2 different; the migration has 9, the database 10`,
			`table "associate": missing: 4`,
			`table "associate": too many: 200000 … 200001 (2)`,
			`table "associate": different: 1 … 2 (2)`,
			`table "associate": column "text" differs in 2 rows`,
		}, Compared{Tables: 3, Rows: 13, Agreed: 2, Fetched: 1, Differ: 1}},
		"a table that is gone, one that is empty, and one too many": {func(db *memory) {
			db.tables[0].Name = "other"
			db.rows["email"] = nil
		}, []string{
			`table "associate" is missing; the migration has 9 rows of it`,
			`table "email": 3 rows missing; the migration has 3, the database 0`,
			`table "email": missing: 1 … 3 (3)`,
			`table "other" is not in the migration`,
		}, Compared{Tables: 3, Differ: 2}},
		"a type that keeps all values": {func(db *memory) {
			db.column("associate", "id", "bigint", nil)
			db.column("email", "id", "bigint", nil)
			db.column("associate", "text", "nvarchar(max)", nil)
		}, []string{
			`2 columns of type int held as bigint, which keeps all values: associate.id, email.id`,
			`1 column of type nvarchar(99) held as nvarchar(max), which keeps all values: associate.text`,
		}, Compared{Tables: 3, Rows: 12, Agreed: 3}},
		"a type that does not, with the same values": {func(db *memory) { db.column("associate", "text", "varchar(99)", nil) }, []string{
			`table "associate": column "text" is varchar(99), and nvarchar(99) in the migration`,
		}, Compared{Tables: 3, Rows: 12, Agreed: 3, Differ: 1}},
		"a type of other values": {func(db *memory) {
			db.column("associate", "text", "int", nil)
			for i, r := range db.rows["associate"] {
				db.rows["associate"][i] = source.Row{r[0], int64(5)}
			}
			db.rows["associate"] = db.rows["associate"][1:]
		}, []string{
			`table "associate": column "text" is int, and nvarchar(99) in the migration, so that its values are not compared`,
			`table "associate": 1 row missing; the migration has 9, the database 8`,
			`table "associate": missing: 1`,
		}, Compared{Tables: 3, Rows: 11, Agreed: 1, Fetched: 2, Differ: 1}},
		"a column that is gone, and one too many": {func(db *memory) {
			db.column("associate", "text", "nvarchar(99)", func(c source.Column) source.Column { c.Name = "Text2"; return c })
		}, []string{
			`table "associate": column "text" (nvarchar(99)) is missing`,
			`table "associate": column "Text2" (nvarchar(99)) is not in the migration`,
		}, Compared{Tables: 3, Rows: 12, Agreed: 1, Fetched: 2, Differ: 1}},
		"a column that is computed here": {func(db *memory) {
			db.column("associate", "text", "nvarchar(99)", func(c source.Column) source.Column { c.Computed = "'x'"; return c })
		}, []string{
			`table "associate": column "text" is computed in the database, so that its values are not compared`,
		}, Compared{Tables: 3, Rows: 12, Agreed: 1, Fetched: 2, Differ: 1}},
		"a key that is gone": {func(db *memory) {
			db.column("associate", "id", "nvarchar(20)", nil)
			for i, r := range db.rows["associate"] {
				db.rows["associate"][i] = source.Row{fmt.Sprint(r[0]), r[1]}
			}
			db.rows["associate"][0][1] = "other"
		}, []string{
			`table "associate": column "id" is nvarchar(20), and int in the migration, so that its values are not compared`,
			`table "associate": 1 row missing, 1 too many; the migration has 9, the database 9`,
			`table "associate": missing: bb8546d47e8a4594`,
			`table "associate": too many: 91d732c5544ac401`,
		}, Compared{Tables: 3, Rows: 12, Agreed: 1, Fetched: 2, Differ: 1}},
		"a computed column more, and none of the columns": {func(db *memory) {
			db.tables[0].Columns = append(slices.Clone(db.tables[0].Columns), source.Column{Name: "twice", Type: source.ParseType("int"), Computed: "id*2"})
			db.tables[1].Columns = []source.Column{{Name: "x", Type: source.ParseType("int")}}
		}, []string{
			`table "email": column "id" (int) is missing`,
			`table "email": column "text" (nvarchar(99)) is missing`,
			`table "email": column "x" (int) is not in the migration`,
		}, Compared{Tables: 3, Rows: 9, Agreed: 2, Differ: 1}},
		"a table that cannot be read": {func(db *memory) {
			db.err = map[string]error{"associate": errors.New("row 3: a text is no value of int")}
		}, []string{
			`table "associate" cannot be compared: row 3: a text is no value of int`,
		}, Compared{Tables: 3, Rows: 3, Agreed: 1, Differ: 1}},
		"a table that is not in its order": {func(db *memory) { slices.Reverse(db.rows["email"]) }, []string{
			`table "email" cannot be compared: the row with the key 2 came behind that with 3`,
		}, Compared{Tables: 3, Rows: 10, Agreed: 2, Differ: 1}},
	} {
		_, d := sample(t)
		db := d.like(sampleRows())
		c.change(db)
		got, said := compareWith(t, d.commit(), db)
		if c.said == nil {
			c.said = []string{}
		}
		if diff := cmp.Diff(c.said, said); diff != "" {
			t.Errorf("%s (-want +got): %s", what, diff)
		}
		if got != c.want {
			t.Errorf("%s: %+v, want %+v", what, got, c.want)
		}
	}
}

func TestCompareWithManyTables(t *testing.T) {
	_, d := sample(t)
	db := d.like(sampleRows())
	for i := range 13 {
		db.tables = append(db.tables, source.Table{Name: fmt.Sprint("mine", i)})
	}
	got, said := compareWith(t, d.commit(), db)
	if got.Differ > 0 || len(said) != 11 || said[9] != `table "mine9" is not in the migration` || said[10] != "and 3 more tables are not in the migration" {
		t.Errorf("%+v: %q", got, said)
	}
}

// An interrupt is no difference.
func TestCompareInterrupted(t *testing.T) {
	_, d := sample(t)
	m := d.commit()
	c, err := m.read(t.Context(), t.TempDir(), func(manifest.File) bool { return false })
	check(t, err)
	defer c.sorter.Close()
	ctx, stop := context.WithCancel(t.Context())
	stop()
	meter := progress.None{}.Meter("", 0, progress.Items)
	x := &comparer{m: m, c: c, db: d.like(nil), temp: t.TempDir(), log: slog.New(slog.DiscardHandler), rows: meter, result: new(Compared),
		say:   func(format string, args ...any) { t.Errorf("it says "+format, args...) },
		bytes: func() progress.Meter { return meter }}
	if err := x.all(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// A part that is needed and cannot be had is told for its table, and the others are compared all the same.
func TestCompareWithDamage(t *testing.T) {
	s, d := sample(t)
	m := d.commit()
	bad := d.tables[1].(manifest.Chunk)
	flipMiddle(t, s.file(bad))
	db := d.like(sampleRows())
	db.rows["associate"][2][1], db.rows["email"] = "other", db.rows["email"][:2]
	got, said := compareWith(t, m, db)
	want := []string{
		fmt.Sprintf(`table "associate" cannot be compared: chunk %s: its bytes have the SHA-256`, bad.SHA256),
		`table "email": 1 row missing; the migration has 3, the database 2`,
		`table "email": missing: 3`,
	}
	for i := range max(len(want), len(said)) {
		if i >= len(want) || i >= len(said) || !strings.HasPrefix(said[i], want[i]) {
			t.Fatalf("it said %q, want %q", said, want)
		}
	}
	if got.Differ != 2 {
		t.Errorf("%+v", got)
	}
}

// What unpacking takes off people's cards is expected to be gone, and may be there.
func TestCompareRemovals(t *testing.T) {
	s := newStore(t)
	d := s.draft()
	d.head = []manifest.Record{manifest.Removal{Person: 7, Email: " B@x.example", User: 3}, manifest.Removal{Person: 8, Email: "c@x.example", User: 3}}
	email := manifest.Table{Name: "Email", Key: []string{"email_id"}, Columns: []manifest.Column{{Name: "email_id", Type: "int"}, {Name: "Person_id", Type: "int", Null: true},
		{Name: "email_address", Type: "nvarchar(99)", Null: true}, {Name: "type", Type: "smallint", Null: true}}}
	row := func(id, person int64, address string, kind any) source.Row {
		return source.Row{id, person, address, kind}
	}
	all := []source.Row{
		row(1, 7, "b@x.example ", int64(0)), row(2, 7, "b@x.example", int64(1)), row(3, 7, "other@x.example", nil), row(4, 8, "B@x.example", nil),
		row(5, 8, "C@X.example", nil), {int64(6), nil, "c@x.example", nil}, {int64(7), int64(8), nil, nil}, row(70_000, 8, "c@x.example", int64(0)),
		row(140_000, 9, "d@x.example", nil),
	}
	d.put(email, all[:7], all[7:8], all[8:])
	m := d.commit()
	for what, c := range map[string]struct {
		gone []int // places of rows
		said []string
		want Compared
	}{
		"the source":      {nil, []string{}, Compared{Tables: 1, Rows: 9, Agreed: 3, NotRemoved: 3}},
		"unpacked":        {[]int{0, 4, 7}, []string{}, Compared{Tables: 1, Rows: 6, Agreed: 1, Fetched: 2, Removed: 3}},
		"one of them":     {[]int{4}, []string{}, Compared{Tables: 1, Rows: 8, Agreed: 2, Fetched: 1, Removed: 1, NotRemoved: 2}},
		"the wrong ones":  {[]int{1, 6}, []string{`table "Email": 2 rows missing; the migration has 9, the database 7`, `table "Email": missing: 2, 7`}, Compared{Tables: 1, Rows: 7, Agreed: 2, Fetched: 1, Differ: 1, NotRemoved: 3}},
		"beside another":  {[]int{0, 1}, []string{`table "Email": 1 row missing; the migration has 9, the database 7`, `table "Email": missing: 2`}, Compared{Tables: 1, Rows: 7, Agreed: 2, Fetched: 1, Differ: 1, Removed: 1, NotRemoved: 2}},
		"and all of them": {[]int{0, 1, 2, 3, 4, 5, 6, 7, 8}, []string{`table "Email": 6 rows missing; the migration has 9, the database 0`, `table "Email": missing: 2 … 4 (3), 6 … 7 (2), 140000`}, Compared{Tables: 1, Fetched: 3, Differ: 1, Removed: 3}},
	} {
		db := &memory{tables: []source.Table{source.FromRecord(email)}, rows: map[string][]source.Row{}}
		for i, r := range all {
			if !slices.Contains(c.gone, i) {
				db.rows["Email"] = append(db.rows["Email"], r)
			}
		}
		got, said := compareWith(t, m, db)
		if diff := cmp.Diff(c.said, said); diff != "" || got != c.want {
			t.Errorf("%s: %+v, want %+v; %s", what, got, c.want, diff)
		}
	}
}

// A part whose rows are not in their order, as no packing leaves one, is no ground for a comparison.
func TestCompareWithAPartOutOfOrder(t *testing.T) {
	s := newStore(t)
	d := s.draft()
	d.table("email", append(rows(5, 1), rows(1, 3)...))
	db := d.like(map[string][]source.Row{"email": append(rows(1, 3), rows(5, 1)...)})
	got, said := compareWith(t, d.commit(), db)
	if got.Differ != 1 || len(said) != 1 || !strings.Contains(said[0], "its rows are not in their order") {
		t.Errorf("%+v: %q", got, said)
	}
}

// A server is asked for the order of keys where it is one for all servers, and for no more than what is compared.
func TestCompareAsksForLittle(t *testing.T) {
	s := newStore(t)
	d := s.draft()
	words := manifest.Table{Name: "words", Key: []string{"word"}, Columns: []manifest.Column{{Name: "word", Type: "nvarchar(20)"}, {Name: "n", Type: "int"}, {Name: "twice", Type: "int", Computed: "n*2"}}}
	d.put(words, []source.Row{{"a", int64(2)}, {"b", int64(1)}})
	d.table("email", rows(1, 3))
	db := d.like(map[string][]source.Row{"words": {{"b", int64(1), nil}, {"a", int64(2), nil}}, "email": rows(1, 3)})
	got, said := compareWith(t, d.commit(), db)
	if len(said) > 0 || got.Agreed != 2 || got.Fetched != 0 {
		t.Errorf("%+v: %q", got, said)
	}
	if k := db.asked["words"]; len(k.Key) > 0 || len(k.Columns) != 2 {
		t.Errorf("of words it asks for %+v", k)
	}
	if k := db.asked["email"]; len(k.Key) != 1 {
		t.Errorf("of email it asks for %+v", k)
	}
}

// Chunks and database are proved in one run, and each is told of.
func TestVerifyOpensFirst(t *testing.T) {
	s, d := sample(t)
	m := d.commit()
	check(t, os.Remove(s.file(d.tables[1].(manifest.Chunk))))
	refuse := manifest.Errorf(manifest.Usage, "no such database")
	var out bytes.Buffer
	o := VerifyOptions{Depth: Content, Temp: t.TempDir(), Progress: progress.None{}, Problem: func(err error) { fmt.Fprintln(&out, err) },
		DB: func(_ context.Context, usual string) (*source.Database, error) {
			fmt.Fprintf(&out, "opened under %s\n", usual)
			return nil, refuse
		}}
	if _, err := Verify(t.Context(), m, o); !errors.Is(err, refuse) || out.String() != "opened under crm7\n" {
		t.Errorf("%v: %q", err, out.String())
	}
	d.phase, d.revision = "preseed", 2
	d.tables = slices.DeleteFunc(d.tables, func(r manifest.Record) bool { _, ok := r.(manifest.Chunk); return ok })
	if _, err := Verify(t.Context(), d.commit(), o); manifest.StatusOf(err) != manifest.Refused || !strings.Contains(err.Error(), "holds no tables") {
		t.Errorf("tables without contents: %v", err)
	}
}

package sqlite

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/source"
)

func TestPrefixesOf(t *testing.T) {
	for _, c := range []struct {
		tables string
		want   []string
	}{
		{"", nil},
		{"crm7_associate", []string{"crm7"}},
		{"CRM7_ASSOCIATE CRM7_PERSON", []string{"CRM7"}},
		{"crm7_associate crm5_associate", []string{"crm5", "crm7"}},
		{"_associate associate crm7_associates", nil},
		{"crm7_associate crm7_y_associate", []string{"crm7"}},
		{"crm7_associate crm7_old_associate CRM7_OLD_PERSON", []string{"crm7", "crm7_old"}},
	} {
		if got := prefixesOf(strings.Fields(c.tables)); !slices.Equal(got, c.want) {
			t.Errorf("prefixesOf(%s) = %q, want %q", c.tables, got, c.want)
		}
	}
}

func TestOwnedBy(t *testing.T) {
	names := strings.Fields("crm7_associate CRM7_Person crm7_ crm7 omt_unpack crm7_old_associate crm7_old_person crm7_old_x crm7_older other")
	if got := ownedBy(names, "crm7"); !slices.Equal(got, strings.Fields("crm7_associate CRM7_Person crm7_older")) {
		t.Errorf("under crm7: %q", got)
	}
	if got := ownedBy(names, "crm7_old"); !slices.Equal(got, strings.Fields("crm7_old_associate crm7_old_person crm7_old_x")) {
		t.Errorf("under crm7_old: %q", got)
	}
}

// The catalog of a database that was made by hand, with what a Loader never makes.
func TestCatalogByHand(t *testing.T) {
	d := byHand(t, append([]string{
		`CREATE TABLE crm7_t (a int, b "nvarchar(max)" NOT NULL, c decimal(19,4) DEFAULT ((0)), d int AS (a + 1) STORED, e, f "bigint identity" NOT NULL, UNIQUE (a, b))`,
		`CREATE UNIQUE INDEX crm7_t_part ON crm7_t (f) WHERE f > 0`,
		`CREATE UNIQUE INDEX crm7_t_expr ON crm7_t (lower(b))`,
		`CREATE UNIQUE INDEX crm7_t_second ON crm7_t (b DESC)`,
		`CREATE UNIQUE INDEX crm7_t_third ON crm7_t (f)`,
		`CREATE INDEX other ON crm7_t (c DESC, a)`,
		`CREATE TABLE crm7_u (x nvarchar(5), y int, PRIMARY KEY (y, x)) WITHOUT ROWID`,
		`CREATE TABLE crm7_V (x geography)`,
		`CREATE VIEW crm7_w AS SELECT 1 AS x`,
		`CREATE TABLE omt_unpack (x)`,
	}, core...)...)
	tabs, err := d.Catalog(t.Context(), "crm7")
	if err != nil {
		t.Fatal(err)
	}
	typ := source.ParseType
	want := []source.Table{
		{
			Name: "t", Key: []string{"b"},
			Columns: []source.Column{
				{Name: "a", Type: typ("int"), Null: true},
				{Name: "b", Type: typ("nvarchar(max)")},
				{Name: "c", Type: typ("decimal(19,4)"), Null: true, Default: "(0)"},
				{Name: "d", Type: typ("int"), Null: true, Computed: "generated always"},
				{Name: "e", Type: source.Type{}, Null: true},
				{Name: "f", Type: typ("bigint"), Identity: true},
			},
			Indexes: []source.Index{
				{Name: "other", On: "[c] DESC,[a]"}, {Name: "third", On: "[f]", Unique: true}, {Name: "unique_1", On: "[a],[b]", Unique: true},
			},
		},
		{
			Name: "u", Key: []string{"y", "x"},
			Columns: []source.Column{{Name: "x", Type: typ("nvarchar(5)")}, {Name: "y", Type: typ("int")}},
		},
		{Name: "V", Columns: []source.Column{{Name: "x", Type: typ("geography"), Null: true}}},
	}
	got := slices.DeleteFunc(tabs, func(x source.Table) bool { return len(x.Name) > 1 })
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("Catalog (-want +got):\n%s", d)
	}
}

func TestLiteral(t *testing.T) {
	for def, want := range map[string]string{
		"((0))": "((0))", "(-1.5)": "(-1.5)", "'it''s'": "'it''s'", "(N'x')": "'x'", "NULL": "NULL", "(null)": "(null)", "+1": "+1",
		"(getdate())": "", "": "", "'x' + 'y'": "", "(0)+(1)": "", "'open": "", "0); DROP TABLE x; --": "", "N": "", "1e5": "",
	} {
		got, ok := literal(def)
		if got != want || ok != (want != "") {
			t.Errorf("literal(%q) = %q, %v; want %q", def, got, ok, want)
		}
	}
}

func TestCreateTable(t *testing.T) {
	typ := source.ParseType
	tab := source.Table{
		Name: `we"ird`, Key: []string{"Id"},
		Columns: []source.Column{
			{Name: "id", Type: typ("int")},
			{Name: "twice", Type: typ("int"), Computed: "([id]*2)"},
			{Name: `a"b`, Type: typ("nvarchar(max)"), Null: true, Collation: "Danish_Norwegian_CI_AS", Default: "(N'x')"},
			{Name: "when", Type: typ("datetime"), Default: "(getdate())"},
		},
	}
	const want = `CREATE TABLE IF NOT EXISTS "crm7_we""ird" ("id" integer NOT NULL, "a""b" "nvarchar(max)" DEFAULT ('x'), "when" datetime NOT NULL, PRIMARY KEY ("Id"))`
	if got := createTable("crm7", tab); got != want {
		t.Errorf("createTable:\n%s\nwant\n%s", got, want)
	}
	tab.Columns[0].Identity = true
	if got := createTable("crm7", tab); !strings.Contains(got, `"id" int identity NOT NULL`) {
		t.Errorf("with identity: %s", got)
	}
	if got, err := createIndex("crm7", tab, source.Index{Name: "x", On: "[ID] DESC,[when]", Unique: true}); err != nil ||
		got != `CREATE UNIQUE INDEX "crm7_we""ird_x" ON "crm7_we""ird" ("ID" DESC, "when")` {
		t.Errorf("createIndex: %s, %v", got, err)
	}
	for _, on := range []string{"[nope]", "id"} {
		if _, err := createIndex("crm7", tab, source.Index{Name: "x", On: on}); err == nil {
			t.Errorf("an index on %q is made", on)
		}
	}
}

package sourcetest

import (
	"testing"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

// fingerprint is one for a database, whoever asks and whatever is in it, and another one for another database.
func (e Engine) fingerprint(t *testing.T) {
	db, other := e.New(t), e.New(t)
	load(t, db, "crm7", small())
	load(t, other, "crm7", small())
	of := func(db Database) string {
		d := db.Driver(t)
		defer done(t, d)
		return must[string](t)(d.Fingerprint(t.Context()))
	}
	first := of(db)
	if len(first) != 64 {
		t.Errorf("it is %q, no SHA-256 in hex", first)
	}
	if second := of(other); second == first {
		t.Error("two databases with the same rows have one fingerprint")
	}
	l := db.Loader(t)
	defer done(t, l)
	begin(t, l, "run-2", "crm5", old()) // beside the first one
	same(t, "the loader's", must[string](t)(l.Fingerprint(t.Context())), first)
	for _, c := range old() {
		fill(t, l, c)
	}
	if err := l.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	same(t, "after another load", of(db), first)
}

// userTable is made and filled as others are, and is not the customer's; one that has its name alone is.
func (e Engine) userTable(t *testing.T) {
	db, ctx := e.New(t), t.Context()
	plan, yes := "", true
	users := &content{table: source.UserTable()}
	for _, u := range []manifest.User{
		{ID: 1, Person: 101, Login: "KK", Name: "Karl Kløpp 日本", Admin: true, Emails: []string{"kk@example.com", "x"}, Username: "kk@example.com", Plan: &plan, Welcome: &yes},
		{ID: 2, Login: "GKS"},
	} {
		users.rows = append(users.rows, source.UserRow(u))
	}
	all := append(small(), users)
	load(t, db, "crm7", all)
	v := view(t, db, "")
	if len(v.Tables()) != len(all)-1 {
		t.Errorf("%d tables are listed, want %d", len(v.Tables()), len(all)-1)
	}
	same(t, "the users", collect(t, v.Rows(ctx, users.table)), users.rows)

	theirs := e.New(t)
	load(t, theirs, "crm7", append(small(), define("OMT_user", "id int key", "mail nvarchar(50)").row(1, "x")))
	d := theirs.Driver(t)
	defer done(t, d)
	tables := must[[]source.Table](t)(d.Catalog(ctx, "crm7"))
	if tab, ok := source.FindTable(tables, "omt_user"); !ok || len(tab.Columns) != 2 {
		t.Errorf("a customer's own table is not listed: %+v", tab)
	}
	_, err := source.New(ctx, d, "")
	refused(t, err, manifest.Refused, "omt-pack unpack did not make", "rename the table")
}

// at opens what lies under a prefix, though it is no SuperOffice database.
func (e Engine) at(t *testing.T) {
	db, ctx := e.New(t), t.Context()
	all := small()
	load(t, db, "crm7", all)
	load(t, db, "crm5", small())
	load(t, db, "part", []*content{define("person", "id int key").row(1)})
	d := db.Driver(t)
	defer done(t, d)
	for _, c := range []struct{ prefix, usual, want string }{
		{"crm7", "crm5", "crm7"}, {"", "crm5", "crm5"}, {"CRM7", "", "crm7"}, {"part", "crm7", "part"}, {"", "part", "part"},
	} {
		at, err := source.At(ctx, d, c.prefix, c.usual)
		if err != nil || at.Prefix() != c.want {
			t.Errorf("%+v: %v, %v", c, at, err)
			continue
		}
		v := must[*source.View](t)(at.Begin(ctx))
		if tab, ok := source.FindTable(v.Tables(), "person"); !ok || (c.want == "part") != (len(tab.Columns) == 1) {
			t.Errorf("%+v: the table is %+v", c, tab)
		}
		done(t, v)
	}
	_, err := source.At(ctx, d, "crm9", "crm7")
	refused(t, err, manifest.Usage, `no table under prefix "crm9"`, `"crm5", "crm7"`)
	_, err = source.At(ctx, d, "", "gone")
	refused(t, err, manifest.Usage, "several", "--prefix")
	empty := e.New(t)
	none := empty.Driver(t)
	defer done(t, none)
	_, err = source.At(ctx, none, "", "crm7")
	refused(t, err, manifest.Usage, "holds no SuperOffice database")
	_, err = source.At(ctx, none, "crm7", "")
	refused(t, err, manifest.Usage, "no table under prefix", "none")
	one := e.New(t)
	load(t, one, "crm5", small())
	o := one.Driver(t)
	defer done(t, o)
	at, err := source.At(ctx, o, "", "crm7")
	if err != nil || at.Prefix() != "crm5" {
		t.Errorf("the only one there is: %v, %v", at, err)
	}
}

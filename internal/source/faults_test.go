package source_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"iter"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
	"github.com/openomt/omt/internal/source/sqlite"
)

var errFault = errors.New("the wire is cut")

// faulty is a driver whose connection counts queries, once a question is asked, and fails the one numbered fail (from 0;
// -1: none), either when it is sent or after its first row. Catalogs and prefixes fail on demand.
type faulty struct {
	source.Driver
	asked    bool
	fail     int
	midway   bool
	queries  int
	texts    []string
	fired    bool
	prefixes []string
	errs     map[string]error // by method
}

func (f *faulty) Prefixes(ctx context.Context) ([]string, error) {
	if f.prefixes != nil || f.errs["Prefixes"] != nil {
		return f.prefixes, f.errs["Prefixes"]
	}
	return f.Driver.Prefixes(ctx)
}

func (f *faulty) Catalog(ctx context.Context, prefix string) ([]source.Table, error) {
	if err := f.errs["Catalog"]; err != nil {
		return nil, err
	}
	return f.Driver.Catalog(ctx, prefix)
}

func (f *faulty) Begin(ctx context.Context) (source.Conn, error) {
	if err := f.errs["Begin"]; err != nil {
		return nil, err
	}
	c, err := f.Driver.Begin(ctx)
	return &faultyConn{Conn: c, f: f}, err
}

type faultyConn struct {
	source.Conn
	f *faulty
}

func (c *faultyConn) Stream(ctx context.Context, query string, row func([]driver.Value) bool) error {
	if !c.f.asked {
		return c.Conn.Stream(ctx, query, row)
	}
	n := c.f.queries
	c.f.queries++
	c.f.texts = append(c.f.texts, query)
	if n != c.f.fail {
		return c.Conn.Stream(ctx, query, row)
	}
	c.f.fired = true
	if !c.f.midway {
		return errFault
	}
	// The first row is good; in the second the engine fails.
	cols := strings.Count(query[:strings.Index(query, " FROM ")], ",") + 1
	ones := strings.TrimSuffix(strings.Repeat("NULL,", cols), ",")
	return c.Conn.Stream(ctx, "SELECT "+ones+" UNION ALL SELECT abs(-9223372036854775808)"+strings.Repeat(",NULL", cols-1), row)
}

// tiny fills a file with some rows in each of the tables that questions read. Names are spelled by spell.
func tiny(t testing.TB, users int, spell func(string) string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "crm.sqlite")
	l, err := sqlite.OpenLoader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	col := func(name, typ string) source.Column {
		return source.Column{Name: name, Type: source.ParseType(typ), Null: true}
	}
	rows := map[string]func(i int64) source.Row{}
	var tabs []source.Table
	add := func(name string, row func(i int64) source.Row, cols ...source.Column) {
		tabs, rows[name] = append(tabs, source.Table{Name: name, Columns: cols}), row
	}
	id := func(i int64) source.Row { return source.Row{i, i} }
	add("associate", func(i int64) source.Row { return source.Row{i, "u", i, int64(0)} },
		col("associate_id", "int"), col("name", "nvarchar(20)"), col("person_id", "int"), col("type", "int"))
	for name, cols := range map[string][2]string{
		"person": {"person_id", "contact_id"}, "contact": {"contact_id", "x"}, "UserGroup": {"UserGroup_id", "x"},
		"Role": {"Role_id", "x"}, "UserRoleLink": {"associate_id", "role_id"}, "PersPos": {"PersPos_id", "x"},
		"FunctionRight": {"FunctionRight_id", "x"}, "FunctionRightRoleLink": {"roleId", "functionRightId"},
		"ModuleLicense": {"ModuleLicense_id", "licenseType"}, "LicenseAssocLink": {"moduleLicenseId", "assocId"},
		"AssociateHistory": {"associatehistory_id", "associateId"}, "phone": {"owner_id", "ptype_idx"},
		"company": {"company_id", "version"}, "ProductVersion": {"ProductVersion_id", "x"}, "config": {"id", "x"},
		"document": {"document_id", "archiveProvider"}, "appointment": {"document_id", "associate_id"}, "DocTmpl": {"DocTmpl_id", "x"},
		"attachment": {"id", "att_size"}, "attachment_location": {"attachment_location_id", "x"}, "traveller": {"traveller_id", "travel_id"},
		"travelgeneratedtransaction": {"travelgeneratedtransaction_id", "travel_id"}, "sequence": {"id", "TableNumber"},
		"email": {"email_id", "rank"},
	} {
		add(name, id, col(cols[0], "int"), col(cols[1], "int"))
	}
	for i := range tabs {
		if tabs[i].Name == "email" {
			tabs[i].Columns = append(tabs[i].Columns, col("person_id", "int"), col("email_address", "nvarchar(50)"))
			rows["email"] = func(i int64) source.Row { return source.Row{i, i, i + 1000, "a@example.com"} }
		}
	}
	for i := range tabs {
		name := spell(tabs[i].Name)
		rows[name], tabs[i].Name = rows[tabs[i].Name], name
		for j := range tabs[i].Columns {
			tabs[i].Columns[j].Name = spell(tabs[i].Columns[j].Name)
		}
	}
	if err := l.Begin(t.Context(), "run", "crm7", tabs); err != nil {
		t.Fatal(err)
	}
	for _, tab := range tabs {
		if _, err := l.Load(t.Context(), tab.Name, tab, func(yield func(source.Row, error) bool) {
			for i := range int64(users) {
				if !yield(rows[tab.Name](i+1), nil) {
					return
				}
			}
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	return path
}

func asIs(s string) string { return s }

// drain reads a stream to its end or its error.
func drain[T any](s iter.Seq2[T, error]) (n int, err error) {
	for _, err := range s {
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// questions is every question, by name.
var questions = map[string]func(ctx context.Context, v *source.View) (int, error){
	"Identity":  func(ctx context.Context, v *source.View) (int, error) { _, err := v.Identity(ctx); return 1, err },
	"Users":     func(ctx context.Context, v *source.View) (int, error) { u, err := v.Users(ctx); return len(u), err },
	"Accounts":  func(ctx context.Context, v *source.View) (int, error) { u, err := v.Accounts(ctx); return len(u), err },
	"Plans":     func(ctx context.Context, v *source.View) (int, error) { p, err := v.Plans(ctx); return len(p), err },
	"Rights":    func(ctx context.Context, v *source.View) (int, error) { r, err := v.Rights(ctx); return len(r), err },
	"Locations": func(ctx context.Context, v *source.View) (int, error) { l, err := v.Locations(ctx); return len(l), err },
	"ServiceConfig": func(ctx context.Context, v *source.View) (int, error) {
		_, err := v.ServiceConfig(ctx)
		return 1, err
	},
	"Count": func(ctx context.Context, v *source.View) (int, error) {
		n, err := v.Count(ctx, "email")
		return int(n), err
	},
	"Facts":       func(ctx context.Context, v *source.View) (int, error) { return drain(v.Facts(ctx)) },
	"Addresses":   func(ctx context.Context, v *source.View) (int, error) { return drain(v.Addresses(ctx)) },
	"Documents":   func(ctx context.Context, v *source.View) (int, error) { return drain(v.Documents(ctx)) },
	"Templates":   func(ctx context.Context, v *source.View) (int, error) { return drain(v.Templates(ctx)) },
	"Attachments": func(ctx context.Context, v *source.View) (int, error) { return drain(v.Attachments(ctx)) },
	"Rows": func(ctx context.Context, v *source.View) (int, error) {
		t, _ := source.FindTable(v.Tables(), "email")
		return drain(v.Rows(ctx, t))
	},
}

// ask puts a question to a view of its own.
func ask(t *testing.T, path string, f *faulty, question string) (int, error) {
	t.Helper()
	d, err := sqlite.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	f.Driver = d
	db, err := source.New(t.Context(), f, "")
	if err != nil {
		t.Fatal(err)
	}
	v, err := db.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	f.asked = true
	n, err := questions[question](t.Context(), v)
	if err != nil {
		// The view must be usable after an error.
		f.fail = -1
		if _, err := v.Count(t.Context(), "associate"); err != nil {
			t.Errorf("%s: a question after its error: %v", question, err)
		}
	}
	return n, err
}

// A query that fails, at its beginning or in the middle, is an error of the question, and never a shorter answer.
func TestFaults(t *testing.T) {
	path := tiny(t, 3, asIs)
	for name := range questions {
		for _, midway := range []bool{false, true} {
			for fail := 0; ; fail++ {
				f := &faulty{fail: fail, midway: midway}
				_, err := ask(t, path, f, name)
				if !f.fired {
					if fail == 0 {
						t.Errorf("%s asks nothing", name)
					}
					break
				}
				// Of what has one row only the first is read, so that a later failure does not matter.
				first := name == "ServiceConfig" || name == "Identity"
				if err == nil && (!midway || !first) {
					t.Errorf("%s: query %d failed (midway %v), and the answer was taken for whole", name, fail, midway)
				}
				if err != nil && !strings.Contains(err.Error(), "reading table") {
					t.Errorf("%s: query %d: the error does not name the table: %v", name, fail, err)
				}
			}
		}
	}
}

// The number of queries does not depend on the number of rows.
func TestQueriesAreFew(t *testing.T) {
	few, many := tiny(t, 1, asIs), tiny(t, 200, asIs)
	for name := range questions {
		a, b := &faulty{fail: -1}, &faulty{fail: -1}
		if _, err := ask(t, few, a, name); err != nil {
			t.Fatal(err)
		}
		if _, err := ask(t, many, b, name); err != nil {
			t.Fatal(err)
		}
		if a.queries != b.queries || a.queries > 30 {
			t.Errorf("%s: %d queries for one row, %d for 200", name, a.queries, b.queries)
		}
	}
}

// Where letter case matters to a server, every name must be written as the catalog has it.
func TestSpelling(t *testing.T) {
	path := tiny(t, 3, func(s string) string { return strings.ToUpper(s[:1]) + strings.ToLower(s[1:]) })
	d, err := sqlite.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	tabs, err := d.Catalog(t.Context(), "crm7")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, tab := range tabs {
		known[d.Ref("crm7", tab.Name)] = true
		for _, c := range tab.Columns {
			known[d.Quote(c.Name)] = true
		}
	}
	quoted := regexp.MustCompile(`"[^"]*"`)
	for name := range questions {
		f := &faulty{fail: -1}
		if _, err := ask(t, path, f, name); err != nil {
			t.Fatal(err)
		}
		for _, text := range f.texts {
			for _, q := range quoted.FindAllString(text, -1) {
				if !known[q] {
					t.Errorf("%s asks for %s, which the catalog does not have: %s", name, q, text)
				}
			}
		}
	}
}

func TestNewFails(t *testing.T) {
	d, err := sqlite.Open(tiny(t, 1, asIs))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	ctx := t.Context()
	for _, method := range []string{"Prefixes", "Catalog"} {
		if _, err := source.New(ctx, &faulty{Driver: d, errs: map[string]error{method: errFault}}, ""); !errors.Is(err, errFault) {
			t.Errorf("%s fails: New gives %v", method, err)
		}
	}
	for _, method := range []string{"Begin", "Catalog"} {
		f := &faulty{Driver: d, errs: map[string]error{}}
		db, err := source.New(ctx, f, "crm7")
		if err != nil {
			t.Fatal(err)
		}
		first, err := db.Begin(ctx) // of the catalog that New read
		if err != nil {
			t.Fatal(err)
		}
		if err := first.Close(); err != nil {
			t.Fatal(err)
		}
		f.errs[method] = errFault
		if v, err := db.Begin(ctx); !errors.Is(err, errFault) || v != nil {
			t.Errorf("%s fails: Begin gives %v, %v", method, v, err)
		}
	}
	// Two schemas may differ in letter case alone; only the exact name tells which.
	both := &faulty{Driver: d, prefixes: []string{"CRM7", "crm7"}}
	if db, err := source.New(ctx, both, "crm7"); err != nil || db.Prefix() != "crm7" {
		t.Errorf("the exact name: %v", err)
	}
	_, err = source.New(ctx, both, "Crm7")
	if manifest.StatusOf(err) != manifest.Usage || !strings.Contains(err.Error(), `"CRM7", "crm7"`) {
		t.Errorf("two that match: %v", err)
	}
}

// A stream that is left early leaves the connection free for the next question, at any point.
func TestLeaveStreams(t *testing.T) {
	d, err := sqlite.Open(tiny(t, 3, asIs))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	db, err := source.New(t.Context(), d, "")
	if err != nil {
		t.Fatal(err)
	}
	v, err := db.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	leave(t, v, "Facts", v.Facts(ctx))
	leave(t, v, "Addresses", v.Addresses(ctx))
	leave(t, v, "Documents", v.Documents(ctx))
	leave(t, v, "Templates", v.Templates(ctx))
	leave(t, v, "Attachments", v.Attachments(ctx))
	tab, _ := source.FindTable(v.Tables(), "email")
	leave(t, v, "Rows", v.Rows(ctx, tab))
}

func leave[T any](t *testing.T, v *source.View, name string, s iter.Seq2[T, error]) {
	t.Helper()
	for stop := range 3 {
		n := 0
		for _, err := range s {
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if n == stop {
				break
			}
			n++
		}
		if _, err := v.Count(t.Context(), "email"); err != nil {
			t.Errorf("%s left at %d: %v", name, stop, err)
		}
	}
}

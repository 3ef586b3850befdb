package sourcetest

import (
	"context"
	"database/sql/driver"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/openomt/omt/internal/source"
)

// everything asks every question but Rows of a view and returns the answers as lines, by question. Lines of streams, which
// come in no particular order, are sorted.
func everything(ctx context.Context, v *source.View) (map[string][]string, error) {
	out := map[string][]string{}
	var failed error
	keep := func(question string, answer any, err error) {
		if failed = cmpErr(failed, question, err); err == nil {
			out[question] = append(out[question], fmt.Sprintf("%+v", answer))
		}
	}
	id, err := v.Identity(ctx)
	keep("Identity", id, err)
	users, err := v.Users(ctx)
	keep("Users", users, err)
	accounts, err := v.Accounts(ctx)
	keep("Accounts", accounts, err)
	plans, err := v.Plans(ctx)
	keep("Plans", plans, err)
	rights, err := v.Rights(ctx)
	keep("Rights", rights, err)
	locations, err := v.Locations(ctx)
	keep("Locations", locations, err)
	service, err := v.ServiceConfig(ctx)
	keep("ServiceConfig", service, err)
	for f, err := range v.Facts(ctx) {
		keep("Facts", fmt.Sprintf("%s %s %v", f.Name, f.ID, f.Data), err)
	}
	lines(keep, "Addresses", v.Addresses(ctx))
	lines(keep, "Documents", v.Documents(ctx))
	lines(keep, "Templates", v.Templates(ctx))
	lines(keep, "Attachments", v.Attachments(ctx))
	slices.Sort(out["Addresses"])
	slices.Sort(out["Documents"])
	return out, failed
}

func cmpErr(first error, question string, err error) error {
	if first == nil && err != nil {
		return fmt.Errorf("%s: %w", question, err)
	}
	return first
}

func lines[T any](keep func(string, any, error), question string, s iter.Seq2[T, error]) {
	for x, err := range s {
		keep(question, x, err)
	}
}

// letterCase spells all names in other letter case: the answers stay.
func (e Engine) letterCase(t *testing.T) {
	db := e.New(t)
	load(t, db, "crm7", modern())
	want, err := everything(t.Context(), view(t, db, ""))
	if err != nil {
		t.Fatal(err)
	}
	for name, spell := range map[string]func(string) string{"upper": strings.ToUpper, "lower": strings.ToLower, "mixed": mixed} {
		t.Run(name, func(t *testing.T) {
			all := modern()
			for _, c := range all {
				respell(c, spell)
			}
			db := e.New(t)
			load(t, db, spell("crm7"), all)
			got, err := everything(t.Context(), view(t, db, "CrM7"))
			if err != nil {
				t.Fatal(err)
			}
			same(t, "answers", got, want)
		})
	}
}

// mixed makes every other letter a large one.
func mixed(s string) string {
	out := []byte(strings.ToLower(s))
	for i := 1; i < len(out); i += 2 {
		out[i] = strings.ToUpper(string(out[i]))[0]
	}
	return string(out)
}

func respell(c *content, spell func(string) string) {
	c.table.Name = spell(c.table.Name)
	for i := range c.table.Columns {
		c.table.Columns[i].Name = spell(c.table.Columns[i].Name)
	}
	for i := range c.table.Key {
		c.table.Key[i] = spell(c.table.Key[i])
	}
}

// ansi keeps all texts in code pages: the answers are those of a Unicode database with the same texts.
func (e Engine) ansi(t *testing.T) {
	answers := func(ansi bool) map[string][]string {
		all := modern()
		for _, c := range all {
			narrow(c, ansi)
		}
		db := e.New(t)
		load(t, db, "crm7", all)
		got, err := everything(t.Context(), view(t, db, ""))
		if err != nil {
			t.Fatal(err)
		}
		got["Facts"] = slices.DeleteFunc(got["Facts"], func(f string) bool { return strings.HasPrefix(f, "text-columns") })
		return got
	}
	want := answers(false)
	same(t, "answers", answers(true), want)
	if !strings.Contains(want["Identity"][0], "Rør") {
		t.Errorf("no text beyond ASCII: %s", want["Identity"])
	}
}

// narrow takes from a table what code page 1252 does not hold, and declares its texts so.
func narrow(c *content, ansi bool) {
	for i := range c.table.Columns {
		col := &c.table.Columns[i]
		if col.Type.Kind != source.Text {
			continue
		}
		if ansi {
			col.Type = source.ParseType(strings.TrimPrefix(col.Type.SQL, "n"))
		}
		for _, r := range c.rows {
			if s, ok := r[i].(string); ok {
				r[i] = strings.Map(func(x rune) rune {
					if x > 0xFF {
						return -1
					}
					return x
				}, s)
			}
		}
	}
}

// hiding is a driver whose catalog leaves out columns and tables, and which keeps what is asked.
type hiding struct {
	source.Driver
	catalog []source.Table
	hidden  map[string]map[string]bool // columns by table, both in lower case; nil: the whole table
	asked   []string
}

func (h *hiding) Prefixes(context.Context) ([]string, error) { return []string{"crm7"}, nil }

func (h *hiding) Catalog(context.Context, string) ([]source.Table, error) {
	var out []source.Table
	for _, t := range h.catalog {
		cols, some := h.hidden[strings.ToLower(t.Name)]
		if some && cols == nil {
			continue
		}
		t.Columns = slices.DeleteFunc(slices.Clone(t.Columns), func(c source.Column) bool { return cols[strings.ToLower(c.Name)] })
		if slices.ContainsFunc(t.Key, func(k string) bool { return cols[strings.ToLower(k)] }) {
			t.Key = nil
		}
		out = append(out, t)
	}
	return out, nil
}

func (h *hiding) Begin(ctx context.Context) (source.Conn, error) {
	c, err := h.Driver.Begin(ctx)
	return &hidingConn{Conn: c, h: h}, err
}

type hidingConn struct {
	source.Conn
	h *hiding
}

func (c *hidingConn) Stream(ctx context.Context, query string, row func([]driver.Value) bool) error {
	c.h.asked = append(c.h.asked, query)
	return c.Conn.Stream(ctx, query, row)
}

// columnsMissing hides the columns of all tables, of each the first, the second and so on: no question fails, and none
// names a column that is not there. What the answers are then is tested over SQLite, column by column.
func (e Engine) columnsMissing(t *testing.T) {
	db := e.New(t)
	load(t, db, "crm7", modern())
	d := db.Driver(t)
	t.Cleanup(func() { done(t, d) })
	catalog := must[[]source.Table](t)(d.Catalog(t.Context(), "crm7"))
	for n := 0; ; n++ {
		h := &hiding{Driver: d, catalog: catalog, hidden: map[string]map[string]bool{}}
		for _, tab := range catalog {
			if n < len(tab.Columns) && len(tab.Columns) > 1 {
				h.hidden[strings.ToLower(tab.Name)] = map[string]bool{strings.ToLower(tab.Columns[n].Name): true}
			}
		}
		if len(h.hidden) == 0 {
			if n < 8 {
				t.Errorf("only %d columns were hidden", n)
			}
			return
		}
		if _, err := askAll(t, h); err != nil {
			t.Errorf("without column %d of each table: %v", n, err)
		}
	}
}

// askAll opens a view through a driver, asks everything, and fails where a query names a hidden column of the one table
// that it reads.
func askAll(t *testing.T, h *hiding) (map[string][]string, error) {
	t.Helper()
	sdb, err := source.New(t.Context(), h, "crm7")
	if err != nil {
		return nil, err
	}
	v, err := sdb.Begin(t.Context())
	if err != nil {
		return nil, err
	}
	defer done(t, v)
	answers, err := everything(t.Context(), v)
	for _, q := range h.asked {
		for _, tab := range h.catalog {
			ref := " FROM " + h.Ref("crm7", tab.Name) + " "
			if strings.Count(q, " FROM ") != 1 || strings.Contains(q, " JOIN ") || !strings.Contains(q+" ", ref) {
				continue
			}
			q := strings.Replace(q+" ", ref, " ", 1)
			for _, c := range tab.Columns {
				if h.hidden[strings.ToLower(tab.Name)][strings.ToLower(c.Name)] && strings.Contains(q, h.Quote(c.Name)) {
					t.Errorf("column %s.%s is not there, and is asked for: %s", tab.Name, c.Name, q)
				}
			}
		}
	}
	return answers, err
}

// tablesMissing hides the tables that may be missing, every fourth of them at a time: no question fails. One by one they are
// hidden over SQLite.
func (e Engine) tablesMissing(t *testing.T) {
	db := e.New(t)
	load(t, db, "crm7", modern())
	d := db.Driver(t)
	t.Cleanup(func() { done(t, d) })
	catalog := must[[]source.Table](t)(d.Catalog(t.Context(), "crm7"))
	for n := range 4 {
		h := &hiding{Driver: d, catalog: catalog, hidden: map[string]map[string]bool{}}
		for i, tab := range catalog {
			if low := strings.ToLower(tab.Name); i%4 == n && !slices.Contains([]string{"associate", "person", "document", "company"}, low) {
				h.hidden[low] = nil
			}
		}
		if _, err := askAll(t, h); err != nil {
			t.Errorf("without tables %v: %v", slices.Sorted(maps.Keys(h.hidden)), err)
		}
	}
}

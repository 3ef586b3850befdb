package source_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
	"github.com/openomt/omt/internal/source/sqlite"
)

// denying is a driver whose server refuses every query that names one of the tables, in the server's words, and is gone
// after the query that names another.
type denying struct {
	source.Driver
	engine  string
	tables  []string
	columns []string
	fatal   string
	later   bool // refuses only when rows are counted
	gone    bool
	depth   int64 // what the server says of open transactions, from the second time on it is asked
	asked   int
}

func (d *denying) Begin(ctx context.Context) (source.Conn, error) {
	c, err := d.Driver.Begin(ctx)
	return &denyingConn{Conn: c, d: d}, err
}

func (d *denying) Engine() string {
	if d.engine != "" {
		return d.engine
	}
	return d.Driver.Engine()
}

type denyingConn struct {
	source.Conn
	d *denying
}

func (c *denyingConn) Stream(ctx context.Context, query string, row func([]driver.Value) bool) error {
	if c.d.gone {
		return errors.New("the connection is gone")
	}
	if query == "SELECT @@TRANCOUNT" {
		if c.d.asked++; c.d.asked == 1 {
			return c.Conn.Stream(ctx, "SELECT 0", row)
		}
		return c.Conn.Stream(ctx, fmt.Sprintf("SELECT %d", c.d.depth), row)
	}
	query = strings.ReplaceAll(query, "COUNT_BIG", "COUNT")
	if c.d.fatal != "" && strings.Contains(query, "_"+c.d.fatal+`"`) {
		c.d.gone = true
		return errors.New("the connection is gone")
	}
	for _, t := range c.d.tables {
		if strings.Contains(query, "_"+t+`"`) && (!c.d.later || strings.Contains(query, "COUNT")) {
			return fmt.Errorf("permission denied on %s (error 229)", t)
		}
	}
	for _, col := range c.d.columns {
		if strings.Contains(query, `"`+col+`"`) {
			return fmt.Errorf("permission denied on column %s (error 230)", col)
		}
	}
	return c.Conn.Stream(ctx, query, row)
}

// deny opens a view of a small database as a login that lacks rights.
func deny(t *testing.T, d *denying) (*source.View, error) {
	t.Helper()
	inner, err := sqlite.Open(tiny(t, 3, asIs))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { inner.Close() })
	d.Driver = inner
	db, err := source.New(t.Context(), d, "")
	if err != nil {
		t.Fatal(err)
	}
	v, err := db.Begin(t.Context())
	if v != nil {
		t.Cleanup(func() { v.Close() })
	}
	return v, err
}

func names(bad []source.Unreadable) (list []string) {
	for _, u := range bad {
		list = append(list, u.Table.Name)
	}
	return list
}

// Tables that refuse to be read are told, each in the server's words, and every question goes on without them.
func TestUnreadable(t *testing.T) {
	d := &denying{tables: []string{"email", "Role", "sequence"}, columns: []string{"contact_id"}}
	v, err := deny(t, d)
	if err != nil {
		t.Fatal(err)
	}
	bad := v.Unreadable()
	// Column contact_id is in two tables; person is one of those without which nothing can be done.
	if got := names(bad); !slices.Equal(got, []string{"contact", "email", "person", "Role", "sequence"}) {
		t.Fatalf("unreadable: %q", got)
	}
	for i, say := range []string{"column contact_id (error 230)", "on email (error 229)", "column contact_id", "on Role", "on sequence"} {
		if text := fmt.Sprint(bad[i].Err); !strings.Contains(text, say) || !strings.Contains(text, "reading table") {
			t.Errorf("%s: %s; want %q", bad[i].Table.Name, text, say)
		}
	}
	for _, tab := range v.Tables() {
		if slices.Contains([]string{"contact", "email", "Role", "sequence"}, tab.Name) {
			t.Errorf("table %q is listed among those that can be read", tab.Name)
		}
	}
	err = source.CheckRequired(v)
	if manifest.StatusOf(err) != manifest.Usage || !strings.Contains(err.Error(), `without table "person"`) || !strings.Contains(err.Error(), "5 tables") ||
		!strings.Contains(manifest.HintOf(err), `"contact", "email", "person", "Role", "sequence"`) {
		t.Errorf("CheckRequired: %v (%s)", err, manifest.HintOf(err))
	}
	d.columns = nil // person can be read again
	for name, q := range questions {
		n, err := q(t.Context(), v)
		if name == "Count" { // of email
			if err == nil || !strings.Contains(err.Error(), `no table "email"`) {
				t.Errorf("Count: %v", err)
			}
			continue
		}
		if name == "Rows" { // of a table that the test looks up in vain
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if name == "Addresses" && n != 0 {
			t.Errorf("%d addresses of a table that cannot be read", n)
		}
	}
	facts := ""
	for f, err := range v.Facts(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		facts += fmt.Sprintln(f.Name, f.ID, f.Data)
	}
	if !strings.Contains(facts, "table-unreadable email map[error:reading table \"email\": permission denied on email (error 229) table:email]") {
		t.Errorf("facts: %s", facts)
	}
}

func TestAllCanBeRead(t *testing.T) {
	v, err := deny(t, &denying{})
	if err != nil {
		t.Fatal(err)
	}
	if err := source.CheckRequired(v); err != nil || v.Unreadable() != nil {
		t.Errorf("%v, %v", v.Unreadable(), err)
	}
}

// A table without which there is no database stays a table, so that a question about it fails.
func TestRequiredAndUnreadable(t *testing.T) {
	v, err := deny(t, &denying{tables: []string{"document"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := drain(v.Documents(t.Context())); err == nil || !strings.Contains(err.Error(), `reading table "document": permission denied`) {
		t.Errorf("documents: %v", err)
	}
}

// A connection that does not survive a table is an error of the database, and not of the table.
func TestConnectionIsGone(t *testing.T) {
	if v, err := deny(t, &denying{fatal: "Role"}); err == nil || v != nil || !strings.Contains(err.Error(), `reading table "Role": the connection is gone`) {
		t.Errorf("%v, %v", v, err)
	}
}

// Counting fails for one table alone, or for good.
func TestCountFails(t *testing.T) {
	d := &denying{tables: []string{"email"}, later: true}
	v, err := deny(t, d)
	if err != nil {
		t.Fatal(err)
	}
	count := func() (*source.Unreadable, error) {
		_, err := v.Count(t.Context(), "EMAIL")
		var u *source.Unreadable
		errors.As(err, &u)
		return u, err
	}
	if u, err := count(); u == nil || u.Table.Name != "email" || !strings.Contains(err.Error(), "error 229") {
		t.Errorf("a table that refuses: %v", err)
	}
	if n, err := v.Count(t.Context(), "Role"); n != 3 || err != nil {
		t.Errorf("the next one: %d, %v", n, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var u *source.Unreadable
	if _, err := v.Count(ctx, "email"); err == nil || errors.As(err, &u) {
		t.Errorf("a context that ended: %v", err)
	}
	for _, err := range v.Documents(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if u, err := count(); u != nil || err == nil {
			t.Errorf("while another answer is read: %v", err)
		}
		break
	}
	d.gone = true
	if u, err := count(); u != nil || err == nil || !strings.Contains(err.Error(), "the connection is gone") {
		t.Errorf("a connection that is gone: %v", err)
	}
}

// Where an error ends the transaction, what is read after it would be of another moment.
func TestTransactionIsGone(t *testing.T) {
	d := &denying{engine: "mssql", tables: []string{"email"}, later: true}
	v, err := deny(t, d)
	if err != nil {
		t.Fatal(err)
	}
	_, err = v.Count(t.Context(), "email")
	var u *source.Unreadable
	if !errors.As(err, &u) {
		t.Errorf("as many transactions as before: %v", err)
	}
	d.depth = 1
	_, err = v.Count(t.Context(), "email")
	if u = nil; errors.As(err, &u) || err == nil || !strings.Contains(err.Error(), "ended the transaction") || !strings.Contains(err.Error(), "error 229") {
		t.Errorf("another number of transactions: %v", err)
	}
}

package source

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/openomt/omt/internal/manifest"
)

// Unreadable is a table that the catalog shows and whose rows cannot be read, mostly for lack of rights. It is an error
// too, of Count.
type Unreadable struct {
	Table Table
	Err   error // in the server's words
}

// Error returns the server's words.
func (u *Unreadable) Error() string { return u.Err.Error() }

// Unwrap returns the server's error.
func (u *Unreadable) Unwrap() error { return u.Err }

// reach asks for no row of each table and returns those tables that refuse it. It has a connection of its own, so that a
// refusal cannot end the snapshot of a view. An error that the connection does not survive is one of the database.
func (db *Database) reach(ctx context.Context, tables []Table) (bad []Unreadable, err error) {
	conn, err := db.driver.Begin(ctx)
	if err != nil {
		return nil, err
	}
	v := &View{driver: db.driver, conn: conn, prefix: db.prefix}
	defer func() { err = errors.Join(err, v.Close()) }()
	for _, t := range tables {
		refusal := v.touch(ctx, t)
		if refusal == nil {
			continue
		}
		if err := v.stands(ctx); err != nil {
			return nil, errors.Join(refusal, err)
		}
		bad = append(bad, Unreadable{Table: t, Err: refusal})
	}
	return bad, nil
}

// touch reads no row of a table, with all columns whose types are known.
func (v *View) touch(ctx context.Context, t Table) error {
	l := list{conn: v.conn}
	p := probe{view: v, table: &t, alias: "t"}
	for _, c := range t.Stored() {
		if c.Type.Kind != Other {
			l.column(p.alias, c)
		}
	}
	if len(l.readings) == 0 {
		l.raw("1")
	}
	for _, err := range v.query(ctx, t.Name, "SELECT "+l.sql()+" FROM "+p.from()+" WHERE 1 = 0", nil) {
		if err != nil {
			return err
		}
	}
	return nil
}

// stands reports whether the view still answers, in the transaction that it began with: some errors end it, and what is
// read after that would be of another moment.
func (v *View) stands(ctx context.Context) error {
	depth, err := v.depth(ctx)
	if err == nil && depth != v.began {
		err = manifest.Errorf(manifest.Failed, "the server ended the transaction that the database was read in").
			WithHint("run it again")
	}
	return err
}

// depth is how many transactions are open, on a server that tells.
func (v *View) depth(ctx context.Context) (int64, error) {
	q := "SELECT 0"
	if v.driver.Engine() == "mssql" {
		q = "SELECT @@TRANCOUNT"
	}
	return v.single(ctx, "@@TRANCOUNT", q)
}

// Unreadable lists the tables that the catalog shows and whose rows cannot be read, in the order of Tables. Questions
// take them for tables that are not there, but for those without which there is no database: on these they fail.
func (v *View) Unreadable() []Unreadable { return v.unreadable }

// CheckRequired is an error of status Usage that names all tables that cannot be read, where one of them is a table
// without which there is no database.
func CheckRequired(r Reader) error {
	bad := r.Unreadable()
	at := slices.IndexFunc(bad, func(u Unreadable) bool { return isRequired(u.Table.Name) })
	if at < 0 {
		return nil
	}
	names := make([]string, len(bad))
	for i, u := range bad {
		names[i] = u.Table.Name
	}
	return manifest.Errorf(manifest.Usage, "the rows of %d tables cannot be read, and without table %q nothing can be done: %w",
		len(bad), bad[at].Table.Name, bad[at].Err).
		WithHint("the login needs SELECT on all tables under the prefix; it lacks %s", quoteAll(names))
}

func isRequired(table string) bool {
	return slices.ContainsFunc(required[:], func(r string) bool { return strings.EqualFold(r, table) })
}

// without takes the tables that cannot be read out of a catalog, but for those without which there is no database.
func without(tables []Table, bad []Unreadable) []Table {
	if len(bad) == 0 {
		return tables
	}
	return slices.DeleteFunc(slices.Clone(tables), func(t Table) bool {
		return !isRequired(t.Name) && slices.ContainsFunc(bad, func(u Unreadable) bool { return u.Table.Name == t.Name })
	})
}

// explain makes an error of counting a table an Unreadable where the view still stands: then it is the table's alone.
func (v *View) explain(ctx context.Context, t Table, err error) error {
	if err == nil || ctx.Err() != nil || errors.Is(err, errBusy) {
		return err
	}
	if ended := v.stands(ctx); ended != nil {
		return fmt.Errorf("%w (and after that: %w)", err, ended)
	}
	return &Unreadable{Table: t, Err: err}
}

package source

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// What both engines' Loaders need.

// Loadable reports why a table cannot be made: it has no stored column, a column of a type that is not known, a column
// twice, or a key or index over a column that it does not have.
func Loadable(t Table) error {
	if err := refuseUnsupported(t); err != nil {
		return err
	}
	if len(t.Stored()) == 0 {
		return fmt.Errorf("table %q has no column whose values are kept", t.Name)
	}
	seen := map[string]bool{}
	for _, c := range t.Columns {
		low := strings.ToLower(c.Name)
		if c.Name == "" || seen[low] {
			return fmt.Errorf("table %q has two columns called %q", t.Name, c.Name)
		}
		seen[low] = true
	}
	for _, k := range t.Key {
		if c, ok := t.Column(k); !ok || c.Null {
			return fmt.Errorf("table %q: the key's column %q is not there, or may hold NULL", t.Name, k)
		}
	}
	for _, x := range t.Indexes {
		parts, err := ParseOn(x.On)
		if err != nil {
			return fmt.Errorf("table %q: index %q: %w", t.Name, x.Name, err)
		}
		if x.Include != "" {
			more, err := ParseOn(x.Include)
			if err != nil {
				return fmt.Errorf("table %q: index %q: %w", t.Name, x.Name, err)
			}
			parts = append(parts, more...)
		}
		for _, p := range parts {
			if !seen[strings.ToLower(p.Column)] {
				return fmt.Errorf("table %q: index %q: there is no column %q", t.Name, x.Name, p.Column)
			}
		}
	}
	return nil
}

// FindTable returns the table with that name, compared without regard to letter case.
func FindTable(tables []Table, name string) (Table, bool) {
	if t := findTable(tables, name); t != nil {
		return *t, true
	}
	return Table{}, false
}

// Quoter is the part of a Driver that writes names.
type Quoter interface {
	Ref(prefix, table string) string
	Quote(name string) string
}

// AddressSQL is what deleting a person's address takes. Both statements have one parameter, written "@p1": the person,
// and the id of an e-mail row.
type AddressSQL struct{ Select, Delete string }

// AddressQuery writes the statements for a table "email", whose columns person_id, email_id and email_address must be
// there. Chat and other accounts (type other than 0) are left alone.
func AddressQuery(q Quoter, prefix string, t Table) (AddressSQL, error) {
	cols := map[string]string{}
	for _, name := range []string{"person_id", "email_id", "email_address", "type"} {
		c, ok := t.Column(name)
		if !ok && name != "type" {
			return AddressSQL{}, fmt.Errorf("removing an address: table %q has no column %q", t.Name, name)
		}
		if ok {
			cols[name] = q.Quote(c.Name)
		}
	}
	ref := q.Ref(prefix, t.Name)
	s := AddressSQL{
		Select: "SELECT " + cols["email_id"] + ", " + cols["email_address"] + " FROM " + ref + " WHERE " + cols["person_id"] + " = @p1",
		Delete: "DELETE FROM " + ref + " WHERE " + cols["email_id"] + " = @p1",
	}
	if c := cols["type"]; c != "" {
		s.Select += " AND COALESCE(" + c + ", 0) = 0"
	}
	return s, nil
}

// Querier is a transaction or connection that reads.
type Querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// MatchAddresses returns the ids of a person's e-mail rows that hold the address, compared without regard to letter case
// and surrounding blanks.
func MatchAddresses(ctx context.Context, tx Querier, query string, person int64, email string) ([]int64, error) {
	rows, err := tx.QueryContext(ctx, query, sql.Named("p1", person))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var ids []int64
	for rows.Next() {
		var id int64
		var address sql.NullString
		if err := rows.Scan(&id, &address); err != nil {
			return nil, err
		}
		if SameAddress(address.String, email) {
			ids = append(ids, id)
		}
	}
	return ids, rows.Err()
}

// SameAddress compares addresses as MatchAddresses does: without regard to letter case and surrounding blanks.
func SameAddress(a, b string) bool {
	return strings.EqualFold(strings.TrimSpace(a), strings.TrimSpace(b))
}

// AddressOf returns the function that tells, of a row of the table "email", whose address it holds and which; ok is
// false for a row that AddressQuery leaves alone. nil where t is another table, or lacks the columns.
func AddressOf(t Table) func(row Row) (person int64, email string, ok bool) {
	at := map[string]int{}
	for i, c := range t.Stored() {
		at[strings.ToLower(c.Name)] = i
	}
	p, hasPerson := at["person_id"]
	e, hasEmail := at["email_address"]
	k, hasKind := at["type"]
	if !strings.EqualFold(t.Name, "email") || !hasPerson || !hasEmail {
		return nil
	}
	return func(row Row) (int64, string, bool) {
		person, isPerson := row[p].(int64)
		email, isEmail := row[e].(string)
		if hasKind && row[k] != nil && row[k] != int64(0) {
			return 0, "", false
		}
		return person, email, isPerson && isEmail
	}
}

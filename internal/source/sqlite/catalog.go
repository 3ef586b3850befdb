package sqlite

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/openomt/omt/internal/source"
)

// Prefixes lists what stands before "_associate" in table names. Where one such name extends another (crm7 and
// crm7_old), the longer one counts only when a person table lies under it too.
func (d *Driver) Prefixes(ctx context.Context) ([]string, error) {
	names, err := d.tableNames(ctx)
	if err != nil {
		return nil, err
	}
	return prefixesOf(names), nil
}

func prefixesOf(names []string) []string {
	lower := make(map[string]bool, len(names))
	for _, n := range names {
		lower[strings.ToLower(n)] = true
	}
	var all []string
	for _, n := range names {
		if i := len(n) - len("_associate"); i > 0 && strings.EqualFold(n[i:], "_associate") {
			all = append(all, n[:i])
		}
	}
	var out []string
	for _, p := range all {
		extends := slices.ContainsFunc(all, func(q string) bool { return hasFold(p, q+"_") })
		if !extends || lower[strings.ToLower(p)+"_person"] {
			out = append(out, p)
		}
	}
	slices.Sort(out)
	return out
}

func hasFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

func (d *Driver) tableNames(ctx context.Context) ([]string, error) {
	return each(ctx, d, `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'`,
		func(r *sql.Rows) (name string, err error) { return name, r.Scan(&name) })
}

// each collects the rows of a catalog query.
func each[T any](ctx context.Context, d *Driver, q string, scan func(*sql.Rows) (T, error)) ([]T, error) {
	rows, err := d.db.QueryContext(ctx, q)
	if err != nil {
		return nil, d.explain("reading database", err)
	}
	defer rows.Close()
	var out []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, d.explain("reading database", err)
		}
		out = append(out, v)
	}
	if err := rows.Err(); err != nil {
		return nil, d.explain("reading database", err)
	}
	return out, nil
}

// Catalog lists the tables whose names begin with prefix and an underscore, but those of a longer prefix that lies
// under it.
func (d *Driver) Catalog(ctx context.Context, prefix string) ([]source.Table, error) {
	names, err := d.tableNames(ctx)
	if err != nil {
		return nil, err
	}
	cols, err := d.columns(ctx)
	if err != nil {
		return nil, err
	}
	indexes, err := d.indexes(ctx)
	if err != nil {
		return nil, err
	}
	own := ownedBy(names, prefix)
	tables := make([]source.Table, 0, len(own))
	for _, full := range own {
		tables = append(tables, buildTable(full, prefix, cols[full], indexes[full]))
	}
	slices.SortFunc(tables, func(a, b source.Table) int {
		if c := strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)); c != 0 {
			return c
		}
		return strings.Compare(a.Name, b.Name)
	})
	return source.WithoutUserTable(tables), nil
}

// ownedBy picks the names under prefix.
func ownedBy(names []string, prefix string) []string {
	var longer []string
	for _, p := range prefixesOf(names) {
		if hasFold(p, prefix+"_") {
			longer = append(longer, p)
		}
	}
	var own []string
	for _, n := range names {
		under := func(p string) bool { return len(n) > len(p)+1 && hasFold(n, p+"_") }
		if under(prefix) && !slices.ContainsFunc(longer, under) && n != progressTable {
			own = append(own, n)
		}
	}
	return own
}

type columnRow struct {
	table, name, typ string
	notNull          bool
	def              sql.NullString
	pk, hidden       int
}

// identitySuffix marks an identity column in a declared type, as sp_columns writes it: "int identity".
const identitySuffix = " identity"

func (d *Driver) columns(ctx context.Context) (map[string][]columnRow, error) {
	rows, err := each(ctx, d, `SELECT m.name, c.name, c.type, c."notnull", c.dflt_value, c.pk, c.hidden
		FROM sqlite_master m, pragma_table_xinfo(m.name) c
		WHERE m.type = 'table' ORDER BY m.name, c.cid`,
		func(r *sql.Rows) (c columnRow, err error) {
			return c, r.Scan(&c.table, &c.name, &c.typ, &c.notNull, &c.def, &c.pk, &c.hidden)
		})
	if err != nil {
		return nil, err
	}
	out := map[string][]columnRow{}
	for _, c := range rows {
		out[c.table] = append(out[c.table], c)
	}
	return out, nil
}

type indexRow struct {
	table, name, origin string
	seq                 int
	unique, partial     bool
	column              sql.NullString // NULL: an expression
	desc                bool
}

func (d *Driver) indexes(ctx context.Context) (map[string][]indexRow, error) {
	rows, err := each(ctx, d, `SELECT m.name, i.name, i.origin, i.seq, i."unique", i.partial, k.name, k.desc
		FROM sqlite_master m, pragma_index_list(m.name) i, pragma_index_xinfo(i.name) k
		WHERE m.type = 'table' AND k.key = 1 ORDER BY m.name, i.name, k.seqno`,
		func(r *sql.Rows) (x indexRow, err error) {
			return x, r.Scan(&x.table, &x.name, &x.origin, &x.seq, &x.unique, &x.partial, &x.column, &x.desc)
		})
	if err != nil {
		return nil, err
	}
	out := map[string][]indexRow{}
	for _, x := range rows {
		out[x.table] = append(out[x.table], x)
	}
	return out, nil
}

func buildTable(full, prefix string, cols []columnRow, indexes []indexRow) source.Table {
	t := source.Table{Name: full[len(prefix)+1:]}
	key := make([]string, len(cols)+1)
	for _, c := range cols {
		typ, identity := strings.ToLower(c.typ), false
		if s, ok := strings.CutSuffix(typ, identitySuffix); ok {
			typ, identity = s, true
		}
		col := source.Column{
			Name: c.name, Type: source.ParseType(typ), Null: !c.notNull && c.pk == 0, Identity: identity, Default: c.def.String,
		}
		if c.hidden == 2 || c.hidden == 3 {
			col.Computed = "generated always"
		}
		t.Columns = append(t.Columns, col)
		key[c.pk] = c.name
	}
	for _, name := range key[1:] {
		if name != "" {
			t.Key = append(t.Key, name)
		}
	}
	addIndexes(&t, prefix, indexes)
	return t
}

// addIndexes adds the indexes that are over plain columns and all rows. Without a primary key, the first unique one over
// NOT NULL columns becomes the key.
func addIndexes(t *source.Table, prefix string, rows []indexRow) {
	byName := map[string][]indexRow{}
	for _, x := range rows {
		byName[x.name] = append(byName[x.name], x)
	}
	var plain [][]indexRow
	for _, x := range byName {
		odd := func(r indexRow) bool { return r.partial || !r.column.Valid || r.origin == "pk" }
		if !slices.ContainsFunc(x, odd) {
			plain = append(plain, x)
		}
	}
	slices.SortFunc(plain, func(a, b []indexRow) int { return b[0].seq - a[0].seq }) // the list begins with the newest
	for _, x := range plain {
		if len(t.Key) == 0 && x[0].unique && allNotNull(*t, x) {
			for _, r := range x {
				t.Key = append(t.Key, r.column.String)
			}
			continue
		}
		t.Indexes = append(t.Indexes, source.Index{
			Name: indexName(prefix, t.Name, x[0].name), On: source.FormatOn(parts(x)), Unique: x[0].unique,
		})
	}
	slices.SortFunc(t.Indexes, func(a, b source.Index) int { return strings.Compare(a.Name, b.Name) })
}

func allNotNull(t source.Table, x []indexRow) bool {
	return !slices.ContainsFunc(x, func(r indexRow) bool {
		c, ok := t.Column(r.column.String)
		return !ok || c.Null || c.Computed != ""
	})
}

func parts(x []indexRow) []source.Part {
	out := make([]source.Part, len(x))
	for i, r := range x {
		out[i] = source.Part{Column: r.column.String, Descending: r.desc}
	}
	return out
}

// Index names are one name space for the whole file, so that a Loader puts the table's full name in front; it is taken
// off here. The name of an index that SQLite made for a UNIQUE clause may not be given to another one.
func indexName(prefix, table, name string) string {
	full := prefix + "_" + table
	if rest, ok := strings.CutPrefix(name, "sqlite_autoindex_"+full+"_"); ok {
		return "unique_" + rest
	}
	if hasFold(name, full+"_") && len(name) > len(full)+1 {
		return name[len(full)+1:]
	}
	return name
}

package mssql

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/openomt/omt/internal/source"
)

// Prefixes lists the schemas that hold a table called associate.
func (d *Driver) Prefixes(ctx context.Context) ([]string, error) {
	return each(ctx, d, `SELECT TABLE_SCHEMA FROM INFORMATION_SCHEMA.TABLES
		WHERE TABLE_TYPE = 'BASE TABLE' AND LOWER(TABLE_NAME) = 'associate' ORDER BY TABLE_SCHEMA`,
		func(r *sql.Rows) (s string, err error) { return s, r.Scan(&s) })
}

// each collects the rows of a catalog query.
func each[T any](ctx context.Context, d *Driver, q string, scan func(*sql.Rows) (T, error), args ...any) ([]T, error) {
	rows, err := d.db.QueryContext(ctx, q, args...)
	if err != nil {
		return nil, d.explain("reading the catalog of", err)
	}
	defer rows.Close()
	var out []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, d.explain("reading the catalog of", err)
		}
		out = append(out, v)
	}
	if err := rows.Err(); err != nil {
		return nil, d.explain("reading the catalog of", err)
	}
	return out, nil
}

// Catalog lists the tables of a schema. Names are INFORMATION_SCHEMA's, since other views may not keep letter case.
func (d *Driver) Catalog(ctx context.Context, prefix string) ([]source.Table, error) {
	cols, err := d.columns(ctx, prefix)
	if err != nil {
		return nil, err
	}
	views, err := d.views(ctx, prefix)
	if err != nil {
		return nil, err
	}
	marks, err := d.marks(ctx, prefix)
	if err != nil {
		return nil, err
	}
	indexes, err := d.indexes(ctx, prefix)
	if err != nil {
		return nil, err
	}
	var tables []source.Table
	for _, c := range cols {
		if strings.EqualFold(c.table, progressTable) || slices.Contains(views, c.table) {
			continue
		}
		if len(tables) == 0 || tables[len(tables)-1].Name != c.table {
			tables = append(tables, source.Table{Name: c.table})
		}
		t := &tables[len(tables)-1]
		m := marks[strings.ToLower(c.table+"."+c.name)]
		col := source.Column{
			Name: c.name, Type: source.ParseType(c.spelling()), Null: c.null, Collation: c.collation.String,
			Identity: m.identity, Computed: m.expression, Default: c.def.String,
		}
		if col.Type.SQL == "rowversion" {
			col.Default = ""
		}
		t.Columns = append(t.Columns, col)
	}
	for i := range tables {
		addIndexes(&tables[i], indexes[strings.ToLower(tables[i].Name)])
	}
	slices.SortFunc(tables, func(a, b source.Table) int {
		return cmp.Or(strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), strings.Compare(a.Name, b.Name))
	})
	return source.WithoutUserTable(tables), nil
}

type columnRow struct {
	table, name, typ       string
	null                   bool
	length, prec, scale    sql.NullInt64
	fraction               sql.NullInt64
	def, collation, isNull sql.NullString
}

// spelling writes the type as a declaration does.
func (c columnRow) spelling() string {
	switch strings.ToLower(c.typ) {
	case "char", "varchar", "nchar", "nvarchar", "binary", "varbinary":
		if c.length.Int64 < 0 {
			return c.typ + "(max)"
		}
		return fmt.Sprintf("%s(%d)", c.typ, c.length.Int64)
	case "decimal", "numeric":
		return fmt.Sprintf("%s(%d,%d)", c.typ, c.prec.Int64, c.scale.Int64)
	case "time", "datetime2", "datetimeoffset":
		return fmt.Sprintf("%s(%d)", c.typ, c.fraction.Int64)
	}
	return c.typ
}

// views lists the views of a schema. Joining INFORMATION_SCHEMA.TABLES to the columns instead takes Babelfish over a second.
func (d *Driver) views(ctx context.Context, prefix string) ([]string, error) {
	return each(ctx, d, `SELECT TABLE_NAME FROM INFORMATION_SCHEMA.VIEWS WHERE TABLE_SCHEMA = @p1`,
		func(r *sql.Rows) (s string, err error) { return s, r.Scan(&s) }, prefix)
}

// columns lists the columns of all tables and views of a schema.
func (d *Driver) columns(ctx context.Context, prefix string) ([]columnRow, error) {
	return each(ctx, d, `SELECT c.TABLE_NAME, c.COLUMN_NAME, c.DATA_TYPE, c.IS_NULLABLE, c.CHARACTER_MAXIMUM_LENGTH,
			c.NUMERIC_PRECISION, c.NUMERIC_SCALE, c.DATETIME_PRECISION, c.COLUMN_DEFAULT, c.COLLATION_NAME
		FROM INFORMATION_SCHEMA.COLUMNS c
		WHERE c.TABLE_SCHEMA = @p1
		ORDER BY c.TABLE_NAME, c.ORDINAL_POSITION`,
		func(r *sql.Rows) (c columnRow, err error) {
			var typ sql.NullString
			err = r.Scan(&c.table, &c.name, &typ, &c.isNull, &c.length, &c.prec, &c.scale, &c.fraction, &c.def, &c.collation)
			c.typ, c.null = typ.String, !strings.EqualFold(c.isNull.String, "NO")
			return c, err
		}, prefix)
}

// mark is what only the system's own views know of a column.
type mark struct {
	table, column string
	identity      bool
	expression    string
}

func (d *Driver) marks(ctx context.Context, prefix string) (map[string]mark, error) {
	rows, err := each(ctx, d, `SELECT t.name, c.name, c.is_identity, c.is_computed, x.definition
		FROM sys.columns c
		JOIN sys.tables t ON t.object_id = c.object_id
		JOIN sys.schemas s ON s.schema_id = t.schema_id
		LEFT JOIN sys.computed_columns x ON x.object_id = c.object_id AND x.column_id = c.column_id
		WHERE s.name = @p1 AND (c.is_identity = 1 OR c.is_computed = 1)`,
		func(r *sql.Rows) (m mark, err error) {
			var computed bool
			var def sql.NullString
			err = r.Scan(&m.table, &m.column, &m.identity, &computed, &def)
			if m.expression = def.String; computed && m.expression == "" {
				m.expression = "(NULL)" // a login without VIEW DEFINITION sees that it is computed, not how
			}
			return m, err
		}, prefix)
	if err != nil {
		return nil, err
	}
	out := map[string]mark{}
	for _, m := range rows {
		out[strings.ToLower(m.table+"."+m.column)] = m
	}
	return out, nil
}

type indexRow struct {
	table, name, column string
	id                  int
	primary, unique     bool
	desc, included      bool
	where               string
}

// indexes reads the columns of all ordinary indexes (clustered and nonclustered) in their order, included ones behind.
func (d *Driver) indexes(ctx context.Context, prefix string) (map[string][]indexRow, error) {
	rows, err := each(ctx, d, `SELECT t.name, i.name, c.name, i.index_id, i.is_primary_key, i.is_unique, k.is_descending_key,
			k.is_included_column, CASE WHEN i.has_filter = 1 THEN i.filter_definition END
		FROM sys.indexes i
		JOIN sys.tables t ON t.object_id = i.object_id
		JOIN sys.schemas s ON s.schema_id = t.schema_id
		JOIN sys.index_columns k ON k.object_id = i.object_id AND k.index_id = i.index_id
		JOIN sys.columns c ON c.object_id = k.object_id AND c.column_id = k.column_id
		WHERE s.name = @p1 AND i.type IN (1, 2) AND i.is_disabled = 0 AND i.is_hypothetical = 0
			AND (k.key_ordinal > 0 OR k.is_included_column = 1)
		ORDER BY t.name, i.index_id, k.is_included_column, k.key_ordinal, k.index_column_id`,
		func(r *sql.Rows) (x indexRow, err error) {
			var where sql.NullString
			err = r.Scan(&x.table, &x.name, &x.column, &x.id, &x.primary, &x.unique, &x.desc, &x.included, &where)
			x.where = where.String
			return x, err
		}, prefix)
	if err != nil {
		return nil, err
	}
	out := map[string][]indexRow{}
	for _, x := range rows {
		low := strings.ToLower(x.table)
		out[low] = append(out[low], x)
	}
	return out, nil
}

// addIndexes adds key and indexes. Without a primary key the first unique index over NOT NULL columns is the key.
func addIndexes(t *source.Table, rows []indexRow) {
	var groups [][]indexRow
	for _, x := range rows {
		if n := len(groups); n > 0 && groups[n-1][0].id == x.id {
			groups[n-1] = append(groups[n-1], x)
		} else {
			groups = append(groups, []indexRow{x})
		}
	}
	key := slices.IndexFunc(groups, func(g []indexRow) bool { return g[0].primary })
	if key < 0 {
		key = slices.IndexFunc(groups, func(g []indexRow) bool { return identifies(*t, g) })
	}
	for i, g := range groups {
		parts, more := columnsOf(*t, g)
		if i == key {
			for _, p := range parts {
				t.Key = append(t.Key, p.Column)
			}
			continue
		}
		t.Indexes = append(t.Indexes, source.Index{
			Name: g[0].name, On: source.FormatOn(parts), Unique: g[0].unique, Include: source.FormatOn(more), Where: g[0].where,
		})
	}
	slices.SortFunc(t.Indexes, func(a, b source.Index) int { return strings.Compare(a.Name, b.Name) })
}

// columnsOf gives the columns of an index in the table's spelling: those it is on, and included ones.
func columnsOf(t source.Table, g []indexRow) (on, included []source.Part) {
	for _, x := range g {
		p := source.Part{Column: x.column, Descending: x.desc}
		if c, ok := t.Column(x.column); ok {
			p.Column = c.Name
		}
		if x.included {
			p.Descending = false
			included = append(included, p)
		} else {
			on = append(on, p)
		}
	}
	return on, included
}

// identifies reports whether an index is as good as a key: it is over all rows, and none of its columns is NULL.
func identifies(t source.Table, g []indexRow) bool {
	return g[0].unique && g[0].where == "" && !slices.ContainsFunc(g, func(x indexRow) bool {
		c, ok := t.Column(x.column)
		return !x.included && (!ok || c.Null || c.Computed != "")
	})
}

package mssql

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/openomt/omt/internal/source"
)

// target is what the server that is filled can hold. Names are in lower case.
type target struct {
	collations map[string]bool // empty where it does not say
	types      map[string]bool // likewise
}

// lookAtTarget asks the server what it can hold.
func (l *Loader) lookAtTarget(ctx context.Context) (target, error) {
	var t target
	var err error
	if t.collations, err = l.names(ctx, "SELECT name FROM sys.fn_helpcollations()"); err != nil {
		return t, err
	}
	t.types, err = l.names(ctx, "SELECT DISTINCT name FROM sys.types")
	return t, err
}

func (l *Loader) names(ctx context.Context, q string) (map[string]bool, error) {
	names, err := each(ctx, l.d, q, func(r *sql.Rows) (s string, err error) { return s, r.Scan(&s) })
	if err != nil {
		return nil, err
	}
	out := map[string]bool{}
	for _, n := range names {
		out[strings.ToLower(n)] = true
	}
	return out, nil
}

// stored is the type that a column is made with. Values of a rowversion come from the server alone; a type that the
// server does not have becomes the bytes that its values are.
func (t target) stored(c source.Type) string {
	switch c.SQL {
	case "rowversion":
		return "binary(8)"
	case "hierarchyid":
		if !t.types[c.SQL] {
			return "varbinary(892)"
		}
	case "geography", "geometry":
		if !t.types[c.SQL] {
			return "varbinary(max)"
		}
	}
	return c.SQL
}

// collates reports whether a column is made with the collation that it is declared with.
func (t target) collates(c source.Column) bool {
	return c.Collation != "" && collatable(c.Type) && t.collations[strings.ToLower(c.Collation)]
}

// keepsDefault reports whether a column's default can be declared again. "::" is how a server that is not SQL Server
// shows a default, in a language that it does not take back.
func keepsDefault(c source.Column) bool {
	return c.Default != "" && !c.Identity && !strings.Contains(outside(c.Default), "::")
}

// notes says what is made otherwise than the source had it, sorted, each with the columns that it concerns.
func (t target) notes(tables []source.Table) []string {
	what := map[string][]string{}
	note := func(table source.Table, c source.Column, format string, args ...any) {
		text := fmt.Sprintf(format, args...)
		what[text] = append(what[text], table.Name+"."+c.Name)
	}
	for _, table := range tables {
		for _, c := range table.Columns {
			if c.Computed != "" {
				continue
			}
			if s := t.stored(c.Type); s != c.Type.SQL {
				note(table, c, "%s was made %s", c.Type.SQL, s)
			}
			if c.Collation != "" && collatable(c.Type) && !t.collates(c) {
				note(table, c, "collation %s is not known to the server, the database's is used", c.Collation)
			}
			if c.Default != "" && !c.Identity && !keepsDefault(c) {
				note(table, c, "the default is not in SQL Server's language and was left out")
			}
		}
	}
	var out []string
	for text, columns := range what {
		more := ""
		if len(columns) > 10 {
			more = fmt.Sprintf(" and %d more", len(columns)-10)
			columns = columns[:10]
		}
		out = append(out, text+": "+strings.Join(columns, ", ")+more)
	}
	slices.Sort(out)
	return out
}

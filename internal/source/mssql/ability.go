package mssql

import (
	"context"
	"database/sql"
	"strings"

	"github.com/openomt/omt/internal/source"
)

// ability is what the server that is filled can hold. Names are in lower case.
type ability struct {
	collations map[string]bool // empty where it does not say
	types      map[string]bool // likewise
}

// lookAtServer asks what the server can hold.
func (l *Loader) lookAtServer(ctx context.Context) (ability, error) {
	var t ability
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
func (t ability) stored(c source.Type) string {
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
func (t ability) collates(c source.Column) bool {
	return c.Collation != "" && collatable(c.Type) && t.collations[strings.ToLower(c.Collation)]
}

// keepsDefault reports whether a column's default can be declared again. "::" is how a server that is not SQL Server
// shows a default, in a language that it does not take back.
func keepsDefault(c source.Column) bool {
	return c.Default != "" && !c.Identity && !strings.Contains(outside(c.Default), "::")
}

// notes says what of the tables is made otherwise than the source had it.
func (t ability) notes(prefix string, tables []source.Table) []source.Note {
	var notes []source.Note
	for _, table := range tables {
		for _, c := range table.Stored() {
			note := func(thing, what string) {
				notes = append(notes, source.Note{Thing: thing, What: what, Name: prefix + "." + table.Name + "." + c.Name})
			}
			if s := t.stored(c.Type); s != c.Type.SQL {
				note("column", "of type "+c.Type.SQL+" made "+s)
			}
			if c.Collation != "" && collatable(c.Type) && !t.collates(c) {
				note("column", "of collation "+c.Collation+", which the server does not know, made with the database's")
			}
			if c.Default != "" && !c.Identity && !keepsDefault(c) {
				note("default", "left out for not being T-SQL")
			}
		}
	}
	return notes
}

package freeze

import (
	"context"

	"github.com/openomt/omt/internal/source"
)

// Database is what a driver implements beside source.Driver, for the few rows that a freeze changes.
type Database interface {
	// URL names the database without user info.
	URL() string
	// Catalog lists the tables under prefix, as source.Driver has it.
	Catalog(ctx context.Context, prefix string) ([]source.Table, error)
	// Change runs fn in one transaction, which is committed when fn returns nil and rolled back otherwise. Its changes are
	// durable when Change returns nil; an error of the commit leaves open whether they are.
	Change(ctx context.Context, prefix string, fn func(tx Tx) error) error
	Close() error
}

// Tx is one transaction of a Database. Tables and columns are those of Catalog.
type Tx interface {
	// Rows reads the stored columns of a table as canonical values (source.Kind): the rows that at names, locked as far as
	// the engine can, or all.
	Rows(ctx context.Context, t source.Table, at *Key) ([]source.Row, error)
	// Insert puts in a row with values for these columns.
	Insert(ctx context.Context, t source.Table, columns []source.Column, row source.Row) error
	// Swap changes the integer in a column of the row at key from one value to another, and reports false where the row
	// does not hold the first.
	Swap(ctx context.Context, t source.Table, at Key, column string, from, to int64) (bool, error)
	// Delete deletes the row at key and reports whether there was one.
	Delete(ctx context.Context, t source.Table, at Key) (bool, error)
}

// Key names a row by an integer column.
type Key struct {
	Column string
	Value  int64
}

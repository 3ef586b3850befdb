package source

import (
	"context"
	"iter"
)

// Loader fills an empty database: on the tenant's side from chunks, and for the sample installation. An engine
// implements it beside its Driver. All its work is restartable: what Load acknowledged stays, and nothing is doubled.
type Loader interface {
	// URL names the database without user info, in the same form as Driver.URL.
	URL() string
	// Fingerprint is what Driver.Fingerprint would give, were the database opened for reading. A database that is not there
	// yet has the fingerprint of none that is.
	Fingerprint(ctx context.Context) (string, error)
	// Begin makes the tables of a run that is named by id. A database that already holds tables under the prefix is
	// refused, unless they are of an unfinished run with the same id, which is then gone on with.
	Begin(ctx context.Context, id, prefix string, tables []Table) error
	// Loaded reports whether the part was loaded already.
	Loaded(ctx context.Context, part string) (bool, error)
	// Load inserts rows (canonical values, see Kind) into t and records the part in the same transaction. Identity
	// values are kept. It returns the number of rows.
	Load(ctx context.Context, part string, t Table, rows iter.Seq2[Row, error]) (int64, error)
	// RemoveAddress deletes the e-mail rows of a person with that address and returns how many there were.
	RemoveAddress(ctx context.Context, person int64, email string) (int64, error)
	// Finish builds keys and indexes that were left for later and forgets the progress records. After it the run's
	// tables are as the source had them, and Begin refuses.
	Finish(ctx context.Context) error
	// Notes lists, after Begin, what of the run's tables is made otherwise than they are declared. A run that is gone on with
	// has the same notes again.
	Notes() []Note
	Close() error
}

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

// Loader fills a SQLite file. It implements source.Loader and is for one goroutine. Begin, every Load and Finish are one
// transaction each, synced to disk; a killed Loader leaves at most a rollback journal, which the next one applies.
type Loader struct {
	d      *Driver
	db     *sql.DB
	conn   *sql.Conn
	id     string
	prefix string
	tables []source.Table
}

var _ source.Loader = (*Loader)(nil)

// OpenLoader opens a file to be filled ("sqlite:PATH" or a path). The file is made by Begin when it is not there.
func OpenLoader(rawURL string) (*Loader, error) {
	path, err := Path(rawURL)
	if err != nil {
		return nil, err
	}
	// secure_delete writes zeros over what is freed, so that nothing of a run's name stays in the file.
	db, err := sql.Open("sqlite", dsn(path, "mode=rwc", "_pragma=busy_timeout(10000)", "_pragma=journal_mode(delete)",
		"_pragma=synchronous(full)", "_pragma=secure_delete(1)"))
	if err != nil {
		return nil, manifest.Errorf(manifest.Usage, "opening database %q: %w", path, err)
	}
	db.SetMaxOpenConns(1)
	return &Loader{d: &Driver{db: db, path: path}, db: db}, nil
}

// URL returns "sqlite:" and the file's absolute path.
func (l *Loader) URL() string { return l.d.URL() }

// Fingerprint is that of the file, or of one that will be made.
func (l *Loader) Fingerprint(ctx context.Context) (string, error) { return l.d.Fingerprint(ctx) }

// Close closes the file. What was loaded stays.
func (l *Loader) Close() error {
	if l.conn == nil {
		return l.db.Close()
	}
	return errors.Join(l.conn.Close(), l.db.Close())
}

// Begin makes the tables, or goes on with an unfinished run of the same id and prefix.
func (l *Loader) Begin(ctx context.Context, id, prefix string, tables []source.Table) error {
	if err := checkNames(prefix, tables); err != nil {
		return err
	}
	for _, t := range tables {
		if err := source.Loadable(t); err != nil {
			return err
		}
	}
	if l.conn == nil {
		conn, err := l.db.Conn(ctx)
		if err != nil {
			return l.d.explain("opening database", err)
		}
		l.conn = conn
	}
	l.id, l.prefix, l.tables = id, prefix, tables
	return l.inTx(ctx, func(tx *sql.Tx) error {
		unfinished, err := l.unfinished(ctx, tx)
		if err != nil {
			return err
		}
		if !unfinished {
			if err := exec(ctx, tx, `CREATE TABLE `+progressTable+` (run TEXT NOT NULL, part TEXT NOT NULL, PRIMARY KEY (run, part))`); err != nil {
				return err
			}
			// A part is never called "": this row stands for the run itself.
			if err := exec(ctx, tx, `INSERT INTO `+progressTable+` VALUES (?, '')`, l.runName()); err != nil {
				return err
			}
		}
		for _, t := range tables {
			if err := exec(ctx, tx, createTable(prefix, t)); err != nil {
				return fmt.Errorf("making table %q: %w", t.Name, err)
			}
		}
		return nil
	})
}

// runName tells runs apart; one id under two prefixes is two runs.
func (l *Loader) runName() string { return l.id + " " + l.prefix }

func checkNames(prefix string, tables []source.Table) error {
	if prefix == "" {
		return manifest.Errorf(manifest.Usage, "loading needs a prefix for the tables' names")
	}
	seen := map[string]bool{}
	for _, t := range tables {
		full := strings.ToLower(prefix + "_" + t.Name)
		if t.Name == "" || full == progressTable || seen[full] {
			return manifest.Errorf(manifest.Refused, "table %q cannot be made under prefix %q: the name is taken", t.Name, prefix)
		}
		seen[full] = true
	}
	return nil
}

// unfinished reports whether this run was begun before. Anything else under the prefix, or of another run, is refused.
func (l *Loader) unfinished(ctx context.Context, tx *sql.Tx) (bool, error) {
	var there int
	q := `SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = '` + progressTable + `'`
	if err := tx.QueryRowContext(ctx, q).Scan(&there); err != nil {
		return false, l.d.explain("reading database", err)
	}
	if there > 0 {
		var run string
		err := tx.QueryRowContext(ctx, `SELECT run FROM `+progressTable+` WHERE part = ''`).Scan(&run)
		if err != nil {
			return false, l.d.explain("reading database", err)
		}
		if run == l.runName() {
			return true, nil
		}
		return false, manifest.Errorf(manifest.Refused, "database %q holds another unfinished load (%s)", l.d.path, run).
			WithHint("finish that one, or give an empty database")
	}
	return false, l.refuseTaken(ctx, tx)
}

// refuseTaken refuses a prefix that tables have already. Letter case is compared here, since SQLite's LOWER knows the
// letters of ASCII alone.
func (l *Loader) refuseTaken(ctx context.Context, tx *sql.Tx) error {
	rows, err := tx.QueryContext(ctx, `SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name`)
	if err != nil {
		return l.d.explain("reading database", err)
	}
	defer rows.Close()
	n, first := 0, ""
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return l.d.explain("reading database", err)
		}
		if hasFold(name, l.prefix+"_") {
			if n++; n == 1 {
				first = name
			}
		}
	}
	if err := rows.Err(); err != nil {
		return l.d.explain("reading database", err)
	}
	if n > 0 {
		return manifest.Errorf(manifest.Refused, "database %q already holds %d tables under prefix %q (%q)",
			l.d.path, n, l.prefix, first).WithHint("give an empty database, or another prefix")
	}
	return nil
}

// inTx runs fn in a transaction that takes the write lock at once.
func (l *Loader) inTx(ctx context.Context, fn func(tx *sql.Tx) error) error {
	if l.conn == nil {
		return errors.New("loading before Begin")
	}
	tx, err := l.conn.BeginTx(ctx, nil)
	if err != nil {
		return l.d.explain("writing database", err)
	}
	if err := fn(tx); err != nil {
		return errors.Join(err, rollback(tx))
	}
	if err := tx.Commit(); err != nil {
		return l.d.explain("writing database", err)
	}
	return nil
}

func rollback(tx *sql.Tx) error {
	if err := tx.Rollback(); err != nil && !errors.Is(err, sql.ErrTxDone) {
		return err
	}
	return nil
}

func exec(ctx context.Context, tx *sql.Tx, q string, args ...any) error {
	_, err := tx.ExecContext(ctx, q, args...)
	return err
}

// Loaded reports whether the part was loaded already.
func (l *Loader) Loaded(ctx context.Context, part string) (bool, error) {
	if l.conn == nil {
		return false, errors.New("loading before Begin")
	}
	var n int
	err := l.conn.QueryRowContext(ctx, `SELECT COUNT(*) FROM `+progressTable+` WHERE run = ? AND part = ?`, l.runName(), part).Scan(&n)
	if err != nil {
		return false, l.d.explain("reading database", err)
	}
	return n > 0, nil
}

// maxBatch is how many values one INSERT carries at most, where a row does not have more.
const maxBatch = 512

// Load inserts the rows and records the part, or does nothing. A part that was loaded already is an error.
func (l *Loader) Load(ctx context.Context, part string, t source.Table, rows iter.Seq2[source.Row, error]) (n int64, err error) {
	if part == "" {
		return 0, errors.New("loading a part without a name")
	}
	err = l.inTx(ctx, func(tx *sql.Tx) error {
		if err := exec(ctx, tx, `INSERT INTO `+progressTable+` VALUES (?, ?)`, l.runName(), part); err != nil {
			return fmt.Errorf("part %q: %w", part, err)
		}
		w, err := newInserter(ctx, tx, l.prefix, t)
		if err != nil {
			return err
		}
		defer w.close()
		for row, err := range rows {
			if err != nil {
				return err
			}
			if err := w.add(ctx, row); err != nil {
				return err
			}
		}
		n = w.rows
		return w.flush(ctx)
	})
	if err != nil {
		return 0, fmt.Errorf("loading table %q: %w", t.Name, err)
	}
	return n, nil
}

// inserter collects rows into INSERT statements of several rows.
type inserter struct {
	tx     *sql.Tx
	prefix string
	table  source.Table
	cols   []source.Column
	batch  int // rows
	many   *sql.Stmt
	args   []any
	bytes  int // of the rows that are collected
	rows   int64
}

// maxBytes is what the rows of one INSERT take at most, where a row does not take more.
const maxBytes = 1 << 20

func newInserter(ctx context.Context, tx *sql.Tx, prefix string, t source.Table) (*inserter, error) {
	w := &inserter{tx: tx, prefix: prefix, table: t, cols: t.Stored()}
	w.batch = max(1, maxBatch/len(w.cols))
	var err error
	w.many, err = tx.PrepareContext(ctx, insert(prefix, t, w.batch))
	return w, err
}

func (w *inserter) close() { w.many.Close() }

func (w *inserter) add(ctx context.Context, row source.Row) error {
	if len(row) != len(w.cols) {
		return fmt.Errorf("row %d has %d values for %d columns", w.rows+1, len(row), len(w.cols))
	}
	for i := range w.cols {
		if row[i] == nil && !w.cols[i].Null { // a row's number would be made up
			return fmt.Errorf("row %d, column %q: NULL in a column that is NOT NULL", w.rows+1, w.cols[i].Name)
		}
		v, err := bind(w.cols[i].Type, row[i])
		if err != nil {
			return fmt.Errorf("row %d, column %q: %w", w.rows+1, w.cols[i].Name, err)
		}
		w.args = append(w.args, v)
	}
	w.rows++
	if w.bytes += row.Size(); w.bytes >= maxBytes {
		return w.flush(ctx)
	}
	if len(w.args) < w.batch*len(w.cols) {
		return nil
	}
	_, err := w.many.ExecContext(ctx, w.args...)
	w.forget()
	return err
}

// flush inserts what is left.
func (w *inserter) flush(ctx context.Context) error {
	if len(w.args) == 0 {
		return nil
	}
	err := exec(ctx, w.tx, insert(w.prefix, w.table, len(w.args)/len(w.cols)), w.args...)
	w.forget()
	return err
}

// forget lets go of the rows that were inserted.
func (w *inserter) forget() {
	clear(w.args)
	w.args, w.bytes = w.args[:0], 0
}

// RemoveAddress deletes the e-mail rows of a person that hold the address, compared without regard to letter case and
// surrounding blanks.
func (l *Loader) RemoveAddress(ctx context.Context, person int64, email string) (n int64, err error) {
	t, ok := source.FindTable(l.tables, "email")
	if !ok {
		return 0, errors.New("removing an address: there is no table \"email\"")
	}
	q, err := source.AddressQuery(l.d, l.prefix, t)
	if err != nil {
		return 0, err
	}
	err = l.inTx(ctx, func(tx *sql.Tx) error {
		ids, err := source.MatchAddresses(ctx, tx, q.Select, person, email)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err := exec(ctx, tx, q.Delete, sql.Named("p1", id)); err != nil {
				return err
			}
		}
		n = int64(len(ids))
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("removing an address of person %d: %w", person, err)
	}
	return n, nil
}

// Finish builds the indexes and drops the progress table, in one transaction.
func (l *Loader) Finish(ctx context.Context) error {
	return l.inTx(ctx, func(tx *sql.Tx) error {
		for _, t := range l.tables {
			for _, x := range t.Indexes {
				if x.Unique && x.Where != "" {
					continue // without its condition, which is in another language, it would refuse rows
				}
				q, err := createIndex(l.prefix, t, x)
				if err != nil {
					return err
				}
				if err := exec(ctx, tx, q); err != nil {
					return fmt.Errorf("building index %q of table %q: %w", x.Name, t.Name, err)
				}
			}
		}
		return exec(ctx, tx, `DROP TABLE `+progressTable)
	})
}

package e2e

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// ledger is four tables of a database in which somebody works: in each transaction a sum goes from an account (a table with
// updated and updatedCount) to a saving (one without), an entry comes for one that goes, and the version counts up. Numbers
// of rows and the sum of all sums never change, and what the tables held at any version can be made again.
type ledger struct {
	t    testing.TB
	db   *sql.DB
	ref  string // what stands before a table's name
	size int64
	stop context.CancelFunc
	done sync.WaitGroup

	mu  sync.Mutex
	ops map[int64]op // by version
}

type op struct{ from, to, sum, who int64 }

// rows is what the ledger's tables hold, each row by its key as text.
type rows map[string]map[int64]string

var ledgerTables = []string{"y_account", "y_entry", "y_saving", "y_version"}

// newLedger makes the tables. integer is the type of a key.
func newLedger(t testing.TB, db *sql.DB, ref, integer string) *ledger {
	t.Helper()
	l := &ledger{t: t, db: db, ref: ref, size: 3000, ops: map[int64]op{}}
	l.execute("CREATE TABLE "+ref+"y_account (id "+integer+" NOT NULL PRIMARY KEY, amount int NOT NULL, updated datetime NOT NULL, updated_associate_id int NOT NULL, updatedCount int NOT NULL)",
		"CREATE TABLE "+ref+"y_saving (id "+integer+" NOT NULL PRIMARY KEY, amount int NOT NULL)",
		"CREATE TABLE "+ref+"y_entry (id "+integer+" NOT NULL PRIMARY KEY, amount int NOT NULL)",
		"CREATE TABLE "+ref+"y_version (id "+integer+" NOT NULL PRIMARY KEY, n int NOT NULL)",
		"INSERT INTO "+ref+"y_version VALUES (1, 0)")
	for first := int64(0); first < l.size; first += 500 {
		var accounts, savings, entries []string
		for i := first; i < first+500; i++ {
			accounts = append(accounts, fmt.Sprintf("(%d, 1000, '2026-01-01 00:00:00', 1, 0)", i))
			savings = append(savings, fmt.Sprintf("(%d, 0)", i))
			entries = append(entries, fmt.Sprintf("(%d, 0)", i-l.size+1))
		}
		l.execute("INSERT INTO "+ref+"y_account VALUES "+strings.Join(accounts, ", "), "INSERT INTO "+ref+"y_saving VALUES "+strings.Join(savings, ", "),
			"INSERT INTO "+ref+"y_entry VALUES "+strings.Join(entries, ", "))
	}
	return l
}

func (l *ledger) execute(statements ...string) {
	l.t.Helper()
	for _, q := range statements {
		if _, err := l.db.Exec(q); err != nil {
			l.t.Fatalf("%.200s: %v", q, err)
		}
	}
}

// at is what the tables held at a version.
func (l *ledger) at(version int64) rows {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := rows{"y_version": {1: fmt.Sprint(version)}, "y_account": {}, "y_saving": {}, "y_entry": {}}
	account, count, saving := map[int64]int64{}, map[int64]int64{}, map[int64]int64{}
	for n := int64(1); n <= version; n++ {
		o, ok := l.ops[n]
		if !ok {
			l.t.Fatalf("version %d was never made", n)
		}
		account[o.from] -= o.sum
		count[o.from]++
		saving[o.to] += o.sum
	}
	for i := range l.size {
		r["y_account"][i] = fmt.Sprint(1000+account[i], " ", count[i])
		r["y_saving"][i] = fmt.Sprint(saving[i])
		if n := version - i; n > 0 {
			r["y_entry"][n] = fmt.Sprint(l.ops[n].sum)
		} else {
			r["y_entry"][n] = "0"
		}
	}
	return r
}

// work lets two people work until end is called, and returns when they have begun.
func (l *ledger) work() {
	l.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	l.stop = stop
	l.t.Cleanup(l.end)
	for who := int64(1); who <= 2; who++ {
		l.done.Go(func() {
			for n := who; ctx.Err() == nil; n += 7 {
				if err := l.transact(ctx, op{from: n * 31 % l.size, to: n * 17 % l.size, sum: n%9 + 1, who: who}); err != nil && ctx.Err() == nil {
					l.t.Errorf("working: %v", err)
					return
				}
			}
		})
	}
	for begun := l.version(); l.version() < begun+20; time.Sleep(time.Millisecond) {
		if l.t.Failed() {
			l.t.FailNow()
		}
	}
}

// end ends the work.
func (l *ledger) end() {
	if l.stop != nil {
		l.stop()
	}
	l.done.Wait()
}

// version is how many transactions were made.
func (l *ledger) version() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return int64(len(l.ops))
}

// transact makes one transaction. It is not broken off in the middle, since nobody would know how it ended.
func (l *ledger) transact(ctx context.Context, o op) error {
	if ctx.Err() != nil {
		return nil
	}
	tx, err := l.db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	var n int64
	if _, err = tx.Exec("UPDATE " + l.ref + "y_version SET n = n + 1"); err == nil {
		err = tx.QueryRow("SELECT n FROM " + l.ref + "y_version").Scan(&n)
	}
	for _, q := range []string{
		// The clock of the one is some years behind.
		fmt.Sprintf("UPDATE %sy_account SET amount = amount - %d, updated = '%d-01-01 00:00:00', updated_associate_id = %d, updatedCount = updatedCount + 1 WHERE id = %d",
			l.ref, o.sum, 2010+o.who*20, o.who, o.from),
		fmt.Sprintf("UPDATE %sy_saving SET amount = amount + %d WHERE id = %d", l.ref, o.sum, o.to),
		fmt.Sprintf("INSERT INTO %sy_entry VALUES (%d, %d)", l.ref, n, o.sum),
		fmt.Sprintf("DELETE FROM %sy_entry WHERE id = %d", l.ref, n-l.size),
	} {
		if err == nil {
			_, err = tx.Exec(q)
		}
	}
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := tx.Commit(); err != nil {
		return err
	}
	l.ops[n] = o
	return nil
}

// unpacked unpacks and holds the ledger against what it was at the version that it says; it returns that version.
func (l *ledger) unpacked(s *site) int64 {
	l.t.Helper()
	for _, dir := range []string{"out", "dest", "out.sqlite", "done.jsonl"} {
		os.RemoveAll(s.path(dir))
	}
	s.want(3, append(pushStep, "--keep")...)
	s.want(0, "omt-pack", "unpack", "--from", "dest", "--db", "sqlite:out.sqlite")
	db, err := sql.Open("sqlite", s.path("out.sqlite"))
	if err != nil {
		l.t.Fatal(err)
	}
	defer db.Close()
	prefix := strings.ReplaceAll(l.ref, ".", "_")
	got := rows{}
	for table, columns := range map[string]string{"y_account": "amount || ' ' || updatedCount", "y_saving": "amount", "y_entry": "amount", "y_version": "n"} {
		got[table] = map[int64]string{}
		list, err := db.Query("SELECT id, " + columns + " FROM " + prefix + table)
		if err != nil {
			l.t.Fatal(err)
		}
		for list.Next() {
			var id int64
			var text string
			if err := list.Scan(&id, &text); err != nil {
				l.t.Fatal(err)
			}
			got[table][id] = text
		}
		list.Close()
	}
	var version int64
	if _, err := fmt.Sscan(got["y_version"][1], &version); err != nil {
		l.t.Fatal(err)
	}
	want := l.at(version)
	for _, table := range ledgerTables {
		if !maps.Equal(want[table], got[table]) {
			n := 0
			for id, text := range want[table] {
				if got[table][id] != text {
					n++
				}
			}
			l.t.Errorf("at version %d table %s has %d rows, and %d that are not what they were then", version, table, len(got[table]), n)
		}
	}
	return version
}

// snapshot packs while somebody works, and what comes out is one moment of that.
func (l *ledger) snapshot(s *site, step []string) {
	l.t.Helper()
	l.work()
	before := l.version()
	s.want(0, step...)
	after := l.version()
	l.end()
	version := l.unpacked(s)
	l.t.Logf("version %d to %d while it packed; packed %d", before, after, version)
	if version < before || version >= after || after < before+20 {
		l.t.Errorf("version %d was packed, and the work went from %d to %d: this proves too little", version, before, after)
	}
}

// The whole road from SQLite, whose views are of one moment, while somebody works in the database.
func TestLedgerInSQLite(t *testing.T) {
	s := newSite(t)
	s.want(0, "omt-scan", "sample", "--dir", "inst", "--documents", documents)
	db, err := sql.Open("sqlite", s.path("inst", "crm.sqlite")+"?_pragma=busy_timeout(60000)&_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("PRAGMA journal_mode=wal"); err != nil { // else nobody could work while it is read
		t.Fatal(err)
	}
	l := newLedger(t, db, "crm7_", "integer")
	s.want(3, scanStep...)
	s.want(0, assignStep...)
	l.snapshot(s, packStep)
}

// From a server: in a snapshot as above. Without one, who works on is named with the tables, and no other table is; when
// the work ends, what comes out is what the database holds.
func TestLedgerInSQLServer(t *testing.T) {
	srv := theServer(t)
	at := srv.create(t, "ledger")
	s := newSite(t)
	s.env = srv.env()
	s.want(0, "omt-scan", "sample", "--documents", documents, "--dir", "inst", "--db", at)
	l := newLedger(t, srv.open(t, at), "crm7.", "int")
	s.want(3, append(scanStep, "--db", at)...)
	s.want(0, assignStep...)
	off := append(slices.Clone(packStep), "--db", at+"&snapshot=off")

	l.snapshot(s, append(slices.Clone(packStep), "--db", at))

	l.work()
	r := s.want(5, append(off, "--settle", "3s")...)
	l.end()
	for _, want := range []string{"blocked by table-changed (4: table:y_account, table:y_entry, table:y_saving", "it was changed (by "} {
		if !strings.Contains(r.err, want) {
			t.Errorf("it does not say %q: %s", want, r.err)
		}
	}

	// By marks alone: what does not show in them is not seen.
	l.work()
	r = s.want(5, append(off, "--settle", "0")...)
	l.end()
	if !strings.Contains(r.err, "blocked by table-changed (2: table:y_account, table:y_entry)") {
		t.Errorf("it does not say what it sees: %s", r.err)
	}

	l.work()
	var over sync.WaitGroup
	over.Go(func() {
		for ; !t.Failed(); time.Sleep(5 * time.Millisecond) {
			if b, err := os.ReadFile(s.path("again.log")); err == nil && strings.Contains(string(b), "read again") {
				break
			}
		}
		l.end()
	})
	s.want(0, append(off, "--settle", "2m", "--log", "again.log")...)
	over.Wait()
	if version := l.unpacked(s); version != l.version() {
		t.Errorf("version %d was packed, and the work ended with %d", version, l.version())
	}
}

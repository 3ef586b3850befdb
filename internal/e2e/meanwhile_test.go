package e2e

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// author makes documents like one that is there: the file, and then the rows of document and appointment at once.
type author struct {
	t     testing.TB
	db    *sql.DB
	dir   string // of the files, in the archive
	below string // the same, as paths of records have it
	like  int64  // the document
	made  map[string]int64
}

func newAuthor(t testing.TB, s *site, scanned []byte) *author {
	t.Helper()
	db, err := sql.Open("sqlite", s.path("inst", "crm.sqlite")+"?_pragma=busy_timeout(60000)&_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("PRAGMA journal_mode=wal"); err != nil { // else nobody could work while it is read
		t.Fatal(err)
	}
	a := &author{t: t, db: db, made: map[string]int64{}}
	root := records(t, scanned, "installation")[0]["roots"].(map[string]any)["document"].([]any)[0].(string)
	for _, f := range records(t, scanned, "file") {
		if f["area"] == "document" && f["state"] == "present" && f["disk"] == nil && f["also"] == nil {
			a.like, _ = f["id"].(json.Number).Int64()
			a.below = path.Dir(f["path"].(string))
			a.dir = filepath.Join(root, filepath.FromSlash(a.below))
			return a
		}
	}
	t.Fatal("the sample has no document to copy")
	return nil
}

// make makes a document.
func (a *author) make(id int64) error {
	name := fmt.Sprintf("made-%d.txt", id)
	if err := os.WriteFile(filepath.Join(a.dir, name), []byte("made meanwhile: "+name), 0o644); err != nil {
		return err
	}
	tx, err := a.db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for table, set := range map[string]string{
		"crm7_document":    fmt.Sprintf("document_id = %d, appointment_id = %d, name = '%s'", id, id, name),
		"crm7_appointment": fmt.Sprintf("appointment_id = %d, document_id = %d", id, id),
	} {
		for _, q := range []string{
			"DROP TABLE IF EXISTS temp.made", fmt.Sprintf("CREATE TEMP TABLE made AS SELECT * FROM %s WHERE document_id = %d LIMIT 1", table, a.like),
			"UPDATE temp.made SET " + set, "INSERT INTO " + table + " SELECT * FROM temp.made",
		} {
			if _, err := tx.Exec(q); err != nil {
				return fmt.Errorf("%s: %w", q, err)
			}
		}
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	a.made[path.Join(a.below, name)] = id
	return nil
}

// found are the records of documents that the author made, each path with its state.
func (a *author) found(packed []byte) map[string]string {
	list := map[string]string{}
	for _, f := range records(a.t, packed, "file") {
		if p, _ := f["path"].(string); strings.HasPrefix(path.Base(p), "made-") {
			list[p] = fmt.Sprint(f["state"])
		}
	}
	return list
}

// What the scan lists is a forecast: documents that are made after it are packed, rows and files. Those that are made while
// the packing runs are packed as far as their rows are of its moment; the others are files without a row, or not listed,
// and the next run has them. None is a row without its file.
func TestDocumentsMadeMeanwhile(t *testing.T) {
	s := newSite(t)
	s.want(0, "omt-scan", "sample", "--dir", "inst", "--documents", documents)
	s.want(3, scanStep...)
	a := newAuthor(t, s, s.read("scan.jsonl"))
	s.want(0, assignStep...)
	const before = 5
	id := int64(1_000_000)
	for range before {
		id++
		if err := a.make(id); err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() {
		var err error
		for last := id + 3000; err == nil && ctx.Err() == nil && id < last; time.Sleep(time.Millisecond) {
			id++
			err = a.make(id)
		}
		failed <- err
	}()
	s.want(0, packStep...)
	stop()
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
	s.want(3, append(pushStep, "--keep")...)
	s.want(0, unpackStep...)
	db, err := sql.Open("sqlite", s.path("out.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	list, err := db.Query("SELECT d.name, COUNT(a.appointment_id) FROM crm7_document d LEFT JOIN crm7_appointment a ON a.document_id = d.document_id WHERE d.document_id > 1000000 GROUP BY d.name")
	if err != nil {
		t.Fatal(err)
	}
	defer list.Close()
	states := a.found(s.read("packed.jsonl"))
	rows := 0
	for list.Next() {
		var name string
		var appointments int
		if err := list.Scan(&name, &appointments); err != nil {
			t.Fatal(err)
		}
		rows++
		at := path.Join(a.below, name)
		if states[at] != "present" || appointments != 1 || string(s.read("out", "document", filepath.FromSlash(at))) != "made meanwhile: "+name {
			t.Errorf("document %q has a row and %d appointments, and its file is %q", at, appointments, states[at])
		}
		delete(states, at)
	}
	for at, state := range states {
		if state != "no-row" || s.has("out", "document", filepath.FromSlash(at)) {
			t.Errorf("document %q has no row in the moment that was packed, and its file is %q", at, state)
		}
	}
	t.Logf("%d documents were made, %d of them after the scan and before the packing; rows of %d were packed, %d files had none yet", len(a.made), before, rows, len(states))
	if rows < before || len(a.made) <= rows {
		t.Error("this proves too little")
	}

	// The next run has all of them.
	s.want(0, packStep...)
	states = a.found(s.read("packed.jsonl"))
	for at := range a.made {
		if states[at] != "present" {
			t.Errorf("document %q is %q in the next run", at, states[at])
		}
	}
}

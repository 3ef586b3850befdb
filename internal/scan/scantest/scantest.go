// Package scantest makes a small installation for tests: a SQLite database, a document archive, Service folders and
// omt.json. It has one of each thing that a scan tells apart, and can be changed before it is written.
package scantest

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/openomt/omt/internal/source"
	"github.com/openomt/omt/internal/source/sqlite"
)

// Site is an installation that is not written yet. Its table DatabaseModel, where it has no rows, is given a model that
// names the tables there are.
type Site struct {
	Dir    string
	Prefix string
	Tables []*Table
	Files  map[string]string // below Dir; a name that ends with / is a folder
}

// Table is a table with its rows. Columns are "name type", a key with "!" behind the type; the first column is the key
// where none is marked.
type Table struct {
	Name    string
	Columns []string
	Rows    [][]any
}

// Migrator are the flags that say who migrates, without asking.
func Migrator() []string {
	return []string{"--login", "KK", "--migrator-name", "Karl Klopp", "--migrator-email", "kk@example.com",
		"--migrator-phone", "93466018", "--migrator-language", "en"}
}

// New makes an installation below dir.
func New(dir string) *Site {
	s := &Site{Dir: dir, Prefix: "crm7", Tables: tables(dir), Files: map[string]string{
		"so_arc/KK/2002.1/offer.doc":      "offer",
		"so_arc/GKS/2002.2/blåbær 文書.txt": "letter",
		"so_arc/GKS/2002.2/nobody.doc":    "no row",
		"so_arc/kk/mail.htm":              "signature",
		"so_arc/TEMPLATE/letter.dotx":     "template",
		"so_arc/TEMPLATE/NO/letter.dotx":  "mal",
		"cs/config":                       "dbHost = sql1\ndbPassword = s3cret-of-service\n",
		"cs/www/index.html":               "<html>",
		"cs_text/mail.txt":                "text",
		"att/1.png":                       "one",
		"att/2.png":                       "two!",
		"omt.json":                        omtJSON,
	}}
	return s
}

const omtJSON = `{
  "db": "sqlite:crm.sqlite",
  "prefix": "CRM7",
  "roots": {"document": ["so_arc"], "service": ["cs"]},
  "map": ["D:\\CS=."],
  "login": "KK",
  "migrator": {"name": "Karl Klopp", "email": "kk@example.com", "phone": "93466018", "language": "en"}
}
`

// Table returns a table by name.
func (s *Site) Table(name string) *Table {
	for _, t := range s.Tables {
		if t.Name == name {
			return t
		}
	}
	panic("no table " + name)
}

// Drop takes a table out.
func (s *Site) Drop(name string) {
	s.Tables = slices.DeleteFunc(s.Tables, func(t *Table) bool { return t.Name == name })
}

// Add adds a row to a table.
func (s *Site) Add(table string, row ...any) { t := s.Table(table); t.Rows = append(t.Rows, row) }

// URL names the database.
func (s *Site) URL() string { return "sqlite:" + filepath.Join(s.Dir, "crm.sqlite") }

// Write writes database and files.
func (s *Site) Write(ctx context.Context) error {
	for name, content := range s.Files {
		path := filepath.Join(s.Dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return err
		}
		if strings.HasSuffix(name, "/") {
			if err := os.MkdirAll(path, 0o777); err != nil {
				return err
			}
			continue
		}
		if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
			return err
		}
		if err := os.Chtimes(path, Written, Written); err != nil {
			return err
		}
	}
	return s.load(ctx)
}

// Written is when all files were changed.
var Written = time.Date(2020, 2, 3, 4, 5, 6, 0, time.UTC)

func (s *Site) load(ctx context.Context) error {
	if err := os.MkdirAll(s.Dir, 0o777); err != nil {
		return err
	}
	loader, err := sqlite.OpenLoader(s.URL())
	if err != nil {
		return err
	}
	defer loader.Close() //nolint:errcheck // Finish has synced it
	var list []source.Table
	var model []map[string]string
	for _, t := range s.Tables {
		list = append(list, t.declared())
		model = append(model, map[string]string{"Name": t.Name})
	}
	for _, t := range s.Tables {
		if t.Name == "DatabaseModel" && t.Rows == nil {
			b, err := json.Marshal(map[string]any{"Tables": model})
			if err != nil {
				return err
			}
			t.Rows = [][]any{{1, "1.0", 1, b}}
		}
	}
	if err := loader.Begin(ctx, "scantest", s.Prefix, list); err != nil {
		return err
	}
	for i, t := range s.Tables {
		if _, err := loader.Load(ctx, t.Name, list[i], t.rows(len(list[i].Columns))); err != nil {
			return err
		}
	}
	return loader.Finish(ctx)
}

func (t *Table) declared() source.Table {
	d := source.Table{Name: t.Name}
	for i, c := range t.Columns {
		name, typ, _ := strings.Cut(c, " ")
		typ, key := strings.CutSuffix(typ, "!")
		d.Columns = append(d.Columns, source.Column{Name: name, Type: source.ParseType(typ), Null: i > 0 && !key})
		if key || i == 0 {
			d.Key = append(d.Key, name)
		}
	}
	return d
}

// rows yields the rows with ints made int64, and NULL for what is missing at the end.
func (t *Table) rows(width int) iter.Seq2[source.Row, error] {
	return func(yield func(source.Row, error) bool) {
		for n, r := range t.Rows {
			row := make(source.Row, width)
			if len(r) > width {
				yield(nil, fmt.Errorf("table %q, row %d: %d values for %d columns", t.Name, n, len(r), width))
				return
			}
			for i, v := range r {
				if x, ok := v.(int); ok {
					v = int64(x)
				}
				row[i] = v
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}

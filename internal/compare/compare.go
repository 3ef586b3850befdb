// Package compare holds what came out of a migration against what went in: files byte by byte, by the manifest's word
// for where each lies, and SQLite databases row by row. It is the demonstration's and the tests' own eye: of the
// project it uses only the shape of a file record, and none of the codecs that it checks.
package compare

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	_ "modernc.org/sqlite" // registers the driver

	"github.com/openomt/omt/internal/manifest"
)

// Files is what FilesOf compared.
type Files struct {
	Same  int64 // files whose bytes and times agree
	Bytes int64
	Not   int64 // records of files that did not move
}

// FilesOf reads a manifest and compares every file that it says is stored, below the installation's roots, with the
// one below dir/<area>/<path>. A file of dir that no record names is an error.
func FilesOf(manifestFile, dir string) (Files, error) {
	var out Files
	c := files{Files: &out, dir: dir}
	var inst struct{ Roots map[string][]string }
	err := lines(manifestFile, func(kind string, line []byte) error {
		switch kind {
		case "installation":
			return json.Unmarshal(line, &inst)
		case "file":
			return c.one(line, inst.Roots)
		}
		return nil
	})
	if err == nil {
		err = c.noMore()
	}
	return out, err
}

// files compares files.
type files struct {
	*Files
	dir   string
	last  string // the file of the record before, which two records may name
	names int
}

// noMore counts the files of the folder.
func (c *files) noMore() error {
	there := 0
	err := filepath.WalkDir(c.dir, func(_ string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			there++
		}
		return err
	})
	if err == nil && there != c.names {
		err = fmt.Errorf("%q holds %d files, and the manifest names %d", c.dir, there, c.names)
	}
	return err
}

// Gone gives the rows that a manifest's removals take away, as Databases wants them, for tables under a prefix.
func Gone(manifestFile, prefix string) (map[string]string, error) {
	var cond []string
	err := lines(manifestFile, func(kind string, line []byte) error {
		if kind != "removal" {
			return nil
		}
		var r manifest.Removal
		err := json.Unmarshal(line, &r)
		cond = append(cond, fmt.Sprintf(`"person_id" = %d AND "email_address" = '%s'`, r.Person, strings.ReplaceAll(r.Email, "'", "''")))
		return err
	})
	if len(cond) == 0 {
		return nil, err
	}
	return map[string]string{prefix + "_email": "(" + strings.Join(cond, ") OR (") + ")"}, err
}

// lines calls fn for every line of a manifest that one of ours wrote.
func lines(name string, fn func(kind string, line []byte) error) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, 1<<20)
	for {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if rest, ok := bytes.CutPrefix(line, []byte(`{"kind":"`)); ok {
			kind, _, _ := bytes.Cut(rest, []byte{'"'})
			if err := fn(string(kind), line); err != nil {
				return err
			}
		}
	}
}

func (c *files) one(line []byte, roots map[string][]string) error {
	var rec manifest.File
	if err := json.Unmarshal(line, &rec); err != nil {
		return err
	}
	if rec.Chunk.IsZero() {
		c.Not++
		return nil
	}
	disk, path := rec.DiskPath(), rec.Path
	if rec.Raw {
		disk, path = unescape(disk), unescape(path)
	}
	dirs := roots[string(rec.Area)]
	if rec.Root < 0 || rec.Root >= len(dirs) {
		return fmt.Errorf("%q lies in root %d of %s, which has %d", rec.Path, rec.Root, rec.Area, len(dirs))
	}
	was := filepath.Join(dirs[rec.Root], filepath.FromSlash(disk))
	is := filepath.Join(c.dir, string(rec.Area), filepath.FromSlash(path))
	if is != c.last {
		c.last = is
		c.names++
	}
	if err := same(was, is); err != nil {
		return err
	}
	c.Same++
	c.Bytes += rec.Size
	return nil
}

// unescape turns %XX into bytes.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		var c byte
		if s[i] == '%' && i+2 < len(s) {
			if _, err := fmt.Sscanf(s[i+1:i+3], "%02X", &c); err == nil {
				b.WriteByte(c)
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func same(was, is string) error {
	a, err := os.ReadFile(was)
	if err != nil {
		return err
	}
	b, err := os.ReadFile(is)
	if err != nil {
		return err
	}
	if !bytes.Equal(a, b) {
		return fmt.Errorf("%q has other bytes than %q", is, was)
	}
	sa, err := os.Stat(was)
	if err != nil {
		return err
	}
	sb, err := os.Stat(is)
	if err != nil {
		return err
	}
	if !sa.ModTime().Equal(sb.ModTime()) {
		return fmt.Errorf("%q was changed at %s, and %q says %s", was, sa.ModTime(), is, sb.ModTime())
	}
	return nil
}

// Rows is what Databases compared.
type Rows struct{ Tables, Rows, Gone int64 }

// usersTable is how the name of the table ends that unpacking adds to those of the source.
const usersTable = "_omt_user"

// Databases compares two SQLite files table by table and row by row, column declarations and indexes included. gone
// names rows of the first that the second must not have: SQL conditions by table. Tables in except are left out, and so
// is the one that unpacking adds to the second.
func Databases(ctx context.Context, was, is string, gone map[string]string, except ...string) (Rows, error) {
	var out Rows
	a, err := sql.Open("sqlite", "file:"+filepath.ToSlash(was)+"?mode=ro")
	if err != nil {
		return out, err
	}
	defer a.Close()
	b, err := sql.Open("sqlite", "file:"+filepath.ToSlash(is)+"?mode=ro")
	if err != nil {
		return out, err
	}
	defer b.Close()
	names, err := schemas(ctx, a)
	if err != nil {
		return out, err
	}
	made, err := schemas(ctx, b)
	if err != nil {
		return out, err
	}
	maps.DeleteFunc(made, func(name, _ string) bool { return strings.HasSuffix(name, usersTable) })
	if len(names) != len(made) {
		return out, fmt.Errorf("%d tables and indexes went in and %d came out: %s", len(names), len(made), differing(names, made))
	}
	var tables []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		table, isTable := strings.CutPrefix(name, "table ")
		if slices.Contains(except, table) {
			continue
		}
		if made[name] != names[name] {
			return out, fmt.Errorf("%s is declared as %q, and came out as %q", name, names[name], made[name])
		}
		if isTable {
			tables = append(tables, table)
		}
	}
	for _, table := range tables {
		if err := out.table(ctx, a, b, table, gone[table]); err != nil {
			return out, fmt.Errorf("table %q: %w", table, err)
		}
		out.Tables++
	}
	return out, nil
}

// differing names what one of two sets has alone.
func differing(a, b map[string]string) string {
	var list []string
	for _, m := range []struct{ in, not map[string]string }{{a, b}, {b, a}} {
		for name := range m.in {
			if _, ok := m.not[name]; !ok {
				list = append(list, name)
			}
		}
	}
	slices.Sort(list)
	return strings.Join(list, "; ")
}

// schemas gives the declaration of every table and index, an index under what it indexes: servers rename indexes.
func schemas(ctx context.Context, db *sql.DB) (map[string]string, error) {
	rows, err := db.QueryContext(ctx, `SELECT type, name, coalesce(sql, '') FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[string]string{}
	for rows.Next() {
		var kind, name, text string
		if err := rows.Scan(&kind, &name, &text); err != nil {
			return nil, err
		}
		if kind == "index" {
			unique := strings.HasPrefix(text, "CREATE UNIQUE")
			_, on, _ := strings.Cut(text, " ON ")
			name, text = "on "+on, fmt.Sprintf("unique %t", unique)
		}
		out[kind+" "+name] = text
	}
	return out, rows.Err()
}

func (r *Rows) table(ctx context.Context, a, b *sql.DB, table, gone string) error {
	var count int64
	columns, err := columnsOf(ctx, a, table)
	if err != nil {
		return err
	}
	from := " FROM " + quoted(table)
	where := ""
	if gone != "" {
		where = " WHERE (" + gone + ") IS NOT TRUE"
		if err := a.QueryRowContext(ctx, `SELECT count(*)`+from+` WHERE `+gone).Scan(&count); err != nil {
			return err
		}
		r.Gone += count
	}
	left, err := a.QueryContext(ctx, "SELECT "+columns+from+where+" ORDER BY 1")
	if err != nil {
		return err
	}
	defer left.Close()
	right, err := b.QueryContext(ctx, "SELECT "+columns+from+" ORDER BY 1")
	if err != nil {
		return err
	}
	defer right.Close()
	for before := r.Rows; left.Next(); {
		if !right.Next() {
			return errors.Join(right.Err(), fmt.Errorf("there are %d rows, and there were more", r.Rows-before))
		}
		var x, y string
		if err := errors.Join(left.Scan(&x), right.Scan(&y)); err != nil {
			return err
		}
		if x != y {
			return fmt.Errorf("a row was %s and is %s", x, y)
		}
		r.Rows++
	}
	if right.Next() {
		return errors.New("there are more rows than there were")
	}
	return errors.Join(left.Err(), right.Err())
}

// columnsOf is an expression that shows all values of a row, with their storage classes.
func columnsOf(ctx context.Context, db *sql.DB, table string) (string, error) {
	rows, err := db.QueryContext(ctx, `SELECT name FROM pragma_table_info(?)`, table)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	var parts []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return "", err
		}
		q := quoted(name)
		parts = append(parts, "typeof("+q+") || ' ' || quote("+q+")")
	}
	return balanced(parts), rows.Err()
}

// balanced joins expressions so that no operator is nested deeper than need be: SQLite takes a depth of 1,000.
func balanced(parts []string) string {
	if len(parts) <= 2 {
		return strings.Join(parts, " || ', ' || ")
	}
	half := len(parts) / 2
	return "(" + balanced(parts[:half]) + ") || ', ' || (" + balanced(parts[half:]) + ")"
}

func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

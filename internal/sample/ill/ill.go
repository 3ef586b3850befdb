// Package ill makes an installation that omt-scan sample wrote ill in the ways in which the sample itself is well, and
// well again, for tests and for the demonstration. With what the sample has of its own, every preflight rule that packing
// requires then has something to say.
//
// The sample has odd users, documents, a satellite and more, since these are found at any customer's. What is made here is
// that somebody scans the wrong database and prepares the assigning in haste: the database is of another licence and of an
// old version, it is one for Travel, and a table of its own model is gone; the tenant has too few seats of a plan; and the
// table of users gives no administrator a plan, leaves many undecided, and one without a user name.
package ill

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	_ "modernc.org/sqlite" // registers the driver

	"github.com/openomt/omt/internal/sheet"
)

// What Make writes beside plans.csv and users.csv, which stay.
const (
	Plans = "plans-ill.csv" // SalesPREM has a seat for one
	Users = "users-ill.csv" // the choices of somebody in haste
)

// prefix is that of the sample's tables.
const prefix = "crm7_"

// changes are what is ill in the database, each with what mends it.
var changes = [...]struct{ ill, well string }{
	{"UPDATE {company} SET serialNo = '1709240001'", "UPDATE {company} SET serialNo = '1801830017'"},
	{"UPDATE {ProductVersion} SET version = '6.2.1034' WHERE ProductVersion_id = 1", "UPDATE {ProductVersion} SET version = '8.5.7458' WHERE ProductVersion_id = 1"},
	{"UPDATE {config} SET version = '6.2.1034'", "UPDATE {config} SET version = '8.5.7458'"},
	{"UPDATE {travelcurrent} SET systemlevel = 9", "UPDATE {travelcurrent} SET systemlevel = 10"},
	{"ALTER TABLE {area} RENAME TO away_area", "ALTER TABLE away_area RENAME TO {area}"},
}

// Make makes the installation in dir ill, and writes the tables Plans and Users into it.
func Make(ctx context.Context, dir string) error {
	var statements []string
	for _, c := range changes {
		statements = append(statements, c.ill)
	}
	if err := Exec(ctx, dir, statements...); err != nil {
		return err
	}
	if err := rewrite(dir, "plans.csv", Plans, []string{"name", "title", "onsite", "seats", "unlimited"}, func(row map[string]string) {
		if row["name"] == "SalesPREM" {
			row["seats"] = "1"
		}
	}); err != nil {
		return err
	}
	return rewrite(dir, "users.csv", Users, []string{"id", "login", "plan", "username", "welcome"}, haste)
}

// haste is what somebody in haste, who did not come to an end, chooses for a user. The table is one that omt-assign takes: it
// refuses one with equal user names, or with more users than seats, by itself.
func haste(row map[string]string) {
	switch {
	case row["login"] == "ADM0": // the only administrator with a plan
		row["plan"] = "-"
	case row["login"] == "JD": // has no address on the card either
		row["username"] = ""
	case row["plan"] == "SalesPREM":
		row["plan"] = "?"
	}
}

// Heal takes back what Make did to the database. The tables Plans and Users stay: nobody has to take them.
func Heal(ctx context.Context, dir string) error {
	var statements []string
	for _, c := range changes {
		statements = append(statements, c.well)
	}
	return Exec(ctx, dir, statements...)
}

// Exec runs statements on the database of the installation in dir, {name} standing for the table of that name.
func Exec(ctx context.Context, dir string, statements ...string) (err error) {
	db, err := sql.Open("sqlite", filepath.Join(dir, "crm.sqlite"))
	if err != nil {
		return err
	}
	defer db.Close()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, s := range statements {
		if _, err := tx.ExecContext(ctx, strings.NewReplacer("{", `"`+prefix, "}", `"`).Replace(s)); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	return tx.Commit()
}

// rewrite writes a table anew under another name, each row changed.
func rewrite(dir, from, to string, columns []string, change func(row map[string]string)) error {
	in, err := os.Open(filepath.Join(dir, from))
	if err != nil {
		return err
	}
	defer in.Close()
	table, err := sheet.Read(in, sheet.Options{File: from, Columns: columns, Required: columns})
	if err != nil {
		return err
	}
	var rows [][]string
	for _, r := range table.Rows {
		row, cells := map[string]string{}, []string(nil)
		for _, c := range columns {
			row[c] = r.Cell(c)
		}
		change(row)
		for _, c := range columns {
			cells = append(cells, row[c])
		}
		rows = append(rows, cells)
	}
	out, err := os.Create(filepath.Join(dir, to))
	if err != nil {
		return err
	}
	defer out.Close()
	if err := sheet.Write(out, table.Separator, columns, rows); err != nil {
		return err
	}
	return out.Close()
}

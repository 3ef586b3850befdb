package plan

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/sheet"
)

// userColumns are the columns of a users table, in the order in which Export writes them.
func userColumns() []string {
	return []string{colID, colLogin, "name", "company", "group", "role", colAdmin, colConfidential, colPlan, colUsername, colWelcome}
}

// ReadUsers reads the choices of --users: a table, or an earlier manifest, which is told by its first character. file is
// what problems call it, encoding an encoding's name or empty. The error of a table is a *sheet.Problems, that of a
// manifest what manifest.Reader says.
func ReadUsers(r io.Reader, file, encoding string, o manifest.ReadOptions) ([]Choice, error) {
	b := bufio.NewReader(r)
	if isManifest(b) {
		return readManifest(b, file, o)
	}
	t, err := sheet.Read(b, sheet.Options{File: file, Encoding: encoding, Columns: userColumns()})
	if err != nil {
		return nil, err
	}
	var problems sheet.Problems
	if !t.Has(colID) && !t.Has(colLogin) {
		problems.Add(sheet.Place{File: file}, "the header has neither column %q nor %q", colID, colLogin)
	}
	if !t.Has(colPlan) && !t.Has(colUsername) && !t.Has(colAdmin) && !t.Has(colConfidential) && !t.Has(colWelcome) {
		problems.Add(sheet.Place{File: file}, "the header has no column that chooses: plan, username, admin, confidential, welcome")
	}
	var list []Choice
	for _, row := range t.Rows {
		list = append(list, Choice{At: row.At, ID: row.Cell(colID), Login: row.Cell(colLogin), Plan: row.Cell(colPlan),
			Username: row.Cell(colUsername), Admin: row.Cell(colAdmin), Confidential: row.Cell(colConfidential),
			Welcome: row.Cell(colWelcome)})
	}
	return list, problems.Err()
}

// isManifest looks whether the first character that is no space or byte order mark is a brace. No table of users begins
// with one. In UTF-16 there are zero bytes between.
func isManifest(b *bufio.Reader) bool {
	head, _ := b.Peek(64)
	for _, c := range head {
		switch c {
		case 0xEF, 0xBB, 0xBF, 0xFE, 0xFF, 0, ' ', '\t', '\r', '\n':
			continue
		}
		return c == '{'
	}
	return false
}

// readManifest takes the choices of an earlier manifest, and reads it to its end: a manifest cut short is no basis.
func readManifest(r io.Reader, file string, o manifest.ReadOptions) ([]Choice, error) {
	m := manifest.NewReader(r, o)
	var list []Choice
	for n := 1; ; n++ {
		l, err := m.Next()
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if l.Kind != manifest.KindUser {
			continue
		}
		var u manifest.User
		if err := l.Decode(&u); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		c := Choice{At: sheet.Place{File: file, Unit: "line", N: int(l.Number)}, ID: strconv.FormatInt(u.ID, 10),
			Login: u.Login, Username: strings.TrimSpace(u.Username), Earlier: true}
		if u.Plan != nil {
			c.Plan = planCell(*u.Plan)
		}
		if u.Welcome != nil {
			c.Welcome = strconv.FormatBool(*u.Welcome)
		}
		list = append(list, c)
	}
}

// planCell is a chosen plan as a cell.
func planCell(name string) string {
	if name == "" {
		return "-"
	}
	return name
}

// Export writes the users as a table that ReadUsers reads: what is undecided is empty, and given back changes nothing.
func Export(w io.Writer, separator rune, users []manifest.User) error {
	rows := make([][]string, 0, len(users))
	for _, u := range users {
		row := []string{strconv.FormatInt(u.ID, 10), u.Login, u.Name, u.Company, u.Group, u.Role,
			strconv.FormatBool(u.Admin), strconv.FormatBool(u.Confidential), "", u.Username, ""}
		if u.Plan != nil {
			row[8] = planCell(*u.Plan)
		}
		if u.Welcome != nil {
			row[10] = strconv.FormatBool(*u.Welcome)
		}
		rows = append(rows, row)
	}
	return sheet.Write(w, separator, userColumns(), rows)
}

package mssql

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

// codePage is a code page that SQL Server's collations have; nil for UTF-8, which holds everything.
func codePage(number int64) encoding.Encoding {
	windows := [...]encoding.Encoding{charmap.Windows1250, charmap.Windows1251, charmap.Windows1252, charmap.Windows1253, charmap.Windows1254,
		charmap.Windows1255, charmap.Windows1256, charmap.Windows1257, charmap.Windows1258}
	if i := number - 1250; i >= 0 && i < int64(len(windows)) {
		return windows[i]
	}
	switch number {
	case 437:
		return charmap.CodePage437
	case 850:
		return charmap.CodePage850
	case 874:
		return charmap.Windows874
	case 932:
		return japanese.ShiftJIS
	case 936:
		return simplifiedchinese.GBK
	case 949:
		return korean.EUCKR
	case 950:
		return traditionalchinese.Big5
	}
	return nil
}

// guard keeps texts out of a column whose code page does not have their characters: the server would put question marks
// in their place and say nothing. nil holds everything.
type guard struct {
	number    int64
	collation string
	encoder   *encoding.Encoder
}

func (g *guard) check(s string) error {
	if g == nil || isASCII(s) {
		return nil
	}
	if _, err := g.encoder.String(s); err == nil {
		return nil
	}
	for _, r := range s {
		if _, err := g.encoder.String(string(r)); err != nil {
			return manifest.Errorf(manifest.Failed, "%q is not in code page %d of the target's collation %s", r, g.number, g.collation).
				WithHint("fill a database whose collation has the source's code page, or a UTF-8 collation")
		}
	}
	return nil
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// guards finds the columns of a table, as it was made, that may not hold all texts that come: those of a code page that
// were not made with the collation that they are declared with, since what comes of a code page goes into it again.
func (l *Loader) guards(ctx context.Context, t source.Table) (map[string]*guard, error) {
	out := map[string]*guard{}
	var rest []source.Column
	for _, c := range t.Stored() {
		if c.Type.Kind == source.Text && collatable(c.Type) && !c.Type.UTF16() && !l.able.collates(c) {
			rest = append(rest, c)
		}
	}
	if len(rest) == 0 {
		return out, nil
	}
	type made struct {
		column, collation string
		page              int64
	}
	rows, err := each(ctx, l.d, `SELECT COLUMN_NAME, COLLATION_NAME, CAST(COLLATIONPROPERTY(COLLATION_NAME, 'CodePage') AS int)
		FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_SCHEMA = @p1 AND TABLE_NAME = @p2 AND COLLATION_NAME IS NOT NULL`,
		func(r *sql.Rows) (m made, err error) {
			var page sql.NullInt64
			err = r.Scan(&m.column, &m.collation, &page)
			m.page = page.Int64
			return m, err
		}, l.prefix, t.Name)
	if err != nil {
		return nil, fmt.Errorf("looking for the code pages of table %q: %w", t.Name, err)
	}
	for _, c := range rest {
		for _, m := range rows {
			if e := codePage(m.page); e != nil && strings.EqualFold(m.column, c.Name) {
				out[c.Name] = &guard{number: m.page, collation: m.collation, encoder: e.NewEncoder()}
			}
		}
	}
	return out, nil
}

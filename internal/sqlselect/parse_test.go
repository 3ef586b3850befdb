package sqlselect_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/openomt/omt/internal/sqlselect"
)

// good are queries as rules have them.
var good = []string{
	"SELECT 1 AS n",
	"select associate_id, name from {associate} where deleted = 0;",
	"SELECT a.associate_id AS id, COUNT(*) AS drafts FROM {associate} a INNER JOIN {appointment} p ON p.associate_id = a.associate_id WHERE a.type <> 1 GROUP BY a.associate_id HAVING COUNT(*) > 5 ORDER BY 2 DESC",
	"SELECT TOP (10) [select], \"from\", x.[; DROP] FROM {document} AS x, {appointment} y LEFT JOIN ({person} p CROSS JOIN {contact} c) ON p.a = c.a AND f = LOWER(g)",
	"WITH a AS (SELECT name FROM {associate}), [b c] (x, [y]) AS (SELECT 1, 2 UNION ALL SELECT z.x, 3 FROM [b c] z) SELECT * FROM a, [b c] q WHERE EXISTS (SELECT 1 FROM a)",
	"SELECT 'it''s; DROP TABLE x --' AS a, N'/* æ */' AS b, 0x1F AS c, 1.5e-3 AS d, .5 AS e, 1. AS f FROM {a_1}",
	"SELECT CASE WHEN a = 1 THEN 'x' ELSE NULL END AS y FROM {a} UNION SELECT b FROM {b} EXCEPT SELECT c FROM {c} INTERSECT SELECT d FROM {d}",
	"SELECT ROW_NUMBER() OVER (PARTITION BY a, b ORDER BY c) AS n, REPLACE(x, 'a', 'b') AS r FROM {a} ORDER BY c OFFSET 5 ROWS FETCH NEXT (3) ROWS ONLY",
	"SELECT STUFF((SELECT ',' + x.n FROM {a} x FOR XML PATH('')), 1, 1, '') AS list, CAST(a AS decimal(10, 2)) AS d, v.n FROM (VALUES (1), (2)) v",
	"SELECT o.n FROM {a} a CROSS APPLY (SELECT TOP (1) n FROM {b} b WHERE b.a = a.a ORDER BY n, m) o WHERE a.x IN (1, 2) AND a.y BETWEEN 1 AND 2",
	"-- title: it\r\nSELECT 1 AS n -- ; DELETE\r\n\t/* ; EXEC x\r\nünd */ FROM {a}; -- end",
	"SELECT STRING_AGG(a, ',') WITHIN GROUP (ORDER BY a, b) AS s FROM {a}, {b}",
	"SELECT {a}.x FROM {a} WHERE {a}.x IS NOT NULL",
	"SELECT LEFT(a, 3) AS l, RIGHT(a, 3) AS r FROM {a} LEFT JOIN {b} ON 1 = 1 RIGHT JOIN {c} ON 1 = 1",
	"\ufeffSELECT 1 AS n",
	"SELECT COUNT(DISTINCT (a)) AS n FROM {a} WHERE NOT (a = 1) AND (b = 2 OR (c = 3))",
}

func TestGood(t *testing.T) {
	for _, sql := range good {
		if _, err := sqlselect.Parse(sql); err != nil {
			t.Errorf("%s\n%v", sql, err)
		}
	}
}

// attacks are what must never reach a server, with what the error says.
var attacks = map[string]string{
	"":                                        "empty",
	" ; ":                                     "empty",
	"-- SELECT 1":                             "empty",
	"DELETE FROM {a}":                         "begins with SELECT",
	"(SELECT 1)":                              "begins with SELECT",
	"EXEC sp_who":                             "begins with SELECT",
	"sp_who":                                  "begins with SELECT",
	"SELECT 1; DROP TABLE x":                  "semicolon",
	"SELECT 1;;":                              "semicolon",
	"SELECT 1 -- x\n; DROP TABLE x":           "line 2, column 1: a semicolon",
	"SELECT 1 /* ; */; SELECT 2":              "semicolon",
	"SELECT 1 SELECT 2":                       "second SELECT",
	"SELECT 1 AS a (SELECT 2)":                "a( is not taken",
	"SELECT (1) (SELECT 2)":                   "parenthesis directly after",
	"SELECT 1 WHERE (1=1 SELECT 2)":           "SELECT is taken at the beginning",
	"SELECT * INTO x FROM {a}":                "INTO",
	"SELECT 1 EXEC xp_cmdshell":               "EXEC is not taken",
	"SELECT 1\nGO\nDROP TABLE x":              "GO is not taken",
	"SELECT 1 UNION DELETE FROM {a}":          "a SELECT must follow",
	"SELECT 1 UNION":                          "a SELECT must follow",
	"SELECT 1 UNION ALL 2":                    "a SELECT must follow",
	"SELECT 1 UNION (SELECT 2)":               "a SELECT must follow",
	"SELECT (SELECT 1 UNION) ":                "a SELECT must follow",
	"SELECT NEXT VALUE FOR s":                 "NEXT is taken after FETCH",
	"SELECT [NEXT] VALUE FOR s":               "FOR is taken before XML",
	"SELECT a FROM {a} FOR UPDATE":            "FOR is taken",
	"SELECT REPLACE INTO x":                   "REPLACE is taken as a function",
	"REPLACE INTO x VALUES (1)":               "begins with SELECT",
	"SELECT 1 FETCH NEXT FROM c":              "FETCH is taken after",
	"SELECT [ROWS] FETCH NEXT FROM c":         "FETCH is taken after",
	"WITH a AS (DELETE FROM {a}) SELECT 1":    "AS (SELECT must follow",
	"WITH a AS (SELECT 1) DELETE FROM a":      "begins with SELECT",
	"WITH a AS (SELECT 1), SELECT 2":          "followed by a name",
	"WITH a AS (SELECT 1":                     "not closed",
	"WITH a (x AS (SELECT 1) SELECT 1":        "must follow",
	"WITH a (x, 'y') AS (SELECT 1) SELECT 1":  "name of a column",
	"WITH XMLNAMESPACES ('x' AS y) SELECT 1":  "name of a column",
	"WITH RECURSIVE a AS (SELECT 1) SELECT 1": "AS (SELECT must follow",
	"WITH a AS (SELECT 1) SELECT * FROM A":    "a table is written {name}",
	"WITH a AS (SELECT * FROM b), b AS (SELECT 1) SELECT * FROM a":                       "a table is written {name}",
	"SELECT * FROM (WITH a AS (SELECT 1) SELECT * FROM a) x":                             "a table is written {name}",
	"SELECT (WITH a AS (SELECT 1) SELECT 2)":                                             "WITH is taken at the beginning",
	"SELECT * FROM sys.sql_logins":                                                       "a table is written {name}",
	"SELECT * FROM INFORMATION_SCHEMA.TABLES":                                            "a table is written {name}",
	"SELECT * FROM {a}, sys.tables":                                                      "a table is written {name}",
	"SELECT * FROM {a} a JOIN other.dbo.x y ON 1 = 1":                                    "a table is written {name}",
	"SELECT * FROM ({a} a JOIN sys.tables y ON 1 = 1)":                                   "a table is written {name}",
	"SELECT * FROM {a} OFFSET, sys.tables":                                               "a table is written {name}",
	"SELECT * FROM {a} WINDOW, sys.tables":                                               "a table is written {name}",
	"SELECT * FROM {a} WITHIN, sys.tables":                                               "a table is written {name}",
	"SELECT * FROM {a} x JOIN {b} y ON MAX(x) WITHIN GROUP (ORDER BY z) = 1, sys.tables": "a table is written {name}",
	"SELECT * FROM {a} GROUP, sys.tables":                                                "a table is written {name}",
	"SELECT * FROM {a} CROSS APPLY sys.fn_x(1)":                                          "a table is written {name}",
	"SELECT * FROM [sysobjects]":                                                         "a table is written {name}",
	"SELECT * FROM \"sysobjects\"":                                                       "a table is written {name}",
	"SELECT * FROM 'x.csv'":                                                              "a table is written {name}",
	"SELECT * FROM {a}.b":                                                                "no further parts",
	"SELECT * FROM {a}(1)":                                                               "hints and functions",
	"SELECT * FROM dbo.{a}":                                                              "a table is written {name}",
	"SELECT dbo.{a} FROM {a}":                                                            "a point stands between",
	"SELECT * FROM":                                                                      "a table must follow",
	"SELECT * FROM {a} JOIN":                                                             "a table must follow",
	"SELECT (SELECT 1 FROM)":                                                             "a table is written {name}",
	"SELECT DISTINCT FROM x":                                                             "DISTINCT FROM",
	"SELECT a JOIN sys.tables":                                                           "JOIN is taken in a list of tables",
	"SELECT (1 FROM sys.tables)":                                                         "FROM is taken after SELECT",
	"SELECT db..x FROM {a}":                                                              "a point stands between",
	"SELECT a.b.c FROM {a}":                                                              "a name of three parts",
	"SELECT [a].[b].[c] FROM {a}":                                                        "a name of three parts",
	"SELECT {a}.b.c FROM {a}":                                                            "a name of three parts",
	"SELECT * FROM OPENROWSET('x', 'y', 'z')":                                            "a table is written {name}",
	"SELECT OPENROWSET('x')":                                                             "OPENROWSET is not taken",
	"SELECT dbo.f(1)":                                                                    "called by its bare name",
	"SELECT [xp_cmdshell]('x')":                                                          "called by its bare name",
	"SELECT \"f\"(1)":                                                                    "called by its bare name",
	"SELECT x.value('/a', 'int') FROM {a}":                                               "called by its bare name",
	"SELECT load_extension('x')":                                                         "load_extension( is not taken",
	"SELECT readfile('/etc/passwd')":                                                     "readfile( is not taken",
	"SELECT fn_trace_gettable('\\\\host\\share', 1)":                                     "fn_trace_gettable( is not taken",
	"SELECT pg_sleep(10)":                                                                "pg_sleep( is not taken",
	"SELECT * FROM {a} WITH (TABLOCKX)":                                                  "WITH is taken at the beginning",
	"SELECT * FROM {a} x (UPDLOCK)":                                                      "x( is not taken",
	"SELECT * FROM {a} LEN (UPDLOCK)":                                                    "UPDLOCK is not taken",
	"SELECT * FROM {a} (HOLDLOCK)":                                                       "hints and functions",
	"SELECT * FROM {a} OPTION (MAXDOP 1)":                                                "OPTION is not taken",
	"SELECT 1 WAITFOR DELAY '0:0:9'":                                                     "WAITFOR is not taken",
	"SELECT @@VERSION":                                                                   "'@' is not taken",
	"SELECT @x = 1":                                                                      "'@' is not taken",
	"SELECT * FROM #t":                                                                   "'#' is not taken",
	"SELECT ?":                                                                           "'?' is not taken",
	"SELECT :x":                                                                          "':' is not taken",
	"SELECT $1":                                                                          "'$' is not taken",
	"SELECT `a`":                                                                         "'`' is not taken",
	"SELECT \\":                                                                          "is not taken outside",
	"SELECT 1\uff1b DROP TABLE x":                                                        "is not taken outside",
	"SELECT 1\u037e DROP TABLE x":                                                        "is not taken outside",
	"SELECT\u00a01":                                                                      "is not taken outside",
	"SELECT\u30001":                                                                      "is not taken outside",
	"SELECT \uff33ELECT":                                                                 "is not taken outside",
	"SELECT \u02bcx\u02bc":                                                               "is not taken outside",
	"SELECT 1\x00; DROP TABLE x":                                                         "is not taken outside",
	"SELECT '\x00'":                                                                      "control character 0x00",
	"SELECT 1 -- x\r; DROP TABLE x":                                                      "control character 0x0d",
	"SELECT 1 -- x\u2028; DROP TABLE x":                                                  "control character 0x2028",
	"SELECT 1 -- x\u0085; DROP TABLE x":                                                  "control character 0x85",
	"SELECT 1 /* \x00 */":                                                                "control character 0x00",
	"SELECT 1\rDROP":                                                                     "is not taken outside",
	"SELECT 1\vDROP":                                                                     "is not taken outside",
	"SELECT 1 /* /* */ ; DROP TABLE x /* */ */":                                          "comment with /* in it",
	"SELECT 1 /*/ ; DROP TABLE x /*/":                                                    "comment with /* in it",
	"SELECT 1 /* x /*/ DROP":                                                             "comment with /* in it",
	"SELECT 1 /* x":                                                                      "comment is not closed",
	"SELECT 1 /*/":                                                                       "comment is not closed",
	"SELECT 1 */ DROP TABLE x":                                                           "DROP is not taken",
	"SELECT 'x":                                                                          "not closed: '\\''",
	"SELECT 'x''":                                                                        "not closed: '\\''",
	"SELECT N'x":                                                                         "not closed: '\\''",
	"SELECT [x":                                                                          "not closed: '['",
	"SELECT \"x":                                                                         "not closed: '\"'",
	"SELECT [a]] ; DROP TABLE x; --]":                                                    "bracket in it",
	"SELECT 'a\\\nb'":                                                                    "backslash at the end",
	"SELECT x'00'":                                                                       "x directly before a quote",
	"SELECT E'\\' ; DROP TABLE x; --'":                                                   "E directly before a quote",
	"SELECT 1UNION SELECT 2":                                                             "directly after a number",
	"SELECT 0xEXEC":                                                                      "directly after a number",
	"SELECT 1..x":                                                                        "directly after a number",
	"SELECT 1.5.2":                                                                       "directly after a number",
	"SELECT 1e":                                                                          "no exponent",
	"SELECT 1'x'":                                                                        "directly after a number",
	"SELECT {fn NOW()}":                                                                  "names no table",
	"SELECT * FROM {}":                                                                   "names no table",
	"SELECT * FROM {a;b}":                                                                "names no table",
	"SELECT * FROM {sys.tables}":                                                         "names no table",
	"SELECT * FROM {1a}":                                                                 "names no table",
	"SELECT * FROM {a":                                                                   "{ is not closed",
	"SELECT }":                                                                           "is not taken outside",
	"SELECT (1":                                                                          "1 parentheses are not closed",
	"SELECT 1)":                                                                          "closing parenthesis too many",
	"SELECT \xff":                                                                        "not valid UTF-8",
	"SELECT " + strings.Repeat("(", 60):                                                  "more than 50 parentheses",
	"SELECT '" + strings.Repeat("x", 1<<16) + "'":                                        "at most 65536",
	"SELECT 1 BEGIN TRANSACTION":                                                         "BEGIN is not taken",
	"SELECT 1 PRINT 'x'":                                                                 "PRINT is not taken",
	"SELECT 1 SET x 1":                                                                   "SET is not taken",
	"SELECT 1 IF 1 = 1 SELECT 2":                                                         "IF is not taken",
	"SELECT 1 USE master":                                                                "USE is not taken",
	"SELECT 1 ATTACH 'x' AS y":                                                           "ATTACH is not taken",
	"SELECT 1 PRAGMA query_only = 0":                                                     "PRAGMA is not taken",
	"SELECT 1 KILL 53":                                                                   "KILL is not taken",
	"SELECT 1 SHUTDOWN":                                                                  "SHUTDOWN is not taken",
	"SELECT 1 END CREATE TABLE x (a int)":                                                "CREATE is not taken",
	"SELECT send FROM {a}":                                                               "written in brackets",
}

func TestAttacks(t *testing.T) {
	for sql, want := range attacks {
		s, err := sqlselect.Parse(sql)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", sql, err, want)
		}
		if len(s.Tables()) > 0 {
			t.Errorf("%q: tables beside an error", sql)
		}
	}
}

func bracket(name string) (string, bool) {
	return "[crm7].[" + strings.ToUpper(name) + "]", name != "gone"
}

func TestExpand(t *testing.T) {
	for _, c := range []struct{ sql, want, tables string }{
		{"SELECT 1 AS n ; ", "SELECT 1 AS n", ""},
		{"-- id: x\nSELECT * FROM {a}/* x */b -- y", "SELECT * FROM  [crm7].[A]  b", "a"},
		{"SELECT {a}.x,'{b}',[{c}] FROM {a},{b} /*;*/ ; -- {d}", "SELECT  [crm7].[A].x,'{b}',[{c}] FROM  [crm7].[A] , [crm7].[B]", "a b"},
		{"SELECT a-/**/-1 FROM {A}\nWHERE x IN (SELECT y FROM {a})", "SELECT a- -1 FROM  [crm7].[A] \nWHERE x IN (SELECT y FROM  [crm7].[A] )", "A"},
		{"SELECT \"x\"y FROM {a}\"x\"", "SELECT \"x\"y FROM  [crm7].[A] \"x\"", "a"},
		{"SELECT N'ø' AS a, n'' AS b, 'N''x' AS c", "SELECT N'ø' AS a, n'' AS b, 'N''x' AS c", ""},
	} {
		s, err := sqlselect.Parse(c.sql)
		if err != nil {
			t.Fatalf("%s: %v", c.sql, err)
		}
		if got := strings.Join(s.Tables(), " "); got != c.tables {
			t.Errorf("%s: tables %q, want %q", c.sql, got, c.tables)
		}
		if got, err := s.Expand(bracket); err != nil || got != c.want {
			t.Errorf("%s:\n got %q, %v\nwant %q", c.sql, got, err, c.want)
		}
	}
	s, err := sqlselect.Parse("SELECT 1 AS n FROM {a}, {gone}")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.Expand(bracket); err == nil || err.Error() != `there is no table "gone"` || got != "" {
		t.Errorf("a table that is not there: %q, %v", got, err)
	}
	s, err = sqlselect.Parse("SELECT N'ø'/*x*/AS a, n'N''x' AS b, 'N' AS c FROM {a} WHERE n = N''")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.WithoutN().Expand(bracket); err != nil || got != "SELECT  'ø' AS a,  'N''x' AS b, 'N' AS c FROM  [crm7].[A]  WHERE n =  ''" {
		t.Errorf("without N: %q, %v", got, err)
	}
	if got, err := s.Expand(bracket); err != nil || !strings.Contains(got, "n'N''x'") {
		t.Errorf("the statement itself was changed: %q, %v", got, err)
	}
}

// FuzzParse: what is taken has one reading. Without its comments it is taken again, with the same tables, and holds no
// comment, no word that was forbidden, and no second statement.
func FuzzParse(f *testing.F) {
	for _, sql := range good {
		f.Add(sql)
	}
	for sql := range attacks {
		if len(sql) < 1000 {
			f.Add(sql)
		}
	}
	f.Fuzz(func(t *testing.T, sql string) {
		s, err := sqlselect.Parse(sql)
		if err != nil {
			if !utf8.ValidString(err.Error()) || err.Error() == "" {
				t.Errorf("the error is %q", err)
			}
			return
		}
		same := func(name string) (string, bool) { return "{" + name + "}", true }
		text, err := s.Expand(same)
		if err != nil {
			t.Fatal(err)
		}
		again, err := sqlselect.Parse(text)
		if err != nil {
			if len(text) > sqlselect.MaxLength {
				return
			}
			t.Fatalf("%q is not taken again: %v", text, err)
		}
		if twice, _ := again.Expand(same); fold(twice) != fold(text) {
			t.Errorf("%q became %q", text, twice)
		}
		if !slices.Equal(again.Tables(), s.Tables()) {
			t.Errorf("%q: tables %v, then %v", sql, s.Tables(), again.Tables())
		}
		if bare := outside(text); strings.Contains(bare, "--") || strings.Contains(bare, "/*") || strings.Contains(bare, ";") || strings.Contains(bare, "@") {
			t.Errorf("%q holds %q", text, bare)
		}
		plain, _ := s.WithoutN().Expand(same)
		if fmt.Sprint(again.Tables()) != fmt.Sprint(s.Tables()) || strings.Contains(outside(plain), "N'") {
			t.Errorf("%q without N is %q", sql, plain)
		}
	})
}

func fold(s string) string { return strings.Join(strings.Fields(s), " ") }

// outside is what stands outside quotes and brackets, by a second, simpler reader.
func outside(sql string) string {
	var b strings.Builder
	end := byte(0)
	for i := range len(sql) {
		c := sql[i]
		switch {
		case end != 0:
			if c == end {
				end = 0
			}
		case c == '\'' || c == '"':
			end = c
		case c == '[':
			end = ']'
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

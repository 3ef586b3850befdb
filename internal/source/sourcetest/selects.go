package sourcetest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/openomt/omt/internal/source"
)

// asked is a database for queries of others.
func asked(t *testing.T, e Engine) (*source.Database, *source.View) {
	t.Helper()
	db := e.New(t)
	load(t, db, "crm7", append(small(),
		define("Odd", "Id int key", "Flag bit null", "Ratio float null", "Price decimal(9,2) null", "Word nvarchar(50) null",
			"Raw varbinary(max) null", "At datetime2(3) null", "Day date null", "Clock time(0) null", "Guid uniqueidentifier null", "Big bigint null").
			row(1, true, 1.5, "12.50", "blåbær", []byte{0, 0xAB, 0xFF}, "2026-01-31 16:19:51.5", "2026-01-31", "16:19:51",
				"01020304-0506-0708-090A-0B0C0D0E0F10", int64(1)<<53).
			row(2, false, -0.25, "-1.00", "", []byte{}, nil, nil, nil, nil, int64(-1)<<53+1).
			row(3, nil, nil, nil, nil, make([]byte, 2000), nil, nil, nil, nil, nil)))
	d := db.Driver(t)
	t.Cleanup(func() { done(t, d) })
	sdb, err := source.New(t.Context(), d, "")
	if err != nil {
		t.Fatal(err)
	}
	v, err := sdb.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { done(t, v) })
	return sdb, v
}

// selects asks queries as rules do, beside a view that must not notice.
func (e Engine) selects(t *testing.T) {
	db, v := asked(t, e)
	t.Run("values", func(t *testing.T) { selectValues(t, db, v) })
	t.Run("limits", func(t *testing.T) { selectLimits(t, db, v) })
	t.Run("facts", func(t *testing.T) { selectFacts(t, db, v) })
}

// selectValues asks for all sorts of values, and for what is refused.
func selectValues(t *testing.T, db *source.Database, v *source.View) {
	all := func(sql string) []map[string]any {
		t.Helper()
		r, err := db.Select(t.Context(), source.SelectQuery{SQL: sql})
		if err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		return slices.Collect(r.Rows())
	}
	same(t, "values", all("SELECT Id, Flag, Ratio, Word, Raw, At, Day, Guid, Big, Clock FROM {odd} o WHERE Id < 3 ORDER BY Id DESC;"), []map[string]any{
		{"id": int64(2), "flag": false, "ratio": -0.25, "word": "", "raw": "", "big": int64(-1)<<53 + 1},
		{"id": int64(1), "flag": true, "ratio": 1.5, "word": "blåbær", "raw": "00abff", "at": "2026-01-31 16:19:51", "day": "2026-01-31",
			"clock": "16:19:51", "guid": "01020304-0506-0708-090A-0B0C0D0E0F10", "big": "9007199254740992"},
	})
	same(t, "decimals", all("SELECT Price FROM {ODD} WHERE Id < 3 ORDER BY 1"), []map[string]any{{"price": "-1.00"}, {"price": "12.50"}})
	same(t, "joined", all("-- who\nWITH a AS (SELECT associate_id AS who FROM {associate}), b (n) AS (SELECT COUNT(*) FROM a)\n"+
		"SELECT b.n /* of all */, COUNT(o.id) AS odd FROM b, {odd} AS o WHERE o.Id IN (SELECT x.Id FROM {odd} x) AND o.Word LIKE N'bl%' GROUP BY b.n"),
		[]map[string]any{{"n": must[int64](t)(v.Count(t.Context(), "associate")), "odd": int64(1)}})
	same(t, "no rows", len(all("SELECT Id FROM {odd} WHERE Id > 3")), 0)

	for sql, want := range map[string]string{
		"SELECT Raw FROM {odd}":                          `its column "raw": a value of 2000 bytes`,
		"SELECT Id + 1 FROM {odd}":                       "its column 1 has no name",
		"SELECT Id, 1 AS ID FROM {odd}":                  `two of its columns are called "id"`,
		"SELECT Id + 1 AS [a b] FROM {odd}":              "its column 1 has no name",
		"SELECT nothing AS x FROM {odd}":                 "nothing",
		"SELECT 1/0 AS x FROM sys.objects":               "a table is written {name}",
		"DELETE FROM {odd}":                              "a query begins with SELECT",
		"SELECT REPLICATE('x', 3) FROM {odd} WHERE":      "",
		"SELECT CAST('x' AS int) / CAST('0' AS date) AS": "",
	} {
		r, err := db.Select(t.Context(), source.SelectQuery{SQL: sql})
		if err == nil || !strings.Contains(err.Error(), want) || r.Len() != 0 {
			t.Errorf("%s: %d rows and %v, want %q", sql, r.Len(), err, want)
		}
		if _, err := v.Count(t.Context(), "odd"); err != nil {
			t.Fatalf("the view after %s: %v", sql, err)
		}
	}
	r, err := db.Select(t.Context(), source.SelectQuery{SQL: "SELECT o.Id AS n FROM {odd} o, {Chat} c"})
	if err != nil || r.Absent != "Chat" {
		t.Errorf("a table that is not there: %+v, %v", r, err)
	}
}

// endless gives more rows than anybody waits for; the first needs all of them where counted.
const endless = "WITH n AS (SELECT 0 AS i UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7)," +
	" m AS (SELECT a.i + b.i + c.i + d.i AS i FROM n a, n b, n c, n d), big AS (SELECT a.i + b.i + c.i AS i FROM m a, m b, m c) "

// selectLimits ends queries that give or take too much, beside a view that is being read.
func selectLimits(t *testing.T, db *source.Database, v *source.View) {
	ask := func(ctx context.Context, sql string, rows int, limit time.Duration) error {
		t.Helper()
		r, err := db.Select(ctx, source.SelectQuery{SQL: sql, MaxRows: rows, Timeout: limit})
		if err != nil && r.Len() > 0 {
			t.Errorf("%s: rows beside an error", sql)
		}
		return err
	}
	quick := func(what string, want string, f func() error) {
		t.Helper()
		begin := time.Now()
		err := f()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", what, err, want)
		}
		// A server that does not listen is given five seconds by the driver.
		if took := time.Since(begin); took > 12*time.Second {
			t.Errorf("%s took %v", what, took)
		}
	}
	for row, err := range v.Rows(t.Context(), mustFind(t, v, "odd")) {
		if err != nil {
			t.Fatalf("the view that was being read: %v", err)
		}
		switch row[0] {
		case int64(1):
			quick("before the first row", "it took longer than 300ms", func() error {
				return ask(t.Context(), endless+"SELECT COUNT(*) AS n FROM big WHERE i > 1000", 1, 300*time.Millisecond)
			})
			quick("too many rows", "it gives more than 5 rows", func() error { return ask(t.Context(), endless+"SELECT i FROM big", 5, time.Minute) })
		case int64(2):
			quick("between rows", "it took longer than 300ms", func() error {
				return ask(t.Context(), endless+"SELECT i FROM big WHERE i = 0 OR i > 1000", 100, 300*time.Millisecond)
			})
		case int64(3):
			quick("the caller", "context canceled", func() error {
				ctx, cancel := context.WithCancel(t.Context())
				defer time.AfterFunc(300*time.Millisecond, cancel).Stop()
				return ask(ctx, endless+"SELECT COUNT(*) AS n FROM big", 1, time.Minute)
			})
		}
	}
	if err := ask(t.Context(), "SELECT Id FROM {odd}", 3, 0); err != nil {
		t.Errorf("as many rows as it may: %v", err)
	}
	for _, q := range []source.SelectQuery{{MaxRows: 100_001}, {MaxRows: -1}, {Timeout: 5*time.Minute + 1}, {Timeout: -1}} {
		q.SQL = "SELECT Id FROM {odd}"
		if _, err := db.Select(t.Context(), q); err == nil || !strings.Contains(err.Error(), "it asks for") {
			t.Errorf("%+v: %v", q, err)
		}
	}
}

func mustFind(t *testing.T, v *source.View, name string) source.Table {
	t.Helper()
	tab, ok := source.FindTable(v.Tables(), name)
	if !ok {
		t.Fatalf("there is no table %q", name)
	}
	return tab
}

// selectFacts makes facts of what queries give and of how they went.
func selectFacts(t *testing.T, db *source.Database, v *source.View) {
	queries := []source.SelectQuery{
		{Name: "r.two", SQL: "SELECT Id, Word FROM {odd} WHERE Id < 3 ORDER BY Id"},
		{Name: "r.gone", SQL: "SELECT 1 AS n FROM {chat}"},
		{Name: "r.bad", SQL: "SELECT Id\nFROM {odd} WHERE nothing_here = 1"},
		{Name: "r.none", SQL: "SELECT Id FROM {odd} WHERE Id > 9"},
	}
	got := collect(t, db.SelectFacts(t.Context(), queries))
	if len(got) != 6 {
		t.Fatalf("%d facts, want 6: %v", len(got), got)
	}
	reason, _ := got[4].Data["reason"].(string)
	if !strings.Contains(reason, "nothing_here") || strings.Contains(reason, "\n") {
		t.Errorf("the reason is %q", reason)
	}
	got[4].Data = maps.Clone(got[4].Data)
	got[4].Data["reason"] = "…"
	same(t, "facts", got, []source.Fact{
		{Name: "r.two", ID: "1", Data: map[string]any{"id": int64(1), "word": "blåbær"}},
		{Name: "r.two", ID: "2", Data: map[string]any{"id": int64(2), "word": ""}},
		{Name: "query", ID: "r.two", Data: map[string]any{"status": "done", "rows": int64(2)}},
		{Name: "query", ID: "r.gone", Data: map[string]any{"status": "absent", "rows": int64(0), "table": "chat", "reason": `there is no table "chat"`}},
		{Name: "query", ID: "r.bad", Data: map[string]any{"status": "failed", "rows": int64(0), "reason": "…"}},
		{Name: "query", ID: "r.none", Data: map[string]any{"status": "done", "rows": int64(0)}},
	})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if n, err := countUntil(db.SelectFacts(ctx, queries)); n != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %d facts, %v", n, err)
	}
	if _, err := v.Count(t.Context(), "odd"); err != nil {
		t.Errorf("the view after all: %v", err)
	}
}

func countUntil(facts func(func(source.Fact, error) bool)) (n int, err error) {
	for _, e := range facts {
		if e != nil {
			return n, e
		}
		n++
	}
	return n, nil
}

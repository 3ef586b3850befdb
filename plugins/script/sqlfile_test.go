package main

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/openomt/omt/plugins/sdk"
	"github.com/openomt/omt/plugins/sdk/ruletest"
)

const drafts = `-- id: old-drafts
-- title: nobody has many drafts
-- severity: error
-- help: Drafts are not sent.
--   Ask their owners
--   to send them: now.
-- help: Or delete them.
--
-- message: {Name} has {drafts} drafts {{x}}, last on {last}
-- subject: user:{associate_id}
-- subject: table:appointment
-- subject: person:{person_id}
-- max-rows: 50
-- timeout: 45s
-- final: they cannot be moved

-- not of the header: this
SELECT a.associate_id, a.name, COUNT(*) AS drafts, MAX(d) AS last, a.person_id FROM {associate} a GROUP BY a.name
`

func TestSQLFile(t *testing.T) {
	r := one(t, folder(t, map[string]string{"x.sql": drafts}))
	if r.ID != "old-drafts" || r.Title != "nobody has many drafts" || r.Severity != sdk.Error || r.Final != "they cannot be moved" ||
		r.Help != "Drafts are not sent. Ask their owners to send them: now. Or delete them." || len(r.Reads)+len(r.Facts) != 0 {
		t.Errorf("the rule is %+v", r)
	}
	if len(r.Queries) != 1 || r.Queries[0] != (sdk.Query{Name: "rows", SQL: drafts, MaxRows: 50, Timeout: 45 * time.Second}) {
		t.Errorf("the query is %+v", r.Queries)
	}
	got := ruletest.Run(t, r, ruletest.Rows(r, "rows",
		map[string]any{"associate_id": 7, "name": "Bo\n  Ek", "drafts": 12, "last": "2026-01-31 16:19:51", "person_id": nil},
		map[string]any{"associate_id": 8, "name": "", "drafts": 1.5, "last": nil, "person_id": 3}))
	check(t, "findings", found(got), "error user:7,table:appointment: Bo Ek has 12 drafts {x}, last on 2026-01-31 16:19:51\n"+
		"error user:8,table:appointment,person:3:  has 1.5 drafts {x}, last on (none)\n")
	check(t, "a table that is not there", found(ruletest.Run(t, r, ruletest.Absent(r, "rows"))), "")
}

func TestSQLFileDefaults(t *testing.T) {
	for form, text := range map[string]string{
		"CRLF":      "-- title: t\r\n-- message: {N}\r\nSELECT 1 AS n\r\n",
		"BOM":       "\ufeff-- title: t\n-- message: {n}\nSELECT 1 AS n",
		"no blank":  "--title: t\n--message: {n}\nSELECT 1 AS n",
		"star":      "-- title: t\n-- message: {whatever}\nSELECT * FROM {a}",
		"UTF-16LE":  utf16Text("-- title: t\r\n-- message: {n}\r\nSELECT 1 AS n", false),
		"UTF-16BE":  utf16Text("-- title: t\r\n-- message: {n}\r\nSELECT 1 AS n", true),
		"timeout 5": "-- title: t\n-- timeout: 5\n-- message: {n}\nSELECT 1 AS n",
	} {
		r := one(t, folder(t, map[string]string{"Old Drafts (2).SQL": text}))
		if r.ID != "old-drafts-2" || r.Title != "t" || r.Severity != sdk.Warning || !strings.HasPrefix(r.Help, "t: every row") {
			t.Errorf("%s: the rule is %+v", form, r)
		}
	}
}

func TestBadSQLFile(t *testing.T) {
	const body = "\nSELECT 1 AS n"
	const head = "-- title: t\n-- message: m\n"
	for text, want := range map[string]string{
		"":                                     `it has no "-- title: …"`,
		"SELECT 1 AS n":                        `it has no "-- title: …"`,
		"-- title: t" + body:                   `it has no "-- message: …"`,
		head:                                   "it has no SELECT",
		head + " \n":                           "it has no SELECT",
		"-- titel: t" + body:                   "line 1: titel: this is not known",
		"-- made by Bo" + body:                 "line 1: the lines at the top",
		"-- Title: t" + body:                   "line 1: the lines at the top",
		"--   more" + body:                     "line 1: the lines at the top",
		"-- title:" + body:                     "line 1: title: it is empty",
		"-- title: a\n-- title: b":             "line 2: title: it is there twice",
		head + "-- message: b" + body:          "line 3: message: it is there twice",
		head + "-- severity: bad":              `line 3: severity: "bad" is none of`,
		head + "-- max-rows: 0":                "line 3: max-rows:",
		head + "-- max-rows: 100001":           "line 3: max-rows:",
		head + "-- timeout: 6m":                "line 3: timeout:",
		head + "-- timeout: -1":                "line 3: timeout:",
		head + "-- timeout: soon":              "line 3: timeout:",
		head + "-- subject: {n}" + body:        "line 3: subject: a subject is written",
		head + "-- subject: User:1":            "line 3: subject: a subject is written",
		"-- message: {":                        "line 1: message: a column is written",
		"-- message: }":                        "line 1: message: a column is written",
		"-- message: {a b}":                    "line 1: message: a column is written",
		"-- message: {}":                       "line 1: message: a column is written",
		"-- title: t\n-- message: {nn}" + body: "{nn}: the query has no column",
		head + "-- subject: user:{id}" + body:  "{id}: the query has no column",
		head + "-- id: Old Drafts" + body:      "the id must be",
		"-- title: bl\xe5b\xe6r\n-- message: m\nSELECT 1 AS n": "it is not UTF-8: save it as UTF-8",
		"\xff\xfe-\x00-": "in the middle of a UTF-16 character",
		head + "SELECT '" + strings.Repeat("x", maxFile) + "'": "at most 1048576",
	} {
		r := one(t, folder(t, map[string]string{"old-drafts.sql": text}))
		if r.ID != "old-drafts" || r.Severity != sdk.Error || !strings.Contains(r.Title, "rules/old-drafts.sql cannot be run") || !strings.Contains(r.Help, want) {
			t.Errorf("%q: %s: %s, want %q", text, r.Title, r.Help, want)
		}
		says(t, text, ruletest.RunError(t, r, &sdk.Header{}), "rules/old-drafts.sql: ")
	}
}

// FuzzHeader: whatever stands in a file, there is one valid rule of it, and a good one fills its message from any row.
func FuzzHeader(f *testing.F) {
	f.Add([]byte(drafts))
	f.Add([]byte("-- title: t\n-- message: {{{n}}}\n-- subject: a:{n}{n}\nSELECT n"))
	f.Add([]byte(utf16Text("-- title: t", false)))
	f.Fuzz(func(t *testing.T, b []byte) {
		text, err := decodeText(b)
		if err != nil {
			return
		}
		r, err := sqlRule("x", text)
		if err != nil {
			if !utf8.ValidString(err.Error()) {
				t.Errorf("the error is %q", err)
			}
			r = broken("x", "x.sql", err)
		}
		if err := (sdk.Plugin{Name: "script", Rules: []sdk.Rule{r}}).Validate(); err != nil {
			if r.ID == "x" && !strings.Contains(err.Error(), "title") {
				t.Errorf("no valid rule of %q: %v", text, err)
			}
			return
		}
		row := &sdk.Fact{Name: r.ID + ".rows", ID: "1", Data: map[string]any{"n": "a\nb"}}
		n := 0
		err = sdk.Run(t.Context(), r, time.Time{}, "fuzz", func(yield func(sdk.Record) bool) {
			if yield(&sdk.Header{}) {
				yield(row)
			}
		}, func(f sdk.Finding) {
			if n++; strings.Contains(f.Message, "a\nb") {
				t.Errorf("the message is %q", f.Message)
			}
		})
		if isBroken := strings.Contains(r.Title, "cannot be run") && len(r.Queries) == 0; isBroken != (err != nil) || n == 0 != isBroken {
			t.Errorf("%q: %d findings, %v", text, n, err)
		}
	})
}

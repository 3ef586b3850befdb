package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/openomt/omt/internal/sqlselect"
	"github.com/openomt/omt/plugins/sdk"
	"github.com/openomt/omt/plugins/sdk/ruletest"
)

const goodSQL = "-- title: t\n-- message: m\nSELECT 1 AS n"

func TestDescriptor(t *testing.T) {
	r := one(t, folder(t, map[string]string{"sub/check.py": "", "Some Check.rule.json": "\ufeff" + `{
		"id": "own-id", "title": "t", "help": "h", "severity": "error", "final": "because", "reads": ["user", "file"], "facts": ["traveller"],
		"queries": [{"name": "q", "sql": "SELECT 1 AS n", "maxRows": 5, "timeout": "2m"}, {"name": "r", "sql": "SELECT 2 AS n", "timeout": 7}],
		"run": ["python3", "-X", "utf8", "sub/check.py", "/c", "a=b"], "timeout": "20s"}`}))
	if r.ID != "own-id" || r.Title != "t" || r.Help != "h" || r.Severity != sdk.Error || r.Final != "because" ||
		strings.Join(r.Reads, ",") != "user,file" || strings.Join(r.Facts, ",") != "traveller" || len(r.Queries) != 2 {
		t.Fatalf("the rule is %+v", r)
	}
	if r.Queries[0] != (sdk.Query{Name: "q", SQL: "SELECT 1 AS n", MaxRows: 5, Timeout: 2 * time.Minute}) || r.Queries[1].Timeout != 7*time.Second {
		t.Errorf("the queries are %+v", r.Queries)
	}
	r = one(t, folder(t, map[string]string{"Some Check.rule.json": utf16Text(`{"title":"t","reads":["user"],"run":["sh"]}`, false)}))
	if r.ID != "some-check" || r.Help != "t" || r.Severity != sdk.Warning {
		t.Errorf("the rule is %+v", r)
	}
}

func TestBadDescriptor(t *testing.T) {
	run := func(s string) string { return `{"title":"t","reads":["user"],"run":` + s + `}` }
	for text, want := range map[string]string{
		"":                                "line 1: EOF",
		"{\n\"title\": t}":                "line 2: invalid character",
		"{\n\"titel\": \"t\"}":            `unknown field "titel"`,
		"{\n\n\"title\": 7}":              "line 3: ",
		run(`["sh"]`) + "x":               "something stands behind",
		run(`[]`):                         "it names no program",
		run(`[""]`):                       "it names no program",
		`{"title":"t"}`:                   "it names no program",
		`{"run":["sh"],"reads":["user"]}`: "its title is empty",
		`{"title":"t","run":["sh"]}`:      "it reads nothing",
		`{"title":"t","run":["sh"],"reads":["usr"]}`:                   `there is no kind "usr"`,
		`{"title":"t","run":["sh"],"reads":["user"],"severity":"bad"}`: `"bad" is none of`,
		`{"title":"t","run":["sh"],"reads":["user"],"timeout":"6m"}`:   `timeout: "6m" is no time`,
		`{"title":"t","run":["sh"],"reads":["user"],"timeout":0}`:      `timeout: "0" is no time`,
		`{"title":"t","run":["sh"],"queries":[{"name":"q","sql":""}]}`: "it has no SQL",
		`{"title":"t","run":["sh"],"reads":["user"],"id":"A"}`:         "the id must be",
		run(`["sh","check.sh"]`):                                       `there is no "check.sh" in the folder`,
		run(`["./gone"]`):                                              `there is no "./gone" in the folder`,
		run(`["sub"]`) + " ":                                           "", // a program on PATH may be called so
		run(`["./sub"]`):                                               `"./sub" is no file`,
		run(`["../sh"]`):                                               "leads out of the folder",
		run(`["sub/../../sh"]`):                                        "leads out of the folder",
		run(`["sh","../check.sh"]`):                                    "leads out of the folder",
		run(`["sh","sub/../../x"]`):                                    "leads out of the folder",
		run(`["sh","-f=..\\x"]`):                                       "leads out of the folder",
		run(`["sh","/tmp/check.sh"]`):                                  "leads out of the folder",
		run(`["sh","C:\\x\\check.ps1"]`):                               "leads out of the folder",
		run(`["sh","c:check.ps1"]`):                                    "leads out of the folder",
		run(`["sh","\\\\host\\share\\x"]`):                             "leads out of the folder",
		run(`["sh","link.sh"]`):                                        "is a link",
		run(`["sh","linked/x.sh"]`):                                    "is a link",
		run(`["sh","a\u0000b"]`):                                       "holds a NUL",
	} {
		dir := folder(t, map[string]string{"x.rule.json": text, "sub/x.sh": ""})
		for name, to := range map[string]string{"link.sh": "/bin/sh", "linked": "sub"} {
			if err := os.Symlink(to, filepath.Join(dir, name)); err != nil && runtime.GOOS != "windows" {
				t.Fatal(err)
			}
		}
		r := one(t, dir)
		if isBroken := strings.Contains(r.Title, "cannot be run"); isBroken != (want != "") || !strings.Contains(r.Help, want) {
			t.Errorf("%s: %s: %s, want %q", text, r.Title, r.Help, want)
		}
		if want != "" {
			says(t, text, ruletest.RunError(t, r, &sdk.Header{}), "rules/x.rule.json: ")
		}
	}
}

// A file is never silently left out, and no two rules have one id.
func TestLoad(t *testing.T) {
	dir := folder(t, map[string]string{
		"a.sql": goodSQL, "a.rule.json": `{"title":"t","reads":["user"],"run":["sh","used.sh"]}`, "used.sh": "", "idle.ps1": "", "notes.txt": "",
		"b.SQL": "-- id: a\n" + goodSQL, ".hidden.sql": "x", ".hidden.sh": "", "sub/c.sql": goodSQL, "æøå.sql": goodSQL, "script-folder.sql": goodSQL,
		strings.Repeat("long ", 20) + ".sql": goodSQL,
	})
	if err := os.Symlink(filepath.Join(dir, "a.sql"), filepath.Join(dir, "z.sql")); err != nil && runtime.GOOS != "windows" {
		t.Fatal(err)
	}
	rules := load(dir)
	if err := (sdk.Plugin{Name: "script", Rules: rules}).Validate(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range rules {
		broken := ""
		if strings.Contains(r.Title, "cannot be run") {
			broken = " " + r.Help[:strings.Index(r.Help, ". Put it")]
		}
		got = append(got, r.ID+broken)
	}
	long := strings.TrimRight(strings.Repeat("long-", 12), "-")
	check(t, "rules", strings.Join(got, "\n"), strings.Join([]string{"script-folder", "a", `a-2 rules/a.sql: its id "a" is that of a.rule.json`,
		`b rules/b.SQL: its id "a" is that of a.rule.json`, long,
		`script-folder-2 rules/script-folder.sql: its id "script-folder" is that of the plugin itself`,
		"z rules/z.sql: it is no regular file", "script"}, "\n"))
	check(t, "the folder", found(ruletest.Run(t, rules[0])), "info script:idle.ps1: rules/idle.ps1 is named by no .rule.json file: it is not run\n")

	none := load(filepath.Join(dir, "gone"))
	if len(none) != 1 || found(ruletest.Run(t, none[0])) != "" {
		t.Errorf("no folder: %d rules", len(none))
	}
	file := load(filepath.Join(dir, "notes.txt"))
	if len(file) != 1 {
		t.Fatalf("a file in place of the folder: %d rules", len(file))
	}
	says(t, "a file in place of the folder", ruletest.RunError(t, file[0]), "notes.txt")
}

// The examples are rules, their queries may be run, and those that this machine can run find what they say.
func TestExamples(t *testing.T) {
	const dir = "examples/rules"
	abs, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	user := func(id int64, login string) *sdk.User { return &sdk.User{ID: id, Login: login, Name: "Bø Ek"} }
	records := []sdk.Record{user(7, "bo"), user(8, "bo ek"), user(9, "b\u00f8"),
		&sdk.File{Area: "document", ID: 3, Path: "bo/2026.1/Setup.EXE", State: "present"}, &sdk.File{Area: "service", Path: "x.js", State: "present"},
		&sdk.File{Area: "document", ID: 4, Path: "bo/2026.1/a.doc", State: "present"}, &sdk.File{Area: "document", ID: 5, Path: "b.exe", State: "missing"}}
	want := map[string]string{
		"programs-in-archive": "warning file:document:3: document bo/2026.1/Setup.EXE is a program\nwarning file:service:x.js: service x.js is a program\n",
		"short-logins":        "info user:7: the login bo is short\n",
		"script-folder":       "",
	}
	seen := map[string]bool{}
	for _, r := range load(abs) {
		seen[r.ID] = true
		if strings.Contains(r.Title, "cannot be run") {
			t.Errorf("%s: %s", r.ID, r.Help)
		}
		for _, q := range r.Queries {
			if _, err := sqlselect.Parse(q.SQL); err != nil {
				t.Errorf("%s: %v", r.ID, err)
			}
		}
		if w, ok := want[r.ID]; ok {
			check(t, r.ID, found(ruletest.Run(t, r, records...)), w)
			delete(want, r.ID)
		}
		if r.ID == "future-documents" {
			got := ruletest.Run(t, r, ruletest.Rows(r, "rows", map[string]any{"document_id": 3, "name": "a.doc", "registered": "2099-01-01 00:00:00"}))
			check(t, r.ID, found(got), "warning file:document:3: document 3 (a.doc) was registered on 2099-01-01 00:00:00, which is still to come\n")
		}
	}
	if len(want) > 0 || !seen["login-blanks"] || !seen["future-documents"] {
		t.Errorf("examples that are not there: %v; there are %v", want, seen)
	}
	// PowerShell is not on every machine: what its script must say is looked at.
	ps, err := os.ReadFile(dir + "/login-blanks.ps1")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"$ErrorActionPreference = 'Stop'", "[Console]::OutputEncoding = [Text.UTF8Encoding]::new($false)", "ConvertTo-Json -Compress"} {
		if !strings.Contains(string(ps), s) {
			t.Errorf("login-blanks.ps1 does not say %s", s)
		}
	}
}

package e2e

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/sample/ill"
)

// plugins copies the folder of plugins into the world, with more files in it, and has every command take it.
func (w world) plugins(files map[string]string) {
	w.t.Helper()
	copyTree(w.t, filepath.Join(shared.bin, "plugins"), w.path("plugins"))
	for name := range tree(w.t, w.path("plugins")) {
		if name != "plugins.lock" {
			w.executable("plugins", name)
		}
	}
	for name, text := range files {
		w.write([]byte(text), "plugins", name)
	}
	w.env = append(w.env, "OMT_PLUGINS=plugins")
	w.want(0, "omt-scan", "rules", "--lock")
}

func (w world) executable(elem ...string) {
	w.t.Helper()
	if err := os.Chmod(w.path(elem...), 0o755); err != nil {
		w.t.Fatal(err)
	}
}

// oneRule are the findings of one rule in a manifest, message by subjects.
func oneRule(t testing.TB, m []byte, rule string) map[string]string {
	t.Helper()
	list := map[string]string{}
	for _, f := range found(t, "", m)[rule] {
		list[fmt.Sprint(f["subjects"])] = fmt.Sprint(f["severity"], ": ", f["message"])
	}
	return list
}

// checkOf is the status of a rule's check, and why it is not another.
func checkOf(t testing.TB, m []byte, rule string) (status, reason string) {
	t.Helper()
	for _, c := range records(t, m, "check") {
		if c["rule"] == rule {
			status += fmt.Sprint(c["status"])
			reason, _ = c["reason"].(string)
		}
	}
	return status, reason
}

// The commands of the three stages that run rules, and what they write.
var (
	autoStep  = []string{"omt-assign", "--in", "scan.jsonl", "--auto", "--out", "assigned.jsonl"}
	ruleStage = []string{"scan.jsonl", "assigned.jsonl", "packed.jsonl"}
)

const brokenRule = `{"title": "the house is in order", "severity": "warning", "help": "Shows a rule that fails.", "reads": ["user"], "run": ["sh", "house.sh"]}`

// A rule that fails blocks, cannot be waived, and goes through once it works. A file of the folder that is not as it was
// locked stops every stage before it does anything.
func TestRuleThatFails(t *testing.T) {
	t.Parallel()
	needs(t, "sh")
	w := sample(t, "--clean")
	w.plugins(map[string]string{"rules/house.rule.json": brokenRule, "rules/house.sh": "echo 'the roof leaks' >&2\nexit 7\n"})
	w.run(scanStep...).says(t, 3, "house (script 0.1.0) was not completed, which blocks like an error: ", "the roof leaks")
	w.run(autoStep...).says(t, 3, "house (script 0.1.0) was not completed")
	w.run("omt-assign", "--in", "assigned.jsonl", "--waive", "house=the roof is known", "--out", "waived.jsonl").says(t, 3,
		"the waiver of house covers no finding", "house (script 0.1.0) was not completed")
	for _, in := range []string{"assigned.jsonl", "waived.jsonl"} {
		r := w.run(with(packStep, "--in", in)...)
		r.says(t, 5, "blocked by house (not completed: ", "so that every rule runs to its end, which cannot be waived")
		if strings.Contains(r.err, "--waive") {
			t.Errorf("a waiver is offered: %s", r)
		}
	}

	// It is mended, and not yet locked: every stage says how.
	w.write([]byte("cat >/dev/null\n"), "plugins", "rules", "house.sh")
	was := tree(t, w.dir)
	for _, step := range [][]string{with(scanStep, "--out", "n.jsonl"), with(autoStep, "--out", "n.jsonl"), with(packStep, "--out", "n.jsonl")} {
		w.run(step...).says(t, 5, `"rules/house.sh"`, "omt-scan rules --lock --plugins")
	}
	w.run("omt-scan", "rules", "--verify").says(t, 5, "rules/house.sh")
	is := tree(t, w.dir)
	for _, m := range []map[string]string{was, is} {
		maps.DeleteFunc(m, func(name, _ string) bool { return strings.HasPrefix(name, "tmp/") || strings.HasSuffix(name, ".lock") })
	}
	if d := differing(was, is); d != "" {
		t.Errorf("%s was changed by a stage that was refused", d)
	}
	w.want(0, "omt-scan", "rules", "--lock")

	// Where the rule is not there at all, what it left undone blocks still.
	w.env = nil
	w.run(with(autoStep, "--out", "without.jsonl")...).says(t, 3, "house (script 0.1.0) was not completed")
	w.run(with(packStep, "--in", "without.jsonl")...).says(t, 5, "blocked by house (not completed: ")
	w.env = []string{"OMT_PLUGINS=plugins"}

	w.want(0, autoStep...)
	w.want(0, packStep...)
	w.want(0, pushStep...)
	if status, _ := checkOf(t, w.read("done.jsonl"), "house"); status != "done" {
		t.Errorf("the rule's check is %q", status)
	}
}

// A program in the folder that is no plugin takes no part, and every stage tells of it; what the others say counts.
func TestNoPlugin(t *testing.T) {
	t.Parallel()
	needs(t, "sh")
	w := sample(t, "--clean")
	w.plugins(map[string]string{"aaa.exe": "#!/bin/sh\necho no plugin\nexit 1\n"})
	w.executable("plugins", "aaa.exe")
	for _, step := range [][]string{scanStep, autoStep, packStep} {
		w.run(step...).says(t, 3, `starting plugin "aaa.exe": it writes "no plugin" where its greeting has to stand`, "not all rules were run: aaa.exe")
	}
	w.run("omt-scan", "rules").says(t, 3, "not everything that lies in")
	w.want(0, pushStep...)
}

// Rules without code and rules that are scripts, as the examples have them: what they find is in every manifest, found again
// by each stage, the rows of their queries too, and without the database.
func TestExampleRules(t *testing.T) {
	t.Parallel()
	needs(t, "sh", "sed", "python3")
	w := sample(t, "--clean")
	if err := ill.Exec(t.Context(), w.path("inst"), "UPDATE {document} SET registered = '2099-05-01 08:00:00' WHERE document_id = 7"); err != nil {
		t.Fatal(err)
	}
	w.write([]byte("MZ"), "inst", "service", "setup.exe")
	w.plugins(nil)
	copyTree(t, filepath.Join("..", "..", "plugins", "script", "examples", "rules"), w.path("plugins", "rules"))
	w.want(0, "omt-scan", "rules", "--lock")
	want := map[string]map[string]string{
		"future-documents":    {"[file:document:7]": "warning: document 7 ("},
		"programs-in-archive": {"[file:service:setup.exe]": "warning: service setup.exe is a program"},
		"short-logins":        {"[user:4]": "info: the login KN is short", "[user:5]": "info: the login EE is short", "[user:8]": "info: the login AB is short"},
	}
	look := func(name string) {
		t.Helper()
		m := w.read(name)
		for rule, list := range want {
			if status, reason := checkOf(t, m, rule); status != "done" {
				t.Errorf("%s: the check of %s is %q: %s", name, rule, status, reason)
			}
			got := oneRule(t, m, rule)
			if !slices.Equal(slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(list))) {
				t.Errorf("%s: %s found %v, want %v", name, rule, got, list)
			}
			for subject, message := range list {
				if !strings.HasPrefix(got[subject], message) {
					t.Errorf("%s: %s says of %s %q, want %q", name, rule, subject, got[subject], message)
				}
			}
		}
		facts := map[string]string{}
		for _, f := range records(t, m, "fact") {
			facts[fmt.Sprint(f["name"], " ", f["id"])] = fmt.Sprint(f["data"])
		}
		const query, row = "query future-documents.rows", "future-documents.rows 1"
		if facts[query] != "map[rows:1 status:done]" || !strings.Contains(facts[row], "document_id:7 ") {
			t.Errorf("%s: the facts of the query: %q, %q", name, facts[query], facts[row])
		}
	}

	// One of the examples needs PowerShell: where that is not there the rule is not completed, and blocks.
	if runtime.GOOS != "windows" {
		w.run(scanStep...).says(t, 3, "login-blanks (script 0.1.0) was not completed", "powershell")
		w.want(3, autoStep...)
		w.run(packStep...).says(t, 5, "blocked by login-blanks (not completed: ")
		look("scan.jsonl")
		look("assigned.jsonl")
		for _, name := range []string{"login-blanks.rule.json", "login-blanks.ps1"} {
			if err := os.Remove(w.path("plugins", "rules", name)); err != nil {
				t.Fatal(err)
			}
		}
		w.want(0, "omt-scan", "rules", "--lock")
	}
	w.want(0, scanStep...)
	if err := os.Rename(w.path("inst"), w.path("away")); err != nil {
		t.Fatal(err)
	}
	w.want(0, autoStep...)
	if err := os.Rename(w.path("away"), w.path("inst")); err != nil {
		t.Fatal(err)
	}
	w.want(0, packStep...)
	for _, name := range ruleStage {
		look(name)
		if f := found(t, manifest.SeverityError, w.read(name)); name != "scan.jsonl" && len(f) > 0 {
			t.Errorf("%s: errors stand: %v", name, f)
		}
	}
	w.want(3, pushStep...) // the document of the future has no file in the folder of its time
	w.noLitter()
}

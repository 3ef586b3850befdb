package plugins

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The marks in README.md between which the list of rules stands.
const (
	markBegin = "<!-- rules -->\n"
	markEnd   = "<!-- /rules -->\n"
)

// table is the list of rules as README.md has it.
func table() string {
	var b strings.Builder
	b.WriteString("| rule | finds | checks that | why, and what to do | rests on |\n| --- | --- | --- | --- | --- |\n")
	cell := func(s string) string {
		return strings.NewReplacer("|", `\|`, "<", "&lt;", "*", `\*`).Replace(s)
	}
	for _, p := range ours() {
		for _, r := range p.Rules {
			help := r.Help
			if r.Final != "" {
				help += " No finding can be waived: " + r.Final + "."
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", r.ID, r.Severity, cell(r.Title), cell(help), cell(r.Evidence))
		}
	}
	return b.String()
}

func TestREADME(t *testing.T) {
	const name = "../README.md"
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	readme := strings.ReplaceAll(string(text), "\r\n", "\n")
	before, rest, found := strings.Cut(readme, markBegin)
	got, after, closed := strings.Cut(rest, markEnd)
	if !found || !closed {
		t.Fatalf("README.md has no %q … %q", strings.TrimSpace(markBegin), strings.TrimSpace(markEnd))
	}
	if *update {
		got = table()
		if err := os.WriteFile(name, []byte(before+markBegin+got+markEnd+after), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff(table(), got); d != "" {
		t.Errorf("the list of rules is not what the rules say of themselves; go test ./plugins -update writes it anew: %s", d)
	}
}

package cli

import (
	"os/exec"
	"testing"
)

func TestQuote(t *testing.T) {
	for word, want := range map[string]string{
		"omt-spool": "omt-spool", "/srv/a b": "'/srv/a b'", "": "''", `D:\spool`: `'D:\spool'`, "@tenant.url": "'@tenant.url'",
		"O'Brien": `"O'Brien"`, "it's $5": `'it'\''s $5'`, "$(x)": "'$(x)'", "æ": "'æ'",
	} {
		got := Quote(word)
		if got != want {
			t.Errorf("%q: %s, want %s", word, got, want)
		}
		if out, err := exec.Command("bash", "-c", "printf %s "+got).Output(); err == nil && string(out) != word {
			t.Errorf("%q: bash reads %s as %q", word, got, out)
		}
	}
}

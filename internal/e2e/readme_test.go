package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestReadme runs every line of the README's bash blocks, in their order, in one empty folder. A line that fails ends it.
func TestReadme(t *testing.T) {
	needs(t, "bash", "jq", "zstd", "tar", "sha256sum", "diff")
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	script := blocks(string(text), "```bash\n")
	if n := strings.Count(script, "omt-"); n < 15 {
		t.Fatalf("only %d calls of our commands in the README's bash blocks", n)
	}
	run := exec.Command("bash", "-euo", "pipefail", "-x", "-c", script)
	run.Dir = t.TempDir()
	run.Env = append(os.Environ(), "PATH="+shared.bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
	if out, err := run.CombinedOutput(); err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
}

// TestDemo runs what make demo runs, on a smaller sample.
func TestDemo(t *testing.T) {
	t.Parallel()
	run := exec.Command("go", "run", "./internal/demo", "-bin", shared.bin, "-dir", filepath.Join(t.TempDir(), "demo"), "-documents", "120")
	run.Dir = filepath.Join("..", "..")
	out, err := run.CombinedOutput()
	if err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	for _, step := range []string{"sample", "pipe", "verify", "unpack", "compare", "left",
		"ill", "rules", "blocked", "refused", "settled", "through", "done"} {
		if !strings.Contains("\n"+string(out), "\n"+step+" ") {
			t.Errorf("the demonstration does not say what became of %q:\n%s", step, out)
		}
	}
	for _, text := range []string{"rules     24 of 24 were run to their end, 6 of plugin archive 0.1.0, 18 of plugin crm 0.1.0; 24 found something to say",
		"plan-seats 1", "omt-pack ended with 5, naming each, and made 0 chunks", "waived with a reason: document-missing 2, satellite 2, sentry-addons 1, travel 1"} {
		if !strings.Contains(string(out), text) {
			t.Errorf("the demonstration does not say %q:\n%s", text, out)
		}
	}
	if n := strings.Count(string(out), "\n"); n > 18 {
		t.Errorf("the demonstration says %d lines, which is more than a person reads", n)
	}
}

// TestReadmeNamesEveryTarget holds the commands that the README tells people to type against the Makefile.
func TestReadmeNamesEveryTarget(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	makefile, err := os.ReadFile(filepath.Join("..", "..", "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{"demo", "test", "build", "help"} {
		if !strings.Contains(string(text), "make "+target) {
			t.Errorf("the README does not name make %s", target)
		}
		if !strings.Contains(string(makefile), "\n"+target+":") {
			t.Errorf("the Makefile has no target %s", target)
		}
	}
}

// blocks joins the fenced blocks that begin with fence.
func blocks(text, fence string) string {
	var out strings.Builder
	for {
		_, rest, found := strings.Cut(text, "\n"+fence)
		if !found {
			return out.String()
		}
		block, after, _ := strings.Cut(rest, "\n```")
		out.WriteString(block + "\n")
		text = after
	}
}

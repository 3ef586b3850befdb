package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// bashLines are the lines of a runbook that are for bash.
func bashLines(book string) (list []string) {
	for _, part := range strings.Split(book, "\nbash")[1:] {
		_, rest, _ := strings.Cut(part, "```\n")
		block, _, _ := strings.Cut(rest, "\n```")
		list = append(list, strings.Split(block, "\n")...)
	}
	return list
}

// bash runs a line as a person types it; documents may be missing.
func (s *site) bash(line string) {
	s.t.Helper()
	run := exec.Command("bash", "-c", line)
	run.Dir = s.path()
	run.Env = append(os.Environ(), "PATH="+shared.bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
	if out, err := run.CombinedOutput(); run.ProcessState == nil || run.ProcessState.ExitCode() != 0 && run.ProcessState.ExitCode() != 3 {
		s.t.Fatalf("%s: %v\n%s", line, err, out)
	}
}

// TestRunbook runs what a runbook says, line for line in bash, from the test migration to the follow-up, and the way back at the
// end. Between them a person gives plans and user names.
func TestRunbook(t *testing.T) {
	needs(t, "bash")
	t.Parallel()
	s := newSite(t)
	s.want(0, "omt-scan", "sample", "--dir", "inst", "--documents", "5", "--clean")
	s.want(0, scanStep...)
	if err := os.Mkdir(s.path("dest"), 0o755); err != nil {
		t.Fatal(err)
	}
	s.want(0, "omt-push", "report", "--runbook", "--in", "scan.jsonl", "--to", "dest", "--spool", "it's", "--out", "runbook.md")
	copied := func(name string) {
		t.Helper()
		if err := os.WriteFile(s.path(name), s.read("inst", name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	copied("plans.csv")
	before := s.everything(false)
	var back []string
	ran := 0
	for _, line := range bashLines(string(s.read("runbook.md"))) {
		if strings.HasPrefix(line, "omt-pack thaw ") {
			back = append(back, line)
			continue
		}
		if strings.Contains(line, " --wait-idle ") {
			line += " --yes"
		}
		s.bash(strings.ReplaceAll(line, "ADDRESS", "boss@firm.example"))
		if strings.HasPrefix(line, "omt-assign export --in test-scan.jsonl ") {
			copied("users.csv")
		}
		ran++
	}
	if ran != 22 || len(back) != 4 {
		t.Errorf("%d lines were run, and %d are ways back", ran, len(back))
	}
	s.frozen(before, all...)
	for i, line := range back { // any number of times; the first has something to undo, and says what follows
		s.bash(line + " --log thaw" + strconv.Itoa(i) + ".log")
		s.frozen(before)
		if told := strings.Contains(string(s.read("thaw"+strconv.Itoa(i)+".log")), "users can work here again"); told != (i == 0) {
			t.Errorf("thaw %d says what comes next: %v", i+1, told)
		}
	}
	s.want(0, "omt-push", "report", "--runbook", "--to", "dest", "--out", "after.md")
	if after := string(s.read("after.md")); !strings.Contains(after, "accepted and closed on ") || strings.Contains(after, "| [ ] | 8.") {
		t.Error(after)
	}
}

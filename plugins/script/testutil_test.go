package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/openomt/omt/plugins/sdk"
)

// folder makes a folder of rules: names and what the files hold.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// one loads a folder and returns its one rule.
func one(t *testing.T, dir string) sdk.Rule {
	t.Helper()
	rules := load(dir)
	if len(rules) != 2 {
		t.Fatalf("%d rules, want one beside that of the folder", len(rules))
	}
	if err := (sdk.Plugin{Name: "script", Rules: rules}).Validate(); err != nil {
		t.Fatal(err)
	}
	return rules[1]
}

// found writes findings in short: "severity subject,subject: message", each in a line.
func found(all []sdk.Finding) string {
	var b strings.Builder
	for _, f := range all {
		b.WriteString(string(f.Severity) + " " + strings.Join(f.Subjects, ",") + ": " + f.Message)
		if f.Final {
			b.WriteString(" (final)")
		}
		b.WriteString("\n")
	}
	return b.String()
}

func check(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}

func says(t *testing.T, what string, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%s: %v, want %q", what, err, want)
	}
}

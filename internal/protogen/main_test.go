package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const contract = "../../plugins/sdk/proto"

// folder makes a folder with the contract and the code that is there.
func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"rules.proto", "rules.pb.go", "rules_grpc.pb.go"} {
		text, err := os.ReadFile(filepath.Join(contract, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// replace changes a file of the folder.
func replace(t *testing.T, path, from, to string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), from) {
		t.Fatalf("%s has no %q", path, from)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), from, to, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestCurrent is what make lint asks.
func TestCurrent(t *testing.T) {
	if err := run(t.Context(), contract, "rules.proto", true); err != nil {
		t.Error(err)
	}
}

// TestStale: code that is not what the contract says is named, left alone, and made anew without -check.
func TestStale(t *testing.T) {
	dir := folder(t)
	code, contract := filepath.Join(dir, "rules.pb.go"), filepath.Join(dir, "rules.proto")
	replace(t, contract, "string tool = 2; ", "string tool = 2; string mood = 99; ")
	before, err := os.ReadFile(code)
	if err != nil {
		t.Fatal(err)
	}
	err = run(t.Context(), dir, "rules.proto", true)
	if want := "not current: " + code + "; run make generate"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if after, _ := os.ReadFile(code); string(after) != string(before) {
		t.Error("a check wrote the file")
	}
	if err := run(t.Context(), dir, "rules.proto", false); err != nil {
		t.Fatal(err)
	}
	if after, _ := os.ReadFile(code); !strings.Contains(string(after), "GetMood()") {
		t.Error("the file was not made anew")
	}
	if err := run(t.Context(), dir, "rules.proto", true); err != nil {
		t.Errorf("what it made is not current: %v", err)
	}
}

// TestMissing: code that is not there is not current.
func TestMissing(t *testing.T) {
	dir := folder(t)
	if err := os.Remove(filepath.Join(dir, "rules_grpc.pb.go")); err != nil {
		t.Fatal(err)
	}
	if err := run(t.Context(), dir, "rules.proto", true); err == nil || !strings.Contains(err.Error(), "rules_grpc.pb.go") {
		t.Errorf("got %v", err)
	}
}

func TestBadContract(t *testing.T) {
	dir := folder(t)
	replace(t, filepath.Join(dir, "rules.proto"), "int64 number = 1;", "int46 number = 1;")
	if err := run(t.Context(), dir, "rules.proto", true); err == nil || !strings.Contains(err.Error(), "int46") {
		t.Errorf("got %v", err)
	}
}
